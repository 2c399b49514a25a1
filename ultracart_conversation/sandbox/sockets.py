"""The switches of the websocket side, safe to use from any thread."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from .connection import Connection
from .envelope import Json
from .faults import Plan
from .lines import Lines
from .socket_faults import SocketFault
from .socket_policy import SocketPolicy
from .traffic import Traffic

if TYPE_CHECKING:
    from .handshake import Handshake

T = TypeVar("T")


class Marshal(Protocol):
    """Runs a function where the sandbox's state is at home, and returns what it returns."""

    def __call__(self, function: Callable[[], T], /) -> T: ...


class Sockets(SocketPolicy):
    """All open agents' websockets; `agent` (an ARN) narrows an action to the sockets of one agent."""

    def __init__(self, lines: Lines, faults: Plan[SocketFault], marshal: Marshal) -> None:
        super().__init__()
        self.faults: Plan[SocketFault] = faults
        """What is to go wrong with the next handshakes and frames."""
        self.handshakes: list[Handshake] = []
        """Every attempt to open a websocket, the latest last; it may be cleared."""
        self.frames: Traffic = Traffic()
        """How many frames were pushed, dropped and received."""
        self._lines = lines
        self._marshal = marshal

    @property
    def count(self) -> int:
        """How many sockets are open."""
        return len(self._lines)

    def send(self, frame: Json, *, agent: str | None = None) -> None:
        """Push any object as a frame, such as `{"type": "ping"}`, or the gateway's `{"message": "Forbidden"}`."""
        self._each(agent, lambda connection: connection.push(frame))

    def close(self, code: int = 1001, reason: str = "", *, agent: str | None = None) -> None:
        """Close in an orderly way, after what was pushed before."""
        self._each(agent, lambda connection: connection.close(code, reason))

    def reset(self, *, agent: str | None = None) -> None:
        """Reset the connections; frames on the way may be lost."""
        self._each(agent, Connection.reset)

    def silence(self, *, agent: str | None = None) -> None:
        """Keep the connections but neither read nor write: half open, as after a lost network.

        When the service gives such a socket up later, its client does not learn of it.
        """
        self._each(agent, Connection.fall_silent)

    def _each(self, agent: str | None, act: Callable[[Connection], None]) -> None:
        self._marshal(lambda: self._act(agent, act))

    def _act(self, agent: str | None, act: Callable[[Connection], None]) -> None:
        for connection in self._lines.of(agent):
            act(connection)
