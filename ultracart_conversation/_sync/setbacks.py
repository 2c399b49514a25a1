"""When to try again what failed."""

import logging
from math import inf

from ultracart_conversation.errors import RateLimited, UltraCartError


class Setbacks:
    """Pauses that double with each failure in a row, up to `longest` seconds; a failure in a row is told once.

    Times are those of any clock that never goes back.
    """

    def __init__(self, what: str, logger: logging.Logger, *, longest: float) -> None:
        self.until: float = -inf
        """Until then nothing is to be tried."""
        self.error: UltraCartError | None = None
        """What failed last; None when nothing did."""
        self.count: int = 0
        """Failures in a row."""
        self._what = what
        self._logger = logger
        self._longest = longest

    def failed(self, error: UltraCartError, *, now: float) -> None:
        """Try again later, and not before the service allows it."""
        wait = min(self._longest, 2.0 ** min(self.count, 10))
        if isinstance(error, RateLimited):
            wait = max(wait, error.retry_after or 0)
        level = logging.DEBUG if self.count else logging.WARNING
        self._logger.log(level, "%s failed, next in %.0f s: %s", self._what, wait, error)
        self.count += 1
        self.error = error
        self.until = now + wait

    def succeeded(self) -> None:
        """The next failure is the first one again."""
        self.count, self.error = 0, None
