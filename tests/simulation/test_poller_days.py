"""What following costs in a day, within the limits that the service publishes and by its own counters."""

import asyncio
from typing import Any

import pytest

from tests.simulation.polling import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
    SHORT_PAGES,
    Keeper,
    daytime,
    evenly,
    follow,
    following,
    pass_time,
    polling,
    synchronised,
    write,
)
from tests.simulation.wires import SimulatedConnector
from ultracart_conversation import AgentSession, PollerStatistics
from ultracart_conversation.sandbox import Personality, RateLimits, Simulation

pytestmark = pytest.mark.asyncio


async def test_a_busy_day_of_a_look_a_minute() -> None:
    """1,440 looks of one page, 1,000 bursts that span 1,226 minutes, and few reads besides."""
    statistics = await day(1_000, interval=60)
    requests = statistics.requests
    assert requests["list"] == statistics.passes
    assert sum(requests.values()) <= 2_900


async def test_an_idle_day_takes_what_it_may_and_no_more() -> None:
    """What is not needed for reading makes looks more frequent."""
    statistics = await day(0, rows=10)
    assert statistics.requests["news"] == statistics.requests["history"] == 0
    assert statistics.requests["audit"] <= 24 * 6
    assert 1_440 <= sum(statistics.requests.values()) <= 0.3 * 10_000


async def day(bursts: int, *, rows: int = 25, **options: Any) -> PollerStatistics:
    """A day of a synchronised poller; what it says of its requests is what the service counted."""
    short = Personality(list_page_cap=rows)
    simulation = Simulation(conversations=max(bursts, 100), messages=(1, 12), at=MIDNIGHT, personality=short)
    told: list[PollerStatistics] = []

    async def scenario() -> None:
        keeper = await synchronised(simulation)
        simulation.limits = RateLimits()
        async with asyncio.TaskGroup() as group:
            group.create_task(write(simulation, daytime(bursts)))
            told.append(await follow(simulation, DAY, sink=keeper, checkpoint=keeper.checkpoint, **options))

    await pass_time(simulation, scenario)
    assert simulation.request_counts.total() == sum(told[0].requests.values())
    assert told[0].budget.throttled == 0
    return told[0]


async def test_a_session_makes_looks_rare_and_reads_quick() -> None:
    """Each message is pushed, and read by the poller 2 s later; looks are as rare as they may be."""
    simulation = Simulation(conversations=300, messages=(1, 12), latency=0.05, personality=SHORT_PAGES)
    bursts = evenly(120, seconds=3 * HOUR)
    told: list[PollerStatistics] = []

    async def scenario() -> None:
        before = await synchronised(simulation)
        simulation.limits = RateLimits()
        keeper = Keeper(simulation.clock)
        async with polling(simulation, sink=keeper, checkpoint=before.checkpoint) as poll:
            async with AgentSession(poll.client, connector=SimulatedConnector(simulation)) as session:
                await session.wait_live()
                poll.poller.attach(session)
                async with following(poll.poller):
                    written = await write(simulation, bursts)
                    await simulation.timeline.sleep(5 * MINUTE)
                    told.append(poll.poller.statistics())
        assert len(keeper.lags) == written
        assert keeper.staleness(0.99) <= 5
        assert told[0].requests["news"] <= written + 1.2 * len(bursts)

    await pass_time(simulation, scenario)
    assert told[0].passes <= 3 * 12 + 3
    assert told[0].requests["list"] == told[0].passes
    assert told[0].budget.throttled == 0
