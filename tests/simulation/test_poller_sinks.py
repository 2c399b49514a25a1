"""Wherever a poller or its sink is interrupted: nothing is lost, and nothing is handed over before it was kept."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from tests.polling_desk import MINUTE, Notebook, play, polling, stored
from ultracart_conversation import Batch, Change, MessagePoller, PollerCheckpoint
from ultracart_conversation.sandbox import Simulation

pytestmark = pytest.mark.anyio
MOMENTS = [0.013 * number for number in range(1, 101)]


class DiskFullError(Exception):
    """What a sink of a user's own may raise."""


class Faulty(Notebook):
    """A sink that takes its time, and fails as often as it is told to."""

    def __init__(self, simulation: Simulation, *, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.kept: set[str] = set()
        """All that was ever kept; a batch that comes again adds nothing."""
        self._simulation = simulation

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        await self._simulation.timeline.sleep(0.02)
        if self.failures:
            self.failures -= 1
            raise DiskFullError
        await super().commit(batch, checkpoint)
        await self._simulation.timeline.sleep(0.02)

    def note(self, change: Change) -> None:
        self.kept.update(message.conversation_message_uuid or "" for message in change.new)
        super().note(change)


async def for_a_while(simulation: Simulation, seconds: float, doing: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Cancel it then."""
    async with anyio.create_task_group() as group:
        group.start_soon(doing)
        await simulation.timeline.sleep(seconds)
        group.cancel_scope.cancel()


# Failing


async def test_what_a_sink_raises_ends_the_iteration_and_asking_again_goes_on() -> None:
    simulation = Simulation(conversations=20)
    sink = Faulty(simulation, failures=3)
    given: list[str] = []

    async def take(poller: MessagePoller) -> None:
        async for change in poller:
            given.append(change.conversation_uuid)
            assert change.conversation_uuid in sink.bodies, "handed over before it was kept"

    async def run() -> None:
        async with polling(simulation, sink=sink, interval=20, audit=None) as poller:
            for _ in range(3):
                with pytest.raises(DiskFullError):
                    await anext(aiter(poller))
                assert sink.changes == []
            await for_a_while(simulation, 60, lambda: take(poller))

    await play(simulation, run)
    assert sink.bodies == stored(simulation)
    assert sink.repeated == []
    assert sorted(given) == sorted(simulation.conversation_uuids)


async def test_run_once_raises_what_its_sink_raises_and_can_be_repeated() -> None:
    simulation = Simulation(conversations=20)
    sink = Faulty(simulation)

    async def run() -> None:
        async with polling(simulation, sink=sink, audit=None) as poller:
            await poller.run_once()
            for number in range(5):
                simulation.burst(5)
                sink.failures = 1 + number % 2
                for _ in range(sink.failures):
                    with pytest.raises(DiskFullError):
                        await poller.run_once()
            await poller.run_once()

    await play(simulation, run)
    assert sink.bodies == stored(simulation)
    assert sink.repeated == []


async def test_a_poller_that_died_with_its_sink_is_taken_over_without_loss() -> None:
    simulation = Simulation(conversations=20)
    sink = Faulty(simulation)

    async def run() -> None:
        for _ in range(8):
            simulation.burst(5)
            async with polling(simulation, sink=sink, checkpoint=sink.checkpoint, audit=None) as poller:
                await poller.run_once()
                simulation.burst(5)
                sink.failures = 1
                with pytest.raises(DiskFullError):
                    await poller.run_once()
            await simulation.timeline.sleep(MINUTE)
        async with polling(simulation, sink=sink, checkpoint=sink.checkpoint, audit=None) as poller:
            await poller.run_once()

    await play(simulation, run)
    assert sink.bodies == stored(simulation)
    assert sink.repeated == []


async def test_a_batch_that_was_kept_is_handed_over_although_the_next_cannot_be_kept() -> None:
    simulation = Simulation(conversations=20)
    sink = Faulty(simulation)

    async def run() -> None:
        async with polling(simulation, sink=sink, interval=20, audit=None, concurrency=5) as poller:
            batch = await anext(aiter(poller.batches()))
            sink.failures = 1
            with pytest.raises(DiskFullError):
                async for _ in poller:
                    pass
            assert {each.conversation_uuid for each in batch.changes} == sink.bodies.keys()

    await play(simulation, run)


# Being cancelled


async def test_run_once_may_be_cancelled_at_any_moment() -> None:
    simulation = Simulation(conversations=40, latency=0.02)
    sink = Faulty(simulation)

    async def run() -> None:
        async with polling(simulation, sink=sink, audit=None) as poller:
            for moment in MOMENTS:
                simulation.burst(2)
                await for_a_while(simulation, moment, poller.run_once)
            await poller.run_once()

    await play(simulation, run)
    assert sink.bodies == stored(simulation)
    assert len(sink.kept) == sum(map(len, sink.bodies.values()))


@pytest.mark.parametrize("has_sink", [True, False])
async def test_iterating_may_be_cancelled_at_any_moment(has_sink: bool) -> None:
    simulation = Simulation(conversations=40, latency=0.02)
    sink = Faulty(simulation)
    taken = Notebook()
    written: set[str] = set()

    async def take(poller: MessagePoller) -> None:
        async for change in poller:
            new = {message.conversation_message_uuid or "" for message in change.new}
            assert new <= sink.kept or not has_sink, "handed over before it was kept"
            taken.note(change)

    async def run() -> None:
        async with polling(simulation, sink=sink if has_sink else None, interval=0.5, audit=None) as poller:
            await for_a_while(simulation, 6, lambda: take(poller))
            for moment in MOMENTS:
                before = {uuid: set(said) for uuid, said in stored(simulation).items()}
                for uuid in simulation.burst(2):
                    written.update(stored(simulation, [uuid])[uuid].keys() - before[uuid])
                await for_a_while(simulation, moment, lambda: take(poller))
            await for_a_while(simulation, 9, lambda: take(poller))

    await play(simulation, run)
    assert taken.repeated == []
    assert len(written) == 200
    assert taken.told.keys() == (
        {uuid for said in stored(simulation).values() for uuid in said} if has_sink else written
    )


async def test_a_poller_cancelled_at_any_moment_is_taken_over_by_another() -> None:
    simulation = Simulation(conversations=40, latency=0.02)
    sink = Faulty(simulation)

    async def run() -> None:
        for moment in MOMENTS:
            async with polling(simulation, sink=sink, checkpoint=sink.checkpoint, audit=None) as poller:
                simulation.burst(2)
                await for_a_while(simulation, moment, poller.run_once)
        async with polling(simulation, sink=sink, checkpoint=sink.checkpoint, audit=None) as poller:
            await poller.run_once()

    await play(simulation, run)
    assert sink.bodies == stored(simulation)
    assert sink.repeated == []
