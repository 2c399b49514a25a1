"""What the service allows, and who goes first when that is short."""

from enum import IntEnum
from typing import Any

from attrs import Attribute, field, frozen


class Priority(IntEnum):
    """Who goes first when the budget is short: the smaller number."""

    CRITICAL = 0
    """Staying online: authorisation, keepalive, agent status."""
    GAP = 1
    """Closing a gap in what a live session has handed over."""
    TAIL = 2
    """Listing the newest conversations to learn what changed."""
    READ = 3
    """What a caller asks for; the default."""
    BACKFILL = 4
    """Old data that nobody waits for."""


def _whole_and_positive(_: object, attribute: "Attribute[Any]", value: object) -> None:
    optional = attribute.name != "concurrency"
    if value is None and optional:
        return
    if type(value) is not int or value < 1:
        alternative = ", or None for no such limit" if optional else ""
        raise ValueError(f"{attribute.name} must be a whole number of at least 1{alternative}; got {value!r}")


@frozen(kw_only=True)
class Limits:
    """How many requests the service takes: per rolling hour, per rolling day, and at the same time.

    The defaults are the figures that UltraCart publishes for each application and address (documented);
    raise them only when UltraCart raised yours. A figure that is not a whole number of at least 1 is a
    ``ValueError``.
    """

    per_hour: int | None = field(default=1_000, validator=_whole_and_positive)
    """Requests in any 3,600 seconds; None for no such limit."""
    per_day: int | None = field(default=10_000, validator=_whole_and_positive)
    """Requests in any 86,400 seconds; None for no such limit."""
    concurrency: int = field(default=1, validator=_whole_and_positive)
    """Requests in flight at the same time; the service answers more with 429 (documented)."""

    @classmethod
    def unlimited(cls) -> "Limits":
        """No windows and room for 1,000 requests at a time: for a sandbox, never for UltraCart itself."""
        return cls(per_hour=None, per_day=None, concurrency=1_000)
