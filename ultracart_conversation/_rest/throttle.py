"""What a 429 teaches: a pause for everybody, then a slower pace that recovers with time."""

from ultracart_conversation._rest.gcra import Meter

UNTOLD_PAUSE = 5.0
"""Seconds to pause after a 429 that does not say how long."""

LONGEST_FLOOR = 300.0
"""Seconds that the rising floor under the pauses never passes."""

PACE_BURST = 8
"""Requests that may go at once while the pace is lowered, so that a person at a desk need not notice."""

LEAST_SHARE = 1 / 64

RECOVERY = 1 / 8 / 3_600
"""Share of the published rate that comes back per second: from a half to the whole in four hours."""


class Throttle:
    """Additive increase, multiplicative decrease, on the share of the published rate that is used.

    Each 429 halves the share; it comes back by an eighth an hour. Several 429s within one pause are one lesson.
    A second 429 without a good exchange since the first raises a floor under the pauses: 5, 10, … 300 seconds.
    """

    def __init__(self, *, published_interval: float | None, now: float) -> None:
        self._published_interval = published_interval
        self.pace: Meter | None = Meter(PACE_BURST, published_interval, now=now) if published_interval else None
        self.paused_until: float = now
        self.count: int = 0
        self._strikes = 0
        self._share = 1.0
        self._share_at = now

    def share(self, now: float) -> float:
        """The share of the published rate that is used now: 1.0 unless there was a 429."""
        return min(1.0, self._share + max(0.0, now - self._share_at) * RECOVERY)

    def pause_left(self, now: float) -> float:
        """Seconds until anybody may go."""
        return max(0.0, self.paused_until - now)

    def wait(self, now: float, tokens: float) -> float:
        """Seconds until so many requests may have gone, as far as 429s have a say."""
        pause = self.pause_left(now)
        if self.pace is None or self.share(now) >= 1.0:
            return pause
        return max(pause, self.pace.wait(now, tokens))

    def throttled(self, now: float, wait: float | None) -> None:
        """Take in a 429 whose reply asked for so many seconds, or for none in particular."""
        self.count += 1
        lesson = now >= self.paused_until
        self._strikes += lesson
        pause = max(UNTOLD_PAUSE if wait is None else wait, self._floor())
        self.paused_until = max(self.paused_until, now + pause)
        share = max(LEAST_SHARE, self.share(now) / 2) if lesson else self._share
        self._set_share(share, at=self.paused_until)
        self._one_at_resumption()

    def started(self, now: float) -> None:
        """An exchange begins: the pace follows the share."""
        if self.pace and self._published_interval and self._share < 1.0:
            self.pace.retune(self._published_interval / self.share(now), now=now)

    def succeeded(self, started_at: float) -> None:
        """An exchange that began after the last pause ended without another 429."""
        if started_at >= self.paused_until:
            self._strikes = 0

    def restore(self, *, share: float, paused_until: float) -> None:
        """Go on as another process left off."""
        self.paused_until = paused_until
        self._set_share(share, at=paused_until)
        self._one_at_resumption()

    def _floor(self) -> float:
        rising = UNTOLD_PAUSE * 2.0 ** (min(self._strikes, 10) - 2)
        return min(LONGEST_FLOOR, rising) if self._strikes > 1 else 0.0

    def _set_share(self, share: float, *, at: float) -> None:
        self._share = share
        self._share_at = at
        if self.pace and self._published_interval:
            self.pace.interval = self._published_interval / share

    def _one_at_resumption(self) -> None:
        if self.pace:
            self.pace.set_level(self.pace.burst - 1.0 - self.pace.reserved, at=self.paused_until)
