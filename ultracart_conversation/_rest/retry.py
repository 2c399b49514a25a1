"""Whether a failed exchange is repeated, and when. A pure function."""

from collections.abc import Callable
from typing import Any

from ultracart_conversation._rest.operation import Operation
from ultracart_conversation._rest.outcome import Lost, Outcome, Stage
from ultracart_conversation._rest.verdict import retry_after
from ultracart_conversation.config import Retry


def wait_before_next(
    operation: Operation[Any], outcome: Outcome, *, attempt: int, retry: Retry, draw: Callable[[], float]
) -> float | None:
    """Seconds until attempt `attempt + 1`, or None when there shall be none; `draw` gives numbers from 0 to 1.

    Connecting is always repeated, 429 too; a lost reply and 5xx only where repeating does no harm.
    """
    if attempt >= retry.attempts:
        return None
    jitter = draw() * min(retry.ceiling, retry.initial * 2.0 ** (attempt - 1))
    if isinstance(outcome, Lost):
        return jitter if operation.repeatable or outcome.stage is Stage.CONNECTING else None
    if outcome.status_code == 429:
        return (retry_after(outcome) or retry.initial) + jitter
    if outcome.status_code >= 500 and operation.repeatable:
        return max(jitter, retry_after(outcome) or 0.0)
    return None


class RetryAllowance:
    """Keeps the repetitions of a client to a share of its requests, so that an outage is not made worse.

    Each call earns `share` of a repetition, and up to 10 may be saved up; there are 10 to begin with.
    """

    __slots__ = ("_share", "left")

    MOST = 10.0

    def __init__(self, share: float) -> None:
        self._share = share
        self.left: float = self.MOST

    def earn(self) -> None:
        """A call begins."""
        self.left = min(self.MOST, self.left + self._share)

    def spend(self) -> bool:
        """Whether one more repetition is allowed; if so, it is taken."""
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True
