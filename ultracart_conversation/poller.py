"""Following thousands of conversations for the price of a few requests."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ultracart_conversation._poll.eta import seconds_left
from ultracart_conversation._poll.follower import Follower, Plan
from ultracart_conversation._poll.pace import Pace
from ultracart_conversation._poll.reader import Reader
from ultracart_conversation._poll.statistics import HistoryProgress, PollerStatistics
from ultracart_conversation._sync.known import Known
from ultracart_conversation._sync.roster import Order, Roster
from ultracart_conversation._sync.standing import Since
from ultracart_conversation.changes import Batch, Change, PollerCheckpoint, Sink
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.config import Adaptive, Audit
from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.session import AgentSession

if TYPE_CHECKING:
    from ultracart_conversation.archive import Archive

_MOST_AT_ONCE = 16


class MessagePoller:
    """Follows conversations by REST: iterate over what changes, or let `run_once` look from time to time.

    ```python
    async with Archive("conversations.db") as archive, MessagePoller(client, archive=archive) as poller:
        async for change in poller:
            print(change.conversation_uuid, [message.body for message in change.new])
    ```

    It lists what changed since the last look and reads only that, so that the price does not depend on how many
    conversations there are. What it found is kept by `archive`, or by a `sink` of your own, in one transaction with
    the `checkpoint` to go on from; only then it is handed over. Without either, a change counts as dealt with when the
    next one is asked for, and `checkpoint()` says where to go on.

    `since` is the time of the oldest message that is wanted. None is what an archive or checkpoint began with; at the
    beginning it is all that there is where it is kept, and what comes from now on where it is not. An earlier one than
    before completes what an archive keeps, and hands over again to a sink what it had. What was there before is read
    `order` first, when nothing new is to be read. `conversations` are followed instead of all, each for a request a
    look; `medium` is `sms` or `websocket`.
    `interval` is the seconds from one look to the next, or how to choose them; `concurrency` the conversations that
    are read at the same time, as many as the limits allow by default. `settle` is after how many seconds a
    conversation is read once more whose row does not prove what was read. `audit` finds what no list shows.

    Nothing happens in the background: it works while somebody iterates, in one task at a time. It may be cancelled
    anywhere and asked again. What the service cannot give now is tried again; what no repetition can mend is raised.
    """

    def __init__(
        self,
        client: ConversationClient,
        *,
        archive: "Archive | None" = None,
        sink: Sink | None = None,
        checkpoint: PollerCheckpoint | None = None,
        since: datetime | None = None,
        order: Order = "newest",
        conversations: Iterable[str] | None = None,
        medium: str | None = None,
        interval: float | Adaptive | None = None,
        concurrency: int | None = None,
        settle: float = 30.0,
        audit: Audit | None = Audit(),  # noqa: B008 - it is a frozen value
    ) -> None:
        if archive is not None and (sink is not None or checkpoint is not None):
            raise ConfigurationError("an archive keeps what a sink and a checkpoint would: pass it alone")
        if order not in ("newest", "oldest"):
            raise ConfigurationError(f'order is "newest" or "oldest", not {order!r}')
        is_positive = interval is None or isinstance(interval, Adaptive) or 0 < interval < inf
        if not (is_positive and 0 <= settle < inf and (concurrency is None or concurrency >= 1)):
            raise ConfigurationError("interval and concurrency are positive and finite, and settle is not negative")
        self._client = client
        self._archive = archive
        self._sink: Sink | None = archive or sink
        self._checkpoint = checkpoint
        self._since: Since = self._epoch(since)
        self._order: Order = order
        self._medium = medium
        self._settle = settle
        self._interval = Adaptive() if interval is None else interval
        self._plan = Plan(
            conversations=None if conversations is None else _each_once(conversations),
            concurrency=concurrency or min(client.budget.limits.concurrency, _MOST_AT_ONCE),
            audit=audit,
        )
        self._follower: Follower | None = None
        self._stack = AsyncExitStack()
        self._ready: deque[tuple[Batch, PollerCheckpoint]] = deque()
        self._line: deque[Change] = deque()
        self._handed_over: PollerCheckpoint | None = None
        self._dealt_with: PollerCheckpoint | None = checkpoint
        self._is_working = False
        self._is_left = False
        self._hands_over = True

    # Coming and going

    async def __aenter__(self) -> Self:
        if self._follower is not None:
            raise ConfigurationError("a poller is entered once: make a new one")
        async with AsyncExitStack() as stack:
            if self._archive is not None:
                if not self._archive.is_open:
                    await stack.enter_async_context(self._archive)
                self._checkpoint = await self._archive.claim()
                self._sink = _Claimed(self._archive)
            self._follower = self._make_follower()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_left = True
        if self._follower is not None:
            self._follower.hints.close()
        await self._stack.__aexit__(kind, error, traceback)

    def attach(self, session: AgentSession) -> None:
        """Let a running session tell in which conversations something happens, so that looking becomes an audit.

        A conversation is read within seconds of what is pushed; while the session is live, an `Adaptive` interval is
        its longest. What the session misses is found by looking. Another session takes the place of the first.
        """
        self._running().hints.attach(session)

    # What changes

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        while not self._line:
            self._line.extend((await self._next_batch()).changes)
        return self._line.popleft()

    def batches(self) -> AsyncIterator[Batch]:
        """Everything that is kept together, together; iterate over these or over changes, not both at once."""
        return _Batches(self._next_batch)

    async def run_once(self) -> PollerStatistics:
        """Look once, and read all that is new and all of the past that is left; for a scheduler.

        It waits for the limits as long as it takes. Raises why something that is not one conversation's own fault could
        not be listed or read, after all else was. Cancelled, or ended by an error that it raises, it has kept what it
        read. Needs an archive or a sink, as it hands nothing over.
        """
        follower = self._running()
        if self._sink is None:
            raise ConfigurationError("run_once keeps what it finds: pass an archive or a sink, or iterate instead")
        self._begin_work()
        self._hands_over = False
        try:
            await follower.run_once()
        finally:
            self._is_working, self._hands_over = False, True
        return self.statistics()

    def checkpoint(self) -> PollerCheckpoint | None:
        """Where to go on after a restart: behind every change that was dealt with; None while there was none.

        For pollers without archive and sink, which keep it with what they keep.
        """
        if self._sink is not None:
            raise ConfigurationError("the archive or sink has the checkpoint, as it was committed to it")
        return self._dealt_with

    def statistics(self) -> PollerStatistics:
        """How it does, in numbers."""
        follower, roster = self._running(), self._roster
        tally, budget, through = follower.tally, self._client.budget.statistics(), roster.complete_through
        left = roster.unread_history
        return PollerStatistics(
            passes=tally.passes,
            requests=dict(tally.requests),
            conversations=len(roster.positions),
            new=tally.messages["new"],
            updated=tally.messages["updated"],
            removed=tally.messages["removed"],
            requests_per_message=tally.requests_per_message,
            lag=tally.lag,
            complete_through=None if through is None else datetime.fromtimestamp(through / 1000, UTC),
            backlog=roster.backlog,
            quarantined=len(roster.quarantined),
            history=HistoryProgress(
                listed=len(roster.positions),
                left=left,
                is_listed=roster.place.is_end,
                eta=seconds_left(left, budget) if roster.place.is_end else None,
            ),
            last_error=follower.last_error,
            budget=budget,
        )

    def quarantined(self) -> Mapping[str, str]:
        """The conversations that could not be read when that was tried last, and why as far as this process knows."""
        self._running()
        return {uuid: self._reader.errors.get(uuid, "before this process") for uuid in self._roster.quarantined}

    async def _next_batch(self) -> Batch:
        follower = self._running()
        self._begin_work()
        try:
            self._deal_with_last()
            while not self._ready:
                await follower.work()
            batch, self._handed_over = self._ready.popleft()
        finally:
            self._is_working = False
        return batch

    def _begin_work(self) -> None:
        if self._is_left:
            raise ConfigurationError("the poller was left: make a new one, inside of `async with`")
        if self._is_working:
            raise ConfigurationError("a poller works for one task at a time: make one for each, or share its changes")
        self._is_working = True

    def _deal_with_last(self) -> None:
        """Who asks for more has dealt with what was handed over."""
        if self._handed_over is not None and self._sink is None:
            last = self._handed_over
            self._dealt_with = last if self._dealt_with is None else self._dealt_with | last
        self._handed_over = None

    def _running(self) -> Follower:
        if self._follower is None:
            raise ConfigurationError("use it inside `async with MessagePoller(client) as poller`")
        return self._follower

    def _make_follower(self) -> Follower:
        self._roster = Roster(
            since=self._since,
            order=self._order,
            medium=self._medium,
            settle=self._settle,
            remembers=self._archive is None,
            only=None if self._plan.conversations is None else frozenset(self._plan.conversations),
            checkpoint=self._checkpoint,
        )
        clock = self._client.clock
        self._reader = Reader(self._roster, self._recall, clock=clock)
        return Follower(
            self._client,
            self._roster,
            self._reader,
            self._sink or _Nowhere(),
            plan=self._plan,
            pace=Pace(self._interval, per_day=self._client.budget.limits.per_day, now=clock.now()),
            ready=self._keep_ready,
        )

    def _keep_ready(self, batch: Batch, checkpoint: PollerCheckpoint) -> None:
        if self._hands_over:
            self._ready.append((batch, checkpoint))

    async def _recall(self, uuid: str) -> Mapping[str, Known]:
        return {} if self._archive is None else await self._archive.known(uuid)

    def _epoch(self, since: datetime | None) -> Since:
        if since is None:
            return "now" if self._sink is None else None
        if not isinstance(since, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] - a date is a likely mistake
            raise ConfigurationError(f"since is a datetime with an offset, not {since!r}")
        if since.tzinfo is None:
            raise ConfigurationError(f"since={since.isoformat()} has no offset: say which zone, for example tzinfo=UTC")
        return int(since.timestamp() * 1000)


def _each_once(conversations: Iterable[str]) -> tuple[str, ...]:
    uuids = () if isinstance(conversations, str) else tuple(dict.fromkeys(conversations))
    if not uuids or not all(uuids):
        raise ConfigurationError("conversations are one or more UUIDs; leave it out to follow all")
    return uuids


class _Nowhere:
    """Keeps nothing, as whoever iterates does."""

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None: ...


class _Claimed:
    """An archive, for as long as nobody else claims it, be it through the same object."""

    def __init__(self, archive: "Archive") -> None:
        self._archive = archive
        self._epoch = archive.epoch

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        await self._archive.commit(batch, checkpoint, epoch=self._epoch)


class _Batches:
    """Iterates over batches that bring changes; it may be cancelled and asked again."""

    def __init__(self, following: Callable[[], Awaitable[Batch]]) -> None:
        self._following = following

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        while not (batch := await self._following()).changes:
            pass
        return batch
