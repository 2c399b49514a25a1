"""How old messages are when they are kept, on virtual time and within the limits that the service publishes."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.simulation.polling import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
    SHORT_PAGES,
    Burst,
    Keeper,
    WatchedArchive,
    daytime,
    evenly,
    follow,
    following,
    pass_time,
    polling,
    stored,
    synchronised,
    write,
)
from tests.simulation.wires import client_of
from ultracart_conversation import HistoryProgress, MessagePoller, PollerStatistics
from ultracart_conversation.sandbox import RateLimits, Simulation

pytestmark = pytest.mark.asyncio
SHARE = 0.3 * 10_000
"""Of the requests of a day, those that following what is new may take."""


async def followed(
    simulation: Simulation, bursts: Sequence[Burst], *, seconds: float
) -> tuple[Keeper, PollerStatistics]:
    """An adaptive poller of a synchronised service, where customers write; all that they wrote was kept."""
    found: list[tuple[Keeper, PollerStatistics]] = []

    async def scenario() -> None:
        before = await synchronised(simulation)
        simulation.limits = RateLimits()
        keeper = Keeper(simulation.clock)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(write(simulation, bursts))
            statistics = await follow(simulation, seconds, sink=keeper, checkpoint=before.checkpoint)
        assert len(keeper.lags) == writing.result()
        assert max(keeper.told.values()) == 1
        found.append((keeper, statistics))

    await pass_time(simulation, scenario)
    return found[0]


async def test_a_day_with_a_thousand_bursts() -> None:
    simulation = Simulation(conversations=1_000, messages=(1, 12), at=MIDNIGHT, personality=SHORT_PAGES)
    keeper, statistics = await followed(simulation, daytime(1_000), seconds=DAY)
    assert keeper.staleness(0.95) <= 75
    assert keeper.staleness(0.99) <= 150
    assert simulation.request_counts.total() <= SHARE
    assert statistics.budget.throttled == 0
    assert statistics.lag.quantile(0.95) <= 75
    assert statistics.lag.counts[float("inf")] == len(keeper.lags)


@pytest.mark.parametrize(("list_lag", "lag"), [(20, 0), (0, 5)])
async def test_what_the_service_shows_late_is_later_by_that(list_lag: float, lag: float) -> None:
    """A quarter of a day of the same traffic, from noon on."""
    simulation = Simulation(conversations=250, messages=(1, 12), at=MIDNIGHT + 12 * HOUR, personality=SHORT_PAGES)
    simulation.list_lag, simulation.lag = list_lag, lag
    keeper, statistics = await followed(simulation, evenly(250, seconds=6 * HOUR), seconds=6 * HOUR + 10 * MINUTE)
    assert keeper.staleness(0.95) <= 75 + list_lag + lag
    assert keeper.staleness(0.99) <= 150 + list_lag + lag
    assert simulation.request_counts.total() <= SHARE / 4 + 250
    assert statistics.budget.throttled == 0


async def test_a_real_archive_in_busy_hours(tmp_path: Path) -> None:
    """Time passes only while the archive's thread has nothing to do."""
    simulation = Simulation(conversations=150, messages=(1, 12), personality=SHORT_PAGES)
    bursts = evenly(150, seconds=3 * HOUR - 10 * MINUTE)
    keeper = Keeper(simulation.clock)
    archive = WatchedArchive(tmp_path / "conversations.db", clock=simulation.timeline, keeper=keeper)

    async def scenario() -> None:
        begin = simulation.timeline.now()
        async with client_of(simulation) as client, MessagePoller(client, archive=archive) as poller:
            async with following(poller):
                written = await write(simulation, bursts)
                await simulation.timeline.sleep(begin + 3 * HOUR - simulation.timeline.now())
            assert len(keeper.lags) == written
            assert simulation.request_counts.total() <= 1_000
            told = [each.conversation_message_uuid async for each in archive.changes() if each.kind == "message"]
            assert Counter(told) == stored(simulation)
        assert keeper.staleness(0.95) <= 75
        assert keeper.staleness(0.99) <= 150

    await pass_time(simulation, scenario, settle=archive.settle)


async def test_the_first_synchronisation_yields_to_what_is_new() -> None:
    """2,000 conversations within 1,000 requests an hour and 10,000 a day, while customers write all the time."""
    simulation = Simulation(conversations=2_000, messages=(1, 3), at=MIDNIGHT + 10 * HOUR, personality=SHORT_PAGES)
    simulation.limits = RateLimits()
    keeper = Keeper(simulation.clock)
    seen: dict[float, HistoryProgress] = {}

    async def scenario() -> None:
        begin = simulation.timeline.now()
        async with polling(simulation, sink=keeper) as poll, following(poll.poller), asyncio.TaskGroup() as group:
            writing = group.create_task(write(simulation, evenly(400, seconds=10 * HOUR)))
            progress = poll.poller.statistics().history
            while not progress.is_listed or progress.left:
                await simulation.timeline.sleep(5 * MINUTE)
                progress = poll.poller.statistics().history
                seen[simulation.timeline.now() - begin] = progress
            writing.cancel()
            await simulation.timeline.sleep(3 * MINUTE)
            assert poll.client.budget.statistics().throttled == 0

    await pass_time(simulation, scenario)
    assert keeper.told == stored(simulation)
    assert keeper.staleness(0.95) <= 75
    assert keeper.staleness(1) <= 150
    whole = max(seen)
    at = min(time for time in seen if time >= whole / 4)
    eta = seen[at].eta
    assert eta is not None
    assert 0.5 <= eta / (whole - at) <= 2
