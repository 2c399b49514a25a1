"""The TCP connection under a request or a websocket, for whoever must act beneath HTTP."""

import asyncio
import socket
import struct
from dataclasses import dataclass


@dataclass(slots=True)
class Link:
    """One accepted connection; handlers find it in `scope["state"]["link"]`."""

    transport: asyncio.Transport
    largest_frame: int = 0
    """Bytes of the largest websocket frame that came in."""

    def close(self) -> None:
        """Orderly: what was written is delivered."""
        self.transport.close()

    def reset(self) -> None:
        """RST: what was not delivered is lost."""
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
