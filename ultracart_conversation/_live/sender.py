"""Sends messages through whatever websocket is open, and waits to learn what became of them.

Decisions come from `Outbox`; here are the waiting and the writing.
"""

import logging
from collections.abc import Awaitable, Callable
from math import inf
from uuid import uuid4

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from ultracart_conversation._live.outbox import Outbox
from ultracart_conversation._live.outbox_line import Entry, Result
from ultracart_conversation._live.outcome import SocketEnded
from ultracart_conversation.clock import Clock
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import FoundBy, SendingStatistics, Sent, Unknown
from ultracart_conversation.errors import NotConnected, SessionClosed
from ultracart_conversation.models import ConversationMessage

logger = logging.getLogger("ultracart_conversation.sending")


class Sender:
    """One for each session; `run` does the work, and everything else may be called from any of the session's tasks.

    `write` writes one frame and returns the generation of the connection that took it. It raises `NotConnected` when
    certainly nothing was written, and `SocketEnded` when perhaps something was. `look_up` asks for a read of a
    conversation by REST, and neither waits nor raises.
    """

    def __init__(
        self,
        write: Callable[[str], Awaitable[int]],
        look_up: Callable[[str], None],
        *,
        sending: Sending,
        settle: float,
        clock: Clock,
    ) -> None:
        self._write = write
        self._look_up = look_up
        self._clock = clock
        self._outbox = Outbox(sending, settle=settle)
        self._bells: dict[Entry, anyio.Event] = {}
        self._work = anyio.Event()
        self._emptied = anyio.Event()
        self._nap: anyio.CancelScope | None = None
        self._nap_until = inf

    async def send(
        self,
        conversation_uuid: str,
        body: str,
        *,
        encode: Callable[[str], str],
        client_message_id: str | None = None,
    ) -> Sent | Unknown:
        """What became of the message; `encode` makes its frame from its `client_message_id`.

        It waits while there is no connection. A cancelled call takes the message back if it was certainly not written.
        Raises `SendQueueFull`, `SessionClosed`, and `ConfigurationError` for an id that was used before; nothing was
        sent then.
        """
        await checkpoint_if_cancelled()
        identifier = str(uuid4()) if client_message_id is None else client_message_id
        epoch = round(1_000 * self._clock.time())
        entry = Entry(conversation_uuid, identifier, text=encode(identifier), body=body, epoch=epoch)
        self._outbox.submit(entry)
        result = await self._result(entry)
        if isinstance(result, SessionClosed):
            raise result
        return result

    async def run(self) -> None:
        """Write what waits and look for what is not acknowledged, until cancelled; then nothing can be sent."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_time, name="acknowledgements of sent messages")
                await self._write_all()
        finally:
            self.close()

    def connected(self, generation: int, *, participant_arn: str | None) -> None:
        """There is a connection to write to, as this participant."""
        self._outbox.connected(generation, participant_arn=participant_arn, now=self._clock.now())
        self._changed()

    def connection_lost(self, generation: int) -> None:
        """This connection brings nothing more, whether it ended or was replaced."""
        self._outbox.connection_lost(generation, now=self._clock.now())
        self._changed()

    def seen(self, message: ConversationMessage, conversation_uuid: str, *, found_by: FoundBy) -> None:
        """The service shows this message, whoever wrote it; messages may be shown again and again."""
        self._ring(self._outbox.seen(message, conversation_uuid, found_by=found_by))

    def read_completely(self, conversation_uuid: str, *, began: float) -> None:
        """A read by REST that began then, by `Clock.now`, is proven complete, and all its messages were `seen`."""
        self._ring(self._outbox.read_completely(conversation_uuid, began=began))

    def statistics(self) -> SendingStatistics:
        return self._outbox.statistics()

    async def drain(self) -> None:
        """Return once it is known of every message what became of it."""
        while len(self._outbox):
            if self._emptied.is_set():
                self._emptied = anyio.Event()
            await self._emptied.wait()

    def close(self) -> None:
        """Send nothing more: what was not written raises `SessionClosed`, the rest is `Unknown`."""
        self._ring(self._outbox.close())

    async def _result(self, entry: Entry) -> Result:
        bell = self._bells[entry] = anyio.Event()
        self._changed()
        try:
            while entry.result is None:
                await bell.wait()
            return entry.result
        finally:
            del self._bells[entry]
            if entry.result is None and self._outbox.withdraw(entry):
                self._changed()

    async def _write_all(self) -> None:
        while True:
            self._work = anyio.Event()
            while entry := self._outbox.next_to_write(self._clock.now()):
                await self._write_one(entry)
            await self._work.wait()

    async def _write_one(self, entry: Entry) -> None:
        try:
            generation = await self._write(entry.text)
        except NotConnected:
            self._outbox.not_written(entry, now=self._clock.now())
        except SocketEnded as error:
            logger.info("the connection ended while a message was written (%s); it is looked for", error.end.code)
            self._outbox.maybe_written(entry, now=self._clock.now())
        else:
            self._outbox.written(entry, generation, now=self._clock.now())
        self._changed()

    async def _keep_time(self) -> None:
        while True:
            now = self._clock.now()
            self._ring(self._outbox.expire(now))
            for conversation_uuid in self._outbox.due(now):
                self._look_up(conversation_uuid)
            self._work.set()
            self._nap_until = self._outbox.next_time(now)
            with anyio.CancelScope() as self._nap:
                await (anyio.sleep_forever() if self._nap_until == inf else self._clock.sleep(self._nap_until - now))
            self._nap = None

    def _ring(self, ended: list[Entry]) -> None:
        for entry in ended:
            if entry in self._bells:
                self._bells[entry].set()
        if ended:
            self._changed()

    def _changed(self) -> None:
        """Wake whoever may have something to do now."""
        self._work.set()
        if not len(self._outbox):
            self._emptied.set()
        if self._nap and self._outbox.next_time(self._clock.now()) < self._nap_until:
            self._nap.cancel()
