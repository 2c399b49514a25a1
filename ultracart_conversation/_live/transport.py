"""Real websockets: `protocol` over a connection, with a limit on whatever waits."""

import ssl
from contextlib import suppress
from functools import partial

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from ultracart_conversation._live.dialing import LOST, Line, explain
from ultracart_conversation._live.outcome import CannotOpen, Closed, Denied, SocketEnded, Unreachable
from ultracart_conversation._live.protocol import NO_CLOSING_FRAME, Protocol
from ultracart_conversation._live.socket import Address
from ultracart_conversation._live.timing import within
from ultracart_conversation._rest.transport import shared_ssl_context
from ultracart_conversation.clock import Clock

_MOST_PONGS = 1_000
"""As many may be due while a writer is stuck; then reading waits as well, since no other bound is left."""


class WebsocketConnector:
    """Opens websockets, on asyncio and trio alike.

    It drives websockets' protocol over anyio's streams instead of using its clients: one code serves both backends,
    an idle TLS session takes an eighth of the memory (asyncio's own TLS keeps a read buffer of 256 KB), and a simulator
    needs no socket. The price: the proxy's handshake and the timer of the pings are ours, and a message that comes in
    a TLS record of its own takes up to a quarter more CPU.

    All times are seconds of `clock`: to reach the service, to get an answer to the handshake, and to say goodbye.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        ssl_context: ssl.SSLContext | None = None,
        connect_timeout: float = 10.0,
        handshake_timeout: float = 10.0,
        close_timeout: float = 2.0,
    ) -> None:
        self._clock = clock
        self._ssl_context = ssl_context
        self._connect_timeout = connect_timeout
        self._handshake_timeout = handshake_timeout
        self._close_timeout = close_timeout

    async def __call__(self, address: Address, /) -> "Websocket":
        """One open websocket; raises `CannotOpen`. Cancelling it leaves nothing open."""
        line = Line()
        try:
            opened = await self._open(address, line)
        except BaseException:
            await line.hang_up()
            raise
        if isinstance(opened, Websocket):
            return opened
        await line.hang_up()
        # What failed below had the JWT in its frames; nothing of that is chained to this error.
        raise CannotOpen(opened)

    async def _open(self, address: Address, line: Line) -> "Websocket | Unreachable | Denied":
        try:
            protocol = Protocol(address)
        except ValueError:
            return Unreachable("the address is no websocket's URL")
        failure = await self._reach(protocol, line) or await self._shake_hands(protocol, line)
        return failure or Websocket(protocol, line, clock=self._clock, close_timeout=self._close_timeout)

    async def _reach(self, protocol: Protocol, line: Line) -> Unreachable | Denied | None:
        uri, context = protocol.uri, self._ssl_context or shared_ssl_context()
        connect = partial(line.connect, uri.host, uri.port, ssl_context=context, secure=uri.secure)
        try:
            await within(self._clock, self._connect_timeout, connect)
        except CannotOpen as error:
            return error.outcome
        except (*LOST, ValueError) as error:
            late = isinstance(error, TimeoutError)
            why = f"no connection within {self._connect_timeout:g} s" if late else explain(error)
            return Unreachable(f"{line.towards}: {why}")
        return None

    async def _shake_hands(self, protocol: Protocol, line: Line) -> Unreachable | Denied | None:
        try:
            await within(self._clock, self._handshake_timeout, partial(_ask, protocol, line))
        except LOST as error:
            late = isinstance(error, TimeoutError)
            why = f"no answer to the handshake within {self._handshake_timeout:g} s" if late else explain(error)
            return Unreachable(f"{line.towards}: {why}")
        return protocol.failure


async def _ask(protocol: Protocol, line: Line) -> None:
    """Ask for a websocket, and read until there is an answer."""
    protocol.ask()
    await line.stream.send(protocol.take())
    while protocol.is_asking:
        try:
            protocol.receive(await line.stream.receive())
        except anyio.EndOfStream:
            protocol.receive_end()


class Websocket:
    """One open websocket: see the protocol `Socket`."""

    def __init__(self, protocol: Protocol, line: Line, *, clock: Clock, close_timeout: float) -> None:
        self._protocol = protocol
        self._line = line
        self._clock = clock
        self._close_timeout = close_timeout
        self._writing = anyio.Lock()
        self._reading = anyio.ResourceGuard("receiving from")

    async def send(self, text: str, /) -> None:
        """Write one text message; raises `SocketEnded`.

        A call that is cancelled while the other side does not read ends the websocket: part of the message is out.
        """
        data = text.encode()
        async with self._writing:
            await checkpoint_if_cancelled()
            self._protocol.check_open()
            self._protocol.put(data)
            await self._write()

    async def receive(self) -> str | bytes | None:
        """The next message, or None for a ping or pong; raises `SocketEnded` after the last."""
        protocol = self._protocol
        with self._reading:
            while not protocol.received:
                if protocol.end is not None:
                    await self._leave()
                    raise SocketEnded(protocol.end)
                await self._read()
            return protocol.received.popleft()

    async def ping(self) -> None:
        """Ask for a sign of life; raises `SocketEnded`."""
        self._protocol.check_open()
        self._protocol.put_ping()
        await self._flush()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send the closing frame, or hang up when it cannot be sent in time; whoever receives sees the end."""
        if self._protocol.is_open:
            self._protocol.put_close(code, reason)
            await self._say_goodbye()

    async def abort(self) -> None:
        """Close the connection at once; works while cancelled, and may be repeated."""
        self._protocol.finish()
        await self._line.hang_up()

    async def _read(self) -> None:
        if self._protocol.pending():
            await self._answer()
        try:
            data = await self._line.stream.receive()
        except LOST as error:
            self._protocol.lost(explain(error))
        else:
            self._protocol.receive(data)

    async def _answer(self) -> None:
        """Write the pongs that are due, unless a writer is at work, who does it: reading must not wait for writing."""
        if not self._writing.locked() or self._protocol.pending() > _MOST_PONGS:
            # Where this finds nobody, what was sent before may still hold the closing frame.
            with suppress(SocketEnded):
                await self._flush()

    async def _leave(self) -> None:
        if self._protocol.pending():
            await self._say_goodbye()
        await self.abort()

    async def _say_goodbye(self) -> None:
        """Write what waits, for as long as a goodbye may take."""
        try:
            await within(self._clock, self._close_timeout, self._flush)
        except TimeoutError:
            await self.abort()
        except SocketEnded as error:
            self._protocol.end = self._protocol.end or error.end

    async def _flush(self) -> None:
        async with self._writing:
            await checkpoint_if_cancelled()
            await self._write()

    async def _write(self) -> None:
        """Write what waits; the caller holds the lock, so that messages cannot mix."""
        protocol = self._protocol
        while protocol.pending():
            try:
                await self._line.stream.send(protocol.take())
            except LOST as error:
                raise SocketEnded(protocol.end or Closed(NO_CLOSING_FRAME, explain(error))) from None
            except BaseException:
                # Part of a frame may be out, and nothing that follows it could be understood.
                protocol.lost("a write was cancelled")
                await self.abort()
                raise
