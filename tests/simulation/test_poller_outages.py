"""What following costs, and what becomes of it, when something does not work for a day."""

from collections import Counter
from collections.abc import Sequence

import attrs
import pytest

from tests.simulation.polling import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
    SHORT_PAGES,
    daytime,
    following,
    pass_time,
    polling,
    stored,
    synchronised,
    write,
)
from ultracart_conversation import PollerStatistics
from ultracart_conversation.sandbox import Fault, RateLimits, Simulation

pytestmark = pytest.mark.asyncio
READS = ("get_conversation_messages", "get_conversation")
LOOKS, BURSTS = 24 * 12, 100


@attrs.frozen
class Outage:
    """A day on which 100 customers write to 300 conversations, at a look every 5 minutes, and what followed it."""

    statistics: PollerStatistics
    requests: int
    missing: Counter[str]
    """The messages that were not handed over in the end."""
    missing_later: Counter[str]
    """Those that were not handed over 7 hours after all worked again."""


async def outage(simulation: Simulation, faults: Sequence[Fault]) -> Outage:
    found: list[Outage] = []

    async def scenario() -> None:
        keeper = await synchronised(simulation)
        simulation.limits = RateLimits()
        for fault in faults:
            simulation.faults.add(fault)
        async with polling(simulation, sink=keeper, checkpoint=keeper.checkpoint, interval=5 * MINUTE) as poll:
            async with following(poll.poller):
                await write(simulation, daytime(BURSTS))
                await simulation.timeline.sleep(MIDNIGHT + DAY - simulation.timeline.now())
                requests, missing = simulation.request_counts.total(), stored(simulation) - keeper.told
                statistics = poll.poller.statistics()
                simulation.faults.clear()
                await simulation.timeline.sleep(7 * HOUR)
                found.append(Outage(statistics, requests, missing, stored(simulation) - keeper.told))
        assert max(keeper.told.values()) == 1

    await pass_time(simulation, scenario)
    assert found[0].statistics.budget.throttled == 0
    return found[0]


def service() -> Simulation:
    return Simulation(conversations=300, messages=(1, 12), at=MIDNIGHT, personality=SHORT_PAGES)


def failing(*operations: str, conversation_uuid: str | None = None) -> list[Fault]:
    return [
        Fault(kind="status", operation=operation, conversation_uuid=conversation_uuid, times=None)
        for operation in operations
    ]


async def test_a_list_that_cannot_be_read() -> None:
    """It is asked for every 5 minutes, one request in ten is repeated, and audits go on."""
    day = await outage(service(), failing("get_conversations"))
    assert day.statistics.passes == 0
    assert LOOKS <= day.requests <= 1.1 * (LOOKS + 24 * 6) + 30
    assert day.missing
    assert not day.missing_later


async def test_no_conversation_can_be_read() -> None:
    """No look is left out; each is tried at once, after 1, 5, 21, 85 and 341 minutes, then every 6 hours: 10 times."""
    day = await outage(service(), failing(*READS))
    assert day.statistics.passes == LOOKS
    assert day.requests <= 1.1 * (LOOKS + 10 * BURSTS + 24 * 6) + 10
    assert day.missing
    assert not day.missing_later


async def test_three_conversations_cannot_be_read() -> None:
    """All others are complete, and each of these takes 9 requests a day for each time that it changed."""
    simulation = service()
    poisoned = changing(simulation, 3)
    day = await outage(simulation, [fault for uuid in poisoned for fault in failing(*READS, conversation_uuid=uuid)])
    theirs = {each["conversation_message_uuid"] for uuid in poisoned for each in simulation.snapshot(uuid)["messages"]}
    assert day.statistics.passes == LOOKS
    assert day.statistics.quarantined == 3
    assert day.missing
    assert day.missing.keys() <= theirs
    assert day.requests <= 1.1 * (LOOKS + 1.5 * BURSTS + 24 * 6 + 9 * 3) + 10
    assert not day.missing_later


def changing(simulation: Simulation, count: int) -> list[str]:
    """So many conversations whose customers will write."""
    uuids = simulation.conversation_uuids
    return [uuids[place] for burst in daytime(BURSTS) if (place := burst.place(len(uuids))) is not None][:count]
