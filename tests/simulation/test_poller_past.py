"""The past is read once, in order and when there is time; and what a poller says of itself."""

from datetime import UTC, datetime
from math import inf

import anyio
import pytest

from tests.polling_desk import (
    HOUR,
    MANY,
    MINUTE,
    Desk,
    Notebook,
    play,
    play_polled,
    polling,
    reads,
    stored,
    taken,
)
from ultracart_conversation import (
    Limits,
    MessagePoller,
)
from ultracart_conversation.sandbox import Simulation

pytestmark = pytest.mark.anyio


# The past


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_the_past_is_read_in_the_order_that_is_wanted(order: str) -> None:
    simulation = Simulation(conversations=60)
    uuids = simulation.conversation_uuids

    async def scenario(desk: Desk) -> None:
        await desk.poller.run_once()
        history = [each.conversation_uuid for each in desk.notebook.changes if each.kind == "history"]
        assert history == (uuids if order == "newest" else uuids[::-1])

    await play_polled(simulation, scenario, caught_up=False, order=order, concurrency=1)


async def test_the_past_is_read_once_however_often_it_is_interrupted() -> None:
    simulation = Simulation(conversations=120, latency=0.4)
    notebook = Notebook()
    left: list[int] = []

    async def take(poller: MessagePoller) -> None:
        async for _ in poller.batches():
            pass

    async def run() -> None:
        for seconds in range(2, 20):
            async with polling(simulation, sink=notebook, checkpoint=notebook.checkpoint, audit=None) as poller:
                async with anyio.create_task_group() as group:
                    group.start_soon(take, poller)
                    await simulation.timeline.sleep(seconds)
                    group.cancel_scope.cancel()
                left.append(poller.statistics().history.left)

    await play(simulation, run)
    assert notebook.bodies == stored(simulation)
    assert notebook.repeated == []
    assert left[-1] == 0 < left[3]
    extra = len(reads(simulation)) - 120
    assert extra <= 18 * MANY.concurrency + 10


async def test_the_past_yields_to_what_is_new() -> None:
    simulation = Simulation(conversations=300, latency=0.1)
    notebook = Notebook()

    async def traffic() -> None:
        await simulation.timeline.sleep(5)
        simulation.customer(simulation.conversation_uuids[200]).write("look here")
        await simulation.timeline.sleep(22)
        assert "look here" in notebook.new()
        assert 0 < len(notebook.bodies) < 200

    async def run() -> None:
        async with polling(simulation, interval=20, since=datetime(2015, 1, 1, tzinfo=UTC), concurrency=1) as poller:
            await taken(poller, notebook, traffic)

    await play(simulation, run)


# In numbers


async def test_the_numbers_of_a_poller() -> None:
    simulation = Simulation(conversations=50, latency=0.1)

    async def scenario(desk: Desk) -> None:
        past = desk.poller.statistics()
        assert (past.conversations, past.history.listed, past.history.left) == (50, 50, 0)
        assert past.history.is_listed
        assert past.history.eta == 0
        assert past.requests["news"] == 0 < 50 <= past.requests["history"]
        assert past.requests_per_message is None
        assert past.lag.counts[inf] == 0
        written = simulation.timeline.time()
        simulation.burst(10, each=2)
        now = await desk.look(after=25)
        assert now.new - past.new == 20
        assert now.lag.counts[20] == 0
        assert now.lag.counts[45] == now.lag.counts[inf] == 20
        assert 25 * 20 <= now.lag.total <= 45 * 20
        assert now.lag.quantile(0.95) == 30
        spent = now.requests["news"] + now.requests["list"]
        assert now.requests_per_message == pytest.approx(spent / 20)
        assert now.complete_through is not None
        assert -31 <= now.complete_through.timestamp() - written <= 1
        assert (now.backlog, now.quarantined, now.last_error, now.passes) == (0, 0, None, 2)
        assert sum(now.requests.values()) == simulation.request_counts.total() == now.budget.used

    await play_polled(simulation, scenario, audit=None)


async def test_progress_and_how_long_the_past_will_take() -> None:
    simulation = Simulation(conversations=400)
    notebook = Notebook()
    seen: list[tuple[float, int, float | None]] = []

    async def take(poller: MessagePoller) -> None:
        async for _ in poller.batches():
            pass

    async def run() -> None:
        async with polling(simulation, sink=notebook, limits=Limits(per_hour=300), interval=300) as poller:
            assert poller.statistics().history.eta is None
            async with anyio.create_task_group() as group:
                group.start_soon(take, poller)
                while not seen or seen[-1][1]:
                    await simulation.timeline.sleep(10 * MINUTE)
                    history = poller.statistics().history
                    seen.append((simulation.timeline.now(), history.left, history.eta))
                group.cancel_scope.cancel()

    await play(simulation, run)
    done = seen[-1][0]
    assert [left for _, left, _ in seen] == sorted((left for _, left, _ in seen), reverse=True)
    for at, left, eta in seen[1:-6]:
        assert eta is not None
        assert 0.4 * (done - at) <= eta <= 1.5 * (done - at), (at, left, eta, done - at)


@pytest.mark.parametrize(("limits", "latency"), [(Limits(per_hour=100), 0.05), (MANY, 5.0)], ids=["limits", "service"])
async def test_a_long_conversation_of_the_past_holds_up_no_look_and_is_read_on_from_where_it_was_left(
    limits: Limits, latency: float
) -> None:
    """Where 10,000 messages take long, by the limits or the service, what is new is seen at the next look."""
    simulation = Simulation(conversations=3, latency=latency)
    long, other = map(simulation.customer, simulation.conversation_uuids[:2])
    began = simulation.timeline.time() - 90_000
    for number in range(10_000):
        long.write(f"text {number}", epoch=int((began + number) * 1000))
    notebook = Notebook()
    ages: list[float] = []

    async def traffic() -> None:
        for number in range(12):
            await simulation.timeline.sleep(5 * MINUTE)
            other.write(f"urgent {number}")
            written = simulation.timeline.now()
            while f"urgent {number}" not in notebook.new():
                await simulation.timeline.sleep(1)
            ages.append(simulation.timeline.now() - written)
        await simulation.timeline.sleep(3 * HOUR)

    async def run() -> None:
        async with polling(simulation, sink=notebook, limits=limits, interval=60, audit=None) as poller:
            await taken(poller, Notebook(), traffic)

    await play(simulation, run)
    assert max(ages) <= MINUTE + 2 * 36, "a look a minute, and a request in 36 seconds"
    assert notebook.bodies == stored(simulation)
    assert notebook.repeated == []
    assert reads(simulation).count(long.conversation_uuid) <= 1.1 * 10_000 / 200 + 3
