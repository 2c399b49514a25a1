"""The waiting of the rate budget, on whatever event loop runs: decisions come from `Admission`.

No task of its own: one of those who wait, the timekeeper, sleeps until the next decision is due and hands the
office on when it leaves. All others sleep until they are called.
"""

import logging
from math import inf

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from ultracart_conversation._rest.admission import Admission
from ultracart_conversation._rest.waiting_line import State, Ticket
from ultracart_conversation.clock import Clock
from ultracart_conversation.limits import Priority

logger = logging.getLogger("ultracart_conversation.budget")

WORTH_LOGGING = 1.0
"""Seconds of waiting that a caller should hear of."""


class WouldPassDeadline(Exception):
    """The rate budget has no room for this request before its deadline; `wait` is the estimate in seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__(wait)
        self.wait = wait

    def __str__(self) -> str:
        if self.wait:
            return f"the rate budget has room in {self.wait:.1f} s, which is after the deadline"
        return "no place among the requests in flight became free before the deadline"


class Turnstile:
    """Lets tickets through one by one."""

    def __init__(self, admission: Admission, clock: Clock) -> None:
        self._admission = admission
        self._clock = clock
        self._bells: dict[Ticket, anyio.Event] = {}
        self._timekeeper: Ticket | None = None
        self._nap: anyio.CancelScope | None = None
        self._nap_until = inf

    async def enter(self, priority: Priority, deadline: float | None) -> Ticket:
        """Wait for a token of each window and for a place; raises `WouldPassDeadline`."""
        now = self._clock.now()
        ticket = self._admission.ask(now, priority, deadline=deadline)
        try:
            if ticket.state is State.WAITING:
                await self._wait(ticket)
            # A cancellation may have come after the grant and show itself only at the next checkpoint.
            await checkpoint_if_cancelled()
        except BaseException:
            self.withdraw(ticket)
            raise
        if ticket.state is State.REFUSED:
            raise WouldPassDeadline(ticket.estimate)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """The exchange is over."""
        self._admission.finish(ticket, self._clock.now())
        self._advance()

    def withdraw(self, ticket: Ticket) -> None:
        """The exchange never began: the tokens go back."""
        self._admission.withdraw(ticket)
        self._advance()

    def throttled(self, wait: float | None) -> None:
        """The service answered 429: nobody goes on before so many seconds."""
        self._admission.throttle.throttled(self._clock.now(), wait)
        self._advance()

    async def _wait(self, ticket: Ticket) -> None:
        logged = self._log_wait(ticket, "waits about", ticket.estimate)
        self._bells[ticket] = anyio.Event()
        self._advance()
        try:
            while ticket.state is State.WAITING:
                await self._sleep(ticket)
        finally:
            self._step_out(ticket)
        if not logged:
            self._log_wait(ticket, "waited", self._clock.now() - ticket.asked_at)

    async def _sleep(self, ticket: Ticket) -> None:
        if self._timekeeper in (None, ticket):
            self._timekeeper = ticket
            await self._keep_time()
        else:
            await self._bells[ticket].wait()
            self._bells[ticket] = anyio.Event()

    async def _keep_time(self) -> None:
        now = self._clock.now()
        self._nap_until = self._admission.next_time(now)
        with anyio.CancelScope() as self._nap:
            if self._nap_until == inf:
                await anyio.sleep_forever()
            await self._clock.sleep(max(0.0, self._nap_until - now))
        self._nap = None
        self._advance()

    def _step_out(self, ticket: Ticket) -> None:
        del self._bells[ticket]
        if self._timekeeper is ticket:
            self._timekeeper = self._nap = None
        if self._timekeeper is None and self._bells:
            next(iter(self._bells.values())).set()

    def _advance(self) -> None:
        """Call everybody who may go now; wake the timekeeper if the next decision is due sooner than it thinks."""
        if not self._bells:
            return
        now = self._clock.now()
        for ticket in self._admission.advance(now):
            self._call(ticket)
        if self._nap and self._admission.next_time(now) < self._nap_until:
            self._nap.cancel()

    def _call(self, ticket: Ticket) -> None:
        if ticket is not self._timekeeper:
            self._bells[ticket].set()
        elif self._nap:
            self._nap.cancel()

    def _log_wait(self, ticket: Ticket, verb: str, seconds: float) -> bool:
        if seconds <= WORTH_LOGGING:
            return False
        logger.info("a %s request %s %.1f s for the rate budget", ticket.priority.name, verb, seconds)
        return True
