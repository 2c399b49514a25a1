"""Whose fault it is that something cannot be read: one conversation's, the list's, or the service's."""

from typing import Any

import anyio
import pytest

from tests.polling_desk import HOUR, MINUTE, Desk, Notebook, play, play_polled, polling, reads, stored
from ultracart_conversation import Audit, Limits, MessagePoller, Retry, UltraCartError
from ultracart_conversation.sandbox import Fault, FaultKind, Simulation

pytestmark = pytest.mark.anyio
READS = ("get_conversation_messages", "get_conversation")


def fail(simulation: Simulation, *operations: str, **more: Any) -> None:
    for operation in operations:
        simulation.faults.add(Fault(kind="status", status=503, operation=operation, times=None, **more))


async def iterate(poller: MessagePoller) -> None:
    async for _ in poller.batches():
        pass


@pytest.mark.parametrize(("count", "hours"), [(50, 1), (3, 5)])
async def test_when_nothing_can_be_read_nothing_is_held_against_a_conversation(count: int, hours: int) -> None:
    """Little is asked, nothing is called complete, and all is there within minutes afterwards."""
    simulation = Simulation(conversations=100)

    async def scenario(desk: Desk) -> None:
        before = desk.poller.statistics().complete_through
        for uuid in simulation.conversation_uuids[:count]:
            simulation.customer(uuid).write("is anybody there?")
        simulation.requests.clear()
        fail(simulation, *READS)
        async with anyio.create_task_group() as group:
            group.start_soon(iterate, desk.poller)
            await simulation.timeline.sleep(hours * HOUR)
            now = desk.poller.statistics()
            assert (now.quarantined, now.backlog, now.complete_through) == (0, count, before)
            assert "503" in (now.last_error or "")
            assert len(reads(simulation)) <= 40 * hours
            simulation.faults.clear()
            await simulation.timeline.sleep(6 * MINUTE)
            desk.check()
            assert desk.poller.statistics().last_error is None
            group.cancel_scope.cancel()

    await play_polled(simulation, scenario, interval=60, audit=None)


async def test_one_conversation_that_was_to_be_read_in_an_outage_is_read_soon_after_another() -> None:
    simulation = Simulation(conversations=10)

    async def scenario(desk: Desk) -> None:
        first, second = map(simulation.customer, simulation.conversation_uuids[:2])
        fail(simulation, *READS)
        first.write("nobody else speaks")
        async with anyio.create_task_group() as group:
            group.start_soon(iterate, desk.poller)
            await simulation.timeline.sleep(2.5 * MINUTE)
            assert desk.poller.statistics().quarantined == 0
            simulation.faults.clear()
            second.write("now I do")
            await simulation.timeline.sleep(2.5 * MINUTE)
            desk.check()
            group.cancel_scope.cancel()

    await play_polled(simulation, scenario, interval=60, audit=None)


@pytest.mark.parametrize("kind", ["drop after", "status"])
@pytest.mark.parametrize("limits", [Limits(), Limits(concurrency=1)], ids=["many at once", "one at a time"])
async def test_a_process_for_each_look_reads_all_but_what_alone_cannot_be_read(kind: FaultKind, limits: Limits) -> None:
    simulation = Simulation(conversations=12)
    poisoned = simulation.conversation_uuids[:2]
    for uuid in poisoned:
        simulation.faults.add(Fault(kind=kind, conversation_uuid=uuid, times=None))
    notebook = Notebook()
    runs: list[Exception | None] = []

    async def run() -> None:
        for _ in range(6):
            async with polling(
                simulation, sink=notebook, checkpoint=notebook.checkpoint, limits=limits, retry=Retry(attempts=2)
            ) as poller:
                try:
                    await poller.run_once()
                except UltraCartError as error:
                    runs.append(error)
                else:
                    runs.append(None)
                quarantined = sorted(poller.quarantined())
            await simulation.timeline.sleep(10 * MINUTE)
        others = [uuid for uuid in simulation.conversation_uuids if uuid not in poisoned]
        assert {uuid: notebook.bodies[uuid] for uuid in others} == stored(simulation, others)
        assert quarantined == sorted(poisoned)
        assert runs[-1] is None

    await play(simulation, run)


async def test_a_page_of_a_look_that_cannot_be_listed_keeps_nothing_back_that_others_showed() -> None:
    simulation = Simulation(conversations=300)

    async def scenario(desk: Desk) -> None:
        uuids = simulation.burst(210)
        fault = simulation.faults.add(Fault(kind="status", operation="get_conversations", after=1, times=None))
        with pytest.raises(UltraCartError):
            await desk.look()
        assert len(desk.notebook.new("news")) == 200
        simulation.faults.remove(fault)
        assert len(uuids) == 210
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, audit=None)


async def test_past_that_is_known_is_read_while_the_rest_cannot_be_listed() -> None:
    simulation = Simulation(conversations=500)
    simulation.faults.add(Fault(kind="status", operation="get_conversations", after=2, times=None))
    notebook = Notebook()

    async def run() -> None:
        async with polling(simulation, sink=notebook, audit=None) as poller:
            with pytest.raises(UltraCartError):
                await poller.run_once()
            assert len(notebook.bodies) >= 200
            assert poller.statistics().history.left == 0
            simulation.faults.clear()
            await poller.run_once()
        assert notebook.bodies == stored(simulation)
        assert notebook.repeated == []

    await play(simulation, run)


async def test_an_audit_that_fails_is_one_request_and_not_a_storm() -> None:
    simulation = Simulation(conversations=100)

    async def scenario(desk: Desk) -> None:
        simulation.burst(20)
        await desk.look()
        await desk.look()
        simulation.request_counts.clear()
        fail(simulation, *READS)
        with pytest.raises(UltraCartError):
            await desk.look(after=7 * HOUR)
        assert simulation.request_counts["get_conversation_messages"] == 1

    await play_polled(simulation, scenario, retry=Retry(attempts=1))


async def test_one_look_audits_each_conversation_once_however_often_that_is_allowed() -> None:
    simulation = Simulation(conversations=10, latency=0.1)

    async def scenario(desk: Desk) -> None:
        for uuid in simulation.conversation_uuids:
            simulation.customer(uuid).write("hello")
        await desk.look()
        await desk.look()
        simulation.request_counts.clear()
        await desk.look(after=HOUR)
        assert simulation.request_counts["get_conversation_messages"] == 10

    await play_polled(simulation, scenario, audit=Audit(every=1e-9, rest=0))


async def test_a_conversation_by_name_that_cannot_be_read_is_asked_for_ever_more_rarely() -> None:
    simulation = Simulation(conversations=3)
    good, poisoned, _ = simulation.conversation_uuids
    simulation.faults.add(Fault(kind="html", conversation_uuid=poisoned, times=None))
    options: dict[str, Any] = {"conversations": [good, poisoned], "interval": 60, "audit": None}

    async def run() -> None:
        async with polling(simulation, **options) as poller, anyio.create_task_group() as group:
            group.start_soon(iterate, poller)
            await simulation.timeline.sleep(6 * HOUR)
            assert reads(simulation).count(good) >= 350
            assert reads(simulation).count(poisoned) <= 30
            group.cancel_scope.cancel()

    await play(simulation, run)


async def test_what_lost_one_reply_is_read_again_with_the_next_and_not_in_quarantine() -> None:
    simulation = Simulation(conversations=20)

    async def scenario(desk: Desk) -> None:
        simulation.faults.add(Fault(kind="drop after", conversation_uuid=simulation.conversation_uuids[3], times=1))
        for uuid in simulation.conversation_uuids:
            simulation.customer(uuid).write("hello")
        await desk.look()
        desk.check()
        assert desk.poller.quarantined() == {}

    await play_polled(simulation, scenario, retry=Retry(attempts=1), audit=None)
