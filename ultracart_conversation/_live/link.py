"""One open websocket: read, kept awake, watched for silence, and closed in bounded time."""

from collections.abc import Callable
from contextlib import suppress

import anyio
import attrs
from anyio.abc import TaskGroup

from ultracart_conversation._live.attempt import Ticket
from ultracart_conversation._live.heartbeat import Pulse, Step
from ultracart_conversation._live.outcome import Closed, Silent, SocketEnded
from ultracart_conversation._live.socket import Socket
from ultracart_conversation.clock import Clock
from ultracart_conversation.config import Heartbeat

CLOSING = 2.0
"""Seconds that the closing handshake may take."""


@attrs.frozen(kw_only=True)
class Upkeep:
    """What keeps a websocket open."""

    heartbeat: Heartbeat
    ping: str | None
    """A text message that the service takes for a sign of life; None for none."""
    ping_period: float
    """Seconds from one such message to the next."""


@attrs.define
class Traffic:
    """What went over all websockets of a session."""

    messages: int = 0
    size: int = 0
    """Bytes of the messages received."""
    pings: int = 0
    """Application pings that were sent."""


class Link:
    """One websocket, from the moment it is open until nothing of it is left."""

    def __init__(
        self,
        socket: Socket,
        *,
        ticket: Ticket,
        generation: int,
        received: Callable[[int, str], None],
        clock: Clock,
        upkeep: Upkeep,
        traffic: Traffic,
    ) -> None:
        self.ticket = ticket
        self.generation = generation
        self.opened: float = clock.now()
        self._socket = socket
        self._received = received
        self._clock = clock
        self._upkeep = upkeep
        self._traffic = traffic
        self._pulse = Pulse(upkeep.heartbeat, now=self.opened)
        self._leaving = anyio.Event()
        self._deaf = False
        self._end: Closed | Silent = Closed(1006)

    @property
    def silence(self) -> float:
        """Seconds since anything was received."""
        return self._clock.now() - self._pulse.last

    async def run(self) -> Closed | Silent:
        """Hand over all that comes until the websocket ends; how it did. Nothing of it is left afterwards."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, group, name=f"{self} watch")
                group.start_soon(self._keep_awake, name=f"{self} ping")
                group.start_soon(self._close_when_told, group, name=f"{self} close")
                self._end = await self._read()
                group.cancel_scope.cancel()
        finally:
            await self._socket.abort()
        return self._end

    async def send(self, text: str) -> None:
        """Write one message; raises `SocketEnded`, and then it may have been written or not."""
        await self._socket.send(text)

    def leave(self, *, listening: bool = True) -> None:
        """Begin to close it; what still comes is handed over while `listening`."""
        self._deaf = not listening
        self._leaving.set()

    def __str__(self) -> str:
        return f"websocket {self.generation}"

    async def _read(self) -> Closed:
        while True:
            try:
                message = await self._socket.receive()
            except SocketEnded as ended:
                return ended.end
            self._pulse.received(self._clock.now())
            if message is not None:
                self._take(message)

    def _take(self, message: str | bytes) -> None:
        raw = message.encode() if isinstance(message, str) else message
        self._traffic.messages += 1
        self._traffic.size += len(raw)
        if not self._deaf:
            self._received(self.generation, message if isinstance(message, str) else raw.decode(errors="replace"))

    async def _watch(self, group: TaskGroup) -> None:
        while True:
            await self._clock.sleep(min(self._pulse.due - self._clock.now(), self._upkeep.heartbeat.interval))
            step = self._pulse.look(self._clock.now())
            if step is Step.PING:
                # Not awaited: it blocks where nobody reads any more, which is what is to be found out.
                group.start_soon(self._ask, name=f"{self} question")
            elif step is Step.GIVE_UP:
                self._end = Silent(self.silence)
                group.cancel_scope.cancel()
                return

    async def _ask(self) -> None:
        with suppress(SocketEnded):  # the reader learns of it too
            await self._socket.ping()

    async def _keep_awake(self) -> None:
        if self._upkeep.ping is None:
            return
        with suppress(SocketEnded):  # the reader learns of it too
            while True:
                await self._clock.sleep(self._upkeep.ping_period)
                await self._socket.send(self._upkeep.ping)
                self._traffic.pings += 1

    async def _close_when_told(self, group: TaskGroup) -> None:
        await self._leaving.wait()
        group.start_soon(self._socket.close, name=f"{self} goodbye")
        await self._clock.sleep(CLOSING)
        group.cancel_scope.cancel()
