"""Following what changes: one piece of work after the other, each kept before the next."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from math import inf
from typing import TypeVar

import attrs

from ultracart_conversation._poll.harvest import Harvest
from ultracart_conversation._poll.hints import Hints
from ultracart_conversation._poll.lister import Lister
from ultracart_conversation._poll.pace import Pace
from ultracart_conversation._poll.reader import FATAL, NOT_OF_ONE, Reader
from ultracart_conversation._poll.statistics import Tally
from ultracart_conversation._sync.message_order import epoch_of
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation._sync.setbacks import Setbacks
from ultracart_conversation.changes import Batch, PollerCheckpoint, Sink
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.config import Audit
from ultracart_conversation.errors import RateLimited, UltraCartError
from ultracart_conversation.limits import Priority

T = TypeVar("T")
_logger = logging.getLogger("ultracart_conversation.poller")
_LONGEST_PAUSE = 300.0
_HINTED = 2.0
"""Seconds from a hint to reading, so that what follows at once is read with it."""
_EXCHANGE = 10.0
"""Seconds by which reading the past may delay the next look."""
_TRIES = 3
"""How often in a row something may fail until a single look goes on without it."""


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be followed, and how."""

    conversations: Sequence[str] | None
    concurrency: int
    audit: Audit | None


class Follower:
    """Decides what to do next and does it; `ready` is called with what was kept."""

    def __init__(
        self,
        client: ConversationClient,
        roster: Roster,
        reader: Reader,
        sink: Sink,
        *,
        plan: Plan,
        pace: Pace,
        ready: Callable[[Batch, PollerCheckpoint], None],
    ) -> None:
        self.tally: Tally = Tally()
        self.hints: Hints = Hints(client.clock)
        self._client = client
        self._clock = client.clock
        self._roster = roster
        self._reader = reader
        self._sink = sink
        self._plan = plan
        self._pace = pace
        self._ready = ready
        self._lister = Lister(roster, reader.rows, clock=client.clock)
        self._harvest = Harvest()
        self._begun = int(client.clock.time() * 1000)
        self._looked_at = -inf
        self._looking, self._listing, self._reading = (
            Setbacks(what, _logger, longest=_LONGEST_PAUSE)
            for what in ("looking for changes", "listing the past", "reading")
        )
        self._all_setbacks = (self._looking, self._listing, self._reading)
        self._no_history_before = -inf
        self._audit_before = inf
        self._is_once = False
        self._last_time = -inf

    # One after the other

    async def work(self) -> None:
        """Do one thing, or wait until there is something to do; raises what no repetition can mend."""
        await self._keep()
        self._mind_the_clock()
        await self._hear()
        now = self._clock.now()
        if max(self._next_look, self._looking.until) <= now:
            await self._attempt(self._looking, self._look())
        elif not await self._piece(until=max(self._next_look, self._looking.until)):
            await self._wait()
        await self._keep()

    async def run_once(self) -> None:
        """Look once, and read all that can be read; raises what stops that, or why the rest cannot be."""
        for setbacks in self._all_setbacks:
            setbacks.succeeded()
        self._is_once, self._audit_before = True, self._clock.time()
        try:
            await self._keep()
            await self._kept(self._attempt(self._looking, self._look()))
            while await self._kept(self._piece(until=inf)):
                pass
        finally:
            self._is_once, self._audit_before = False, inf
        for setbacks in self._all_setbacks:
            if setbacks.error is not None:
                raise setbacks.error

    @property
    def last_error(self) -> str | None:
        """Why looking, listing or reading failed when that was tried last."""
        errors = (setbacks.error for setbacks in self._all_setbacks)
        return next((str(error) for error in errors if error is not None), None)

    @property
    def _next_look(self) -> float:
        return self._looked_at + self._pace.interval(told=self.hints.is_live)

    async def _attempt(self, setbacks: Setbacks, work: Awaitable[None]) -> None:
        """Do this; what fails is tried again later."""
        try:
            await work
        except UltraCartError as error:
            if isinstance(error, NOT_OF_ONE if self._is_once else FATAL):
                raise
            if isinstance(error, RateLimited) and not error.by_server:
                self._no_history_before = self._clock.now() + (error.retry_after or 1.0)
            else:
                setbacks.failed(error, now=self._clock.now())
        else:
            setbacks.succeeded()

    def _may(self, setbacks: Setbacks) -> bool:
        """Whether to try this now."""
        return setbacks.count < _TRIES if self._is_once else setbacks.until <= self._clock.now()

    async def _piece(self, *, until: float) -> bool:
        """Do one thing that is due now; what is not urgent ends about then. False when there is nothing."""
        now, limit = self._clock.time(), 1 if self._reading.count else self._plan.concurrency
        if self._may(self._reading) and (uuids := _upto(limit, lambda: self._roster.news(now=now))):
            client = self._client.with_options(priority=Priority.READ)
            await self._attempt(self._reading, self._read("news", lambda: client, uuids))
            return True
        if self._clock.now() < self._no_history_before and not self._is_once:
            return False
        return await self._not_urgent(limit, until)

    async def _not_urgent(self, limit: int, until: float) -> bool:
        patient = partial(self._patient, until)
        if self._plan.conversations is None and not self._roster.place.is_end and self._may(self._listing):
            await self._attempt(self._listing, self._list_more(patient()))
        elif not self._may(self._reading):
            return False
        elif uuids := _upto(limit, self._roster.history):
            await self._attempt(self._reading, self._read("history", patient, uuids, until=until))
        else:
            return await self._audit(patient, until)
        return True

    async def _audit(self, patient: Callable[[], ConversationClient], until: float) -> bool:
        audit = self._plan.audit
        if audit is None:
            return False
        if (uuid := self._roster.audit(audit, now=self._clock.time(), before=self._audit_before)) is None:
            return False
        await self._attempt(self._reading, self._read("audit", patient, [uuid], until=until, back=audit.window))
        return True

    def _patient(self, until: float) -> ConversationClient:
        """For what is not urgent: it goes last, and waits for the limits until it would hold up the next look."""
        deadline = None if self._is_once else max(0.0, until - self._clock.now()) + _EXCHANGE
        return self._client.with_options(priority=Priority.BACKFILL, deadline=deadline)

    # Listing

    async def _look(self) -> None:
        """Find out what changed."""
        if self._plan.conversations is not None:
            self._roster.follow(self._plan.conversations, now=self._clock.time())
        else:
            before, client = self._lister.asked, self._client.with_options(priority=Priority.TAIL)
            try:
                await self._lister.look(client, self._harvest)
            finally:
                self._count("list", self._lister.asked - before)
        self.tally.passes += 1
        self._looked_at = self._clock.now()

    async def _list_more(self, client: ConversationClient) -> None:
        before = self._lister.asked
        try:
            await self._lister.more(client, self._harvest)
        finally:
            self.tally.requests["list"] += self._lister.asked - before

    # Reading

    async def _read(
        self,
        kind: str,
        client: Callable[[], ConversationClient],
        uuids: Sequence[str],
        *,
        until: float = inf,
        back: float | None = None,
    ) -> None:
        before = self._reader.asked
        try:
            await self._reader.read(client, uuids, self._harvest, until=until, back=back)
        finally:
            self._count(kind, self._reader.asked - before)

    def _count(self, kind: str, requests: int) -> None:
        self.tally.requests[kind] += requests
        if kind != "history":
            self._pace.spent(requests, now=self._clock.now())

    # Keeping

    async def _kept(self, work: Awaitable[T]) -> T:
        """Do this, and keep what came of it even if it fails."""
        try:
            return await work
        finally:
            await self._keep()

    async def _keep(self) -> None:
        """Hand what was found to the sink; what fails or is cancelled is handed to it again."""
        harvest = self._harvest
        if not harvest.rows and not harvest.changes and not self._roster.has_changed:
            return
        read_at = datetime.fromtimestamp(self._clock.time(), UTC)
        batch = Batch(read_at=read_at, conversations=tuple(harvest.rows), changes=tuple(harvest.changes))
        checkpoint = self._roster.checkpoint()
        await self._sink.commit(batch, checkpoint)
        self._roster.kept()
        self._harvest = Harvest()
        self._deliver(batch, checkpoint)

    def _deliver(self, batch: Batch, checkpoint: PollerCheckpoint) -> None:
        now, begin = self._clock.time(), self._roster.start or self._begun
        for change in batch.changes:
            self.tally.messages["new"] += len(change.new)
            self.tally.messages["updated"] += len(change.updated)
            self.tally.messages["removed"] += len(change.removed)
            if change.kind != "history":
                epochs = [epoch for epoch in map(epoch_of, change.new) if epoch > begin]
                self.tally.delivered([max(0.0, now - epoch / 1000) for epoch in epochs])
        self._ready(batch, checkpoint)

    # Waiting

    async def _hear(self) -> None:
        """Take the hints that are there."""
        while (uuid := await self.hints.next(timeout=0)) is not None:
            self._hinted(uuid)

    async def _wait(self) -> None:
        """Wait for the next look, or for something to read before that."""
        seconds = max(0.0, min(self._waits()))
        if not self.hints.is_open:
            await self._clock.sleep(seconds)
        elif (uuid := await self.hints.next(timeout=seconds)) is not None:
            self._hinted(uuid)

    def _waits(self) -> Iterator[float]:
        """The seconds until there may be something to do."""
        # Differences, as a sum of both clocks would be rounded to a moment before the turn, again and again.
        now, time = self._clock.now(), self._clock.time()
        yield max(self._next_look, self._looking.until) - now
        pauses = [until - now for until in (self._listing.until, self._reading.until, self._no_history_before)]
        yield from (pause for pause in pauses if pause > 0)
        yield max(self._roster.next_read - time, self._reading.until - now)
        if self._plan.audit is not None:
            yield max(self._roster.next_audit(self._plan.audit) - time, *pauses[1:])

    def _mind_the_clock(self) -> None:
        """When our clock was put back, what waits by it would wait too long."""
        time = self._clock.time()
        if time < self._last_time - 1:
            self._roster.rewound(now=time)
        self._last_time = time

    def _hinted(self, uuid: str) -> None:
        if self._looked_at == -inf:
            # The first look, which is due, shows what was there before.
            return
        if self._plan.conversations is None or uuid in self._plan.conversations:
            self._roster.hint(uuid, now=self._clock.time(), within=_HINTED)


def _upto(limit: int, pop: Callable[[], str | None]) -> list[str]:
    return list(islice(iter(pop, None), limit))
