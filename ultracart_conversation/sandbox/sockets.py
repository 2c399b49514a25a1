"""The switches of the websocket side, safe to use from any thread."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from .connection import Connection
from .envelope import Json
from .faults import Plan
from .handshake import Handshake
from .socket_faults import SocketFault
from .switchboard import Audience, Switchboard

T = TypeVar("T")


class Marshal(Protocol):
    """Runs a function where the sandbox's state is at home, and returns what it returns."""

    def __call__(self, function: Callable[[], T], /) -> T: ...


class Sockets:
    """All open agents' websockets; `agent` (an ARN) narrows an action to the sockets of one agent."""

    def __init__(self, switchboard: Switchboard, marshal: Marshal) -> None:
        self._switchboard = switchboard
        self._marshal = marshal

    @property
    def faults(self) -> Plan[SocketFault]:
        """What is to go wrong with the next handshakes and frames."""
        return self._switchboard.faults

    @property
    def echo(self) -> bool:
        """Whether a socket gets back the messages that it sent (True at first)."""
        return self._switchboard.echo

    @echo.setter
    def echo(self, echo: bool) -> None:
        self._switchboard.echo = echo

    @property
    def audience(self) -> Audience:
        """Who gets whole messages: the agents who take part ("participants", at first) or "everyone"."""
        return self._switchboard.audience

    @audience.setter
    def audience(self, audience: Audience) -> None:
        self._switchboard.audience = audience

    @property
    def frame_limit(self) -> int | None:
        """Bytes that one incoming frame may have before 1009; None (at first) = only messages are limited, to 128 KiB.

        AWS API Gateway documents 32 KiB.
        """
        return self._switchboard.frame_limit

    @frame_limit.setter
    def frame_limit(self, limit: int | None) -> None:
        self._switchboard.frame_limit = limit

    @property
    def handshakes(self) -> list[Handshake]:
        """Every attempt to open a websocket, the latest last; it may be cleared."""
        return self._switchboard.handshakes

    @property
    def count(self) -> int:
        """How many sockets are open."""
        return len(self._switchboard.connections)

    def send(self, frame: Json, *, agent: str | None = None) -> None:
        """Push any object as a frame, such as `{"type": "ping"}`."""
        self._each(agent, lambda connection: connection.push(frame))

    def close(self, code: int = 1001, reason: str = "", *, agent: str | None = None) -> None:
        """Close in an orderly way, after what was pushed before."""
        self._each(agent, lambda connection: connection.close(code, reason))

    def reset(self, *, agent: str | None = None) -> None:
        """Reset the TCP connections; frames on the way may be lost."""
        self._each(agent, Connection.reset)

    def silence(self, *, agent: str | None = None) -> None:
        """Keep the connections but neither read nor write: half open, as after a lost network."""
        self._each(agent, Connection.fall_silent)

    def _each(self, agent: str | None, act: Callable[[Connection], None]) -> None:
        self._marshal(lambda: self._act(agent, act))

    def _act(self, agent: str | None, act: Callable[[Connection], None]) -> None:
        for connection in tuple(self._switchboard.connections):
            if agent is None or connection.agent.arn == agent:
                act(connection)
