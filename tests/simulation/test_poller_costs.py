"""What looking costs, by the service's own counters."""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil

import pytest

from tests.simulation.polling import HOUR, MINUTE, Keeper, Poll, pass_time, polling, stored, synchronised
from ultracart_conversation import Limits
from ultracart_conversation.sandbox import Personality, Simulation


@pytest.mark.asyncio
async def test_the_first_synchronisation_of_ten_thousand_conversations_and_a_hundred_changes() -> None:
    """Each is read once, and the list has 53 pages; one conversation is longer than the others, which proves those."""
    simulation = Simulation(conversations=10_000, messages=(1, 3))
    longest = simulation.customer(simulation.conversation_uuids[0])
    for number in range(20):
        longest.write(str(number))
    keeper = Keeper(simulation.clock)

    async def scenario() -> None:
        await simulation.timeline.sleep(HOUR)
        async with polling(simulation, limits=Limits.unlimited(), sink=keeper) as poll:
            await poll.poller.run_once()
            assert simulation.request_counts.total() <= 1.02 * 10_000 + 60
            assert keeper.told == stored(simulation)
            await simulation.timeline.sleep(MINUTE)
            assert await poll.cost_of_a_look() == (1, 0)
            simulation.burst(100)
            pages, reads = await poll.cost_of_a_look()
            assert pages <= 2
            assert reads == 100
            await simulation.timeline.sleep(MINUTE)
            pages, settled = await poll.cost_of_a_look()
            assert pages == 1
            assert settled <= 10, "rows that do not prove what was read: a few, as the count is known to be right"
            await simulation.timeline.sleep(MINUTE)
            assert await poll.cost_of_a_look() == (1, 0)

    await pass_time(simulation, scenario)
    assert keeper.told == stored(simulation)


def once_each(sizes: Sequence[int]) -> float:
    return 1.02 * len(sizes) + 60


FIRST: Mapping[str, tuple[Personality, Callable[[Sequence[int]], float], int]] = {
    "as it begins": (Personality(), once_each, 10),
    "counts wrong": (Personality(since="exclusive", keeps="newest descending", counts_messages=False), once_each, 100),
    "torn list": (
        Personality(repeats_every=7, undated_every=11, counts_rows=False, shares_epochs=True, sorts_by="last message"),
        once_each,
        10,
    ),
    "short lists": (
        Personality(list_page_cap=25, before="ignored"),
        lambda sizes: once_each(sizes) + len(sizes) / 15,
        10,
    ),
    # A page of 20 gets 19 further, as it begins with the last message of the one before.
    "short pages": (Personality(page_cap=20), lambda sizes: 60 + sum(1 + size // 19 for size in sizes), 10),
    # What a page of the newest messages leaves out is read with the whole conversation.
    "short pages of the newest": (
        Personality(page_cap=20, keeps="newest ascending"),
        lambda sizes: once_each(sizes) + sum(size >= 20 for size in sizes),
        10,
    ),
}


@pytest.mark.asyncio
@pytest.mark.parametrize(("personality", "most", "settled"), FIRST.values(), ids=FIRST)
async def test_a_thousand_conversations(
    personality: Personality, most: Callable[[Sequence[int]], float], settled: int
) -> None:
    """`most` requests for the sizes of all conversations; of 100 changed ones at most `settled` are read again."""
    simulation = Simulation(conversations=1_000, personality=personality)
    sizes = [len(simulation.snapshot(uuid)["messages"]) for uuid in simulation.conversation_uuids]
    keeper = Keeper(simulation.clock)

    async def scenario() -> None:
        async with polling(simulation, limits=Limits.unlimited(), sink=keeper) as poll:
            await poll.poller.run_once()
            assert simulation.request_counts.total() <= most(sizes)
            assert keeper.told == stored(simulation)
            assert await poll.cost_of_a_look() == (1, 0)
            simulation.burst(100)
            pages, reads = await poll.cost_of_a_look()
            assert pages <= ceil(210 / (personality.list_page_cap or 200) * 1.7)
            assert reads == 100
            await simulation.timeline.sleep(MINUTE)
            assert (await poll.cost_of_a_look())[1] <= settled
            await simulation.timeline.sleep(MINUTE)
            assert (await poll.cost_of_a_look())[1] == 0

    await pass_time(simulation, scenario)
    assert keeper.told == stored(simulation)


async def over_ten_minutes(poll: Poll) -> None:
    for _ in range(100):
        poll.simulation.burst(1)
        await poll.simulation.timeline.sleep(6)


async def in_one_conversation(poll: Poll) -> None:
    customer = poll.simulation.customer(poll.simulation.conversation_uuids[700])
    for number in range(100):
        customer.write(str(number))


async def in_the_oldest(poll: Poll) -> None:
    for uuid in poll.simulation.conversation_uuids[-100:]:
        poll.simulation.customer(uuid).write("Do you remember me?")


async def more_than_a_page(poll: Poll) -> None:
    poll.simulation.burst(300)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("happen", "pages", "reads"),
    # A page longer than any before does not show that it is all.
    [(over_ten_minutes, 1, 100), (in_one_conversation, 1, 2), (in_the_oldest, 1, 100), (more_than_a_page, 3, 300)],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_each_changed_conversation_is_read_once(
    happen: Callable[[Poll], Awaitable[None]], pages: int, reads: int
) -> None:
    simulation = Simulation(conversations=1_000, messages=(1, 12))

    async def scenario() -> None:
        keeper = await synchronised(simulation)
        async with polling(simulation, limits=Limits.unlimited(), sink=keeper, checkpoint=keeper.checkpoint) as poll:
            await happen(poll)
            listed, read = await poll.cost_of_a_look()
            assert listed <= pages
            assert 0 < read <= reads
        assert keeper.told == stored(simulation)

    await pass_time(simulation, scenario)


# Memory


def test_listing_a_hundred_thousand_conversations_takes_less_than_200_megabytes() -> None:
    """A process of its own, with all that it imports."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.simulation.long_list", "100000"], stdout=subprocess.PIPE, check=True
    )
    took = json.loads(ran.stdout)
    assert took["listed"] == 100_000
    assert took["peak"] < 200
