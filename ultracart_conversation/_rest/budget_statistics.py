"""What a rate budget tells about itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from attrs import frozen

from ultracart_conversation._rest.admission import Admission
from ultracart_conversation._rest.gcra import ROUNDING, Window
from ultracart_conversation.limits import Priority


@frozen(kw_only=True)
class WindowStatistics:
    """One published limit."""

    limit: int
    """Requests that any such window may hold."""
    burst: int
    """Of these, how many may go at once after a rest."""
    left: int
    """How many may go at once now; only the most urgent priority may use them all."""

    @classmethod
    def of(cls, window: Window | None, admission: Admission, *, now: float) -> Self | None:
        """The figures of one window, if there is such a window."""
        if window is None:
            return None
        return cls(limit=window.limit, burst=window.burst, left=int(admission.left(now, window) + ROUNDING))


@frozen(kw_only=True)
class BudgetStatistics:
    """A rate budget at one moment."""

    hour: WindowStatistics | None
    """None without a limit per hour."""
    day: WindowStatistics | None
    """None without a limit per day."""
    waiting: Mapping[Priority, int]
    """How many wait, for every priority."""
    in_flight: int
    """Exchanges that have begun and are not over."""
    used: int
    """Exchanges begun since the start; those said to be unsent do not count."""
    throttled: int
    """429s reported since the start."""
    paused_for: float
    """Seconds until anybody may go; 0.0 when not paused."""
    share: float
    """The share of the published rate in use: 1.0, or less for some hours after a 429."""

    @classmethod
    def of(cls, admission: Admission, *, now: float) -> Self:
        """The figures of a whole budget."""
        return cls(
            hour=WindowStatistics.of(admission.hour, admission, now=now),
            day=WindowStatistics.of(admission.day, admission, now=now),
            waiting=MappingProxyType({priority: admission.line.waiting(priority) for priority in Priority}),
            in_flight=admission.in_flight,
            used=admission.used,
            throttled=admission.throttle.count,
            paused_for=admission.throttle.pause_left(now),
            share=admission.throttle.share(now),
        )
