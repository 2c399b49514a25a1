"""A poller on a simulated service: who keeps what it finds, who writes meanwhile, and how time passes."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from math import ceil
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs

from tests.simulation.wires import client_of
from ultracart_conversation import (
    Archive,
    Batch,
    ConversationClient,
    ConversationMessage,
    Limits,
    MessagePoller,
    PollerCheckpoint,
    PollerStatistics,
    Sink,
)
from ultracart_conversation._sync.known import Known
from ultracart_conversation.sandbox import Clock, Customer, Personality, Simulation
from ultracart_conversation.sandbox.timeline import settle

T = TypeVar("T")
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
MIDNIGHT = 1_761_537_600.0
"""27 October 2025 in New York, where the customers are."""
SHORT_PAGES = Personality(list_page_cap=25)
"""A day of looks takes as many requests with these as with pages of 200 rows, and is played in seconds."""


class Keeper:
    """A sink that only counts, and notes how old messages are when they are kept."""

    def __init__(self, clock: Clock) -> None:
        self.told: Counter[str] = Counter()
        """How often each message was handed over as new."""
        self.batches = 0
        self.checkpoint: PollerCheckpoint | None = None
        self.lags: list[tuple[float, float]] = []
        """For each message since the beginning: when it was written, and how many seconds later it was here."""
        self._clock = clock
        self._begin = clock.now()

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        self.batches += 1
        self.checkpoint = checkpoint if self.checkpoint is None else self.checkpoint | checkpoint
        for change in batch.changes:
            self._keep(change.new)

    def _keep(self, messages: Sequence[ConversationMessage]) -> None:
        now = self._clock.now()
        for message in messages:
            written = (message.message_epoch or 0) / 1000
            self.told[message.conversation_message_uuid or ""] += 1
            if written > self._begin:
                self.lags.append((written, now - written))

    def staleness(self, share: float, *, before: float = float("inf")) -> float:
        """The seconds that this share of the messages written `before` then did not exceed."""
        lags = sorted(lag for written, lag in self.lags if written < before)
        return lags[max(0, ceil(share * len(lags)) - 1)]


def stored(simulation: Simulation) -> Counter[str]:
    """All messages that the service has, each once."""
    snapshots = map(simulation.snapshot, simulation.conversation_uuids)
    return Counter(message["conversation_message_uuid"] for each in snapshots for message in each["messages"])


@attrs.frozen
class Poll:
    """A poller at work."""

    simulation: Simulation
    client: ConversationClient
    poller: MessagePoller

    async def cost_of_a_look(self) -> tuple[int, int]:
        """Look once; the pages of the list and the other requests that this took."""
        self.simulation.request_counts.clear()
        await self.poller.run_once()
        counts = self.simulation.request_counts
        return counts["get_conversations"], counts.total() - counts["get_conversations"]


@asynccontextmanager
async def polling(
    simulation: Simulation, *, limits: Limits | None = None, sink: Sink | None = None, **options: Any
) -> AsyncGenerator[Poll]:
    """A poller that does nothing yet."""
    async with (
        client_of(simulation, limits=limits) as client,
        MessagePoller(client, sink=sink, **options) as poller,
    ):
        yield Poll(simulation, client, poller)


@asynccontextmanager
async def following(poller: MessagePoller) -> AsyncGenerator[None]:
    """Take all that it hands over, meanwhile."""

    async def take() -> None:
        async for _ in poller.batches():
            pass

    async with asyncio.TaskGroup() as group:
        task = group.create_task(take(), name="take what a poller hands over")
        yield
        task.cancel()


async def synchronised(simulation: Simulation) -> Keeper:
    """All there is was read, without limits and without time passing; the counters begin again."""
    keeper = Keeper(simulation.clock)
    async with polling(simulation, limits=Limits.unlimited(), sink=keeper) as poll:
        await poll.poller.run_once()
    simulation.request_counts.clear()
    return keeper


async def follow(
    simulation: Simulation, seconds: float, *, sink: Sink, limits: Limits | None = None, **options: Any
) -> PollerStatistics:
    """Follow everything for so long."""
    async with polling(simulation, limits=limits, sink=sink, **options) as poll, following(poll.poller):
        await simulation.timeline.sleep(seconds)
        return poll.poller.statistics()


async def pass_time(
    simulation: Simulation,
    scenario: Callable[[], Awaitable[object]],
    *,
    settle: Callable[[], Awaitable[None]] = settle,
) -> None:
    """Run a scenario, and let time pass whenever everybody waits for it, a minute at a time."""

    async def settle_twice() -> None:
        # A task that waits for others to end looks as if it waited for time: it is given another chance to go on.
        seen = -1
        while seen != (seen := simulation.request_counts.total()):
            await settle()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(_whole(scenario), name="scenario")
        while not task.done():
            await simulation.timeline.advance(MINUTE, settle=settle_twice)


async def _whole(scenario: Callable[[], Awaitable[object]]) -> None:
    await scenario()


# Customers


@attrs.frozen(order=True)
class Burst:
    """Some messages of one customer soon after each other."""

    at: float
    """Seconds from the beginning."""
    chooser: float
    """Who writes: a tenth of all is new, the rest spread over all conversations."""
    gaps: tuple[float, ...]
    """Seconds before each message after the first."""

    @property
    def moments(self) -> list[float]:
        return list(accumulate((self.at, *self.gaps)))

    def place(self, conversations: int) -> int | None:
        """In which conversation it is, of so many; None for a new one."""
        return None if self.chooser < 0.1 else int((self.chooser - 0.1) / 0.9 * conversations)


def daytime(count: int, *, seconds: float = DAY, seed: int = 7) -> list[Burst]:
    """So many bursts of 1 to 5 messages, each of up to two minutes, most of them by day; of the first `seconds`."""
    dice = Random(seed)
    return sorted(
        Burst(dice.gauss(14 * HOUR, 3.5 * HOUR) % DAY * seconds / DAY, dice.random(), _gaps(dice)) for _ in range(count)
    )


def evenly(count: int, *, seconds: float, seed: int = 7) -> list[Burst]:
    """So many bursts at any time."""
    dice = Random(seed)
    return sorted(Burst(dice.uniform(0, seconds), dice.random(), _gaps(dice)) for _ in range(count))


def _gaps(dice: Random) -> tuple[float, ...]:
    """One to five messages, most of them within half a minute, all of them within two."""
    shares = [dice.random() for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4, 5)) - 1)]
    whole = min(120.0, dice.expovariate(1 / 30))
    return tuple(whole * share / max(1.0, sum(shares)) for share in shares)


async def write(simulation: Simulation, bursts: Sequence[Burst]) -> int:
    """Let customers write, each at their time; gives how many messages that were."""
    uuids = simulation.conversation_uuids
    begin = simulation.timeline.now()
    customers: dict[int, Customer] = {}
    moments = sorted((at, number) for number, burst in enumerate(bursts) for at in burst.moments)
    for at, number in moments:
        await simulation.timeline.sleep(begin + at - simulation.timeline.now())
        if number in customers:
            customers[number].write(f"and at {at:.0f} s")
        elif (place := bursts[number].place(len(uuids))) is None:
            customers[number] = simulation.text("Hello?", name="Ann Lee", phone=f"+1555{number:07d}")
        else:
            customers[number] = simulation.customer(uuids[place])
            customers[number].write(f"first at {at:.0f} s")
    return len(moments)


# A real archive, which works in a thread


class WatchedArchive(Archive):
    """Knows whether anything is under way in its thread, so that virtual time can wait for it."""

    def __init__(self, path: str | Path, *, keeper: Keeper, **options: Any) -> None:
        super().__init__(path, **options)
        self._keeper = keeper
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def __aenter__(self) -> Self:
        return await self._watch(super().__aenter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._watch(super().__aexit__(kind, error, trace))

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /, *, epoch: int | None = None) -> None:
        await self._watch(super().commit(batch, checkpoint, epoch=epoch))
        await self._keeper.commit(batch, checkpoint)

    async def known(self, conversation_uuid: str) -> dict[str, Known]:
        return await self._watch(super().known(conversation_uuid))

    async def claim(self) -> PollerCheckpoint | None:
        return await self._watch(super().claim())

    async def settle(self) -> None:
        """Return once everybody waits for virtual time."""
        await settle()
        while self._under_way:
            await self._idle.wait()
            await settle()

    async def _watch(self, work: Awaitable[T]) -> T:
        self._under_way += 1
        self._idle.clear()
        try:
            return await work
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
