"""Real websockets. The only importer of websockets, of which it uses the protocol and none of the connections."""

import logging
import ssl
from collections import deque
from contextlib import suppress
from functools import partial

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidURI
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from ultracart_conversation._live.denial import denied, one_line
from ultracart_conversation._live.dialing import LOST, Line, explain
from ultracart_conversation._live.outcome import CannotOpen, Closed, Denied, SocketEnded, Unreachable
from ultracart_conversation._live.socket import Address
from ultracart_conversation._live.timing import within
from ultracart_conversation._rest.outcome import Reply
from ultracart_conversation._rest.transport import shared_ssl_context
from ultracart_conversation.clock import Clock

LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a message that comes in; a larger one ends the connection with 1009."""
LARGEST_FRAME = 32 * 1024
"""Bytes of a frame that goes out; a limit of AWS API Gateway (documented there)."""
_LARGEST_PART = LARGEST_FRAME - 8
"""What a frame of that size has room for, after its header and mask (RFC 6455, 5.2)."""
_LARGEST_REASON = 123
_MOST_PONGS = 1_000
"""As many may be due while a writer is stuck; then reading waits as well, since no other bound is left."""
_NO_CLOSING_FRAME = 1006
_INVALID_TEXT = 1007
_USER_AGENT = "ultracart-conversation"


class _Discreet(logging.LoggerAdapter[logging.Logger]):
    """At DEBUG the protocol would log URLs, headers and frames, and with them tokens and messages."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        return level > logging.DEBUG and super().isEnabledFor(level)


_logger = _Discreet(logging.getLogger("ultracart_conversation.websocket"))


class WebsocketConnector:
    """Opens websockets, on asyncio and trio alike.

    It drives websockets' protocol over anyio's streams instead of using its clients: one code serves both backends,
    an idle TLS session takes an eighth of the memory (asyncio's own TLS keeps a read buffer of 256 KB), and a simulator
    needs no socket. The price: the proxy's handshake and the timer of the pings are ours, and a message that comes in
    a TLS record of its own takes up to a quarter more CPU. No extension is offered: compression would double the CPU
    and triple the memory.

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
            uri = parse_uri(address.url)
        except (InvalidURI, ValueError):
            return Unreachable("the address is no websocket's URL")
        return await self._reach(uri, line) or await self._upgrade(uri, address, line)

    async def _reach(self, uri: WebSocketURI, line: Line) -> Unreachable | Denied | None:
        context = self._ssl_context or shared_ssl_context()
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

    async def _upgrade(self, uri: WebSocketURI, address: Address, line: Line) -> "Websocket | Unreachable | Denied":
        offered = [Subprotocol(each) for each in address.subprotocols] or None
        protocol = ClientProtocol(uri, subprotocols=offered, max_size=LARGEST_MESSAGE, logger=_logger)
        try:
            await within(self._clock, self._handshake_timeout, partial(_shake_hands, protocol, address, line))
        except LOST as error:
            late = isinstance(error, TimeoutError)
            why = f"no answer to the handshake within {self._handshake_timeout:g} s" if late else explain(error)
            return Unreachable(f"{line.towards}: {why}")
        if protocol.handshake_exc is not None:
            return _failure(protocol.handshake_exc, address)
        return Websocket(protocol, line, clock=self._clock, close_timeout=self._close_timeout)


async def _shake_hands(protocol: ClientProtocol, address: Address, line: Line) -> None:
    request = protocol.connect()
    request.headers["User-Agent"] = _USER_AGENT
    request.headers.update(address.headers)
    protocol.send_request(request)
    await line.stream.send(b"".join(protocol.data_to_send()))
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        try:
            protocol.receive_data(await line.stream.receive())
        except anyio.EndOfStream:
            protocol.receive_eof()


def _failure(error: Exception, address: Address) -> Unreachable | Denied:
    if isinstance(error, InvalidStatus):
        response = error.response
        return denied(_reply(response), reason=response.reason_phrase, secret=address.secret)
    if isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError):
        return Unreachable("the connection was closed before the handshake was answered")
    return Unreachable(one_line(f"the answer to the handshake is no websocket's: {error}", secret=address.secret))


def _reply(response: Response) -> Reply:
    # A header that comes twice would raise when it is asked for.
    headers = Headers({name: response.headers.get_all(name)[0] for name in response.headers})
    return Reply(status_code=response.status_code, headers=headers, body=bytes(response.body))


class Websocket:
    """One open websocket: see the protocol `Socket`."""

    def __init__(self, protocol: ClientProtocol, line: Line, *, clock: Clock, close_timeout: float) -> None:
        self._protocol = protocol
        self._line = line
        self._clock = clock
        self._close_timeout = close_timeout
        self._writing = anyio.Lock()
        self._reading = anyio.ResourceGuard("receiving from")
        self._unsent: list[bytes] = []
        self._received: deque[str | bytes | None] = deque()
        self._message = bytearray()
        self._is_text = True
        self._end: Closed | None = None
        self._take_in()

    async def send(self, text: str, /) -> None:
        """Write one text message; raises `SocketEnded`.

        A call that is cancelled while the other side does not read ends the websocket: part of the message is out.
        """
        data = text.encode()
        async with self._writing:
            await checkpoint_if_cancelled()
            self._check_open()
            self._put_into_frames(data)
            await self._write()

    async def receive(self) -> str | bytes | None:
        """The next message, or None for a ping or pong; raises `SocketEnded` after the last."""
        with self._reading:
            while not self._received:
                if self._end is not None:
                    await self._leave()
                    raise SocketEnded(self._end)
                await self._read()
            return self._received.popleft()

    async def ping(self) -> None:
        """Ask for a sign of life; raises `SocketEnded`."""
        self._check_open()
        self._protocol.send_ping(b"")
        await self._flush()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Send the closing frame, or hang up when it cannot be sent in time; whoever receives sees the end."""
        if self._end is not None or self._protocol.state is not State.OPEN:
            return
        self._protocol.send_close(code, reason.encode()[:_LARGEST_REASON].decode(errors="ignore"))
        await self._say_goodbye()

    async def abort(self) -> None:
        """Close the connection at once; works while cancelled, and may be repeated."""
        self._end = self._ending()
        await self._line.hang_up()

    def _check_open(self) -> None:
        if self._end is not None or self._protocol.state is not State.OPEN:
            raise SocketEnded(self._end or _closed(self._protocol.close_sent))

    def _ending(self) -> Closed:
        """With the code that the other side gave, or with ours for what the other side did wrong."""
        ours = None if self._protocol.parser_exc is None else self._protocol.close_sent
        return self._end or _closed(self._protocol.close_rcvd or ours)

    async def _read(self) -> None:
        if self._pending():
            await self._answer()
        try:
            data = await self._line.stream.receive()
        except LOST as error:
            self._end = self._end or Closed(_NO_CLOSING_FRAME, explain(error))
            return
        self._protocol.receive_data(data)
        self._take_in()

    async def _answer(self) -> None:
        """Write the pongs that are due, unless a writer is at work, who does it: reading must not wait for writing."""
        if not self._writing.locked() or len(self._unsent) > _MOST_PONGS:
            # Where this finds nobody, what was sent before may still hold the closing frame.
            with suppress(SocketEnded):
                await self._flush()

    def _take_in(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and self._end is None:
                self._take(event)
        if self._end is None and (self._protocol.close_rcvd is not None or self._protocol.parser_exc is not None):
            self._end = self._ending()

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            self._received.append(None)
        elif opcode is not Opcode.CLOSE:
            if opcode is not Opcode.CONT:
                self._is_text = opcode is Opcode.TEXT
            self._message += frame.data
            if frame.fin:
                self._complete()

    def _complete(self) -> None:
        message, self._message = self._message, bytearray()
        try:
            self._received.append(message.decode() if self._is_text else bytes(message))
        except UnicodeDecodeError:
            self._protocol.fail(_INVALID_TEXT, "a text message is not UTF-8")
            self._end = Closed(_INVALID_TEXT, "a text message is not UTF-8")

    def _put_into_frames(self, data: bytes) -> None:
        self._protocol.send_text(data[:_LARGEST_PART], fin=len(data) <= _LARGEST_PART)
        for start in range(_LARGEST_PART, len(data), _LARGEST_PART):
            end = start + _LARGEST_PART
            self._protocol.send_continuation(data[start:end], fin=end >= len(data))

    async def _leave(self) -> None:
        if self._pending():
            await self._say_goodbye()
        await self.abort()

    async def _say_goodbye(self) -> None:
        """Write what waits, for as long as a goodbye may take."""
        try:
            await within(self._clock, self._close_timeout, self._flush)
        except TimeoutError:
            await self.abort()
        except SocketEnded as error:
            self._end = self._end or error.end

    async def _flush(self) -> None:
        async with self._writing:
            await checkpoint_if_cancelled()
            await self._write()

    async def _write(self) -> None:
        """Write what waits; the caller holds the lock, so that messages cannot mix."""
        while self._pending():
            data, self._unsent = b"".join(self._unsent), []
            try:
                await self._line.stream.send(data)
            except LOST as error:
                raise SocketEnded(self._end or Closed(_NO_CLOSING_FRAME, explain(error))) from None
            except BaseException:
                # Part of a frame may be out, and nothing that follows it could be understood.
                self._end = self._end or Closed(_NO_CLOSING_FRAME, "a write was cancelled")
                await self.abort()
                raise

    def _pending(self) -> bool:
        self._unsent += self._protocol.data_to_send()
        return bool(self._unsent)


def _closed(frame: Close | None) -> Closed:
    return Closed(_NO_CLOSING_FRAME) if frame is None else Closed(int(frame.code), frame.reason)
