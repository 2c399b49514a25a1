"""Following what changes: one piece of work after the other, each kept before the next."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import inf

import attrs

from ultracart_conversation._poll.hints import Hints
from ultracart_conversation._poll.pace import Pace
from ultracart_conversation._poll.reader import FATAL, Harvest, Reader
from ultracart_conversation._poll.statistics import Tally
from ultracart_conversation._sync.message_order import epoch_of
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation._sync.setbacks import Setbacks
from ultracart_conversation._sync.sweep import Sweep
from ultracart_conversation.changes import Batch, Change, PollerCheckpoint, Sink
from ultracart_conversation.client import ConversationClient, answer
from ultracart_conversation.config import Audit
from ultracart_conversation.errors import BadRequest, RateLimited, UltraCartError
from ultracart_conversation.limits import Priority
from ultracart_conversation.models import ConversationsResponse, ConversationSummary

_logger = logging.getLogger("ultracart_conversation.poller")
_LONGEST_PAUSE = 300.0
_HINTED = 2.0
"""Seconds from a hint to reading, so that what follows at once is read with it."""
_EXCHANGE = 10.0
"""Seconds by which reading the past may delay the next look."""


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
        self.last_error: str | None = None
        self.hints: Hints = Hints(client.clock)
        self._client = client
        self._clock = client.clock
        self._roster = roster
        self._reader = reader
        self._sink = sink
        self._plan = plan
        self._pace = pace
        self._ready = ready
        self._walk = roster.walk()
        self._harvest = Harvest()
        self._begun = int(client.clock.time() * 1000)
        self._looked_at = -inf
        self._setbacks = Setbacks("polling", _logger, longest=_LONGEST_PAUSE)
        self._no_history_before = -inf

    # One after the other

    async def work(self) -> None:
        """Do one thing, or wait until there is something to do; raises what no repetition can mend."""
        await self._keep()
        await self._hear()
        if (pause := self._setbacks.until - self._clock.now()) > 0:
            await self._clock.sleep(pause)
        try:
            if self._next_look <= self._clock.now():
                await self._look()
            elif not await self._piece(until=self._next_look):
                await self._wait()
        except FATAL:
            raise
        except UltraCartError as error:
            self.last_error = str(error)
            self._setbacks.failed(error, now=self._clock.now())
        else:
            self._setbacks.succeeded()
        await self._keep()

    async def run_once(self) -> None:
        """Look once, and read all that is to be read; raises whatever stops that."""
        await self._keep()
        await self._look()
        await self._keep()
        is_more = True
        while is_more:
            try:
                is_more = await self._piece(until=inf)
            finally:
                await self._keep()

    @property
    def _next_look(self) -> float:
        return self._looked_at + self._pace.interval(told=self.hints.is_live)

    async def _piece(self, *, until: float) -> bool:
        """Do one thing that is due now; what is not urgent ends about then. False when there is nothing."""
        now, limit = self._clock.time(), self._plan.concurrency
        if uuids := list(islice(iter(lambda: self._roster.news(now=now), None), limit)):
            await self._read("news", self._client.with_options(priority=Priority.READ), uuids)
            return True
        if self._clock.now() < self._no_history_before and until < inf:
            return False
        deadline = None if until == inf else max(0.0, until - self._clock.now()) + _EXCHANGE
        patient = self._client.with_options(priority=Priority.BACKFILL, deadline=deadline)
        try:
            return await self._not_urgent(patient, limit)
        except RateLimited as error:
            if error.by_server or until == inf:
                raise
            self._no_history_before = self._clock.now() + (error.retry_after or 1.0)
            return False

    async def _not_urgent(self, client: ConversationClient, limit: int) -> bool:
        audit = self._plan.audit
        if self._plan.conversations is None and not self._roster.place.is_end:
            await self._list_more(client)
        elif uuids := list(islice(iter(self._roster.history, None), limit)):
            await self._read("history", client, uuids)
        elif audit is not None and (uuid := self._roster.audit(audit, now=self._clock.time())) is not None:
            await self._read("audit", client, [uuid], back=audit.window)
        else:
            return False
        return True

    # Listing

    async def _look(self) -> None:
        """Find out what changed."""
        now = self._clock.time()
        if self._plan.conversations is not None:
            self._roster.follow(self._plan.conversations, now=now)
        else:
            await self._sweep(self._roster.sweep(now=now))
        self.tally.passes += 1
        self.last_error = None
        self._looked_at = self._clock.now()

    async def _sweep(self, sweep: Sweep) -> None:
        client, rows = self._client.with_options(priority=Priority.TAIL), list[ConversationSummary]()
        try:
            while (request := sweep.request) is not None:
                rows += sweep.receive(await answer(client, request))
        except BadRequest:
            if sweep.request is None or not sweep.request.offset:
                raise
            # More changed than the service lists at once: what lies deeper may be within reach of another walk.
            self._walk = self._roster.walk_again()
        finally:
            self._count("list", sweep.asked + (sweep.request is not None))
        self._listed(rows)
        self._roster.swept(sweep.mark)

    async def _list_more(self, client: ConversationClient) -> None:
        """List one more page of all that there is."""
        walk = self._walk
        request = walk.request
        if request is None:
            return
        self.tally.requests["list"] += 1
        try:
            reply = await answer(client, request)
        except BadRequest as error:
            if walk.is_trying:
                reply = ConversationsResponse()
            elif request.offset:
                if not walk.place.is_rest:
                    _logger.warning("the service lists no more than %d conversations: %s", request.offset, error)
                walk.cut()
                self._roster.walked(walk.place)
                return
            else:
                raise
        self._listed(walk.receive(reply))
        if not walk.is_trying:
            self._roster.walked(walk.place)

    def _listed(self, rows: Sequence[ConversationSummary]) -> None:
        changed = self._roster.listed(rows, now=self._clock.time())
        self._harvest.rows += changed
        for row in changed:
            uuid = row.conversation_uuid or ""
            if self._roster.positions[uuid].owed is not None:
                self._reader.rows.set(uuid, row)
            elif self._roster.mark is not None:
                self._harvest.changes.append(Change(conversation_uuid=uuid, kind="news", conversation=row))

    # Reading

    async def _read(
        self, kind: str, client: ConversationClient, uuids: Sequence[str], *, back: float | None = None
    ) -> None:
        harvest = self._harvest
        harvest.asked, harvest.failure = 0, None
        try:
            await self._reader.read(client, uuids, harvest, back=back)
        finally:
            self._count(kind, harvest.asked)
        if harvest.failure is not None:
            raise harvest.failure

    def _count(self, kind: str, requests: int) -> None:
        self.tally.requests[kind] += requests
        if kind != "history":
            self._pace.spent(requests, now=self._clock.now())

    # Keeping

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
        now = self._clock.now()
        resting = self._no_history_before if self._no_history_before > now else inf
        # Differences, as a sum of both clocks would be rounded to a moment before the turn, again and again.
        seconds = max(0.0, min(self._next_look - now, self._roster.next_news - self._clock.time(), resting - now))
        if not self.hints.is_open:
            await self._clock.sleep(seconds)
        elif (uuid := await self.hints.next(timeout=seconds)) is not None:
            self._hinted(uuid)

    def _hinted(self, uuid: str) -> None:
        if self._plan.conversations is None or uuid in self._plan.conversations:
            self._roster.hint(uuid, now=self._clock.time(), within=_HINTED)
