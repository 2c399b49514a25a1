"""How a poller does, in numbers."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate
from math import inf

import attrs

from ultracart_conversation._rest.budget import BudgetStatistics

BOUNDS: tuple[float, ...] = (1, 2, 5, 10, 20, 30, 45, 60, 75, 90, 120, 150, 300, 600, 1800, 3600, inf)


@attrs.frozen(kw_only=True)
class Histogram:
    """How many values were at most so large; the last bound is infinite, as Prometheus wants it."""

    counts: Mapping[float, int]
    """By bound in seconds; each counts the smaller ones too."""
    total: float
    """The sum of all values, in seconds."""

    def quantile(self, share: float) -> float:
        """The smallest bound that this share of the values does not exceed; 0 where there are none."""
        wanted = share * self.counts[inf]
        return next(bound for bound, count in self.counts.items() if count >= wanted) if wanted else 0.0


@attrs.frozen(kw_only=True)
class HistoryProgress:
    """How far the past is read."""

    listed: int
    """Conversations that were found so far."""
    left: int
    """Of these, those that are still to be read."""
    is_listed: bool
    """Whether all conversations were found."""
    eta: float | None
    """Seconds until it is done, as the limits and the service's speed look now; None until all are found."""


@attrs.frozen(kw_only=True)
class PollerStatistics:
    """What a poller did since it was made, and where it stands."""

    passes: int
    """Looks at the list."""
    requests: Mapping[str, int]
    """By what they were for: `list`, `news`, `history` and `audit`."""
    conversations: int
    """How many are followed."""
    new: int
    """Messages that were handed over."""
    updated: int
    removed: int
    requests_per_message: float | None
    """Requests for what is new, for each new message that they brought; None before the first."""
    lag: Histogram
    """From when a message was written to when it was handed over, for what was written while the poller followed.

    By the service's clock and ours.
    """
    complete_through: datetime | None
    """Everything that was written up to then was handed over, but for conversations in quarantine.

    By the service's clock; None until that is shown for the first time.
    """
    backlog: int
    """Conversations that are to be read."""
    quarantined: int
    """Conversations that could not be read; they are tried again, ever more rarely, and do not stop the others."""
    history: HistoryProgress
    last_error: str | None
    """Why looking, listing or reading failed when that was tried last; None when it did not."""
    budget: BudgetStatistics


class Tally:
    """Counts while a poller works."""

    def __init__(self) -> None:
        self.passes: int = 0
        self.requests: Counter[str] = Counter({"list": 0, "news": 0, "history": 0, "audit": 0})
        self.messages: Counter[str] = Counter()
        self.news: int = 0
        self._lags = [0] * len(BOUNDS)
        self._total_lag = 0.0

    def delivered(self, lags: list[float]) -> None:
        """New messages were handed over so many seconds after they were written."""
        self.news += len(lags)
        for lag in lags:
            self._lags[bisect_left(BOUNDS, lag)] += 1
        self._total_lag += sum(lags)

    @property
    def lag(self) -> Histogram:
        """How late messages were."""
        return Histogram(counts=dict(zip(BOUNDS, accumulate(self._lags), strict=True)), total=self._total_lag)

    @property
    def requests_per_message(self) -> float | None:
        """What one new message costs."""
        return (self.requests["list"] + self.requests["news"]) / self.news if self.news else None
