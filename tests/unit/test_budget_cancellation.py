"""Callers that are cancelled: before, while and after they wait."""

import asyncio
from random import Random

import anyio
import pytest

from tests.budget_desk import ONE_AT_A_TIME, SIX_MINUTES, STUCK, TEN_AN_HOUR, Desk
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._rest.budget import Budget, BudgetState
from ultracart_conversation.limits import Limits, Priority


def assert_idle(budget: Budget) -> None:
    assert budget.statistics().in_flight == 0
    assert not any(budget.statistics().waiting.values())


@pytest.mark.anyio
@pytest.mark.parametrize("gone", ["b", "c", "bc"])
async def test_whoever_stops_waiting_leaves_no_hole(clock: VirtualClock, gone: str) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        scopes = {name: await desk.ask(name) for name in "abcd"}
        for name in gone:
            scopes[name].cancel()
        await clock.advance(3_600.0)
    stayed = [name for name in "abcd" if name not in gone]
    assert desk.begun == pytest.approx({name: n * SIX_MINUTES for n, name in enumerate(stayed)})
    assert_idle(budget)


@pytest.mark.anyio
@pytest.mark.parametrize("timekeeper", ["unlucky", "another"])
async def test_whoever_is_cancelled_with_the_grant_in_hand_leaves_it_to_the_next(
    clock: VirtualClock, timekeeper: str
) -> None:
    budget = Budget(Limits(per_day=None), clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        async with budget.slot():
            if timekeeper == "another":
                await desk.ask("another", Priority.BACKFILL)
            unlucky = await desk.ask("unlucky")
            await desk.ask("next")
        assert budget.statistics().in_flight == 1
        unlucky.cancel()
        await settle()
    assert list(desk.begun) == ["next", "another"][: len(desk.begun)]
    assert budget.statistics().used == 1 + len(desk.begun)
    assert_idle(budget)


@pytest.mark.anyio
async def test_a_request_cancelled_in_flight_counts(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        scope = await desk.ask("a", exchange=60.0)
        await desk.ask("b")
        scope.cancel()
        await settle()
        assert list(desk.begun) == ["a"]
        await clock.advance(SIX_MINUTES)
        assert list(desk.begun) == ["a", "b"]
    assert budget.statistics().used == 2


@pytest.mark.anyio
async def test_a_request_that_was_never_sent_does_not_count(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with budget.slot() as slot:
        slot.unsent()
    async with budget.slot(deadline=clock.now()):
        assert budget.statistics().used == 1


@pytest.mark.anyio
async def test_a_slot_entered_under_cancellation_takes_nothing(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with budget.slot():
            pytest.fail("it was let through")
    assert scope.cancelled_caught
    assert budget.statistics().used == 0
    assert_idle(budget)


class SlowStore:
    def __init__(self) -> None:
        self.saving = anyio.Event()

    async def load(self) -> BudgetState | None:
        return None

    async def save(self, state: BudgetState) -> None:
        self.saving.set()
        await anyio.sleep_forever()


@pytest.mark.anyio
async def test_a_slot_cancelled_while_it_is_saved_takes_nothing(clock: VirtualClock) -> None:
    store = SlowStore()
    budget = Budget(TEN_AN_HOUR, clock=clock, store=store)
    async with anyio.create_task_group() as group:
        await Desk(budget, clock, group).ask("a")
        await store.saving.wait()
        group.cancel_scope.cancel()
    assert budget.statistics().used == 0
    assert_idle(budget)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(8))
async def test_a_storm_of_cancellations_leaves_nothing_behind(clock: VirtualClock, seed: int) -> None:
    random = Random(seed)
    budget = Budget(Limits(per_hour=100, per_day=None, concurrency=random.choice([1, 3])), clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        scopes = list[anyio.CancelScope]()
        for n in range(120):
            scopes.append(await desk.ask(f"{n}", random.choice(list(Priority)), exchange=random.choice([0, 1, 50])))
            if random.random() < 0.7:
                random.choice(scopes).cancel()
            if random.random() < 0.3:
                await clock.advance(random.choice([0.5, 40.0]))
        group.cancel_scope.cancel()
    assert_idle(budget)
    await assert_everything_comes_back(budget, clock)


async def assert_everything_comes_back(budget: Budget, clock: VirtualClock) -> None:
    """After a rest the burst is whole, and each of it goes at once."""
    await clock.advance(3_600.0)
    with anyio.fail_after(STUCK):
        for _ in range(10):
            async with budget.slot(Priority.CRITICAL, deadline=clock.now()):
                pass


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(8))
async def test_plain_asyncio_cancellations_are_never_swallowed(clock: VirtualClock, seed: int) -> None:
    random = Random(seed)
    budget = Budget(ONE_AT_A_TIME, clock=clock)

    async def use() -> None:
        async with budget.slot(random.choice(list(Priority)), deadline=clock.now() + random.random()):
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(use()) for _ in range(60)]
    cancelled = list[asyncio.Task[None]]()
    await asyncio.sleep(0)
    while waiting := [task for task in tasks if not task.done() and task not in cancelled]:
        if random.random() < 0.5:
            cancelled.append(random.choice(waiting))
            cancelled[-1].cancel()
        if random.random() < 0.5:
            await asyncio.sleep(0)
    await asyncio.wait(tasks, timeout=STUCK)
    assert all(task.cancelled() for task in cancelled)
    assert not any(task.exception() for task in tasks if not task.cancelled())
    assert_idle(budget)


@pytest.mark.asyncio
@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_task_cancelled_in_the_moment_of_its_grant_is_cancelled(
    clock: VirtualClock, *, cancelled_first: bool
) -> None:
    budget = Budget(ONE_AT_A_TIME, clock=clock)

    async def use() -> None:
        async with budget.slot():
            await asyncio.sleep(0)

    holder = budget.slot()
    await holder.__aenter__()
    task = asyncio.create_task(use())
    await settle()
    if cancelled_first:
        task.cancel()
    await holder.__aexit__(None, None, None)
    if not cancelled_first:
        task.cancel()
    await asyncio.wait([task], timeout=STUCK)
    assert task.cancelled()
    assert budget.statistics().used == 1
    assert_idle(budget)
