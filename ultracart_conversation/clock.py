"""Time as a parameter, so that hours of waiting can be tested in milliseconds."""

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """What everything here that waits asks for the time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""
        ...

    def time(self) -> float:
        """Seconds since the Unix epoch, as the wall clock has it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds of `now`; cancellable."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds))

    def __repr__(self) -> str:
        return "SystemClock()"
