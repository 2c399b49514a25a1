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
