"""The arithmetic of one published limit: N requests in any T seconds.

UltraCart says that its limits are "leaky buckets" and that nothing is reset at a fixed time (documented), but
neither the size of the bucket nor whether it leaks or slides (unknown). The strictest reading is taken: *no*
window of T seconds, wherever it begins, may hold more than N requests. A service that counts by fixed windows,
by a sliding log or by a bucket of N that leaks N per T is content with a client that keeps to it.

The meter is the generic cell rate algorithm in its continuous-state form: each request adds one token to a
level that drains one token per ``interval`` and may not pass ``burst``. A token is *reserved* when the exchange
begins, and joins the level, where it starts to drain, when the exchange ends. The service counts a request
somewhere between the two, so take a window (w, w + T] of the service's own counting, with k requests in it, the
last of which began at s <= w + T. At s each of the k - 1 others was still reserved or had joined the level after
w, so the level was more than (k - 1) - (s - w) / interval while one more token fitted::

    k - (s - w) / interval < burst        =>        k < burst + T / interval

With ``interval = T / (N - burst + 1)`` that is k < N + 1, hence k <= N, however long each request travels.
The interval is a thousandth longer than that: the service's clock and ours need not run equally fast.
"""

import math

from attrs import frozen

from ultracart_conversation.limits import Limits

HOUR = 3_600.0
DAY = 86_400.0

CLOCK_TOLERANCE = 1.001
"""Twice what clock discipline allows: NTP slews a clock by at most 500 parts per million."""

ROUNDING = 1e-6
"""Tokens; far above the rounding of a year of seconds in a float, far below what the tolerance leaves free."""


@frozen
class Window:
    """N requests in any T seconds, and how many of them may go at once."""

    limit: int
    period: float
    burst: int

    @property
    def interval(self) -> float:
        """Seconds between two requests once the burst is used up."""
        return CLOCK_TOLERANCE * self.period / (self.limit - self.burst + 1)


def hour_and_day(limits: Limits) -> tuple[Window | None, Window | None]:
    """The windows of some limits, each with its burst.

    What a window gives to the burst it takes from the steady rate. The longer window is the one that a busy
    client lives on and gives a tenth; the hour gives up to a half as long as it stays faster than the day.
    """
    day = Window(limits.per_day, DAY, max(1, limits.per_day // 10)) if limits.per_day else None
    if limits.per_hour is None:
        return None, day
    steady = math.ceil(HOUR / day.interval) if day else limits.per_hour
    least, most = max(1, limits.per_hour // 10), max(1, limits.per_hour // 2)
    return Window(limits.per_hour, HOUR, min(most, max(least, limits.per_hour - steady))), day


class Meter:
    """One leaky bucket used as a meter; it is told the time and never asks."""

    __slots__ = ("_at", "_level", "burst", "interval", "reserved")

    def __init__(self, burst: int, interval: float, *, now: float) -> None:
        self.burst: int = burst
        self.interval: float = interval
        self.reserved: int = 0
        self._level = 0.0
        self._at = now

    def level(self, now: float) -> float:
        """Tokens of finished requests that have not drained yet."""
        return max(0.0, self._level - max(0.0, now - self._at) / self.interval)

    def left(self, now: float) -> float:
        """Tokens that may be taken at once."""
        return self.burst - self.level(now) - self.reserved

    def wait(self, now: float, tokens: float) -> float:
        """Seconds until so many tokens are left, if nobody takes any."""
        missing = tokens - self.left(now)
        return missing * self.interval if missing > ROUNDING else 0.0

    def reserve(self) -> None:
        self.reserved += 1

    def refund(self) -> None:
        """Give back a reserved token: the request was never sent."""
        self.reserved -= 1

    def commit(self, now: float) -> None:
        """Let a reserved token begin to drain: the exchange is over."""
        self.reserved -= 1
        self.set_level(self.level(now) + 1.0, at=max(now, self._at))

    def set_level(self, level: float, *, at: float) -> None:
        self._level = level
        self._at = at

    def retune(self, interval: float, *, now: float) -> None:
        """Drain at another rate from now on."""
        self.set_level(self.level(now), at=max(now, self._at))
        self.interval = interval
