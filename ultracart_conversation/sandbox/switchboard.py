"""The websocket side: handshakes, who hears what, and the switches that tests turn."""

import asyncio
from typing import TYPE_CHECKING, Literal

from starlette.websockets import WebSocket, WebSocketDisconnect

from .agent_frames import AgentFrames
from .connection import Connection
from .envelope import Json
from .faults import Plan
from .handshake import Denied, Handshake, chosen_subprotocol, deny, presented_token, stall
from .socket_faults import SocketFault, SocketFaultKind
from .tokens import InvalidToken
from .world import WEBSOCKET_PATH, World

if TYPE_CHECKING:
    from collections.abc import Callable

Audience = Literal["participants", "everyone"]

MAX_MESSAGE = 128 * 1024
IDLE_LIMIT = 600.0
AGE_LIMIT = 7200.0


class Switchboard:
    """All open websockets.

    Message size, idle limit (10 min) and age limit (2 h) are those documented for AWS API Gateway, which UltraCart's
    service is inferred to use.
    """

    def __init__(self, world: World, frames: AgentFrames) -> None:
        self.faults: Plan[SocketFault] = Plan(world.chance)
        self.echo = True
        """Whether a socket gets back the messages that it sent."""
        self.audience: Audience = "participants"
        """Who gets whole messages and typing: the agents in the conversation, or every agent. Summaries go to all."""
        self.frame_limit: int | None = None
        """Bytes that one frame of a message may have; None = as many as the message."""
        self.connections: list[Connection] = []
        self.handshakes: list[Handshake] = []
        self._world = world
        self._frames = frames

    def publish(self, frame: Json, *, agents: frozenset[str] | None = None, sender: object | None = None) -> None:
        """Push a frame to the sockets of these agents (ARNs; None = all)."""
        everyone = agents is None or self.audience == "everyone"
        for connection in self.connections:
            if connection is sender and not (self.echo and frame["type"] == "message"):
                continue
            if everyone or connection.agent.arn in (agents or ()):
                connection.push(frame)

    def expire(self) -> None:
        """Close with 1001 what is too old or was idle for too long."""
        now = self._world.clock.now()
        for connection in self.connections:
            if now - connection.opened_at >= AGE_LIMIT or now - connection.heard_at >= IDLE_LIMIT:
                connection.close(1001, "Going away")

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from its handshake to its end."""
        fault = self.faults.take(frozenset({"handshake"}))
        if fault is not None and fault.kind == "stall":
            self._note(None)
            await stall(websocket)
            return
        try:
            connection = self._admit(websocket, fault)
        except Denied as denied:
            self._note(denied.status)
            await deny(websocket, denied)
            return
        self._note(101)
        self.connections.append(connection)
        try:
            await self._converse(websocket, connection, fault)
        finally:
            self.connections.remove(connection)

    async def _converse(self, websocket: WebSocket, connection: Connection, fault: SocketFault | None) -> None:
        await websocket.accept(subprotocol=chosen_subprotocol(websocket))
        writer = asyncio.create_task(self._write(connection), name="sandbox socket writer")
        spoiling = None if fault is None else _spoil(connection, fault)
        try:
            await self._read(connection)
        finally:
            if spoiling is not None:
                spoiling.cancel()
            writer.cancel()
            await asyncio.wait([writer])

    def _note(self, status: int | None) -> None:
        self.handshakes.append(Handshake(self._world.clock.now(), status))

    async def _read(self, connection: Connection) -> None:
        async for content in connection.received():
            connection.heard_at = self._world.clock.now()
            if isinstance(content, bytes):
                connection.close(1003, "Binary messages are not supported")
            elif len(content.encode()) > MAX_MESSAGE or self._has_long_frame(connection):
                connection.close(1009, "Message too long")
            else:
                self._frames.receive(connection, content)

    def _has_long_frame(self, connection: Connection) -> bool:
        return self.frame_limit is not None and connection.largest_frame > self.frame_limit

    async def _write(self, connection: Connection) -> None:
        try:
            await connection.write(self.faults)
        except (WebSocketDisconnect, RuntimeError):
            # A RuntimeError is what the server says when its own closing frame went out first.
            return

    def _admit(self, websocket: WebSocket, fault: SocketFault | None) -> Connection:
        if fault is not None and fault.kind == "refuse":
            raise Denied(fault.status, dict(fault.headers))
        if websocket.url.path != WEBSOCKET_PATH:
            raise Denied(404)
        token = presented_token(websocket)
        if token is None:
            raise Denied(401)
        try:
            arn = self._world.tokens.redeem(token)
        except InvalidToken:
            raise Denied(403) from None
        now = self._world.clock.now()
        identifier = self._world.identity.request_id()
        return Connection(websocket, self._world.agent_of(arn), identifier=identifier, opened_at=now)


def _spoil(connection: Connection, fault: SocketFault) -> asyncio.TimerHandle | None:
    """Do to a socket that has just opened what the fault says: now, or after its delay, which can be cancelled."""
    acts: dict[SocketFaultKind, Callable[[], None]] = {
        "silent": connection.fall_silent,
        "close": lambda: connection.close(fault.code, fault.reason),
        "reset": connection.reset,
    }
    if fault.delay > 0:
        return asyncio.get_running_loop().call_later(fault.delay, acts[fault.kind])
    acts[fault.kind]()
    return None
