"""The connection under a request or a websocket, for whoever must act beneath HTTP."""

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Receive


class Link(Protocol):
    """One accepted connection; handlers find it in `scope["state"]["link"]`."""

    def write(self, data: bytes, /) -> None:
        """Bytes past everything that knows HTTP."""
        ...

    def close(self) -> None:
        """Orderly: what was written is delivered."""
        ...

    def reset(self) -> None:
        """What was not delivered is lost."""
        ...

    async def gone(self, receive: Receive, /, *, within: float | None) -> bool:
        """Wait until the other side is gone; False when it is still there after `within` seconds."""
        ...


@dataclass(slots=True)
class TcpLink:
    """A TCP connection on asyncio."""

    transport: asyncio.Transport
    largest_frame: int = 0
    """Bytes of the largest websocket frame that came in."""

    def write(self, data: bytes, /) -> None:
        self.transport.write(data)

    def close(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def gone(self, receive: Receive, /, *, within: float | None) -> bool:
        try:
            async with asyncio.timeout(within):
                while (await receive())["type"] != "http.disconnect":
                    continue
        except TimeoutError:
            return False
        return True
