"""How long reading the past will take."""

from ultracart_conversation._rest.admission import RESERVES
from ultracart_conversation._rest.budget import BudgetStatistics, WindowStatistics

_RESERVED = sum(RESERVES.values())
_HOUR, _DAY = 3_600.0, 86_400.0


def seconds_left(requests: int, budget: BudgetStatistics) -> float:
    """Seconds until so many requests may have been made, if nobody else makes any."""
    windows = ((budget.hour, _HOUR), (budget.day, _DAY))
    waits = (_wait(requests, window, length, budget.share) for window, length in windows if window is not None)
    return max([budget.paused_for, *waits])


def _wait(requests: int, window: WindowStatistics, length: float, share: float) -> float:
    steady = (window.limit - window.burst + 1) * share / length
    at_once = window.left - _RESERVED * window.burst
    return max(0, requests - at_once) / steady
