"""Slots of one budget: who waits, for how long, and what it says meanwhile."""

import logging

import anyio
import pytest

from tests.budget_desk import ONE_AT_A_TIME, SIX_MINUTES, TEN_AN_HOUR, Desk, refusal
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._rest.budget import Budget, WindowStatistics
from ultracart_conversation.limits import Limits, Priority

pytestmark = pytest.mark.anyio


async def test_the_burst_goes_at_once_and_shows_in_the_statistics(clock: VirtualClock) -> None:
    budget = Budget(clock=clock)
    for _ in range(500):
        async with budget.slot(Priority.CRITICAL, deadline=clock.now()):
            assert budget.statistics().in_flight == 1
    assert budget.statistics().hour == WindowStatistics(limit=1_000, burst=500, left=0)
    assert budget.statistics().day == WindowStatistics(limit=10_000, burst=1_000, left=500)
    assert (budget.statistics().used, budget.statistics().in_flight) == (500, 0)


async def test_after_the_burst_requests_go_at_the_steady_rate_in_order(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        for name in "abcd":
            await desk.ask(name)
        assert budget.statistics().waiting[Priority.READ] == 3
        await clock.advance(3_600.0)
    assert desk.begun == pytest.approx({"a": 0, "b": SIX_MINUTES, "c": 2 * SIX_MINUTES, "d": 3 * SIX_MINUTES})
    assert list(desk.begun) == ["a", "b", "c", "d"]


async def test_no_more_than_the_allowed_number_are_in_flight(clock: VirtualClock) -> None:
    budget = Budget(Limits(per_hour=None, per_day=None, concurrency=2), clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        for name in "abcd":
            await desk.ask(name, exchange=10.0)
        assert budget.statistics().in_flight == 2
        await clock.advance(60.0)
    assert desk.begun == {"a": 0.0, "b": 0.0, "c": 10.0, "d": 10.0}


async def test_whoever_waits_for_a_place_holds_no_token(clock: VirtualClock) -> None:
    budget = Budget(Limits(per_day=None, concurrency=1), clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        for name in "abcd":
            await desk.ask(name, exchange=10.0)
        hour = budget.statistics().hour
        assert hour is not None
        assert hour.left == hour.burst - 1
        await clock.advance(60.0)


async def test_the_more_urgent_go_first(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(Budget(ONE_AT_A_TIME, clock=clock), clock, group)
        await desk.ask("first", exchange=1.0)
        for priority in reversed(Priority):
            await desk.ask(priority.name, priority, exchange=1.0)
        await clock.advance(60.0)
    assert list(desk.begun) == ["first", "CRITICAL", "GAP", "TAIL", "READ", "BACKFILL"]


async def test_a_newcomer_that_is_more_urgent_uses_its_reserve_past_those_who_wait(clock: VirtualClock) -> None:
    budget = Budget(Limits(per_hour=100, per_day=None), clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        for n in range(9):
            await desk.ask(f"backfill {n}", Priority.BACKFILL)
        assert len(desk.begun) == 7
        for priority in (Priority.READ, Priority.TAIL, Priority.GAP, Priority.CRITICAL, Priority.CRITICAL):
            await desk.ask(f"{priority.name} {len(desk.begun)}", priority)
        assert list(desk.begun)[7:] == ["TAIL 7", "GAP 8", "CRITICAL 9"]
        assert budget.statistics().waiting == {
            Priority.CRITICAL: 1,
            Priority.GAP: 0,
            Priority.TAIL: 0,
            Priority.READ: 1,
            Priority.BACKFILL: 2,
        }
        await clock.advance(3_600.0)


async def test_a_429_pauses_everybody_until_its_time_has_passed(clock: VirtualClock) -> None:
    budget = Budget(Limits(concurrency=5), clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        async with budget.slot():
            budget.throttled(30.0)
        await desk.ask("read")
        await desk.ask("critical", Priority.CRITICAL)
        assert budget.statistics().paused_for == 30.0
        await clock.advance(29.9)
        assert not desk.begun
        await clock.advance(60.0)
    assert desk.begun["critical"] == pytest.approx(30.0)
    assert desk.begun["read"] > 30.0
    assert budget.statistics().throttled == 1
    assert budget.statistics().share < 1.0


async def test_a_429_pauses_those_who_wait_already(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        for name in "ab":
            await desk.ask(name)
        budget.throttled(1_000.0)
        await clock.advance(2_000.0)
    assert desk.begun == pytest.approx({"a": 0.0, "b": 1_000.0})


@pytest.mark.parametrize("wait", [-1.0, float("nan"), float("inf")])
async def test_a_pause_is_a_finite_time(wait: float) -> None:
    with pytest.raises(ValueError, match="a pause is a finite number of seconds, not negative"):
        Budget().throttled(wait)


async def test_a_wait_that_would_pass_the_deadline_is_refused_at_once(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with budget.slot():
        pass
    refused = await refusal(budget, deadline=clock.now() + 360.0)
    assert refused.wait == pytest.approx(SIX_MINUTES)
    assert str(refused) == "the rate budget has room in 360.4 s, which is after the deadline"
    assert sum(budget.statistics().waiting.values()) == 0


async def test_those_who_wait_count_for_the_deadline_of_a_newcomer(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(Budget(TEN_AN_HOUR, clock=clock), clock, group)
        for name in "abc":
            await desk.ask(name)
        await desk.ask("too late", deadline=2.9 * SIX_MINUTES)
        await desk.ask("in time", deadline=3.1 * SIX_MINUTES)
        assert desk.refused["too late"].wait == pytest.approx(3 * SIX_MINUTES)
        await clock.advance(3_600.0)
    assert desk.begun["in time"] == pytest.approx(3 * SIX_MINUTES)


async def test_a_deadline_that_comes_while_waiting_ends_the_wait(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(Budget(ONE_AT_A_TIME, clock=clock), clock, group)
        await desk.ask("long", exchange=100.0)
        await desk.ask("short of time", deadline=50.0)
        await desk.ask("patient")
        await clock.advance(49.0)
        assert not desk.refused
        await clock.advance(1.0)
        assert str(desk.refused["short of time"]).startswith("no place among the requests in flight")
        await clock.advance(60.0)
    assert desk.begun == {"long": 0.0, "patient": 100.0}


async def test_a_pause_beyond_the_deadline_refuses_those_who_wait_at_once(clock: VirtualClock) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    async with anyio.create_task_group() as group:
        desk = Desk(budget, clock, group)
        await desk.ask("first")
        await desk.ask("waiting", deadline=400.0)
        budget.throttled(1_000.0)
        await settle()
        assert desk.refused["waiting"].wait == pytest.approx(1_000.0)


async def test_a_wait_worth_mentioning_is_logged_once(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    budget = Budget(TEN_AN_HOUR, clock=clock)
    with caplog.at_level(logging.INFO, "ultracart_conversation.budget"):
        async with anyio.create_task_group() as group:
            desk = Desk(budget, clock, group)
            for name in "abc":
                await desk.ask(name)
            await clock.advance(3_600.0)
    assert [record.getMessage() for record in caplog.records] == [
        "a READ request waits about 360.4 s for the rate budget",
        "a READ request waits about 720.7 s for the rate budget",
    ]


async def test_a_wait_for_a_place_is_logged_when_it_turned_out_long(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ultracart_conversation.budget"):
        async with anyio.create_task_group() as group:
            desk = Desk(Budget(ONE_AT_A_TIME, clock=clock), clock, group)
            await desk.ask("a", exchange=0.9)
            await desk.ask("b", exchange=0.9)
            await desk.ask("c", exchange=0.9)
            await clock.advance(10.0)
    assert [record.getMessage() for record in caplog.records] == ["a READ request waited 1.8 s for the rate budget"]


async def test_without_limits_nothing_ever_waits(clock: VirtualClock) -> None:
    budget = Budget(Limits.unlimited(), clock=clock)
    for _ in range(20_000):
        async with budget.slot(Priority.BACKFILL):
            pass
    statistics = budget.statistics()
    assert (statistics.hour, statistics.day, statistics.used) == (None, None, 20_000)


async def test_the_clock_of_the_machine_is_the_default() -> None:
    budget = Budget(ONE_AT_A_TIME)
    budget.throttled(0.01)
    async with budget.slot():
        assert budget.statistics().paused_for == 0.0


@pytest.mark.parametrize("reserves", [{Priority.GAP: -0.1}, {Priority.GAP: 0.5, Priority.READ: 0.5}])
def test_reserves_are_shares(reserves: dict[Priority, float]) -> None:
    with pytest.raises(ValueError, match="reserves are shares of a bucket and together less than 1"):
        Budget(reserves=reserves)


def test_a_budget_shows_its_limits() -> None:
    assert repr(Budget()) == "Budget(Limits(per_hour=1000, per_day=10000, concurrency=1))"
