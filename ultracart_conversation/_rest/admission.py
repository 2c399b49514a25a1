"""Every decision of the rate budget, without a clock and without waiting.

A ticket is granted a token of each window and a place among the exchanges in flight in one decision, or nothing:
whoever waits holds nothing that another could use.
"""

from collections.abc import Mapping
from math import inf

from ultracart_conversation._rest.budget_store import BudgetState
from ultracart_conversation._rest.gcra import Meter, Window, hour_and_day
from ultracart_conversation._rest.throttle import Throttle
from ultracart_conversation._rest.waiting_line import State, Ticket, WaitingLine
from ultracart_conversation.limits import Limits, Priority

RESERVES: Mapping[Priority, float] = {
    Priority.CRITICAL: 0.10,
    Priority.GAP: 0.10,
    Priority.TAIL: 0.05,
    Priority.READ: 0.05,
}
"""The share of each bucket that is kept for a priority and the more urgent ones."""


class Admission:
    """Who may begin an exchange now, and when the next one may."""

    def __init__(self, limits: Limits, *, reserves: Mapping[Priority, float], now: float) -> None:
        self.limits = limits
        self.hour: Window | None
        self.day: Window | None
        self.hour, self.day = hour_and_day(limits)
        windows = [window for window in (self.hour, self.day) if window]
        self._meters = {window: Meter(window.burst, window.interval, now=now) for window in windows}
        published = windows[0].period / windows[0].limit if windows else None
        self.throttle: Throttle = Throttle(published_interval=published, now=now)
        self.line: WaitingLine = WaitingLine()
        self.in_flight: int = 0
        self.used: int = 0
        self._needs = [
            [(meter, 1.0 + min(share * meter.burst, meter.burst - 1.0)) for meter in self._meters.values()]
            for share in _shares_kept(reserves)
        ]
        self._charged = [*self._meters.values(), *([self.throttle.pace] if self.throttle.pace else [])]

    def ask(self, now: float, priority: Priority, *, deadline: float | None = None) -> Ticket:
        """A ticket that is granted, or waits in line, or is refused as its turn would come too late."""
        ticket = Ticket(priority, asked_at=now, deadline=deadline)
        if not self.line and self._may_go(now, priority):
            self._grant(ticket, now)
            return ticket
        ticket.estimate = self.wait(now, priority)
        if deadline is not None and now + ticket.estimate > deadline:
            ticket.state = State.REFUSED
        else:
            self.line.join(ticket)
        return ticket

    def advance(self, now: float) -> list[Ticket]:
        """Grant to everybody who may go now, then refuse everybody for whom it is too late."""
        settled: list[Ticket] = []
        while (urgent := self.line.most_urgent()) is not None and self._may_go(now, urgent):
            settled.append(self.line.take_next(urgent))
            self._grant(settled[-1], now)
        while late := self.line.take_late(now=now, resumption=self.throttle.paused_until):
            late.state, late.estimate = State.REFUSED, self.wait(now, late.priority)
            settled.append(late)
        return settled

    def next_time(self, now: float) -> float:
        """When to call `advance` again if nothing else happens before; infinity for never."""
        urgent = self.line.most_urgent()
        if urgent is None:
            return inf
        deadline = self.line.next_deadline()
        full = self.in_flight >= self.limits.concurrency
        turn = inf if full else now + self._wait(now, urgent, ahead=0)
        return turn if deadline is None else min(turn, deadline)

    def wait(self, now: float, priority: Priority) -> float:
        """Seconds until a newcomer may go, as the line stands and as far as tokens are concerned."""
        return self._wait(now, priority, ahead=self.line.ahead(priority))

    def withdraw(self, ticket: Ticket) -> None:
        """Give up a ticket before its exchange began: it leaves no trace."""
        if ticket.state is State.WAITING:
            self.line.leave(ticket)
        elif ticket.state is State.GRANTED:
            self.in_flight -= 1
            self.used -= 1
            for meter in self._charged:
                meter.refund()
        ticket.state = State.OVER

    def finish(self, ticket: Ticket, now: float) -> None:
        """The exchange of a granted ticket is over, however it ended."""
        self.in_flight -= 1
        for meter in self._charged:
            meter.commit(now)
        self.throttle.succeeded(ticket.granted_at)
        ticket.state = State.OVER

    def left(self, now: float, window: Window) -> float:
        """Requests of the most urgent kind that this window would let go at once."""
        return max(0.0, self._meters[window].left(now))

    def state(self, now: float, wall: float) -> BudgetState:
        """What a restart must know."""
        return BudgetState(
            saved_at=wall,
            hour=self._meters[self.hour].level(now) if self.hour else 0.0,
            day=self._meters[self.day].level(now) if self.day else 0.0,
            in_flight=self.in_flight,
            paused_until=wall + self.throttle.pause_left(now),
            share=self.throttle.share(now),
        )

    def restore(self, state: BudgetState, now: float, wall: float) -> None:
        """Go on from a saved state; a wall clock that went back since then gives nothing away."""
        saved_at = now - max(0.0, wall - state.saved_at)
        for window, level in ((self.hour, state.hour), (self.day, state.day)):
            if window:
                meter = self._meters[window]
                meter.set_level(level, at=saved_at)
                meter.set_level(min(meter.level(now) + state.in_flight, window.burst), at=now)
        pause = max(0.0, state.paused_until - state.saved_at)
        self.throttle.restore(share=state.share, paused_until=saved_at + pause)

    def _may_go(self, now: float, priority: Priority) -> bool:
        return self.in_flight < self.limits.concurrency and not self._wait(now, priority, ahead=0)

    def _wait(self, now: float, priority: Priority, *, ahead: int) -> float:
        wait = self.throttle.wait(now, 1.0 + ahead)
        for meter, tokens in self._needs[priority]:
            wait = max(wait, meter.wait(now, tokens + ahead))
        return wait

    def _grant(self, ticket: Ticket, now: float) -> None:
        ticket.state = State.GRANTED
        ticket.granted_at = now
        self.in_flight += 1
        self.used += 1
        self.throttle.started(now)
        for meter in self._charged:
            meter.reserve()


def _shares_kept(reserves: Mapping[Priority, float]) -> list[float]:
    """For each priority the share of every bucket that it may not touch."""
    if any(not 0.0 <= share <= 1.0 for share in reserves.values()) or sum(reserves.values()) >= 1.0:
        raise ValueError(f"reserves are shares of a bucket and together less than 1; got {dict(reserves)!r}")
    return [sum(reserves.get(above, 0.0) for above in Priority if above < own) for own in Priority]
