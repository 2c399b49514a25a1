"""The time of a simulation, as programs use time: to tell it, and to sleep."""

from collections.abc import Awaitable, Callable

import anyio
from anyio.lowlevel import checkpoint

from .agenda import Agenda
from .clock import Clock


async def settle() -> None:
    """Return once every other task of the event loop waits for something."""
    # On asyncio, waiting for all tasks to block polls in real time unless they are blocked already.
    for _ in range(20):
        await checkpoint()
    await anyio.wait_all_tasks_blocked()


class Timeline:
    """A clock on which sleeping takes no real time; sleepers and the service share it.

    Whoever takes a clock with `now`, `time` and `sleep` as a parameter can be given this one.
    """

    def __init__(self, clock: Clock, agenda: Agenda) -> None:
        self._clock = clock
        self._agenda = agenda

    def now(self) -> float:
        """Seconds since 1970, as `time`; it never goes back."""
        return self._clock.now()

    def time(self) -> float:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Return once that much time has been let pass by `advance`; cancellable."""
        if seconds <= 0:
            await checkpoint()
            return
        woken = anyio.Event()
        item = self._agenda.after(seconds, woken.set)
        try:
            await woken.wait()
        finally:
            item.cancel()

    async def advance(self, seconds: float, *, settle: Callable[[], Awaitable[None]] = settle) -> None:
        """Let so much time pass, and everything happen that falls into it, in order.

        Between two moments `settle` lets the tasks of the event loop run until all of them wait.
        """
        until = self._clock.now() + seconds
        await settle()
        while (due := self._clock.next_due()) is not None and due <= until:
            self._clock.advance_to(due)
            await settle()
        self._clock.advance_to(until)
