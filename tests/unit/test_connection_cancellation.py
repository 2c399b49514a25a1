"""A loop that is cancelled, at every await: nothing is left open, and nobody is left running."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from tests.connection_desk import CLOSED, Desk, nothing_left
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation.config import Heartbeat

WAITS_AFTER = (0, 1, 3)
"""How many turns of the event loop later the cancellation comes."""


class GatedClock(VirtualClock):
    """Says at every sleep that somebody waits."""

    gate: Callable[[], None] = staticmethod(lambda: None)

    async def sleep(self, seconds: float) -> None:
        self.gate()
        await super().sleep(seconds)
        self.gate()


class Counted:
    """Counts the awaits of a loop, and calls `cancel` at number `at`."""

    def __init__(self, at: int, *, later: int, cancel: Callable[[Desk], None], group: TaskGroup) -> None:
        self.clock = GatedClock()
        self.desk = Desk(self.clock, ping_period=1.0, heartbeat=Heartbeat(interval=2.0, timeout=1.0))
        self.passed = 0
        self._at, self._later, self._cancel, self._group = at, later, cancel, group
        self.clock.gate = self.desk.service.gate = self._pass

    def _pass(self) -> None:
        self.passed += 1
        if self.passed == self._at:
            self._group.start_soon(self._cancel_later)

    async def _cancel_later(self) -> None:
        for _ in range(self._later):
            await checkpoint()
        self._cancel(self.desk)


async def connecting(desk: Desk) -> None:
    await desk.clock.advance(1.0)


async def rotating(desk: Desk) -> None:
    await desk.clock.advance(1.0)
    desk.service.answers_close = False
    desk.loop.rotate("deaf")
    await desk.clock.advance(3.0)


async def closing(desk: Desk) -> None:
    await desk.clock.advance(1.0)
    desk.service.answers_close = False
    desk.loop.stop()
    await desk.clock.advance(2.0)


async def recovering(desk: Desk) -> None:
    await desk.clock.advance(1.0)
    for socket in desk.service.sockets:
        socket.end(1011)
    await desk.clock.advance(1.5)
    desk.service.pongs = False
    await desk.clock.advance(6.0)


async def shedding(desk: Desk) -> None:
    await desk.clock.advance(1.0)
    desk.loop.shed("slow")
    await desk.clock.advance(3.0)
    desk.loop.resume()
    await desk.clock.advance(1.0)


SCRIPTS: list[Callable[[Desk], Awaitable[None]]] = [connecting, rotating, closing, recovering, shedding]


async def awaits_of(script: Callable[[Desk], Awaitable[None]]) -> int:
    """How many awaits it takes undisturbed."""
    async with anyio.create_task_group() as group:
        counted = Counted(0, later=0, cancel=lambda desk: None, group=group)
        await counted.desk.start(group)
        await script(counted.desk)
        passed = counted.passed
        counted.desk.scope.cancel()
        await settle()
    return passed


@pytest.mark.anyio
@pytest.mark.parametrize("script", SCRIPTS)
async def test_cancelled_at_any_await_it_leaves_nothing(script: Callable[[Desk], Awaitable[None]]) -> None:
    count = await awaits_of(script)
    assert count >= 8
    for at in range(1, count + 1):
        for later in WAITS_AFTER:
            async with nothing_left(), anyio.create_task_group() as group:
                counted = Counted(at, later=later, cancel=lambda desk: desk.scope.cancel(), group=group)
                await counted.desk.start(group)
                await script(counted.desk)
                counted.desk.scope.cancel()
                await settle()
            counted.desk.check_left()
            assert counted.desk.error is None


@pytest.mark.anyio
@pytest.mark.parametrize("script", SCRIPTS)
async def test_stopped_at_any_await_it_ends(script: Callable[[Desk], Awaitable[None]]) -> None:
    count = await awaits_of(script)
    for at in range(1, count + 1):
        for later in WAITS_AFTER[::2]:
            async with nothing_left(), anyio.create_task_group() as group:
                counted = Counted(at, later=later, cancel=lambda desk: desk.loop.stop(), group=group)
                await counted.desk.start(group)
                await script(counted.desk)
                await counted.desk.stop()
            assert counted.desk.error is None


@pytest.mark.asyncio
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_plain_asyncio_cancellation_leaves_nothing_either(script: Callable[[Desk], Awaitable[None]]) -> None:
    count = await awaits_of(script)
    for at in range(1, count + 1):
        async with nothing_left(), anyio.create_task_group() as group:
            tasks = list[asyncio.Task[None]]()

            def cancel(_: Desk, tasks: list[asyncio.Task[None]] = tasks) -> None:
                tasks[0].cancel()

            counted = Counted(at, later=at % 3, cancel=cancel, group=group)
            tasks.append(asyncio.create_task(counted.desk.loop.run()))
            await counted.clock.advance(0.0)
            await script(counted.desk)
            tasks[0].cancel()
            await asyncio.wait(tasks)
        assert counted.desk.service.open == set()
        assert counted.desk.phase is CLOSED


@pytest.mark.anyio
async def test_a_loop_that_is_cancelled_before_it_began_opens_nothing(clock: VirtualClock) -> None:
    desk = Desk(clock)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await desk.loop.run()
    assert scope.cancelled_caught
    assert (desk.service.sockets, desk.phase) == ([], CLOSED)


@pytest.mark.anyio
async def test_a_write_that_is_cancelled_disturbs_nobody(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.stuck = True
        with anyio.CancelScope() as scope:
            group.start_soon(_cancel_soon, scope)
            await desk.loop.send("hello")
        assert scope.cancelled_caught
        desk.service.stuck = False
        assert await desk.loop.send("again") == 1
        await desk.stop()


async def _cancel_soon(scope: anyio.CancelScope) -> None:
    await settle()
    scope.cancel()
