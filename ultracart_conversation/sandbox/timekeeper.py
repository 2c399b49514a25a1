"""What the passing of time does to websockets, and to agents who have none left."""

from collections.abc import Iterator

from .connection import Connection
from .desk import Desk
from .lines import Lines
from .socket_policy import SocketPolicy
from .world import World


class Timekeeper:
    """Closes sockets that are too old or too quiet, sends the server's pings, makes lost agents unavailable."""

    def __init__(self, world: World, desk: Desk, policy: SocketPolicy, lines: Lines) -> None:
        self._world = world
        self._desk = desk
        self._policy = policy
        self._lines = lines

    def next_due(self) -> float | None:
        """When `run_due` will have something to do, by the sandbox's clock; None = not by time alone."""
        return min(self._moments(), default=None)

    def run_due(self) -> None:
        now = self._world.clock.now()
        for connection in self._lines.listening("all"):
            self._check(connection, now)
        grace = self._policy.disconnect_grace
        if grace is not None:
            for arn in [arn for arn, since in self._lines.deserted.items() if since + grace <= now]:
                self._give_up(arn)

    def _moments(self) -> Iterator[float]:
        for connection in self._lines.listening("all"):
            yield from (moment for moment, _, _ in self._ends(connection))
            if self._policy.ping_every is not None:
                yield connection.pinged_at + self._policy.ping_every
        if self._policy.disconnect_grace is not None:
            yield from (since + self._policy.disconnect_grace for since in self._lines.deserted.values())

    def _ends(self, connection: Connection) -> Iterator[tuple[float, int, str]]:
        """When the socket will be closed, with which code, and why."""
        yield connection.opened_at + self._policy.age_limit, 1001, "Going away"
        yield connection.heard_at + self._policy.idle_limit, 1001, "Going away"
        tokens = self._world.tokens
        if tokens.enforced:
            yield connection.expires_at, tokens.expiry_code, "Token expired"

    def _check(self, connection: Connection, now: float) -> None:
        end = next((end for end in self._ends(connection) if end[0] <= now), None)
        every = self._policy.ping_every
        if end is not None:
            connection.close(*end[1:])
        elif every is not None and connection.pinged_at + every <= now:
            connection.pinged_at = now
            connection.push({"type": "ping"})

    def _give_up(self, arn: str) -> None:
        del self._lines.deserted[arn]
        agent = self._world.agent_of(arn)
        for queue in self._world.queues.values():
            self._desk.set_status(agent, queue, "unavailable")
