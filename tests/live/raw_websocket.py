"""A websocket server without manners: each connection gets the bytes that the test says."""

import base64
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PATIENCE = 10.0
"""Seconds after which a server that waits in vain ends, and its test fails."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(data: bytes = b"", *, opcode: int = TEXT, fin: bool = True, mask: bytes = b"", reserved: int = 0) -> bytes:
    """One frame (RFC 6455, 5.2), well formed or not."""
    head = bytes([fin << 7 | reserved << 4 | opcode])
    size, flag = len(data), 128 if mask else 0
    if size < 126:
        head += bytes([flag | size])
    elif size < 1 << 16:
        head += bytes([flag | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([flag | 127]) + size.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)) if mask else head + data


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(code.to_bytes(2, "big") + reason, opcode=CLOSE)


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    def head(self) -> str:
        """A request's head."""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head.decode()

    def accept(self, first: bytes = b"", *, extra: str = "") -> str:
        """Answer the handshake, with the first bytes of the websocket in the same packet."""
        head = self.head()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}
        key = headers["sec-websocket-key"]
        accepted = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
        assert headers["upgrade"] == "websocket"
        answer = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}\r\n{extra}\r\n"
        self.send(b"HTTP/1.1 101 Switching Protocols\r\n" + answer.encode() + first)
        return head

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def frame(self) -> tuple[int, bool, bytes]:
        """The next frame from the client: opcode, whether it is a message's last, and what it carries."""
        first, second = self._exactly(2)
        assert second & 128, "a client masks its frames"
        size = second & 127
        if size > 125:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        mask, data = self._exactly(4), self._exactly(size)
        repeated = (mask * (size // 4 + 1))[:size]
        plain = (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
        return first & 15, bool(first & 128), plain

    def message(self) -> str:
        """The next text from the client, put together."""
        opcode, fin, data = self.frame()
        assert opcode == TEXT
        while not fin:
            opcode, fin, part = self.frame()
            assert opcode == CONT
            data += part
        return data.decode()

    def rest(self) -> bytes:
        """All that still comes."""
        with suppress(OSError):
            while data := self.connection.recv(1 << 16):
                self._buffer += data
        return self._buffer

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._buffer += self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _more(self) -> bytes:
        data = self.connection.recv(1 << 16)
        if not data:
            raise ConnectionError("the client is gone")
        return data


class RawServer:
    """Listens on loopback, and lets `talk` have every connection, each in a thread of its own."""

    def __init__(
        self, talk: Callable[[Peer], object], *, tls: ssl.SSLContext | None = None, buffer: int | None = None
    ) -> None:
        self.talk = talk
        self.connections = 0
        self.failures: list[BaseException] = []
        self._tls = tls
        self._listener = socket.socket()
        if buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(100)
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        return f"{'ws' if self._tls is None else 'wss'}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept, name="raw server", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)
        self._listener.close()
        if error is None:
            self.all_gone()
            assert self.failures == []

    def all_gone(self) -> None:
        """Return once every client has closed its connection; fail when one does not."""
        for thread in tuple(self._threads):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a connection is still open"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,), name="raw connection", daemon=True)
                thread.start()
                self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        # Twice: a test may wait as long as the server does, and is to fail first.
        connection.settimeout(2 * PATIENCE)
        try:
            with connection, suppress(ConnectionError, ssl.SSLError):
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    peer = Peer(connection)
                    self.talk(peer)
                    peer.rest()
        except (OSError, AssertionError) as error:
            self.failures.append(error)
