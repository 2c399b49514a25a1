"""A clock that moves only when a test says so, on asyncio and on trio."""

from heapq import heappop, heappush
from itertools import count

import anyio
from anyio.lowlevel import checkpoint

from ultracart_conversation.sandbox.timeline import settle

__all__ = ["VirtualClock", "settle"]


class VirtualClock:
    """Sleepers wake in the order of their times, and run until they block before the next one wakes."""

    def __init__(self, *, now: float = 1_000.0, epoch: float = 1_700_000_000.0) -> None:
        self._now = now
        self._epoch = epoch - now
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._order = count()

    def now(self) -> float:
        return self._now

    def time(self) -> float:
        return self._epoch + self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await checkpoint()
            return
        woken = anyio.Event()
        heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken.wait()

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that falls into it."""
        until = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, woken = heappop(self._sleepers)
            self._now = max(self._now, at)
            woken.set()
            await settle()
        self._now = until
