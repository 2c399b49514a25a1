"""The websocket protocol without input and output. The only importer of websockets, of which it uses nothing else."""

import logging
from collections import deque

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidURI
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from ultracart_conversation._live.denial import denied, one_line
from ultracart_conversation._live.outcome import Closed, Denied, SocketEnded, Unreachable
from ultracart_conversation._live.socket import Address
from ultracart_conversation._rest.outcome import Reply

LARGEST_MESSAGE = 1024 * 1024
"""Bytes of a message that comes in; a larger one ends the connection with 1009."""
LARGEST_FRAME = 32 * 1024
"""Bytes of a frame that goes out; a limit of AWS API Gateway (documented there)."""
NO_CLOSING_FRAME = 1006
_LARGEST_PART = LARGEST_FRAME - 8
"""What a frame of that size has room for, after its header and mask (RFC 6455, 5.2)."""
_LARGEST_REASON = 123
_INVALID_TEXT = 1007
_USER_AGENT = "ultracart-conversation"


class _Discreet(logging.LoggerAdapter[logging.Logger]):
    """At DEBUG the protocol would log URLs, headers and frames, and with them tokens and messages."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is logging's
        return level > logging.DEBUG and super().isEnabledFor(level)


_logger = _Discreet(logging.getLogger("ultracart_conversation.websocket"))


class Protocol:
    """One websocket, from the request for it to its end: what comes in becomes messages, and what goes out bytes.

    No extension is offered: compression would double the CPU and triple the memory.
    """

    def __init__(self, address: Address) -> None:
        """Raises `ValueError` when the address is no websocket's URL."""
        try:
            self.uri: WebSocketURI = parse_uri(address.url)
        except InvalidURI:
            raise ValueError("the address is no websocket's URL") from None
        self.received: deque[str | bytes | None] = deque()
        """Messages that came in, and None for each ping or pong."""
        self.end: Closed | None = None
        """How it ended, once it has."""
        self._address = address
        offered = [Subprotocol(each) for each in address.subprotocols] or None
        self._protocol = ClientProtocol(self.uri, subprotocols=offered, max_size=LARGEST_MESSAGE, logger=_logger)
        self._unsent: list[bytes] = []
        self._message = bytearray()
        self._is_text = True

    # Opening

    def ask(self) -> None:
        """Put the request for a websocket."""
        request = self._protocol.connect()
        request.headers["User-Agent"] = _USER_AGENT
        request.headers.update(self._address.headers)
        self._protocol.send_request(request)

    @property
    def is_asking(self) -> bool:
        """Whether the request has no answer yet."""
        return self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None

    @property
    def failure(self) -> Unreachable | Denied | None:
        """Why the answer is no websocket; None when it is one."""
        error, secret = self._protocol.handshake_exc, self._address.secret
        if error is None:
            return None
        if isinstance(error, InvalidStatus):
            return denied(_reply(error.response), reason=error.response.reason_phrase, secret=secret)
        if isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError):
            return Unreachable("the connection was closed before the handshake was answered")
        return Unreachable(one_line(f"the answer to the handshake is no websocket's: {error}", secret=secret))

    # What comes in

    def receive(self, data: bytes) -> None:
        """Take in what the connection brought."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and self.end is None:
                self._take(event)
        if self._protocol.close_rcvd is not None or self._protocol.parser_exc is not None:
            self.finish()

    def receive_end(self) -> None:
        """The connection brings nothing more, although the request has no answer yet."""
        self._protocol.receive_eof()

    def lost(self, reason: str) -> None:
        """The connection broke."""
        self.end = self.end or Closed(NO_CLOSING_FRAME, reason)

    def finish(self) -> None:
        """It is over, with the code that the other side gave, or with ours for what the other side did wrong."""
        ours = None if self._protocol.parser_exc is None else self._protocol.close_sent
        self.end = self.end or _closed(self._protocol.close_rcvd or ours)

    # What goes out

    @property
    def is_open(self) -> bool:
        """Whether messages may still be put."""
        return self.end is None and self._protocol.state is State.OPEN

    def check_open(self) -> None:
        """Raises `SocketEnded` when nothing may be put any more."""
        if not self.is_open:
            raise SocketEnded(self.end or _closed(self._protocol.close_sent))

    def put(self, data: bytes) -> None:
        """Put a text message, in frames that the service accepts."""
        self._protocol.send_text(data[:_LARGEST_PART], fin=len(data) <= _LARGEST_PART)
        for start in range(_LARGEST_PART, len(data), _LARGEST_PART):
            end = start + _LARGEST_PART
            self._protocol.send_continuation(data[start:end], fin=end >= len(data))

    def put_ping(self) -> None:
        """Put a question for a sign of life."""
        self._protocol.send_ping(b"")

    def put_close(self, code: int, reason: str) -> None:
        """Put the closing frame, with as much of the reason as it has room for."""
        self._protocol.send_close(code, reason.encode()[:_LARGEST_REASON].decode(errors="ignore"))

    def pending(self) -> int:
        """How many pieces, the pongs that are due among them, wait to be written."""
        self._unsent += self._protocol.data_to_send()
        return len(self._unsent)

    def take(self) -> bytes:
        """All that waits to be written, which then waits no longer."""
        self.pending()
        data, self._unsent = b"".join(self._unsent), []
        return data

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            self.received.append(None)
        elif opcode is not Opcode.CLOSE:
            if opcode is not Opcode.CONT:
                self._is_text = opcode is Opcode.TEXT
            self._message += frame.data
            if frame.fin:
                self._complete()

    def _complete(self) -> None:
        message, self._message = self._message, bytearray()
        try:
            self.received.append(message.decode() if self._is_text else bytes(message))
        except UnicodeDecodeError:
            self._protocol.fail(_INVALID_TEXT, "a text message is not UTF-8")
            self.end = Closed(_INVALID_TEXT, "a text message is not UTF-8")


def _reply(response: Response) -> Reply:
    # A header that comes twice would raise when it is asked for.
    headers = Headers({name: response.headers.get_all(name)[0] for name in response.headers})
    return Reply(status_code=response.status_code, headers=headers, body=bytes(response.body))


def _closed(frame: Close | None) -> Closed:
    return Closed(NO_CLOSING_FRAME) if frame is None else Closed(int(frame.code), frame.reason)
