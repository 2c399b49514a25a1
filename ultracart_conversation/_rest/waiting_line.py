"""Who waits for the rate budget, and whose turn it is."""

from collections import OrderedDict
from enum import Enum, auto
from heapq import heappop, heappush

from ultracart_conversation.limits import Priority

PRIORITIES = tuple(Priority)

TURN_AFTER = 16
"""Grants over the heads of a waiting class after which it has a turn; so its share is never below 1/17."""


class State(Enum):
    """What became of a ticket."""

    WAITING = auto()
    GRANTED = auto()
    REFUSED = auto()
    OVER = auto()


class Ticket:
    """One request's claim on the budget; ``estimate`` is its wait in seconds as last foreseen."""

    __slots__ = ("asked_at", "deadline", "estimate", "granted_at", "priority", "state")

    def __init__(self, priority: Priority, *, asked_at: float, deadline: float | None = None) -> None:
        self.priority: Priority = priority
        self.asked_at: float = asked_at
        self.deadline: float | None = deadline
        self.granted_at: float = asked_at
        self.estimate: float = 0.0
        self.state: State = State.WAITING


class WaitingLine:
    """One first-come-first-served line for each priority.

    The most urgent line goes first. A line over whose heads `TURN_AFTER` grants went has the next turn: it goes
    on the token that the more urgent one could have had, so nothing is taken from a reserve on its behalf.
    """

    def __init__(self) -> None:
        self._lines = tuple(OrderedDict[Ticket, None]() for _ in Priority)
        self._passed = [0] * len(Priority)
        self._deadlines: list[tuple[float, int, Ticket]] = []
        self._joined = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, ticket: Ticket) -> None:
        self._lines[ticket.priority][ticket] = None
        self._length += 1
        if ticket.deadline is not None:
            self._joined += 1
            heappush(self._deadlines, (ticket.deadline, self._joined, ticket))

    def leave(self, ticket: Ticket) -> None:
        """Take a ticket out, wherever it stands."""
        line = self._lines[ticket.priority]
        del line[ticket]
        self._length -= 1
        if not line:
            self._passed[ticket.priority] = 0

    def most_urgent(self) -> Priority | None:
        """The priority whose token is next: nobody may go while this one may not."""
        for priority in PRIORITIES if self._length else ():
            if self._lines[priority]:
                return priority
        return None

    def take_next(self, urgent: Priority) -> Ticket:
        """Take out the ticket whose turn it is, given the most urgent priority."""
        most_passed = max(self._passed)
        priority = urgent if most_passed < TURN_AFTER else self._passed.index(most_passed)
        ticket = next(iter(self._lines[priority]))
        self._note_passed(priority)
        self.leave(ticket)
        return ticket

    def ahead(self, priority: Priority) -> int:
        """How many of this priority and of more urgent ones wait."""
        return sum(len(line) for line in self._lines[: priority + 1])

    def waiting(self, priority: Priority) -> int:
        return len(self._lines[priority])

    def next_deadline(self) -> float | None:
        """The earliest deadline of those who wait."""
        while self._deadlines and self._deadlines[0][2].state is not State.WAITING:
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def take_late(self, *, now: float, resumption: float) -> Ticket | None:
        """Take out a ticket whose deadline has come, or will come before anybody may go."""
        deadline = self.next_deadline()
        if deadline is None or (deadline > now and deadline >= resumption):
            return None
        ticket = heappop(self._deadlines)[2]
        self.leave(ticket)
        return ticket

    def _note_passed(self, priority: int) -> None:
        self._passed[priority] = 0
        for behind in range(priority + 1, len(PRIORITIES)):
            if self._lines[behind]:
                self._passed[behind] += 1
