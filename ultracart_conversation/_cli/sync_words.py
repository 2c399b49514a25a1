"""How a sync stands, in words and in numbers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import inf, isfinite
from typing import Any

from ultracart_conversation._cli.event_words import clock
from ultracart_conversation._cli.text import one_line
from ultracart_conversation._poll.statistics import Histogram, PollerStatistics
from ultracart_conversation._rest.budget import BudgetStatistics


def is_past_read(statistics: PollerStatistics) -> bool:
    """Whether nothing that was there at first is left to read."""
    return statistics.history.is_listed and not statistics.history.left


def read(statistics: PollerStatistics) -> int:
    """How many conversations need not be read for the first time any more."""
    return max(0, statistics.conversations - statistics.history.left - statistics.quarantined)


def conversations(statistics: PollerStatistics) -> str:
    """How many were read, and of how many."""
    if is_past_read(statistics):
        return counted(statistics.conversations, "conversation")
    if not statistics.history.is_listed:
        return f"{read(statistics):,} conversations read, {statistics.conversations:,} found so far"
    return f"{read(statistics):,} of {counted(statistics.conversations, 'conversation')} read"


def messages(statistics: PollerStatistics, *, noun: str) -> str:
    """What became of messages."""
    return ", ".join([f"{statistics.new:,} {noun}", *_rest(statistics.updated, statistics.removed)])


def requests(statistics: PollerStatistics, *, noun: str) -> str:
    """What it took, and what may still be taken."""
    left, made = left_today(statistics.budget), f"{statistics.budget.used:,} {noun}"
    return made if left is None else f"{made}, {left:,} left for the next 24 h"


def left_today(budget: BudgetStatistics) -> int | None:
    """Requests that the limits allow from now to 24 hours from now; None where there is no such limit."""
    return None if budget.day is None else budget.day.limit - budget.day.burst + budget.day.left


def completeness(statistics: PollerStatistics) -> str:
    """Up to when the archive has everything."""
    if statistics.complete_through is not None:
        return f"through {clock(statistics.complete_through)}"
    if not statistics.history.is_listed:
        return "not yet, as not all conversations are found"
    return f"not yet, as {counted(statistics.history.left, 'conversation')} {_is(statistics.history.left)} to be read"


def lag(histogram: Histogram) -> str:
    """How late messages come; empty when none came."""
    bound = histogram.quantile(0.95)
    if not histogram.counts[inf]:
        return ""
    return f"95 % within {bound:,.0f} s" if isfinite(bound) else "some of them more than an hour"


def news(*, new: int, updated: int, removed: int, gone: int, among: int) -> str:
    """What a look found in so many conversations."""
    parts = [f"{counted(new, 'new message')} in {counted(among, 'conversation')}"] if new else []
    parts += _rest(updated, removed)
    if gone:
        parts.append(f"{counted(gone, 'conversation')} gone")
    return ", ".join(parts) or f"{counted(among, 'conversation')} changed, with no new message"


def unreadable(quarantined: Mapping[str, str], *, most: int) -> Iterable[str]:
    """Which conversations could not be read, and why; the first of them one by one."""
    for uuid, reason in list(quarantined.items())[:most]:
        yield f"not read, to be tried again: {one_line(uuid)}: {one_line(reason)}"
    if len(quarantined) > most:
        yield f"not read, to be tried again: {counted(len(quarantined) - most, 'more conversation')}"


def counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def numbers(statistics: PollerStatistics) -> dict[str, Any]:
    """All of it for programs; times in seconds, moments in ISO 8601."""
    history, late = statistics.history, statistics.lag
    return {
        "conversations": statistics.conversations,
        "left": history.left,
        "is_listed": history.is_listed,
        "eta": history.eta,
        "new": statistics.new,
        "updated": statistics.updated,
        "removed": statistics.removed,
        "looks": statistics.passes,
        "requests": dict(statistics.requests),
        "requests_left_24_h": left_today(statistics.budget),
        "lag_p95": _finite(late.quantile(0.95)) if late.counts[inf] else None,
        "complete_through": _iso(statistics.complete_through),
        "backlog": statistics.backlog,
        "quarantined": statistics.quarantined,
        "last_error": statistics.last_error,
    }


def _rest(updated: int, removed: int) -> list[str]:
    return [f"{number:,} {what}" for number, what in ((updated, "updated"), (removed, "removed")) if number]


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _finite(seconds: float) -> float | None:
    return seconds if isfinite(seconds) else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
