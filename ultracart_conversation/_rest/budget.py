"""The rate budget that everything sharing one client shares."""

from collections.abc import Mapping
from math import inf

from ultracart_conversation._rest.admission import RESERVES, Admission
from ultracart_conversation._rest.budget_statistics import BudgetStatistics, WindowStatistics
from ultracart_conversation._rest.budget_store import BudgetState, BudgetStore, MemoryBudgetStore
from ultracart_conversation._rest.slot import Ledger, Slot
from ultracart_conversation._rest.turnstile import Turnstile, WouldPassDeadline
from ultracart_conversation.clock import Clock, SystemClock
from ultracart_conversation.limits import Limits, Priority

__all__ = [
    "Budget",
    "BudgetState",
    "BudgetStatistics",
    "BudgetStore",
    "MemoryBudgetStore",
    "Slot",
    "WindowStatistics",
    "WouldPassDeadline",
]


class Budget:
    """Keeps all requests together inside the service's limits, on one event loop.

    UltraCart publishes 1,000 requests an hour, 10,000 a day and one at a time, in "leaky buckets" (documented).
    How it counts is not published; this keeps to the strictest reading: no rolling hour and no rolling day ever
    holds more than the published figure, so a part of it may go at once and the rest at a steady rate.

    ``reserves`` maps a priority to the share of each bucket that less urgent ones leave alone (together less
    than 1, otherwise ``ValueError``). With a ``store`` a restart goes on where the last process stopped.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
        store: BudgetStore | None = None,
        reserves: Mapping[Priority, float] | None = None,
    ) -> None:
        self.limits: Limits = Limits() if limits is None else limits
        self._clock: Clock = SystemClock() if clock is None else clock
        shares = RESERVES if reserves is None else reserves
        self._admission = Admission(self.limits, reserves=shares, now=self._clock.now())
        self._turnstile = Turnstile(self._admission, self._clock)
        self._ledger = Ledger(self._admission, self._clock, store) if store is not None else None

    def slot(self, priority: Priority = Priority.READ, *, deadline: float | None = None) -> Slot:
        """Room for one exchange, as an async context manager that waits on entering.

        ``deadline`` is on the budget's own clock (`Clock.now`, seconds). Entering raises `WouldPassDeadline`:
        at once when the wait would pass it as the line stands, at the latest when it comes. A slot cancelled
        before it is entered gives everything back; once entered it counts, unless `Slot.unsent` is called.
        """
        return Slot(self._turnstile, self._ledger, priority=priority, deadline=deadline)

    def throttled(self, wait: float | None = None) -> None:
        """Take in a 429: nobody begins for that many seconds (None: not told), and all go slower for hours.

        To be called inside the slot whose exchange it answered. ``ValueError`` unless finite and not negative.
        """
        if wait is not None and not 0.0 <= wait < inf:
            raise ValueError(f"a pause is a finite number of seconds, not negative; got {wait!r}")
        self._turnstile.throttled(wait)

    def statistics(self) -> BudgetStatistics:
        """How much is left, who waits, and how the service took it so far."""
        return BudgetStatistics.of(self._admission, now=self._clock.now())

    def __repr__(self) -> str:
        return f"Budget({self.limits!r})"
