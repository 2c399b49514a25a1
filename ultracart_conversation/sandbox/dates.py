"""Dates as UltraCart writes them: ISO 8601 to the second, with the offset of US-Eastern time."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


def eastern(epoch_ms: int) -> str:
    """`2025-10-06T16:07:13-04:00` in summer, `…-05:00` in winter (documented by captured traffic)."""
    hour, second = divmod(epoch_ms // 1000, 3600)
    begins, offset = _hour(hour)
    return f"{begins}:{second // 60:02}:{second % 60:02}{offset}"


def eastern_or_none(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else eastern(epoch_ms)


def parse_seconds(text: str) -> int:
    """Whole seconds since 1970 of an ISO date; one without an offset is Eastern. ValueError when it is no date."""
    moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EASTERN)
    return int(moment.timestamp())


@lru_cache(maxsize=4096)
def _hour(hour: int) -> tuple[str, str]:
    """How the dates of an hour since 1970 begin and end: clocks are changed on the hour, and a page has many dates."""
    text = datetime.fromtimestamp(hour * 3600, EASTERN).isoformat()
    return text[:13], text[19:]
