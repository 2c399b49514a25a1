"""Waiting with a limit, on a clock that only the test moves."""

from math import inf

import anyio
import pytest
from anyio.abc import TaskGroup

from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import SystemClock
from ultracart_conversation._live.timing import wait_at_most, within

pytestmark = pytest.mark.anyio


async def done(group: TaskGroup, clock: VirtualClock, seconds: float, event: anyio.Event) -> anyio.Event:
    """Begin to wait; what is set when that is over."""
    over = anyio.Event()

    async def wait() -> None:
        await wait_at_most(clock, seconds, event)
        over.set()

    group.start_soon(wait)
    await settle()
    return over


@pytest.mark.parametrize("seconds", [5.0, inf])
async def test_it_waits_until_the_event(clock: VirtualClock, seconds: float) -> None:
    event = anyio.Event()
    async with anyio.create_task_group() as group:
        over = await done(group, clock, seconds, event)
        await clock.advance(4.9)
        assert not over.is_set()
        event.set()
        await settle()
        assert over.is_set()


async def test_it_waits_no_longer_than_it_was_told(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        over = await done(group, clock, 5.0, anyio.Event())
        await clock.advance(5.0)
        assert over.is_set()


async def test_it_does_not_wait_for_the_past() -> None:
    await wait_at_most(SystemClock(), -5.0, anyio.Event())


async def test_without_a_limit_work_takes_as_long_as_it_takes(clock: VirtualClock) -> None:
    results: list[float] = []

    async def work() -> float:
        await clock.sleep(1e9)
        return clock.now()

    async def run() -> None:
        results.append(await within(clock, inf, work))

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await clock.advance(1e9)
    assert results == [clock.now()]


async def test_work_is_cancelled_at_its_limit_and_its_errors_come_out_as_they_are(clock: VirtualClock) -> None:
    async def fail() -> None:
        raise KeyError("as it is")

    with pytest.raises(KeyError, match="as it is"):
        await within(clock, 5.0, fail)
    async with anyio.create_task_group() as group:
        group.start_soon(clock.advance, 5.0)
        with pytest.raises(TimeoutError):
            await within(clock, 5.0, anyio.sleep_forever)
