"""What a poller hands over, where it begins and goes on, and whom it listens to."""

from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import Any

import anyio
import pytest

from tests.live.session.desk import chat
from tests.polling_desk import (
    HOUR,
    MANY,
    MINUTE,
    Desk,
    Notebook,
    iterate,
    pages,
    play,
    play_polled,
    polling,
    reads,
    stored,
    taken,
)
from tests.simulation.wires import SimulatedConnector, client_of
from ultracart_conversation import (
    Adaptive,
    AgentSession,
    ConfigurationError,
    MessagePoller,
    PollerCheckpoint,
    Retry,
    UltraCartError,
)
from ultracart_conversation.sandbox import Fault, Simulation

pytestmark = pytest.mark.anyio


# Without archive and sink


async def test_what_comes_from_now_on_is_handed_over_once_and_in_order() -> None:
    simulation = Simulation(conversations=30)
    notebook = Notebook()

    async def traffic() -> None:
        await simulation.timeline.sleep(1)
        customers = [simulation.customer(uuid) for uuid in simulation.conversation_uuids[:5]]
        customers.append(simulation.text("text 0"))
        for number in range(1, 30):
            customers[number % 6].write(f"text {number}")
            await simulation.timeline.sleep(13)
        await simulation.timeline.sleep(2 * MINUTE)

    async def run() -> None:
        async with polling(simulation, interval=20) as poller:
            await taken(poller, notebook, traffic)

    await play(simulation, run)
    assert sorted(notebook.new(), key=lambda text: int(text.split()[1])) == [f"text {number}" for number in range(30)]
    assert notebook.repeated == []
    for change_of in {change.conversation_uuid for change in notebook.changes}:
        news = [each for change in notebook.changes if change.conversation_uuid == change_of for each in change.new]
        assert all((a.message_epoch or 0) < (b.message_epoch or 0) for a, b in pairwise(news))
    assert {change.kind for change in notebook.changes if change.new} == {"news"}


async def test_batches_hold_the_same() -> None:
    simulation = Simulation(conversations=10)

    async def run() -> None:
        async with polling(simulation, interval=20) as poller:
            batches = poller.batches()
            with anyio.move_on_after(0):
                await anext(batches)
            async with anyio.create_task_group() as group:
                group.start_soon(write_later, simulation)
                batch = await anext(batches)
                assert [message.body for change in batch.changes for message in change.new] == ["Hello?"]
                row = batch.changes[0].conversation
                assert row is not None
                assert row.last_conversation_message_body == "Hello?"

    await play(simulation, run)


async def write_later(simulation: Simulation) -> None:
    await simulation.timeline.sleep(30)
    simulation.customer(simulation.conversation_uuids[3]).write("Hello?")


async def test_a_new_poller_goes_on_from_the_checkpoint() -> None:
    simulation = Simulation(conversations=20)
    notebook = Notebook()
    checkpoint: PollerCheckpoint | None = None
    written: set[str] = set()

    async def run() -> None:
        nonlocal checkpoint
        for number in range(6):
            async with polling(simulation, interval=20, checkpoint=checkpoint) as poller:
                with anyio.CancelScope() as scope:
                    async with anyio.create_task_group() as group:
                        group.start_soon(iterate, poller, notebook)
                        await simulation.timeline.sleep(45)
                        scope.cancel()
                given = poller.checkpoint()
                assert given is not None
                checkpoint = PollerCheckpoint.from_dict(given.to_dict())
            for place in range(4):
                said = f"{number} {place}"
                simulation.customer(simulation.conversation_uuids[3 * place]).write(said)
                written.add(said)
            await simulation.timeline.sleep(30)

    await play(simulation, run)
    assert set(notebook.new()) == {said for said in written if said[0] != "5"}


async def test_a_change_counts_as_dealt_with_when_the_next_is_asked_for() -> None:
    simulation = Simulation(conversations=20)

    async def first(checkpoint: PollerCheckpoint | None) -> tuple[str | None, PollerCheckpoint | None]:
        """The next message; and where to go on, as if dealing with it had failed."""
        async with polling(simulation, interval=20, checkpoint=checkpoint) as poller:
            async for change in poller:
                if change.new:
                    return change.new[0].body, poller.checkpoint()
        raise AssertionError

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(write_later, simulation)
            body, checkpoint = await first(None)
            assert checkpoint is not None
            assert (body, (await first(checkpoint))[0]) == ("Hello?", "Hello?")

    await play(simulation, run)


async def test_since_is_where_it_begins() -> None:
    simulation = Simulation(conversations=40)
    notebook = Notebook()
    since = datetime.fromtimestamp(simulation.timeline.time() - 20 * 24 * HOUR, UTC)

    async def run() -> None:
        async with polling(simulation, interval=20, since=since, audit=None) as poller:
            await taken(poller, notebook, lambda: simulation.timeline.sleep(10 * MINUTE))

    await play(simulation, run)
    begin = int(since.timestamp() * 1000)
    snapshots = map(simulation.snapshot, simulation.conversation_uuids)
    wanted = {
        said["conversation_message_uuid"]
        for each in snapshots
        for said in each["messages"]
        if said["message_epoch"] >= begin
    }
    assert len(wanted) > 5
    assert notebook.told.keys() == wanted
    assert notebook.repeated == []


async def test_an_earlier_since_completes_what_is_kept() -> None:
    simulation = Simulation(conversations=40)
    notebook = Notebook()

    async def run() -> None:
        for days in (5, 20, 3000):
            since = datetime.fromtimestamp(simulation.timeline.time() - days * 24 * HOUR, UTC)
            async with polling(simulation, sink=notebook, checkpoint=notebook.checkpoint, since=since) as poller:
                await poller.run_once()
        assert notebook.bodies == stored(simulation)

    await play(simulation, run)


# A handful of conversations


async def test_a_handful_is_followed_for_a_request_each() -> None:
    simulation = Simulation(conversations=100)
    handful = simulation.conversation_uuids[50:56]

    async def scenario(desk: Desk) -> None:
        simulation.customer(handful[2]).write("Hello?")
        simulation.burst(50)
        simulation.requests.clear()
        await desk.look()
        assert sorted(reads(simulation)) == sorted(handful)
        assert len(simulation.requests) == len(handful)
        assert desk.notebook.bodies == stored(simulation, handful)
        assert desk.notebook.repeated == []
        assert "Hello?" in desk.notebook.new("news")
        assert desk.poller.statistics().lag.counts[inf] == len(desk.notebook.new("news"))

    await play_polled(simulation, scenario, conversations=[*handful, handful[0]], audit=None)


async def test_a_handful_is_read_at_the_same_time() -> None:
    simulation = Simulation(conversations=20, latency=0.5)

    async def scenario(desk: Desk) -> None:
        began = simulation.timeline.now()
        await desk.look(after=0)
        assert simulation.timeline.now() - began == pytest.approx(2, abs=0.1)

    handful = simulation.conversation_uuids[:8]
    await play_polled(simulation, scenario, conversations=handful, concurrency=4, audit=None)


async def test_of_a_handful_only_what_comes_from_now_on_is_handed_over() -> None:
    simulation = Simulation(conversations=20)
    notebook = Notebook()
    uuid = simulation.conversation_uuids[7]

    async def traffic() -> None:
        await simulation.timeline.sleep(1)
        for number in range(4):
            simulation.customer(uuid).write(f"text {number}")
            simulation.burst(3)
            await simulation.timeline.sleep(30)

    async def run() -> None:
        async with polling(simulation, interval=20, conversations=[uuid]) as poller:
            await taken(poller, notebook, traffic)

    await play(simulation, run)
    assert pages(simulation) == 0
    assert [text for text in notebook.new() if text.startswith("text")] == [f"text {number}" for number in range(4)]
    assert len(notebook.new()) - 4 <= 12


async def test_one_of_a_handful_that_is_not_there_is_told_once() -> None:
    simulation = Simulation(conversations=20)
    handful = [simulation.conversation_uuids[3], "00000000-no-such-one"]

    async def scenario(desk: Desk) -> None:
        for _ in range(5):
            await desk.look()
        assert sorted(each.kind for each in desk.notebook.changes) == ["gone", "history"]
        assert reads(simulation).count("00000000-no-such-one") == 1

    await play_polled(simulation, scenario, conversations=handful, audit=None)


# A session that tells


async def test_a_push_is_read_within_seconds_and_the_list_only_audits() -> None:
    simulation = Simulation(conversations=20, latency=0.05)

    async def run() -> None:
        notebook = Notebook()
        async with client_of(simulation, limits=MANY) as client:
            connector = SimulatedConnector(simulation)
            async with (
                AgentSession(client, connector=connector) as session,
                MessagePoller(client, interval=Adaptive(shortest=20, longest=300), audit=None) as poller,
            ):
                await session.wait_live()
                customer = await chat(client, simulation)
                poller.attach(session)

                async def traffic() -> None:
                    await simulation.timeline.sleep(30)
                    simulation.request_counts.clear()
                    for number in range(6):
                        customer.write(f"text {number}")
                        await simulation.timeline.sleep(5)
                        assert f"text {number}" in notebook.new()
                        await simulation.timeline.sleep(95)

                await taken(poller, notebook, traffic)
                assert poller.statistics().passes <= 5
                assert [each for each in notebook.new() if "text" in each] == [f"text {number}" for number in range(6)]

    await play(simulation, run)


async def test_looking_goes_on_when_the_session_ends() -> None:
    simulation = Simulation(conversations=20, latency=0.05)

    async def run() -> None:
        notebook = Notebook()
        async with client_of(simulation, limits=MANY) as client:
            connector = SimulatedConnector(simulation)
            async with MessagePoller(client, interval=Adaptive(shortest=20, longest=300), audit=None) as poller:
                async with anyio.create_task_group() as group:
                    async with AgentSession(client, connector=connector) as session:
                        await session.wait_live()
                        poller.attach(session)
                        group.start_soon(iterate, poller, notebook)
                        await simulation.timeline.sleep(100)
                    simulation.customer(simulation.conversation_uuids[9]).write("is anybody there?")
                    await simulation.timeline.sleep(45)
                    assert notebook.new() == ["is anybody there?"]
                    group.cancel_scope.cancel()

    await play(simulation, run)


async def test_a_poller_works_for_one_task_at_a_time() -> None:
    simulation = Simulation(conversations=5)

    async def run() -> None:
        async with polling(simulation, interval=20) as poller, anyio.create_task_group() as group:
            group.start_soon(iterate, poller, Notebook())
            await simulation.timeline.sleep(1)
            with pytest.raises(ConfigurationError, match="works for one task at a time"):
                await anext(aiter(poller))
            group.cancel_scope.cancel()

    await play(simulation, run)


# First reads, restarts and hints


async def test_conversations_by_name_leave_what_is_left_of_others_alone() -> None:
    simulation = Simulation(conversations=20)
    notebook = Notebook()
    simulation.faults.add(Fault(kind="refused", operation="get_conversation_messages", times=None))

    async def run() -> None:
        async with polling(simulation, sink=notebook, retry=Retry(attempts=1)) as poller:
            with pytest.raises(UltraCartError):
                await poller.run_once()
        simulation.faults.clear()
        simulation.requests.clear()
        await simulation.timeline.sleep(2 * MINUTE)
        two = simulation.conversation_uuids[:2]
        async with polling(simulation, sink=notebook, checkpoint=notebook.checkpoint, conversations=two) as poller:
            await poller.run_once()
        assert sorted(set(reads(simulation))) == sorted(two)
        async with polling(simulation, sink=notebook, checkpoint=notebook.checkpoint) as poller:
            await poller.run_once()
        assert notebook.bodies == stored(simulation)
        assert notebook.repeated == []

    await play(simulation, run)


@pytest.mark.parametrize("by_name", [True, False])
async def test_what_is_said_while_a_conversation_cannot_be_read_for_the_first_time_is_new(by_name: bool) -> None:
    simulation = Simulation(conversations=5)
    uuid = simulation.conversation_uuids[0]
    simulation.faults.add(Fault(kind="status", conversation_uuid=uuid, times=2))
    notebook = Notebook()
    options: dict[str, Any] = {"conversations": [uuid]} if by_name else {}

    async def traffic() -> None:
        await simulation.timeline.sleep(20)
        simulation.customer(uuid).write("meanwhile")
        await simulation.timeline.sleep(2 * HOUR)

    async def run() -> None:
        async with polling(simulation, interval=300, audit=None, retry=Retry(attempts=1), **options) as poller:
            await taken(poller, notebook, traffic)

    await play(simulation, run)
    assert notebook.new() == ["meanwhile"]


@pytest.mark.parametrize("by_name", [True, False])
async def test_a_conversation_that_is_gone_is_told_once_and_asked_for_no_more_after_a_restart(by_name: bool) -> None:
    simulation = Simulation(conversations=10)
    uuid = simulation.conversation_uuids[2]
    notebook = Notebook()
    options: dict[str, Any] = {"conversations": [uuid]} if by_name else {}

    async def run() -> None:
        simulation.customer(uuid).write("the last one")
        async with polling(simulation, sink=notebook, **options) as poller:
            await poller.run_once()
        simulation.list_lag = 30 * 24 * HOUR
        simulation.records.remove(uuid)
        simulation.requests.clear()
        for _ in range(6):
            await simulation.timeline.sleep(HOUR)
            async with polling(simulation, sink=notebook, checkpoint=notebook.checkpoint, **options) as poller:
                await poller.run_once()
        assert [change.conversation_uuid for change in notebook.changes if change.kind == "gone"] == [uuid]
        assert reads(simulation).count(uuid) == 1

    await play(simulation, run)


@pytest.mark.parametrize(
    ("options", "heard"), [({}, True), ({"medium": "sms"}, False), ({"conversations": True}, True)], ids=str
)
async def test_a_hint_hands_over_no_past_and_nothing_of_another_medium(options: dict[str, Any], heard: bool) -> None:
    simulation = Simulation(conversations=5, latency=0.05)
    notebook = Notebook()

    async def run() -> None:
        connector = SimulatedConnector(simulation)
        async with client_of(simulation, limits=MANY) as client, AgentSession(client, connector=connector) as session:
            await session.wait_live()
            customer = await chat(client, simulation)
            customer.write("long before")
            await simulation.timeline.sleep(10 * MINUTE)
            if "conversations" in options:
                options["conversations"] = [customer.conversation_uuid]

            async def traffic() -> None:
                await simulation.timeline.sleep(3 * MINUTE)
                customer.write("pushed")
                await simulation.timeline.sleep(3 * MINUTE)

            async with MessagePoller(client, interval=60, audit=None, **options) as poller:
                poller.attach(session)
                customer.write("before the first look")
                await simulation.timeline.sleep(3)
                await taken(poller, notebook, traffic)

    await play(simulation, run)
    assert notebook.new() == (["pushed"] if heard else [])
