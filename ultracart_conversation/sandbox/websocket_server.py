"""Agents' websockets over a real network: ASGI on asyncio."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from .connection import Connection
from .handshake import Denied, Opening
from .socket_faults import SocketFault
from .switchboard import Switchboard, spoil

if TYPE_CHECKING:
    from .link import TcpLink


@dataclass(frozen=True, slots=True)
class _Closing:
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Cut:
    data: bytes


class WebsocketServer:
    """Serves the connections that a switchboard admits."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its handshake to its end."""
        fault = self._switchboard.next_fault()
        if fault is not None and fault.kind == "stall":
            await _stall(websocket)
            return
        wire = _TcpWire(websocket)
        opening = _opening(websocket)
        try:
            connection = self._switchboard.admit(opening, wire, fault)
        except Denied as denied:
            await _deny(websocket, denied)
            return
        try:
            await websocket.accept(subprotocol=opening.chosen_subprotocol)
            await self._converse(connection, wire, fault)
        finally:
            self._switchboard.end(connection)

    async def _converse(self, connection: Connection, wire: "_TcpWire", fault: SocketFault | None) -> None:
        writer = asyncio.create_task(wire.write(), name="sandbox socket writer")
        spoiling = None if fault is None else _spoil_later(connection, fault)
        try:
            await self._read(connection, wire)
        finally:
            if spoiling is not None:
                spoiling.cancel()
            writer.cancel()
            await asyncio.wait([writer])

    async def _read(self, connection: Connection, wire: "_TcpWire") -> None:
        while (content := await wire.receive()) is not None:
            if connection.silent:
                wire.fall_silent()
            else:
                self._switchboard.receive(connection, content, largest_frame=wire.link.largest_frame)


class _TcpWire:
    """An outbox that a writer empties."""

    def __init__(self, websocket: WebSocket) -> None:
        self.link: TcpLink = websocket.scope["state"]["link"]
        self._websocket = websocket
        self._outbox: asyncio.Queue[str | _Closing | _Cut] = asyncio.Queue()

    def send(self, text: str, /) -> None:
        self._outbox.put_nowait(text)

    def close(self, code: int, reason: str, /) -> None:
        self._outbox.put_nowait(_Closing(code, reason))

    def cut(self, text: str, size: int, /) -> None:
        self._outbox.put_nowait(_Cut(_text_frame(text.encode())[:size]))

    def reset(self) -> None:
        self.link.reset()

    def fall_silent(self) -> None:
        self.link.transport.pause_reading()

    async def receive(self) -> str | bytes | None:
        """The next message; None when the other side is gone."""
        event = await self._websocket.receive()
        if event["type"] != "websocket.receive":
            return None
        text: str | None = event.get("text")
        data: bytes | None = event.get("bytes")
        return data if text is None else text

    async def write(self) -> None:
        """Send what is in the outbox, until it says to end."""
        try:
            while isinstance(item := await self._outbox.get(), str):
                await self._websocket.send_text(item)
            await self._end(item)
        except (WebSocketDisconnect, RuntimeError):
            # A RuntimeError is what the server says when its own closing frame went out first.
            return

    async def _end(self, last: _Closing | _Cut) -> None:
        if isinstance(last, _Closing):
            await self._websocket.close(last.code, last.reason)
        else:
            self.link.write(last.data)
            self.link.reset()


def _opening(websocket: WebSocket) -> Opening:
    return Opening(
        websocket.url.path, websocket.query_params, websocket.headers, tuple(websocket.scope["subprotocols"])
    )


async def _deny(websocket: WebSocket, denied: Denied) -> None:
    await websocket.receive()
    response = Response(denied.body, denied.status, denied.headers, media_type="application/json")
    await websocket.send_denial_response(response)


async def _stall(websocket: WebSocket) -> None:
    """Never answer; ends when the client is gone."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue


def _spoil_later(connection: Connection, fault: SocketFault) -> asyncio.TimerHandle | None:
    """Spoil the socket now, or after the fault's delay, which can be cancelled."""
    if fault.delay > 0:
        return asyncio.get_running_loop().call_later(fault.delay, spoil, connection, fault)
    spoil(connection, fault)
    return None


def _text_frame(data: bytes) -> bytes:
    """A whole, unmasked text frame (RFC 6455, 5.2)."""
    if len(data) < 126:
        return bytes([0x81, len(data)]) + data
    if len(data) < 1 << 16:
        return bytes([0x81, 126]) + len(data).to_bytes(2, "big") + data
    return bytes([0x81, 127]) + len(data).to_bytes(8, "big") + data
