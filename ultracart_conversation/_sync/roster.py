"""Which conversations a poller follows, what it must read next, and how far all of that is proven. Pure."""

from collections.abc import Iterable, Mapping
from itertools import chain
from math import inf, nextafter
from typing import Literal

from ultracart_conversation._sync.baseline import Baseline
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.known import Known
from ultracart_conversation._sync.memory import Memory
from ultracart_conversation._sync.position import QUARANTINE, Owed, Position
from ultracart_conversation._sync.queues import Queues
from ultracart_conversation._sync.reading import Reading
from ultracart_conversation._sync.standing import Since, Standing
from ultracart_conversation._sync.sweep import SLACK, Sweep, digest_of, is_older, latest
from ultracart_conversation._sync.walk import Place, Walk
from ultracart_conversation.changes import Change, ChangeKind, PollerCheckpoint
from ultracart_conversation.config import Audit
from ultracart_conversation.models import ConversationSummary

Order = Literal["newest", "oldest"]
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 6 * 3600.0
"""Seconds until what could not be read is tried again; in quarantine, each failure makes them four times."""

_PATIENCE = 60.0
"""Seconds for which what is to be read again waits for a look, so that a conversation that goes on is read once."""


class Roster(Standing):
    """Decides what a poller does, from where it stands; whoever runs it does the reading, and passes the time in.

    Times are in seconds since 1970 by our clock, epochs in milliseconds by the service's. With `since` None everything
    is read that the service has, with an epoch what came since, and with "now" what comes from now on. It `remembers`
    what was handed over, unless an archive does. Where `only` some are followed, the others stay as they are.
    """

    def __init__(
        self,
        *,
        since: Since = None,
        order: Order = "newest",
        medium: str | None = None,
        settle: float = 30.0,
        remembers: bool = True,
        only: frozenset[str] | None = None,
        checkpoint: PollerCheckpoint | None = None,
    ) -> None:
        super().__init__(since=since, medium=medium)
        self._settle = settle
        self._remembers = remembers
        self._only = only
        self._queues = Queues(newest_first=order == "newest")
        self._audited = 0.0
        self._looked_at = 0.0
        self._ahead = inf
        self._unswept: set[str | None] = set()
        if checkpoint is not None:
            self._restore(checkpoint)
            self._resume(since)
        self._memory = Memory(self.positions)

    # What the list says

    def sweep(self, *, now: float, limit: int = 200) -> Sweep:
        """A look at the list, down to what cannot have changed."""
        unchanged, self._looked_at = self._is_unchanged, now
        return Sweep(mark=self.mark, now=int(now * 1000), unchanged=unchanged, limit=limit, medium=self._medium)

    def walk(self, *, limit: int = 200) -> Walk:
        """A look at all of the list, from where the last one stopped."""
        since = self.start if self._since == "now" else self._since
        is_known = self.positions.__contains__
        return Walk(self.place, is_known=is_known, since=since, limit=limit, medium=self._medium)

    def walk_again(self) -> Walk:
        """Another look at all of the list, from the top."""
        self.place = Place(by_time=self.place.by_time)
        return self.walk()

    def listed(self, rows: Iterable[ConversationSummary], *, now: float) -> list[ConversationSummary]:
        """Take rows of the list; gives those that are not as they were listed before, of which some must be read."""
        return [row for row in rows if self._take(row, now)]

    def glimpsed(self, rows: Iterable[ConversationSummary]) -> None:
        """These rows were taken, but the sweep that showed them failed: they do not end the next one."""
        self._unswept.update(row.conversation_uuid for row in rows)

    def swept(self, mark: int | None) -> None:
        """All that a sweep showed was taken."""
        self._unswept.clear()
        if mark is not None:
            self._ahead = min(self._ahead, self._looked_at * 1000 - mark)
        self.mark = mark
        self.start = mark if self.start is None else self.start

    def walked(self, place: Place) -> None:
        """All that the walk gave up to this place was taken."""
        self.place = place

    def follow(self, uuids: Iterable[str], *, now: float) -> None:
        """Read these conversations now, whatever the list says."""
        for uuid in [each for each in uuids if each not in self._gone]:
            is_first = uuid not in self.positions
            position = self._position(uuid)
            if position.failures:
                continue
            if is_first and self._since == "now":
                position.silent = int(now * 1000)
            is_news = self._since == "now" or position.watermark >= position.start
            self._owe(uuid, "news" if is_news else "history", now)

    def hint(self, uuid: str, *, now: float, within: float) -> None:
        """Something happened in this conversation: read it soon, together with what follows at once."""
        if self._medium is not None and uuid not in self.positions:
            # Only the list tells whether it is one of these.
            return
        position = self._position(uuid)
        if not self._queues.is_news(uuid) or position.due > now + within:
            self._owe(uuid, "news", now + within)

    # What is to be read

    @property
    def next_read(self) -> float:
        """When something must be read that is new, or should be read again; `inf` for never."""
        return min(self._queues.next_news, self._queues.next_again + _PATIENCE)

    def next_audit(self, audit: Audit) -> float:
        """When the next audit is due; `inf` for never."""
        return max(self._audited + audit.every, self._queues.next_audit + audit.rest)

    def rewound(self, *, now: float) -> None:
        """Our clock was put back: all that waits by it is due."""
        self._audited = min(self._audited, now)
        for uuid, position in self.positions.items():
            if position.owed is not None and position.due > now:
                position.due = now
                self.put_back(uuid)

    def news(self, *, now: float) -> str | None:
        """A conversation that must be read now; it is given once."""
        return self._queues.news(now=now)

    def history(self) -> str | None:
        """A conversation whose past is to be read when there is time; it is given once."""
        return self._queues.history()

    def audit(self, audit: Audit, *, now: float, before: float = inf) -> str | None:
        """A conversation whose recent messages were not read since `before` and are now; it is given once."""
        if now < self._audited + audit.every:
            return None
        for uuid in self._queues.audits(until=min(now - audit.rest, nextafter(before, -inf))):
            position = self.positions[uuid]
            newest = max(position.time, position.watermark)
            if newest >= (now - audit.window) * 1000 and position.owed is None:
                self._audited = now
                return uuid
        return None

    def put_back(self, uuid: str) -> None:
        """This conversation was not read after all."""
        if self._only is None or uuid in self._only:
            self._queues.put(uuid, self._position(uuid))

    def reading(
        self,
        uuid: str,
        known: Mapping[str, Known],
        *,
        now: float,
        row: ConversationSummary | None = None,
        back: float | None = None,
    ) -> Reading:
        """A read of what a conversation has since its watermark, or in the last `back` seconds; `known` was read."""
        position, epoch = self._position(uuid), int(now * 1000)
        track = position.track(uuid, known if position.known is None else position.known)
        since = None if back is None else epoch - int(back * 1000)
        counted, tip = position.row_count, position.row_tip
        gap = GapReading(track, self.shape, now=epoch, counted=counted, since=since, tip=tip)
        return Reading(uuid, position.owed or "audit", gap, row, position.row)

    def close(self, reading: Reading, *, now: float) -> Change | None:
        """What of a reading is to be handed over, and whether the conversation is to be read again."""
        uuid, position = reading.uuid, self._position(reading.uuid)
        is_first, was_settling = position.watermark < position.start, position.is_settling
        change = reading.take(position, self.shape)
        is_news = not was_settling or (change is not None and bool(change.new or change.updated))
        if reading.kind == "audit" or is_first:
            position.audited = self._audited = now
        if not reading.is_complete:
            self.failed(uuid, now=now)
        elif position.row != reading.listed:
            self._owe(uuid, "news", now)
        elif reading.gap.lagging or (is_news and self._is_restless(reading.kind, position, now)):
            position.read_row()
            position.failures, position.is_settling = 0, True
            position.behind = max(position.behind, (self.mark or 0) - int(self._settle * 1000))
            self._wait(uuid, position, until=now + self._settle)
        else:
            position.read_row()
            self._rest(uuid, position)
        self._changed.add(uuid)
        self._changed.update(self._memory.note(uuid, position))
        return change

    def failed(self, uuid: str, *, now: float) -> None:
        """This conversation alone could not be read: it waits, the longer the more often that happened."""
        position = self._position(uuid)
        position.failures = max(QUARANTINE, position.failures + 1)
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 4.0 ** min(position.failures - QUARANTINE, 10))
        self._wait(uuid, position, until=now + pause)
        self._changed.add(uuid)

    def suspected(self, uuid: str, *, now: float, counts: bool) -> None:
        """It could not be read, which may not be its own fault: nothing is proven until it was tried again.

        It `counts` unless others could not be read either; what happens often enough in a row is no chance.
        """
        position = self._position(uuid)
        if position.failures + counts >= QUARANTINE:
            self.failed(uuid, now=now)
            return
        if position.owed is None:
            position.behind = self.mark or 0
        position.failures, position.is_settling = max(1, position.failures + counts), False
        self._wait(uuid, position, until=now + _FIRST_PAUSE)
        self._changed.add(uuid)

    def retry(self, uuid: str, *, now: float) -> None:
        """Others can be read again: if this one is only suspected, it is tried now."""
        position = self.positions.get(uuid)
        if position is not None and position.is_suspect:
            position.due = now
            self.put_back(uuid)

    def gone(self, uuid: str) -> Change:
        """The service no longer knows this conversation."""
        self._queues.forget(uuid)
        self._lose(uuid)
        return Change(conversation_uuid=uuid, kind="gone")

    # How it stands

    @property
    def backlog(self) -> int:
        """How many conversations are still to be read for the first time, or again."""
        return len(self._queues.opened)

    @property
    def unread_history(self) -> int:
        """Of these, those whose past waits until there is time."""
        return len(self._queues.past)

    @property
    def quarantined(self) -> list[str]:
        """The conversations that alone could not be read when that was tried last."""
        return [uuid for uuid, position in self.positions.items() if position.is_quarantined]

    @property
    def complete_through(self) -> int | None:
        """Every message up to this epoch was handed over, but for conversations in quarantine; None until it is so."""
        if self.mark is None or not self.place.is_end or self._queues.past:
            return None
        held = chain(self._queues.opened, self._queues.settling)
        return min([self.mark, *(self.positions[uuid].behind for uuid in held)]) or None

    def is_quarantined(self, uuid: str) -> bool:
        """Whether this conversation alone could not be read when that was tried last."""
        position = self.positions.get(uuid)
        return position is not None and position.is_quarantined

    # Beginning again

    def _resume(self, since: Since) -> None:
        if since is not None and _begins(since) < _begins(self._since):
            self._widen(since)
        for uuid, position in self.positions.items():
            self._audited = max(self._audited, position.audited)
            self.put_back(uuid)
            self._queues.hold(uuid, position)

    def _widen(self, since: Since) -> None:
        """Read what is older than what was read so far."""
        self._since, self.place = since, Place(by_time=self.place.by_time)
        start = since if isinstance(since, int) else 0
        for uuid, position in self.positions.items():
            position.start, position.watermark, position.count = start, start - 1, None
            position.exact, position.baseline, position.owed, position.behind = False, None, "history", 0
            position.is_settling, position.due = False, 0.0
            self._changed.add(uuid)

    # Rows

    def _take(self, row: ConversationSummary, now: float) -> bool:
        uuid = row.conversation_uuid
        if uuid is None or (uuid not in self.positions and (self._is_out(row) or self._is_gone(row))):
            return False
        is_first_page = self.mark is None and self._since == "now"
        position = self._position(uuid)
        if position.row == digest_of(row):
            return False
        position.list_as(row)
        self._changed.add(uuid)
        if is_first_page:
            self._begin(uuid, position, row, now)
        elif not position.is_confirmed:
            self._owe(uuid, "history" if self._is_history(row, position) else "news", now)
        return True

    def _begin(self, uuid: str, position: Position, row: ConversationSummary, now: float) -> None:
        """All that the very first page shows was there before."""
        position.baseline, position.count = Baseline.of(row, now=int(now * 1000)), row.message_count
        position.start = 0 if row.last_message_dts is None else int(now * 1000)
        if position.baseline is not None:
            position.start = position.baseline.second
        position.watermark = position.start - 1
        self._rest(uuid, position)

    def _is_history(self, row: ConversationSummary, position: Position) -> bool:
        """Whether nothing was said in it since the poller began."""
        time = latest(row)
        is_old = self.start is None or time is None or time < self.start
        return is_old and position.watermark < position.start

    def _is_unchanged(self, row: ConversationSummary) -> bool:
        """Whether a row is as it was listed before, or for others to find."""
        uuid = row.conversation_uuid
        position = self.positions.get(uuid or "")
        if uuid in self._unswept:
            return False
        if uuid is None or (position is None and (self._is_out(row) or self._is_gone(row))):
            return True
        if position is not None and position.row is not None:
            return position.row == digest_of(row)
        return not self.place.is_end and self.mark is not None and is_older(row, self.mark - SLACK)

    def _is_out(self, row: ConversationSummary) -> bool:
        """Whether a conversation that was not followed so far is older than what is wanted."""
        if self._since == "now":
            return self.start is not None and is_older(row, self.start - SLACK)
        return self._since is not None and is_older(row, self._since)

    def _is_gone(self, row: ConversationSummary) -> bool:
        """Whether this is how a conversation was listed that is gone: lists lag behind what they list (inferred)."""
        uuid = row.conversation_uuid or ""
        return uuid in self._gone and self._gone.get(uuid) == digest_of(row)

    # Positions

    def _position(self, uuid: str) -> Position:
        position = self.positions.get(uuid)
        if position is None:
            start = (self.start or 0) if self._since == "now" else self._since or 0
            position = self._find(uuid, Position(start, start - 1, known={} if self._remembers else None))
        return position

    def _owe(self, uuid: str, owed: Owed, due: float) -> None:
        position = self._position(uuid)
        if position.owed is None:
            # What was never read may be old, until all that is old was listed.
            is_old = position.watermark < position.start and not self.place.is_end
            position.behind = 0 if is_old else self.mark or 0
        position.owed = "news" if position.owed == "news" else owed
        position.due, position.is_settling, position.failures = due, False, 0
        self._queues.open(uuid, position)
        self._changed.add(uuid)

    def _wait(self, uuid: str, position: Position, *, until: float) -> None:
        """It is read again then."""
        position.owed, position.due = position.owed or "news", until
        self._queues.put(uuid, position)
        self._queues.hold(uuid, position)

    def _rest(self, uuid: str, position: Position) -> None:
        """Nothing is to be read here until something happens."""
        position.owed, position.failures, position.is_settling = None, 0, False
        self._queues.put(uuid, position)
        self._queues.close(uuid)

    def _is_restless(self, kind: ChangeKind, position: Position, now: float) -> bool:
        """Whether the service may yet show something of what happened: it is recent, and its row proves nothing."""
        newest = max(position.time, position.watermark)
        # Ours may be ahead of the service's clock, by no more than the latest message ever was old when it was listed;
        # how old that was says nothing where it is part of a past that nobody followed.
        is_told = self._ahead < (SLACK if kind == "history" else inf)
        theirs = now * 1000 - (self._ahead if is_told else 0)
        return not position.is_confirmed and theirs - newest < self._settle * 1000


def _begins(since: Since) -> float:
    return inf if since == "now" else since or 0
