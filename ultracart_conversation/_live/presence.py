"""What others see of this agent besides messages: typing, what was read, and the status in the queues."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio

from ultracart_conversation._live.connection import WriteLost
from ultracart_conversation._live.outgoing import read_message_frame, typing_frame
from ultracart_conversation._live.read_marks import Mark, ReadMarks
from ultracart_conversation._live.timing import wait_at_most
from ultracart_conversation._live.typing_throttle import TypingThrottle
from ultracart_conversation._sync.message_order import epoch_of, key_of
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.config import Sending
from ultracart_conversation.errors import NotConnected, UltraCartError
from ultracart_conversation.models import (
    AgentStatus,
    ConversationMessage,
    ConversationWebchatQueueStatusUpdateRequest,
)

_logger = logging.getLogger("ultracart_conversation.session")


class Presence:
    """Tells others; `write` writes a frame, or raises `NotConnected` or `WriteLost`."""

    def __init__(self, client: ConversationClient, write: Callable[[str], Awaitable[int]], *, sending: Sending) -> None:
        self._client = client
        self._clock = client.clock
        self._write = write
        self._throttle = TypingThrottle(sending.typing)
        self._marks = ReadMarks()
        self._statuses: dict[str, AgentStatus] = {}
        self._held = anyio.Event()

    async def run(self) -> None:
        """Send what the throttle held back, until cancelled."""
        while True:
            for uuid, value in self._throttle.due(self._clock.now()):
                await self._type(uuid, value)
            wait = self._throttle.next_time() - self._clock.now()
            self._held = anyio.Event()
            await wait_at_most(self._clock, wait, self._held)

    def connection_lost(self) -> None:
        """Nobody shall hear later what was typed before."""
        self._throttle.clear()

    async def typing(self, conversation_uuid: str, value: str) -> None:
        """Be seen typing; there is nobody to see it while there is no connection."""
        if self._throttle.typed(conversation_uuid, value, now=self._clock.now()):
            await self._type(conversation_uuid, value)
        else:
            self._held.set()

    async def mark_read(self, conversation_uuid: str, message: ConversationMessage | None) -> None:
        """Say what was read: on the websocket up to `message`, else by REST all of it; never less than before."""
        if message is None:
            await self._client.mark_read_conversation(conversation_uuid)
            return
        mark = Mark(epoch_of(message), key_of(message))
        if not self._marks.begin(conversation_uuid, mark):
            return
        try:
            await self._say_read(conversation_uuid, message)
        except NotConnected:
            self._marks.not_sent(conversation_uuid, mark)
            await self._client.mark_read_conversation(conversation_uuid)
        except BaseException:
            # It may have been written, and a mark does no harm twice but must not go back.
            self._marks.sent(conversation_uuid, mark)
            raise
        else:
            self._marks.sent(conversation_uuid, mark)

    async def set_status(self, queue_name: str, status: AgentStatus) -> None:
        """Set this agent's status in one queue."""
        self._statuses[queue_name] = status
        request = ConversationWebchatQueueStatusUpdateRequest(agent_status=status)
        await self._client.update_conversation_webchat_queue_status(queue_name, request)

    async def become_unavailable(self) -> None:
        """Take back every status that was set here; failures are logged."""
        for queue_name, status in tuple(self._statuses.items()):
            if status != AgentStatus.UNAVAILABLE:
                try:
                    await self.set_status(queue_name, AgentStatus.UNAVAILABLE)
                except UltraCartError as error:
                    _logger.warning("the agent may still be %s in a queue: %s", status, error)

    async def _type(self, conversation_uuid: str, value: str) -> None:
        with suppress(NotConnected, WriteLost):
            await self._write(typing_frame(conversation_uuid, value=value))

    async def _say_read(self, conversation_uuid: str, message: ConversationMessage) -> None:
        frame = read_message_frame(
            conversation_uuid,
            conversation_message_uuid=message.conversation_message_uuid,
            message_epoch=message.message_epoch,
        )
        with suppress(WriteLost):
            await self._write(frame)
