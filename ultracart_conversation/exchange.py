"""What went over the wire once: one request and, if one came, its reply."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class Exchange:
    """One attempt at an operation. Holds no secret: the path is the template, the headers are the reply's."""

    operation: str
    method: str
    path: str
    """The template, such as `/conversation/conversations/{conversation_uuid}`."""
    attempt: int
    """Counted from 1."""
    elapsed: float
    """Seconds from the first byte sent to the last byte read, or to the failure."""
    status_code: int | None = None
    """None when no reply came."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """The reply's headers; names are not case-sensitive when they came from the service."""
    failure: str | None = None
    """Why no reply came."""

    @property
    def request_id(self) -> str | None:
        """UltraCart's name for this exchange, to quote to its support (documented)."""
        return self.headers.get("X-UltraCart-Request-Id")


OnExchange: TypeAlias = Callable[[Exchange], Awaitable[None] | None]
"""A hook that hears of every exchange after it ended; it may be async, and is then waited for."""
