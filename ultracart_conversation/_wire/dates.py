"""UltraCart's `*_dts` texts: ISO-8601 with an offset, US-Eastern in today's replies (documented)."""

from datetime import datetime


def read_date(text: str) -> datetime:
    """The instant that `text` names; a text without an offset names none and raises `ValueError`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a date without an offset")
    return instant


def write_date(instant: datetime) -> str:
    """`instant` to the second, or to the millisecond or microsecond where it has any."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no offset: say which zone it is in, for example with tzinfo=UTC")
    whole_milliseconds = instant.microsecond and instant.microsecond % 1000 == 0
    return instant.isoformat(timespec="milliseconds" if whole_milliseconds else "auto")
