"""When a session connects again. Pure: the time comes in as a number, chance as a function."""

from collections import deque
from collections.abc import Callable
from math import inf

from ultracart_conversation.config import Backoff

_DOUBLINGS = 62
"""More of them change nothing, and far more would overflow."""


def wait_after(backoff: Backoff, *, failures: int, draw: Callable[[], float]) -> float:
    """Seconds to wait after the n-th failure in a row (full jitter); `draw` gives numbers from 0 to 1."""
    return draw() * min(backoff.ceiling, backoff.initial * 2.0 ** min(failures - 1, _DOUBLINGS))


class Pace:
    """Knows the failures in a row and the connections that were accepted, hence the earliest next attempt.

    Planned replacements count among the connections like all others, so that the limit holds without exception.
    """

    __slots__ = ("_accepted", "_backoff", "_draw", "_failures", "_not_before", "_stable_at")

    def __init__(self, backoff: Backoff, *, draw: Callable[[], float]) -> None:
        self._backoff = backoff
        self._draw = draw
        self._accepted: deque[float] = deque(maxlen=backoff.connections)
        self._failures = 0
        self._not_before = -inf
        self._stable_at = inf

    def failures(self, now: float) -> int:
        """How many in a row, of attempts and of connections that did not last."""
        return 0 if now >= self._stable_at else self._failures

    def earliest(self) -> float:
        """When the next attempt may begin; in the past when it may begin at once."""
        full = len(self._accepted) == self._backoff.connections
        return max(self._not_before, self._accepted[0] + self._backoff.per if full else -inf)

    def accepted(self, now: float) -> None:
        """The service opened a connection."""
        self._forget_if_stable(now)
        self._accepted.append(now)
        self._stable_at = now + self._backoff.stable

    def ended(self, now: float) -> None:
        """The connection is no longer in use."""
        self._forget_if_stable(now)
        self._stable_at = inf

    def failed(self, now: float) -> int:
        """An attempt failed, or a connection was lost; its number in the row."""
        self._forget_if_stable(now)
        self._failures += 1
        return self._failures

    def wait(self, now: float, *, at_least: float = 0.0) -> None:
        """Let no attempt begin before a wait for the failures in a row, after so many seconds of peace."""
        self._not_before = now + at_least + wait_after(self._backoff, failures=self._failures, draw=self._draw)

    def _forget_if_stable(self, now: float) -> None:
        # Once for each connection: what fails beside a stable one must still be asked less and less often.
        if now >= self._stable_at:
            self._failures, self._stable_at = 0, inf
