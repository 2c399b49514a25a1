"""The open websockets, and the agents who have none left."""

from .connection import Connection
from .socket_policy import FanOut


class Lines:
    """Who is connected, in the order of the openings."""

    def __init__(self) -> None:
        self.deserted: dict[str, float] = {}
        """The ARNs of agents whose last socket ended, and when."""
        self._open: list[Connection] = []

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        self._open.append(connection)
        self.deserted.pop(connection.agent.arn, None)

    def remove(self, connection: Connection, *, now: float) -> None:
        """It ended; may be told more than once."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        arn = connection.agent.arn
        if not self.of(arn):
            self.deserted[arn] = now

    def of(self, arn: str | None) -> tuple[Connection, ...]:
        """The sockets of one agent; None = of all."""
        return tuple(each for each in self._open if arn is None or each.agent.arn == arn)

    def listening(self, fan_out: FanOut) -> tuple[Connection, ...]:
        """Those that pushes go to. One that is half open counts: the service cannot know."""
        live = [each for each in self._open if not each.closing]
        if fan_out == "all":
            return tuple(live)
        newest = {each.agent.arn: each for each in live}
        return tuple(each for each in live if newest[each.agent.arn] is each)
