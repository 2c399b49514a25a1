"""Work that outlives the call that began it, because breaking it off would lose something."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial

import anyio

Work = Callable[[], Awaitable[None]]


class Detached:
    """Runs work as a task of the event loop itself, on asyncio and on trio; the work must not raise."""

    def __init__(self) -> None:
        self._running: set[object] = set()
        self._idle = anyio.Event()
        # The event loop of asyncio keeps no task alive.
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Work, *, name: str | None = None) -> None:
        """Start `work` and return at once."""
        if not self._running:
            self._idle = anyio.Event()
        key = object()
        self._running.add(key)
        if _on_trio():
            from trio.lowlevel import spawn_system_task  # noqa: PLC0415

            spawn_system_task(self._run, work, key, name=name or work, context=copy_context())
        else:
            task = asyncio.get_running_loop().create_task(self._run(work, key), name=name)
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, key))

    async def drain(self) -> None:
        """Wait until all of it has ended."""
        if self._running:
            await self._idle.wait()

    async def _run(self, work: Work, key: object) -> None:
        try:
            await work()
        finally:
            self._ended(key)

    def _ended(self, key: object, task: asyncio.Task[None] | None = None) -> None:
        if task is not None:
            self._tasks.discard(task)
        self._running.discard(key)
        if not self._running:
            self._idle.set()


def _on_trio() -> bool:
    if "trio" not in sys.modules:
        return False
    from trio.lowlevel import in_trio_task  # noqa: PLC0415

    return in_trio_task()
