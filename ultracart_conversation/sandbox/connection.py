"""One agent's websocket: an outbox that a writer empties, and the faults on the way out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket

from .envelope import Json, encode
from .faults import Plan
from .queues import Agent
from .socket_faults import SocketFault

if TYPE_CHECKING:
    from .link import Link


@dataclass(frozen=True, slots=True)
class Closing:
    """The last thing in an outbox."""

    code: int
    reason: str


class Connection:
    """A socket that was accepted, or is about to be."""

    def __init__(self, websocket: WebSocket, agent: Agent, *, identifier: str, opened_at: float) -> None:
        self.agent = agent
        self.identifier = identifier
        self.opened_at = opened_at
        self.heard_at = opened_at
        self.silent: bool = False
        self._websocket = websocket
        self._link: Link = websocket.scope["state"]["link"]
        self._outbox: asyncio.Queue[Json | Closing] = asyncio.Queue()
        self._held: list[tuple[SocketFault, bytes]] = []

    @property
    def largest_frame(self) -> int:
        """Bytes of the largest frame that came in."""
        return self._link.largest_frame

    def push(self, frame: Json) -> None:
        if not self.silent:
            self._outbox.put_nowait(frame)

    def close(self, code: int, reason: str) -> None:
        """Close in an orderly way, after what was pushed before."""
        self._outbox.put_nowait(Closing(code, reason))

    def reset(self) -> None:
        self._link.reset()

    def fall_silent(self) -> None:
        """Keep the connection, but read nothing and send nothing: not even a pong."""
        self.silent = True
        self._link.transport.pause_reading()

    async def received(self) -> AsyncIterator[str | bytes]:
        """The messages that come in, until the other side is gone."""
        while (event := await self._websocket.receive())["type"] == "websocket.receive":
            if self.silent:
                self._link.transport.pause_reading()
                continue
            text: str | None = event.get("text")
            yield event["bytes"] if text is None else text

    async def write(self, faults: Plan[SocketFault]) -> None:
        """Send what is pushed, until the outbox says to close."""
        while not isinstance(frame := await self._outbox.get(), Closing):
            await self._send(frame, faults)
        await self._release(None)
        await self._websocket.close(frame.code, frame.reason)

    async def _send(self, frame: Json, faults: Plan[SocketFault]) -> None:
        subjects = frozenset({"frame", *(str(frame[name]) for name in ("type", "event_type") if name in frame)})
        fault = faults.take(subjects)
        data = encode(frame)
        if fault is not None and fault.kind == "reorder":
            self._held.append((fault, data))
            return
        for each in _spoiled(data, fault):
            await self._websocket.send_text(each.decode())
        await self._release(subjects)
        if fault is not None and fault.kind == "cut":
            self._cut(data, fault.size)

    async def _release(self, subjects: frozenset[str] | None) -> None:
        """Send what was held back for a frame like this one; None = for any."""
        held, self._held = self._held, []
        for fault, data in held:
            if subjects is None or fault.strikes(subjects):
                await self._websocket.send_text(data.decode())
            else:
                self._held.append((fault, data))

    def _cut(self, data: bytes, size: int) -> None:
        self._link.transport.write(_text_frame(data)[:size])
        self.reset()


def _spoiled(data: bytes, fault: SocketFault | None) -> list[bytes]:
    match fault and fault.kind:
        case "drop" | "cut":
            return []
        case "duplicate":
            return [data, data]
        case "corrupt":
            return [data[: len(data) // 2]]
        case _:
            return [data]


def _text_frame(data: bytes) -> bytes:
    """A whole, unmasked text frame (RFC 6455, 5.2)."""
    if len(data) < 126:
        return bytes([0x81, len(data)]) + data
    if len(data) < 1 << 16:
        return bytes([0x81, 126]) + len(data).to_bytes(2, "big") + data
    return bytes([0x81, 127]) + len(data).to_bytes(8, "big") + data
