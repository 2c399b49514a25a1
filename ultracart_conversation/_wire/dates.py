"""UltraCart's `*_dts` texts: ISO-8601 with an offset, US-Eastern in today's replies (documented)."""

from datetime import datetime

from ultracart_conversation.errors import ConfigurationError


def write_date(instant: datetime) -> str:
    """`instant` to the second, or to the millisecond or microsecond where it has any.

    Raises `ConfigurationError` for a date without an offset, which names no instant.
    """
    if instant.tzinfo is None:
        raise ConfigurationError(f"{instant.isoformat()} has no offset: say which zone, for example with tzinfo=UTC")
    whole_milliseconds = instant.microsecond and instant.microsecond % 1000 == 0
    return instant.isoformat(timespec="milliseconds" if whole_milliseconds else "auto")
