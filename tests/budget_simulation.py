"""A month of a rate budget in a second: its decisions, driven event by event and judged at each one.

The judge keeps its own books in the other form of the algorithm (theoretical arrival times) and its own lines.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Self

from attrs import Factory, define, field, frozen

from ultracart_conversation._rest.admission import RESERVES, Admission
from ultracart_conversation._rest.budget_store import BudgetState
from ultracart_conversation._rest.gcra import DAY, HOUR, Window
from ultracart_conversation._rest.waiting_line import TURN_AFTER, State, Ticket
from ultracart_conversation.limits import Limits, Priority

PRIORITIES = tuple(Priority)
ROUNDING = 1e-4


@frozen(kw_only=True)
class Load:
    """What happens to the budget; arrivals in requests a day, the rest in probabilities and seconds."""

    arrivals: Mapping[Priority, float]
    burst: int = 1
    exchange: float = 0.5
    impatience: float = 0.0
    never_begun: float = 0.0
    rejected: float = 0.0
    restarts: float = 0.0
    deadline: float | None = None


@define
class Books:
    """One window as the judge sees it, and what each priority needs to be left in it."""

    window: Window
    needs: Sequence[float]
    arrival: float = 0.0

    @classmethod
    def of(cls, window: Window, reserves: Mapping[Priority, float]) -> Self:
        kept = [sum(share for above, share in reserves.items() if above < own) for own in PRIORITIES]
        return cls(window, [min(1.0 + share * window.burst, window.burst) for share in kept])

    def left(self, now: float, in_flight: int) -> float:
        return self.window.burst - max(0.0, self.arrival - now) / self.window.interval - in_flight

    def charge(self, now: float) -> None:
        self.arrival = max(self.arrival, now) + self.window.interval


@define
class Simulation:
    limits: Limits
    load: Load
    seed: int
    reserves: Mapping[Priority, float] = RESERVES
    random: Random = field(init=False)
    now: float = 0.0
    counted: list[float] = Factory(list)
    granted: dict[Priority, int] = Factory(lambda: dict.fromkeys(PRIORITIES, 0))
    longest_wait: dict[Priority, float] = Factory(lambda: dict.fromkeys(PRIORITIES, 0.0))
    refused: int = 0
    longest_passed: int = 0
    turns: int = 0
    _admission: Admission = field(init=False)
    _saved: BudgetState | None = None
    _books: list[Books] = field(init=False)
    _lines: dict[Priority, deque[Ticket]] = field(init=False)
    _passed: dict[Priority, int] = Factory(lambda: dict.fromkeys(PRIORITIES, 0))
    _in_flight: dict[Ticket, float] = Factory(dict)
    _events: list[tuple[float, int, str, Ticket | Priority | None]] = Factory(list)
    _order: "count[int]" = Factory(count)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)
        self._admission = Admission(self.limits, reserves=self.reserves, now=0.0)
        windows = (self._admission.hour, self._admission.day)
        self._books = [Books.of(window, self.reserves) for window in windows if window]
        self._lines = {priority: deque() for priority in PRIORITIES}

    def run(self, seconds: float) -> None:
        for priority, per_day in self.load.arrivals.items():
            if per_day:
                self._schedule(self.random.expovariate(per_day / DAY), "arrive", priority)
        if self.load.restarts:
            self._schedule(self.random.expovariate(self.load.restarts / DAY), "restart", None)
        while self.now < seconds:
            self._step()

    def assert_windows_hold(self) -> None:
        """No rolling hour or day, closed at both ends, holds more than the published figure."""
        times = sorted(self.counted)
        for limit, period in ((self.limits.per_hour, HOUR), (self.limits.per_day, DAY)):
            if limit is not None:
                fullest = max((bisect_right(times, at + period) - n for n, at in enumerate(times)), default=0)
                assert fullest <= limit, f"{fullest} requests in {period} s, allowed {limit}"

    def _step(self) -> None:
        due = self._admission.next_time(self.now)
        if self._events and self._events[0][0] <= due:
            self.now, _, kind, subject = heappop(self._events)
            getattr(self, f"_{kind}")(subject)
        else:
            assert due > self.now or due == self.now == 0.0, "the same decision is due again and again"
            self.now = due
        self._settle()
        self._check_nobody_waits_needlessly()
        if self.load.restarts:
            self._saved = self._admission.state(self.now, self.now)

    def _schedule(self, after: float, kind: str, subject: Ticket | Priority | None) -> None:
        heappush(self._events, (self.now + after, next(self._order), kind, subject))

    def _arrive(self, priority: Priority) -> None:
        per_day = self.load.arrivals[priority]
        self._schedule(self.random.expovariate(per_day / self.load.burst / DAY), "arrive", priority)
        for _ in range(self.load.burst):
            self._ask(priority)

    def _ask(self, priority: Priority) -> None:
        deadline = None if self.load.deadline is None else self.now + self.load.deadline
        line_was_empty = not any(self._lines.values())
        ticket = self._admission.ask(self.now, priority, deadline=deadline)
        if ticket.state is State.REFUSED:
            assert deadline is not None
            assert self.now + ticket.estimate > deadline
            self.refused += 1
            return
        self._lines[priority].append(ticket)
        if ticket.state is State.GRANTED:
            assert line_was_empty, "a newcomer went before those who wait"
            self._judge_grant(ticket)
        elif self.random.random() < self.load.impatience:
            self._schedule(self.random.expovariate(1 / 600), "cancel", ticket)

    def _settle(self) -> None:
        while settled := self._admission.advance(self.now):
            for ticket in settled:
                if ticket.state is State.GRANTED:
                    self._judge_grant(ticket)
                else:
                    self._judge_refusal(ticket)

    def _judge_grant(self, ticket: Ticket) -> None:
        urgent = min(priority for priority in PRIORITIES if self._lines[priority])
        for books in self._books:
            assert books.left(self.now, len(self._in_flight)) >= books.needs[urgent] - ROUNDING
        assert len(self._in_flight) < self.limits.concurrency
        assert not self._admission.throttle.pause_left(self.now)
        assert self._lines[ticket.priority].popleft() is ticket, "not first come, first served"
        self._judge_turn(ticket, urgent)
        self._in_flight[ticket] = self.now
        self.granted[ticket.priority] += 1
        waited = self.now - ticket.asked_at
        self.longest_wait[ticket.priority] = max(self.longest_wait[ticket.priority], waited)
        kind = "quit" if self.random.random() < self.load.never_begun else "end"
        self._schedule(self.random.expovariate(1 / self.load.exchange), kind, ticket)

    def _judge_turn(self, ticket: Ticket, urgent: Priority) -> None:
        if ticket.priority != urgent:
            self.turns += 1
            assert self._passed[ticket.priority] >= TURN_AFTER, "passed over a more urgent one out of turn"
        self._passed[ticket.priority] = 0
        for priority in PRIORITIES:
            if priority > ticket.priority and self._lines[priority]:
                self._passed[priority] += 1
                self.longest_passed = max(self.longest_passed, self._passed[priority])
        self._forget_empty_lines()

    def _judge_refusal(self, ticket: Ticket) -> None:
        assert ticket.deadline is not None
        assert ticket.deadline <= max(self.now, self.now + self._admission.throttle.pause_left(self.now))
        self._lines[ticket.priority].remove(ticket)
        self._forget_empty_lines()
        self.refused += 1

    def _quit(self, ticket: Ticket) -> None:
        """Cancelled between the grant and the exchange."""
        if self._in_flight.pop(ticket, None) is not None:
            self._admission.withdraw(ticket)

    def _end(self, ticket: Ticket) -> None:
        if ticket not in self._in_flight:
            return
        self._count(ticket)
        if self.random.random() < self.load.rejected:
            wait = self.random.choice([None, 0.0, 1.0, 30.0, 3_600.0])
            self._admission.throttle.throttled(self.now, wait)
        self._admission.finish(ticket, self.now)

    def _count(self, ticket: Ticket) -> None:
        """The service counted it at some moment of the exchange; the budget is charged at its end."""
        self.counted.append(self.random.uniform(self._in_flight.pop(ticket), self.now))
        for books in self._books:
            books.charge(self.now)

    def _cancel(self, ticket: Ticket) -> None:
        if ticket.state is State.WAITING:
            self._admission.withdraw(ticket)
            self._lines[ticket.priority].remove(ticket)
            self._forget_empty_lines()

    def _restart(self, _: None) -> None:
        """The process is killed some time after it last saved, and another one starts later."""
        self._schedule(self.random.expovariate(self.load.restarts / DAY), "restart", None)
        if self._saved is None:
            return
        for ticket in list(self._in_flight):
            self._count(ticket)
        for line in self._lines.values():
            while line:
                line.popleft().state = State.OVER
        self._forget_empty_lines()
        self._admission = Admission(self.limits, reserves=self.reserves, now=self.now)
        self._admission.restore(self._saved, self.now, self.now)

    def _forget_empty_lines(self) -> None:
        for priority in PRIORITIES:
            if not self._lines[priority]:
                self._passed[priority] = 0

    def _check_nobody_waits_needlessly(self) -> None:
        waiting = [priority for priority in PRIORITIES if self._lines[priority]]
        if not waiting or len(self._in_flight) >= self.limits.concurrency:
            return
        if self._admission.throttle.wait(self.now, 1.0):
            return
        short = [
            books
            for books in self._books
            if books.left(self.now, len(self._in_flight)) < books.needs[waiting[0]] + ROUNDING
        ]
        assert short, "somebody waits although they may go"
