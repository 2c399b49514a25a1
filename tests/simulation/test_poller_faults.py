"""Poisoned conversations, rain and outages: the others go on, nothing is lost, and what heals is found."""

import asyncio
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.polling_desk import HOUR, MINUTE, Desk, Notebook, archived, play, play_polled, polling, reads, stored
from tests.simulation.polling import Keeper, WatchedArchive, pass_time
from ultracart_conversation import (
    ApplicationDisabled,
    Archive,
    AuthenticationError,
    Batch,
    Limits,
    MessagePoller,
    PollerCheckpoint,
    Retry,
    UltraCartError,
)
from ultracart_conversation.sandbox import Fault, FaultKind, Personality, Simulation

RAIN: list[dict[str, Any]] = [
    {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}, "rate": 0.05},
    {"kind": "status", "status": 503, "rate": 0.1},
    {"kind": "status", "status": 502, "body": "html", "rate": 0.05},
    {"kind": "drop before", "rate": 0.05},
    {"kind": "drop after", "rate": 0.05},
    {"kind": "delay", "delay": 7.0, "rate": 0.1},
    {"kind": "delay", "delay": 50.0, "rate": 0.02},
    {"kind": "truncated body", "rate": 0.05},
    {"kind": "html", "rate": 0.05},
    {"kind": "empty", "rate": 0.05},
    {"kind": "refused", "rate": 0.03},
]
ALWAYS: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "html"},
    {"kind": "refused"},
]


def rain(simulation: Simulation) -> None:
    for fault in RAIN:
        simulation.faults.add(Fault(**fault, times=None))


async def iterate(poller: MessagePoller) -> None:
    async for _ in poller.batches():
        pass


class Proof(Notebook):
    """A sink that holds every watermark against what the service has."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation
        self.watermarks: list[int] = []

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        await super().commit(batch, checkpoint)
        through: int | None = checkpoint.head["complete_through"]
        assert self.checkpoint is not None
        positions = self.checkpoint.conversations
        if through is None or through in self.watermarks[-1:]:
            return
        self.watermarks.append(through)
        for uuid in self._simulation.conversation_uuids:
            if not positions.get(uuid, {}).get("failures"):
                said = self._simulation.snapshot(uuid)["messages"]
                wanted = {each["conversation_message_uuid"] for each in said if each["message_epoch"] <= through}
                assert wanted <= self.bodies.get(uuid, {}).keys(), "complete beyond what was kept"


# One conversation


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ALWAYS, ids=lambda fault: fault["kind"])
async def test_a_poisoned_conversation_does_not_stop_the_others(fault: dict[str, Any]) -> None:
    simulation = Simulation(conversations=20)
    poisoned = simulation.conversation_uuids[5]
    simulation.faults.add(Fault(**fault, conversation_uuid=poisoned, times=None))

    async def scenario(desk: Desk) -> None:
        for _ in range(3):
            simulation.burst(10)
            await desk.look()
        others = [uuid for uuid in simulation.conversation_uuids if uuid != poisoned]
        assert desk.notebook.bodies == stored(simulation, others)
        statistics = desk.poller.statistics()
        assert statistics.quarantined == 1
        assert statistics.backlog == 0
        assert desk.poller.quarantined().keys() == {poisoned}
        assert "get_conversation" in desk.poller.quarantined()[poisoned]
        simulation.faults.clear()
        await desk.look(after=HOUR)
        desk.check()
        assert desk.poller.statistics().quarantined == 0
        assert desk.poller.quarantined() == {}

    await play_polled(simulation, scenario, retry=Retry(attempts=2), limits=Limits(per_hour=None, per_day=None))


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["status", "truncated body"])
async def test_a_poisoned_conversation_is_tried_ever_more_rarely_and_heals(kind: FaultKind) -> None:
    simulation = Simulation(conversations=10)
    poisoned = simulation.conversation_uuids[5]
    fault = simulation.faults.add(Fault(kind=kind, conversation_uuid=poisoned, times=None))
    sink = Notebook()

    async def run() -> None:
        options: dict[str, Any] = {"interval": 300, "audit": None, "retry": Retry(attempts=1)}
        async with polling(simulation, sink=sink, **options) as poller, anyio.create_task_group() as group:
            group.start_soon(iterate, poller)
            await simulation.timeline.sleep(24 * HOUR)
            assert 6 <= len([each for each in reads(simulation) if each == poisoned]) <= 12
            assert list(poller.quarantined()) == [poisoned]
            simulation.faults.remove(fault)
            await simulation.timeline.sleep(6.1 * HOUR)
            assert poller.quarantined() == {}
            assert sink.bodies == stored(simulation)
            group.cancel_scope.cancel()

    await play(simulation, run)


@pytest.mark.anyio
async def test_something_new_in_a_poisoned_conversation_is_tried_at_once_and_a_restart_forgets_no_quarantine() -> None:
    simulation = Simulation(conversations=10)
    poisoned = simulation.conversation_uuids[5]
    fault = simulation.faults.add(Fault(kind="html", conversation_uuid=poisoned, times=None))
    sink = Notebook()

    async def run() -> None:
        async with polling(simulation, sink=sink) as poller:
            await poller.run_once()
        async with polling(simulation, sink=sink, checkpoint=sink.checkpoint) as poller:
            assert poller.quarantined() == {poisoned: "before this process"}
            await poller.run_once()
            assert poisoned not in sink.bodies
            simulation.faults.remove(fault)
            simulation.customer(poisoned).write("and now?")
            await poller.run_once()
        assert sink.bodies == stored(simulation)

    await play(simulation, run)


@pytest.mark.anyio
async def test_nothing_is_called_complete_while_a_conversation_that_was_never_read_is_tried_again() -> None:
    simulation = Simulation(conversations=30, personality=Personality(list_page_cap=10))
    poisoned = simulation.conversation_uuids[25]
    simulation.faults.add(Fault(kind="status", conversation_uuid=poisoned, times=None))
    sink = Proof(simulation)

    async def run() -> None:
        async with polling(simulation, sink=sink, retry=Retry(attempts=1)) as poller:
            await poller.run_once()
            for _ in range(3):
                await simulation.timeline.sleep(5 * MINUTE)
                simulation.customer(poisoned).write("and now?")
                simulation.burst(3)
                await poller.run_once()

    await play(simulation, run)
    assert len(sink.watermarks) > 3


@pytest.mark.anyio
async def test_nothing_is_called_complete_before_what_shows_late_could_be_read() -> None:
    """Messages show 10 seconds after the list does, and counts leave some out, so that no row proves a read."""
    simulation = Simulation(conversations=30, personality=Personality(counts_messages=False))
    simulation.lag = 10.0
    sink = Proof(simulation)

    async def run() -> None:
        async with (
            polling(simulation, sink=sink, interval=20, audit=None) as poller,
            anyio.create_task_group() as group,
        ):
            group.start_soon(iterate, poller)
            await simulation.timeline.sleep(100)
            for _ in range(60):
                simulation.burst(1)
                await simulation.timeline.sleep(7)
            group.cancel_scope.cancel()

    await play(simulation, run)
    assert len(sink.watermarks) > 10


# Rain


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(2))
async def test_an_hour_of_trouble(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    simulation = Simulation(seed=seed, conversations=30, latency=(0.02, 0.3))
    simulation.list_lag = 20
    rain(simulation)
    sink = Proof(simulation)

    async def traffic() -> None:
        for _ in range(60):
            simulation.burst(3)
            if simulation.timeline.now() % 3 < 1:
                simulation.text("Hello?")
            await simulation.timeline.sleep(MINUTE)

    async def live(seconds: float) -> None:
        options: dict[str, Any] = {"interval": 60, "audit": None}
        async with polling(simulation, sink=sink, checkpoint=sink.checkpoint, **options) as poller:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(iterate, poller)
                    await simulation.timeline.sleep(seconds)
                    scope.cancel()

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(traffic)
            for number in range(10):
                await live(200 + 37 * number)
        simulation.faults.clear()
        await live(2 * HOUR)

    await play(simulation, run)
    assert sink.bodies == stored(simulation)
    assert sink.repeated == []
    assert len(sink.watermarks) > 20


@pytest.mark.asyncio
async def test_an_archive_holds_what_the_service_has_after_an_hour_of_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    simulation = Simulation(conversations=30, latency=(0.02, 0.3))
    rain(simulation)
    path = str(tmp_path / "conversations.db")
    archive = WatchedArchive(path, keeper=Keeper(simulation.clock), clock=simulation.timeline)

    async def traffic() -> None:
        for _ in range(60):
            simulation.burst(3)
            await simulation.timeline.sleep(MINUTE)

    async def live(seconds: float) -> None:
        async with polling_archive(simulation, archive) as poller:
            task = asyncio.ensure_future(iterate(poller))
            await simulation.timeline.sleep(seconds)
            task.cancel()
            await asyncio.wait([task])

    async def run() -> None:
        async with archive, asyncio.TaskGroup() as group:
            group.create_task(traffic())
            for number in range(10):
                await live(200 + 37 * number)
            simulation.faults.clear()
            await live(1.2 * HOUR)

    await pass_time(simulation, run, settle=archive.settle)
    async with Archive(path) as opened:
        assert await archived(opened) == stored(simulation)
        told = Counter([each.conversation_message_uuid async for each in opened.changes() if each.kind == "message"])
        assert set(told.values()) == {1}
        assert len(told) == sum(map(len, stored(simulation).values()))


def polling_archive(simulation: Simulation, archive: Archive) -> Any:
    return polling(simulation, archive=archive, interval=120)


# Outages


@pytest.mark.anyio
@pytest.mark.parametrize("is_reachable", [True, False])
async def test_a_service_that_is_away_for_hours_is_asked_rarely_and_followed_again(is_reachable: bool) -> None:
    simulation = Simulation(conversations=30)
    sink = Notebook()

    async def run() -> None:
        async with polling(simulation, sink=sink, interval=30) as poller, anyio.create_task_group() as group:
            group.start_soon(iterate, poller)
            await simulation.timeline.sleep(5 * MINUTE)
            simulation.requests.clear()
            simulation.reachable = is_reachable
            simulation.faults.add(Fault(kind="status", status=503, times=None))
            await simulation.timeline.sleep(10)
            simulation.burst(20)
            await simulation.timeline.sleep(5 * HOUR)
            assert poller.statistics().last_error is not None
            assert len(simulation.requests) <= 5 * 12 * 6
            simulation.burst(20)
            simulation.faults.clear()
            simulation.reachable = True
            await simulation.timeline.sleep(6 * MINUTE)
            assert poller.statistics().last_error is None
            assert sink.bodies == stored(simulation)
            assert sink.repeated == []
            group.cancel_scope.cancel()

    await play(simulation, run)


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationError), (410, ApplicationDisabled)])
@pytest.mark.parametrize("operation", ["get_conversations", "get_conversation_messages"])
async def test_what_no_repetition_can_mend_is_raised_at_once(
    status: int, error: type[UltraCartError], operation: str
) -> None:
    simulation = Simulation(conversations=10)

    async def scenario(desk: Desk) -> None:
        simulation.burst(3)
        fault = simulation.faults.add(Fault(kind="status", status=status, operation=operation, times=None))
        began = simulation.timeline.now()
        with pytest.raises(error):
            await desk.look(after=0)
        with pytest.raises(error):
            async for _ in desk.poller:
                pass
        assert simulation.timeline.now() - began <= 30
        simulation.faults.remove(fault)
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, interval=20)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["stall", "drop before"])
async def test_run_once_raises_what_stops_it_and_keeps_what_it_read(kind: FaultKind) -> None:
    simulation = Simulation(conversations=40)

    async def scenario(desk: Desk) -> None:
        simulation.faults.add(Fault(kind=kind, after=20, times=None))
        with pytest.raises(UltraCartError):
            await desk.look()
        assert 5 <= len(desk.notebook.bodies) <= 20
        simulation.faults.clear()
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, caught_up=False, limits=Limits(per_hour=None, per_day=None))
