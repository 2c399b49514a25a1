"""When to try again, and when to give up."""

_FAILURES = 6
"""So many in a row without any progress, a minute or two, and it is given up."""


class Patience:
    """A sync may take a day, so what does not last is no reason to end it, unless it is so from the start."""

    def __init__(self) -> None:
        self._reached: object = None
        self._failures = 0

    def after(self, reached: object) -> float | None:
        """Seconds to wait after a failure by which so much was reached, None being nothing at all; None to give up."""
        self._failures = self._failures + 1 if reached == self._reached else 1
        self._reached = reached
        return None if reached is None or self._failures >= _FAILURES else 2.0**self._failures
