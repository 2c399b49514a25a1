"""Waiting with a limit, on any clock."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import TypeVar

import anyio

from ultracart_conversation.clock import Clock

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` returns; `TimeoutError`, and `work` is cancelled, after so many seconds of `clock` (`inf`: never)."""
    if seconds == inf:
        return await work()
    done: list[T] = []
    failed: list[Exception] = []

    async def limit() -> None:
        await clock.sleep(max(0.0, seconds))
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(limit, name="time limit")
        try:
            done.append(await work())
        except Exception as error:  # noqa: BLE001 - it is raised below, outside of the group that would wrap it
            failed.append(error)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError
    return done[0]


async def wait_at_most(clock: Clock, seconds: float, event: anyio.Event) -> None:
    """Return once `event` is set, or after so many seconds of `clock`."""
    with suppress(TimeoutError):
        await within(clock, seconds, event.wait)
