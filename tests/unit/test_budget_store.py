"""A budget that is started again: nothing is refilled, nothing is forgotten."""

import anyio
import pytest

from tests.budget_desk import ONE_AT_A_TIME, SIX_MINUTES, TEN_AN_HOUR, Desk, refusal
from tests.virtual_clock import VirtualClock
from ultracart_conversation._rest.budget import (
    Budget,
    BudgetState,
    MemoryBudgetStore,
)
from ultracart_conversation.limits import Limits, Priority

pytestmark = pytest.mark.anyio


def later_process(clock: VirtualClock, *, after: float) -> VirtualClock:
    """The clocks of a new process: the wall clock went on, the other one starts anywhere."""
    return VirtualClock(now=77.0, epoch=clock.time() + after)


async def use(budget: Budget, times: int) -> None:
    for _ in range(times):
        async with budget.slot(Priority.CRITICAL):
            pass


async def test_a_restart_does_not_refill(clock: VirtualClock) -> None:
    store = MemoryBudgetStore()
    await use(Budget(clock=clock, store=store), 400)
    restarted = Budget(clock=later_process(clock, after=0.0), store=store)
    await use(restarted, 1)
    hour, day = restarted.statistics().hour, restarted.statistics().day
    assert hour is not None
    assert day is not None
    assert (hour.left, day.left) == (99, 599)


async def test_the_time_between_counts(clock: VirtualClock) -> None:
    store = MemoryBudgetStore()
    await use(Budget(TEN_AN_HOUR, clock=clock, store=store), 1)
    restarted_clock = later_process(clock, after=SIX_MINUTES - 10.0)
    restarted = Budget(TEN_AN_HOUR, clock=restarted_clock, store=store)
    assert (await refusal(restarted, deadline=restarted_clock.now())).wait == pytest.approx(10.0)


async def test_a_wall_clock_that_went_back_gives_nothing_away(clock: VirtualClock) -> None:
    store = MemoryBudgetStore()
    await use(Budget(TEN_AN_HOUR, clock=clock, store=store), 1)
    restarted = Budget(TEN_AN_HOUR, clock=later_process(clock, after=-86_400.0), store=store)
    assert (await refusal(restarted, deadline=77.0)).wait == pytest.approx(SIX_MINUTES)


async def test_a_process_killed_in_an_exchange_has_used_it_until_the_restart(clock: VirtualClock) -> None:
    store = MemoryBudgetStore()
    async with Budget(TEN_AN_HOUR, clock=clock, store=store).slot():
        assert store.state is not None
        saved_in_flight = store.state
    assert (saved_in_flight.in_flight, store.state.in_flight) == (1, 0)
    restarted_clock = later_process(clock, after=300.0)
    restarted = Budget(TEN_AN_HOUR, clock=restarted_clock, store=MemoryBudgetStore(saved_in_flight))
    assert (await refusal(restarted, deadline=77.0)).wait == pytest.approx(SIX_MINUTES)


async def test_a_pause_and_a_lowered_pace_survive(clock: VirtualClock) -> None:
    store = MemoryBudgetStore()
    budget = Budget(clock=clock, store=store)
    async with budget.slot():
        budget.throttled(600.0)
    restarted_clock = later_process(clock, after=100.0)
    restarted = Budget(clock=restarted_clock, store=store)
    async with anyio.create_task_group() as group:
        desk = Desk(restarted, restarted_clock, group)
        await desk.ask("a")
        await desk.ask("b")
        await restarted_clock.advance(1_000.0)
    assert desk.begun["a"] == pytest.approx(500.0)
    assert desk.begun["b"] == pytest.approx(507.2, abs=0.1)
    assert restarted.statistics().share == pytest.approx(0.5, abs=0.02)


async def test_smaller_limits_than_before_do_not_wait_for_more_than_their_own_burst(clock: VirtualClock) -> None:
    store = MemoryBudgetStore()
    await use(Budget(clock=clock, store=store), 500)
    restarted_clock = later_process(clock, after=0.0)
    restarted = Budget(TEN_AN_HOUR, clock=restarted_clock, store=store)
    async with anyio.create_task_group() as group:
        desk = Desk(restarted, restarted_clock, group)
        await desk.ask("a")
        await restarted_clock.advance(SIX_MINUTES + 1.0)
    assert "a" in desk.begun


class FailingStore(MemoryBudgetStore):
    async def save(self, state: BudgetState) -> None:
        raise OSError("disk full")


async def test_a_store_that_fails_reaches_the_caller_and_nothing_is_sent(clock: VirtualClock) -> None:
    budget = Budget(ONE_AT_A_TIME, clock=clock, store=FailingStore())
    with pytest.raises(OSError, match="disk full"):
        async with budget.slot():
            pytest.fail("it was let through")
    assert (budget.statistics().used, budget.statistics().in_flight) == (0, 0)


class SlowStore(MemoryBudgetStore):
    """Takes a checkpoint for everything and notices whoever does not wait for it."""

    loads = 0
    saving = 0

    async def load(self) -> BudgetState | None:
        self.loads += 1
        await anyio.lowlevel.checkpoint()
        return await super().load()

    async def save(self, state: BudgetState) -> None:
        self.saving += 1
        assert self.saving == 1
        await anyio.lowlevel.checkpoint()
        self.saving -= 1
        await super().save(state)


async def test_it_is_loaded_once_and_saved_one_at_a_time(clock: VirtualClock) -> None:
    store = SlowStore()
    budget = Budget(Limits(concurrency=10), clock=clock, store=store)
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(use, budget, 3)
    assert store.loads == 1
    assert store.state is not None
    assert store.state.hour == pytest.approx(30.0)
    assert store.state.in_flight == 0


@pytest.mark.parametrize("wrong", [{"hour": -1.0}, {"day": -1.0}, {"in_flight": -1}, {"share": 0.0}])
def test_a_state_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' must be"):
        BudgetState(saved_at=0.0, **wrong)  # type: ignore[arg-type]


def test_a_store_may_be_given_before_any_event_loop_runs() -> None:
    budget = Budget(store=MemoryBudgetStore())
    anyio.run(use, budget, 1)
    assert budget.statistics().used == 1
