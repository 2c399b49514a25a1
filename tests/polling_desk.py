"""A poller on a simulated service, and a sink that keeps what it hands over in memory."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs

from tests.simulation.wires import client_of
from ultracart_conversation import Archive, Batch, Change, Limits, MessagePoller, PollerCheckpoint, PollerStatistics
from ultracart_conversation.sandbox import Service, Simulation

MINUTE, HOUR = 60.0, 3_600.0
MANY = Limits(per_hour=None, per_day=None, concurrency=4)
"""No wait for the budget, and a few at a time."""
Bodies = dict[str, dict[str, str]]
"""What was said, by conversation and message."""


class Notebook:
    """A sink that keeps a batch and its checkpoint together, and says whether anything came twice."""

    def __init__(self) -> None:
        self.bodies: Bodies = {}
        self.changes: list[Change] = []
        self.told: Counter[str] = Counter()
        """How often each message was handed over as new."""
        self.checkpoint: PollerCheckpoint | None = None

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        newer = PollerCheckpoint.from_dict(json.loads(json.dumps(checkpoint.to_dict())))
        self.checkpoint = newer if self.checkpoint is None else self.checkpoint | newer
        for change in batch.changes:
            self.note(change)

    def note(self, change: Change) -> None:
        self.changes.append(change)
        bodies = self.bodies.setdefault(change.conversation_uuid, {})
        self.told.update(message.conversation_message_uuid or "" for message in change.new)
        for message in (*change.new, *change.updated):
            bodies[message.conversation_message_uuid or ""] = message.body or ""
        for uuid in change.removed:
            del bodies[uuid]
        if change.kind == "gone":
            del self.bodies[change.conversation_uuid]

    def new(self, *kinds: str) -> list[str]:
        """The texts of all new messages, in the order in which they came."""
        wanted = [change for change in self.changes if not kinds or change.kind in kinds]
        return [message.body or "" for change in wanted for message in change.new]

    @property
    def repeated(self) -> list[str]:
        return [uuid for uuid, times in self.told.items() if times > 1]


def stored(service: Service, uuids: Iterable[str] | None = None) -> Bodies:
    """What the service has, of all conversations that it lists."""
    snapshots = map(service.snapshot, service.conversation_uuids if uuids is None else uuids)
    return {
        each["conversation_uuid"]: {said["conversation_message_uuid"]: said["body"] for said in each["messages"]}
        for each in snapshots
    }


async def archived(archive: Archive) -> Bodies:
    """What an archive has."""
    uuids = [each.conversation_uuid or "" async for each in archive.conversations()]
    return {
        uuid: {each.conversation_message_uuid or "": each.body or "" async for each in archive.messages(uuid)}
        for uuid in uuids
    }


@attrs.frozen
class Desk:
    """A poller at work."""

    simulation: Simulation
    poller: MessagePoller
    notebook: Notebook

    async def look(self, *, after: float = MINUTE) -> PollerStatistics:
        """Look once, so many seconds from now."""
        await self.simulation.timeline.sleep(after)
        return await self.poller.run_once()

    def check(self) -> None:
        """Nothing is missing, and nothing came twice."""
        assert self.notebook.bodies == stored(self.simulation)
        assert self.notebook.repeated == []


@asynccontextmanager
async def polling(
    simulation: Simulation, *, limits: Limits = MANY, retry: Any = None, **options: Any
) -> AsyncGenerator[MessagePoller]:
    """A poller that does nothing yet."""
    given = {} if retry is None else {"retry": retry}
    async with client_of(simulation, limits=limits, **given) as client, MessagePoller(client, **options) as poller:
        yield poller


async def play(simulation: Simulation, scenario: Callable[[], Awaitable[object]]) -> None:
    """Run a scenario, and let time pass whenever everybody waits for it, a minute at a time."""
    done = anyio.Event()

    async def run() -> None:
        try:
            await scenario()
        finally:
            done.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run, name="scenario")
        end = simulation.timeline.now() + 72 * HOUR
        while not done.is_set():
            assert simulation.timeline.now() < end, "the scenario does not end"
            await simulation.timeline.advance(MINUTE)


async def play_polled(
    simulation: Simulation, scenario: Callable[[Desk], Awaitable[object]], *, caught_up: bool = True, **options: Any
) -> None:
    """Run a scenario with a poller that has read everything, or nothing yet."""
    notebook = Notebook()

    async def run() -> None:
        async with polling(simulation, sink=notebook, **options) as poller:
            desk = Desk(simulation, poller, notebook)
            if caught_up:
                await desk.look()
            await scenario(desk)

    await play(simulation, run)


async def iterate(poller: MessagePoller, notebook: Notebook) -> None:
    async for change in poller:
        notebook.note(change)


async def taken(poller: MessagePoller, notebook: Notebook, doing: Callable[[], Awaitable[object]]) -> None:
    """Take all that a poller hands over while something is done."""
    async with anyio.create_task_group() as group:
        group.start_soon(iterate, poller, notebook)
        await doing()
        group.cancel_scope.cancel()


def pages(simulation: Simulation) -> int:
    """How many pages of the list were asked for."""
    return simulation.request_counts["get_conversations"]


def reads(simulation: Simulation) -> list[str]:
    """The conversations that were read, in order, once for each request."""
    return [each.conversation_uuid for each in simulation.requests if each.conversation_uuid is not None]
