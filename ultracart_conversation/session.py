"""An agent online, who misses nothing."""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio

from ultracart_conversation._live.connection import WriteLost
from ultracart_conversation._live.feed import Overflow
from ultracart_conversation._live.outgoing import add_coupon_frame, add_item_frame, message_frame
from ultracart_conversation._live.runtime import Runtime
from ultracart_conversation._live.settings import Settings
from ultracart_conversation._live.socket import Connector
from ultracart_conversation._live.statistics import SessionStatistics, statistics_of
from ultracart_conversation._live.subscription import Subscription
from ultracart_conversation._live.timing import within
from ultracart_conversation._sync.checkpoint import Checkpoint
from ultracart_conversation._sync.ledger import Follow
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.config import Backoff, Buffering, Heartbeat, Rotation, Sending, Sweeping
from ultracart_conversation.delivery import Sent, Unknown
from ultracart_conversation.dialect import Dialect
from ultracart_conversation.errors import ConfigurationError, OutcomeUnknown, SessionClosed, Undecodable
from ultracart_conversation.events import Event
from ultracart_conversation.models import (
    AgentStatus,
    Conversation,
    ConversationAgentAuth,
    ConversationJoinRequest,
    ConversationMessage,
    ConversationStartRequest,
    ConversationWebchatContext,
    ConversationWebchatQueueStatusQueueEntry,
)
from ultracart_conversation.state import Phase, SessionState

E = TypeVar("E")
_logger = logging.getLogger("ultracart_conversation.session")
_FAREWELL = 3.0
"""Seconds that ending the tasks may take, after what `close_timeout` bounds."""


class AgentSession:
    """An agent online: JWT, websocket, keepalive, and everything that happens as one stream of events.

    ```python
    async with AgentSession(client) as session:
        async for event in session:
            match event:
                case MessageReceived(conversation_uuid=uuid, message=message):
                    print(uuid, message.body)
                case Gap():
                    print("something may be missing; it is being read")
    ```

    Every message that REST shows while the session runs, or since its `checkpoint`, is handed over: exactly once by
    this session, at least once across restarts. Messages of one conversation come in their order, or are flagged
    `late`; where nothing shows that none is missing there is a `Gap`, and a `GapClosed` or `GapUnresolved`.

    `follow` is `"mine"` for the conversations that the agent takes part in, or `"all"` for those of every agent.
    `keepalive` is the seconds between two calls of `get_agent_keep_alive`. `stay_available` keeps the statuses that
    were set here when the session ends. `close_timeout` bounds, in seconds, how long leaving waits for messages that
    are being sent. `connector` opens the websockets; the default takes proxies from the environment as REST does.
    The other values have their own documentation.

    What nothing can mend (410, rejected credentials) is raised by whatever waits for the session, and on leaving it.
    """

    def __init__(
        self,
        client: ConversationClient,
        *,
        follow: Follow = "mine",
        checkpoint: Checkpoint | None = None,
        keepalive: float = 120.0,
        stay_available: bool = False,
        close_timeout: float = 5.0,
        dialect: Dialect | None = None,
        backoff: Backoff | None = None,
        heartbeat: Heartbeat | None = None,
        rotation: Rotation | None = None,
        sweeping: Sweeping | None = None,
        buffering: Buffering | None = None,
        sending: Sending | None = None,
        connector: Connector | None = None,
        allow_insecure: bool = False,
    ) -> None:
        if follow not in ("mine", "all"):
            raise ConfigurationError(f'follow is "mine" or "all", not {follow!r}')
        if keepalive <= 0 or close_timeout < 0:
            raise ConfigurationError("keepalive is a positive number of seconds, and close_timeout is not negative")
        self._settings = Settings(
            dialect=dialect or Dialect(),
            backoff=backoff or Backoff(),
            heartbeat=heartbeat or Heartbeat(),
            rotation=rotation or Rotation(),
            sweeping=sweeping or Sweeping(),
            buffering=buffering or Buffering(),
            sending=sending or Sending(),
            keepalive=keepalive,
            allow_insecure=allow_insecure,
        )
        self._client = client
        self._stay_available = stay_available
        self._close_timeout = close_timeout
        self._runtime = Runtime(
            client, connector or _real_connector(client), self._settings, follow=follow, checkpoint=checkpoint
        )
        self._events = self._runtime.subscribe(maxsize=self._settings.buffering.maxsize, overflow="wait")
        # It imports asyncio, which whoever has no session can do without.
        from ultracart_conversation._rest.detached import Detached  # noqa: PLC0415

        self._tasks = Detached()
        self._scope: anyio.CancelScope | None = None
        self._entered = False

    def __repr__(self) -> str:
        return f"<AgentSession {self.state.phase}>"

    # Coming and going

    async def __aenter__(self) -> Self:
        """Go online in the background; `wait_live` waits until that has happened."""
        if self._entered:
            raise SessionClosed("a session runs once: make a new one, with this one's checkpoint() to go on from here")
        self._entered = True
        self._tasks.start(self._run, name="session")
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._leave()
        if error is None and self._runtime.failure is not None:
            raise self._runtime.failure

    async def _run(self) -> None:
        with anyio.CancelScope() as self._scope:
            await self._runtime.run()

    async def _leave(self) -> None:
        clock = self._client.clock
        try:
            if not self._runtime.is_over:
                await within(clock, self._close_timeout, self._say_goodbye)
        except TimeoutError:
            _logger.warning("left after %.1f s, before everything was sent", self._close_timeout)
        self._runtime.loop.stop()
        try:
            await within(clock, _FAREWELL, self._tasks.drain)
        except TimeoutError:
            if self._scope is not None:
                self._scope.cancel()
            await self._tasks.drain()

    async def _say_goodbye(self) -> None:
        if not self._stay_available:
            await self._runtime.presence.become_unavailable()
        await self._runtime.sender.drain()

    # What happens

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    def events(self, *kinds: type[E]) -> AsyncIterator[E]:
        """Only events of these classes, such as `session.events(MessageReceived, Typing)`; others are passed over."""
        return self._events.events(*kinds)

    async def next(self, kind: type[E], *, timeout: float | None = None) -> E:  # noqa: ASYNC109 - by the client's clock
        """The next event of this class, passing over others; raises `TimeoutError` after `timeout` seconds."""
        return await self._events.next(kind, timeout=timeout)

    def subscribe(self, *, maxsize: int = 1_000, overflow: Overflow = "wait") -> Subscription:
        """The events from now on, for one more consumer, who may be slow without harm to the others.

        When `maxsize` events wait: with "wait" no message is lost, as those that find no room are read again by REST
        later; with "drop_oldest" the oldest events are lost. `ConsumerSlow` tells of both.
        """
        if maxsize < 1 or overflow not in ("wait", "drop_oldest"):
            raise ConfigurationError('maxsize is at least 1, and overflow is "wait" or "drop_oldest"')
        return self._runtime.subscribe(maxsize=maxsize, overflow=overflow)

    @property
    def state(self) -> SessionState:
        """Where the session stands, since when and why."""
        return self._runtime.loop.state

    @property
    def agent(self) -> ConversationAgentAuth | None:
        """Who the agent is, as the last authorization said; None before the first."""
        return self._runtime.me

    async def wait_live(self) -> None:
        """Return as soon as the session is online with nothing left to catch up with; raises what ended it."""
        while self.state.phase is not Phase.LIVE:
            self._check_running()
            await self._runtime.until_changed()

    def statistics(self) -> SessionStatistics:
        """How the session does, in numbers."""
        return statistics_of(self._runtime)

    def checkpoint(self) -> Checkpoint:
        """Where to go on after a restart: behind every message that all consumers have dealt with.

        A message counts as dealt with when its consumer asks for the next event. Keep `checkpoint().to_dict()`
        wherever you keep what you made of the messages, in one transaction where you can.
        """
        return self._runtime.checkpoint()

    # What the agent does

    async def send_message(
        self,
        conversation_uuid: str,
        body: str,
        *,
        upload_keys: Iterable[str] = (),
        delay_until: datetime | None = None,
        language_iso_code: str | None = None,
        client_message_id: str | None = None,
    ) -> Sent | Unknown:
        """Send a message, and return what became of it once that is known.

        It waits for a connection where there is none, goes out after all earlier ones of its conversation, and is
        never sent twice. Raises `SendQueueFull` or `SessionClosed` when it was certainly not sent. `upload_keys` come
        from `client.uploads`. A cancelled call takes the message back, unless it may have been written.
        """
        self._check_running()
        if delay_until is not None and delay_until.tzinfo is None:
            raise ConfigurationError(f"delay_until={delay_until.isoformat()} has no offset: say which zone")
        encode = partial(
            _message,
            conversation_uuid,
            body,
            upload_keys=tuple(upload_keys),
            delay_until=delay_until,
            language_iso_code=language_iso_code,
        )
        return await self._runtime.sender.send(
            conversation_uuid, body, encode=encode, client_message_id=client_message_id
        )

    async def send_typing(self, conversation_uuid: str, value: str = "...") -> None:
        """Be seen typing, at most every few seconds; "" says that nobody types any more. Lost while offline."""
        self._check_running()
        await self._runtime.presence.typing(conversation_uuid, value)

    async def mark_read(self, conversation_uuid: str, message: ConversationMessage | None = None) -> None:
        """Say that this agent has read up to `message`, or everything; a mark never goes back.

        Up to a message goes over the websocket (inferred), everything by REST (documented).
        """
        self._check_running()
        await self._runtime.presence.mark_read(conversation_uuid, message)

    async def add_coupon(self, conversation_uuid: str, coupon_code: str) -> None:
        """Put a coupon on the customer's cart (inferred); raises `NotConnected` while offline."""
        name, arn = self._name_and_arn()
        frame = add_coupon_frame(conversation_uuid, coupon_code, agent_arn=arn, agent_name=name)
        await self._write_once(frame, "add_coupon")

    async def add_item(self, conversation_uuid: str, *items: Mapping[str, Any]) -> None:
        """Put items such as `{"item_id": "TEA", "quantity": 1}` into the cart (inferred); `NotConnected` offline."""
        name, arn = self._name_and_arn()
        await self._write_once(add_item_frame(conversation_uuid, items, agent_arn=arn, agent_name=name), "add_item")

    async def set_status(self, queue_name: str, status: AgentStatus) -> None:
        """Set this agent's status in one queue; it becomes unavailable again when the session ends."""
        self._check_running()
        await self._runtime.presence.set_status(queue_name, status)

    async def join(self, conversation_uuid: str, *, language_iso_code: str | None = None) -> None:
        """Take part in a conversation; its messages are handed over from then on."""
        request = ConversationJoinRequest(participant_language_iso_code=language_iso_code)
        await self._client.join_conversation(conversation_uuid, request if language_iso_code else None)

    async def leave(self, conversation_uuid: str) -> None:
        """Take part in a conversation no longer."""
        await self._client.leave_conversation(conversation_uuid)

    async def pick_up(self, entry: ConversationWebchatQueueStatusQueueEntry) -> Conversation:
        """Begin the conversation with a customer who waits; `OutcomeUnknown` when the reply is lost."""
        request = ConversationStartRequest(conversation_webchat_queue_uuid=entry.conversation_webchat_queue_uuid)
        reply = await self._client.start_conversation(request)
        if reply.conversation is None or reply.conversation.conversation_uuid is None:
            raise Undecodable("start_conversation: the reply has no conversation: look for it in get_conversations")
        self._runtime.adopt(reply.conversation)
        return reply.conversation

    async def context(self, conversation_uuid: str) -> ConversationWebchatContext:
        """What the customer of a webchat looks at and has in the cart; one request."""
        return await self._client.get_conversation_context(conversation_uuid)

    async def _write_once(self, frame: str, what: str) -> None:
        self._check_running()
        try:
            await self._runtime.loop.send(frame)
        except WriteLost as error:
            lost = OutcomeUnknown(f"{what}: {error}; look at the cart, with context(), before you repeat it")
            lost.operation, lost.check = what, "look at the cart, with context(), before you repeat it"
            raise lost from None

    def _name_and_arn(self) -> tuple[str | None, str | None]:
        me = self._runtime.me
        return (None, None) if me is None else (me.conversation_participant_name, me.conversation_participant_arn)

    def _check_running(self) -> None:
        if self._runtime.failure is not None:
            raise self._runtime.failure
        if not self._entered or self._runtime.is_over:
            raise SessionClosed(
                "the session is not running: use it inside `async with AgentSession(client) as session`"
            )


def _message(conversation_uuid: str, body: str, client_message_id: str, **options: Any) -> str:
    return message_frame(conversation_uuid, body, client_message_id=client_message_id, **options)


def _real_connector(client: ConversationClient) -> Connector:
    # Importing websockets takes a while, and whoever has no session needs none of it.
    from ultracart_conversation._live.transport import WebsocketConnector  # noqa: PLC0415

    return WebsocketConnector(clock=client.clock)
