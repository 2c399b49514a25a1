"""Who may connect, who hears what, and what becomes of what agents send; the same whatever carries the frames."""

from typing import TYPE_CHECKING

from . import traffic
from .agent_frames import AgentFrames
from .connection import Connection, Wire
from .envelope import Json
from .handshake import Denied, Handshake, Opening
from .lines import Lines
from .socket_faults import SocketFault, SocketFaultKind
from .sockets import Sockets
from .tokens import InvalidToken
from .world import WEBSOCKET_PATH, World

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_MESSAGE = 128 * 1024


class Switchboard:
    """All open websockets.

    The message size is that documented for AWS API Gateway, which UltraCart's service is inferred to use.
    """

    def __init__(self, world: World, agents: AgentFrames, sockets: Sockets, lines: Lines) -> None:
        self._world = world
        self._agents = agents
        self._sockets = sockets
        self._lines = lines

    def publish(self, frame: Json, *, agents: frozenset[str] | None = None, sender: object | None = None) -> None:
        """Push a frame to the sockets of these agents (ARNs; None = all)."""
        everyone = agents is None or self._sockets.audience == "everyone"
        echoed = self._sockets.echo and frame["type"] == "message"
        pushed = frame if self._sockets.echo_ids else _anonymous(frame)
        for connection in self._lines.listening(self._sockets.fan_out):
            if connection is sender and not echoed:
                continue
            if everyone or connection.agent.arn in (agents or ()):
                connection.push(pushed)

    def next_fault(self) -> SocketFault | None:
        """What goes wrong with the handshake that begins now; "stall" means that there will be no answer."""
        fault = self._sockets.faults.take(frozenset({"handshake"}))
        if fault is not None and fault.kind == "stall":
            self._note(None)
        return fault

    def admit(self, opening: Opening, wire: Wire, fault: SocketFault | None) -> Connection:
        """Open a socket on `wire`; `Denied` when the handshake is answered with a status instead."""
        try:
            connection = self._connection(opening, wire, fault)
        except Denied as denied:
            self._note(denied.status)
            raise
        self._note(101)
        self._lines.add(connection)
        return connection

    def end(self, connection: Connection) -> None:
        """The connection is no more; may be told more than once."""
        connection.closing = True
        self._lines.remove(connection, now=self._world.clock.now())

    def receive(self, connection: Connection, content: str | bytes, *, largest_frame: int = 0) -> None:
        """A message of an agent, of which no single frame was larger than `largest_frame` bytes."""
        if connection.silent or connection.closing:
            return
        connection.heard_at = self._world.clock.now()
        limit = self._sockets.frame_limit
        if isinstance(content, bytes):
            connection.close(1003, "Binary messages are not supported")
        elif len(content.encode()) > MAX_MESSAGE or (limit is not None and largest_frame > limit):
            connection.close(1009, "Message too long")
        else:
            self._take(connection, content)

    def _take(self, connection: Connection, text: str) -> None:
        names = traffic.names_received(text)
        self._sockets.frames.received[names[-1] if names else "unreadable"] += 1
        fault = self._sockets.faults.take(frozenset({"agent frame", *names}))
        match fault and fault.kind:
            case "ignore":
                return
            case "fail before":
                self._agents.fail(connection)
            case "fail after":
                self._carry_out_unconfirmed(connection, text)
                self._agents.fail(connection)
            case "unconfirmed":
                self._carry_out_unconfirmed(connection, text)
            case _:
                self._agents.receive(connection, text)

    def _carry_out_unconfirmed(self, connection: Connection, text: str) -> None:
        connection.muted = True
        try:
            self._agents.receive(connection, text)
        finally:
            connection.muted = False

    def _note(self, status: int | None) -> None:
        self._sockets.handshakes.append(Handshake(self._world.clock.now(), status))

    def _connection(self, opening: Opening, wire: Wire, fault: SocketFault | None) -> Connection:
        if fault is not None and fault.kind == "refuse":
            raise Denied(fault.status, fault.headers)
        if opening.path != WEBSOCKET_PATH:
            raise Denied(404)
        token = opening.token(self._world.tokens.parameter)
        if token is None:
            raise Denied(401)
        try:
            grant = self._world.tokens.redeem(token)
        except InvalidToken:
            raise Denied(403) from None
        return Connection(
            wire=wire,
            agent=self._world.agent_of(grant.arn),
            identifier=self._world.identity.request_id(),
            opened_at=self._world.clock.now(),
            expires_at=grant.expires_at,
            faults=self._sockets.faults,
            traffic=self._sockets.frames,
            ended=self.end,
        )


def spoil(connection: Connection, fault: SocketFault) -> None:
    """Do to an open socket what the fault of its handshake says."""
    acts: dict[SocketFaultKind, Callable[[], None]] = {
        "silent": connection.fall_silent,
        "close": lambda: connection.close(fault.code, fault.reason),
        "reset": connection.reset,
    }
    acts[fault.kind]()


def _anonymous(frame: Json) -> Json:
    """A copy of a message frame that does not say which of the sender's messages it is."""
    if frame["type"] != "message":
        return frame
    named: Json = frame["message"]
    return {**frame, "message": {name: value for name, value in named.items() if name != "client_message_id"}}
