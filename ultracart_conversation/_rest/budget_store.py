"""What a budget remembers across restarts, and where."""

from typing import Protocol

from attrs import field, frozen, validators


@frozen(kw_only=True)
class BudgetState:
    """What was used up when it was saved; times are wall-clock seconds since the epoch."""

    saved_at: float
    hour: float = field(default=0.0, validator=validators.ge(0.0))
    """Tokens of the hour's bucket that had not come back yet, of exchanges that were over."""
    day: float = field(default=0.0, validator=validators.ge(0.0))
    """The same for the day's bucket."""
    in_flight: int = field(default=0, validator=validators.ge(0))
    """Exchanges that were not over; the service may have counted them as late as at the restart."""
    paused_until: float = 0.0
    """When the pause after a 429 ends."""
    share: float = field(default=1.0, validator=(validators.gt(0.0), validators.le(1.0)))
    """The share of the published rate in use: below 1.0 after a 429."""


class BudgetStore(Protocol):
    """Keeps one `BudgetState`, so that a restart does not refill the buckets.

    A budget loads once, before its first request, and saves before and after every exchange, one at a time.
    What either raises reaches the caller of that request, which then was not sent.
    """

    async def load(self) -> BudgetState | None:
        """What was saved last; None the first time."""
        ...

    async def save(self, state: BudgetState) -> None:
        """Replace what was saved last."""
        ...


class MemoryBudgetStore:
    """A store that outlives a client but not the process."""

    def __init__(self, state: BudgetState | None = None) -> None:
        self.state = state

    async def load(self) -> BudgetState | None:
        return self.state

    async def save(self, state: BudgetState) -> None:
        self.state = state
