"""Which conversations are followed, and what of each was handed over. Pure, without a clock."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Literal

from ultracart_conversation._sync.baseline import Baseline
from ultracart_conversation._sync.checkpoint import Checkpoint
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.known import Found
from ultracart_conversation._sync.message_order import second_of
from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.pending import Pending
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation._sync.sweep import SLACK, Sweep, digest_of, is_older
from ultracart_conversation._sync.track import Track
from ultracart_conversation.models import ConversationMessage, ConversationSummary

Follow = Literal["mine", "all"]
_MOST_TRACKS = 2_000
_MOST_DIGESTS = 20_000
_SKEW = 5_000
"""Milliseconds by which the service's machines may disagree on whether a message came before its reader (inferred)."""
_QUIET = 10
"""Conversations without news that one sweep reads all the same."""


class Ledger:
    """What was handed over of every conversation that is followed.

    Conversations that nobody followed before begin at the mark: what the service has when the first sweep is made is
    old, everything after it is new. With `follow="mine"` they are those that `me` (an ARN) takes part in.
    """

    def __init__(self, *, follow: Follow, checkpoint: Checkpoint | None = None) -> None:
        self.me: str | None = None
        self.follow: Follow = follow
        self.shape: PageShape = PageShape() if checkpoint is None else checkpoint.shape()
        self.mark: int | None = None if checkpoint is None else checkpoint.mark
        """Up to where the list of conversations was read, as a server's time in milliseconds."""
        self.start: int | None = None if checkpoint is None else checkpoint.start
        """The mark of the very first sweep."""
        self.tracks: dict[str, Track] = {} if checkpoint is None else checkpoint.tracks()
        self.number: int = 1
        """Grows with every message that is handed over."""
        self._digests = Recent[str, bytes](_MOST_DIGESTS)
        self._turn = 0
        self._now: float = inf

    # What the list says

    def sweep(self, *, now: int) -> Sweep:
        """A look at the list, down to what cannot have changed; `now` is our time in milliseconds since 1970."""
        self._now = now
        return Sweep(mark=self.mark, now=now, unchanged=self._is_unchanged)

    def begin(self, rows: Iterable[ConversationSummary], mark: int | None) -> None:
        """Take the first page of the very first sweep: all that it shows is old."""
        rows = tuple(rows)
        self.start = mark or 0
        for row in rows:
            if self.follows(row):
                self._begin_track(row)
        self.swept(rows, self.start)

    def changed(self, rows: Iterable[ConversationSummary]) -> list[ConversationSummary]:
        """Those of the rows that must be read."""
        return [row for row in rows if row.conversation_uuid and self._must_be_read(row)]

    def swept(self, rows: Iterable[ConversationSummary], mark: int | None) -> None:
        """All that the sweep showed was read, or will be."""
        for row in rows:
            self.was_read(row)
        self.mark = mark

    def was_read(self, row: ConversationSummary) -> None:
        """What this row shows is accounted for, until it changes."""
        if row.conversation_uuid is not None:
            self._digests.set(row.conversation_uuid, digest_of(row))

    def unlisted(self, rows: Iterable[ConversationSummary]) -> list[str]:
        """What must be read besides the changed rows.

        These are conversations that are not proven to be complete, and a few of the agent's own open ones that are not
        among the rows, in turn: a list may not move for every message.
        """
        rows = tuple(rows)
        changed = {row.conversation_uuid for row in self.changed(rows)}
        listed = {row.conversation_uuid for row in rows}
        unproven = [track.uuid for track in self.tracks.values() if not track.is_proven and track.uuid not in changed]
        quiet = [track for track in self.tracks.values() if self._is_own(track) and track.uuid not in listed]
        quiet = sorted((track for track in quiet if track.is_proven), key=lambda track: track.turn)
        return unproven + [track.uuid for track in quiet[:_QUIET]]

    def follows(self, row: ConversationSummary) -> bool:
        """Whether this conversation's messages are to be handed over."""
        uuid = row.conversation_uuid
        return uuid is not None and (self.follow == "all" or uuid in self.tracks or self.is_mine(row))

    def is_mine(self, row: ConversationSummary) -> bool:
        """Whether this agent takes part in it now."""
        mine = (each for each in row.participants if each.conversation_participant_arn == self.me)
        return self.me is not None and any(each.left_dts is None for each in mine)

    def adopt(self, row: ConversationSummary) -> None:
        """Follow this conversation from when this agent joined it."""
        uuid = row.conversation_uuid
        if uuid is not None and uuid not in self.tracks:
            self._new_track(uuid, row)

    def gone(self, uuid: str) -> None:
        """The service no longer knows this conversation; were it to come back, nothing would be handed over twice."""
        track = self.tracks.get(uuid)
        if track is not None:
            track.is_open, track.is_proven = False, True

    def note(self, row: ConversationSummary) -> None:
        """Learn from a summary whether the conversation is open, and this agent's."""
        track = self.tracks.get(row.conversation_uuid or "")
        if track is not None:
            track.is_open = not row.closed
            track.is_mine = self.is_mine(row) if row.participants else track.is_mine

    def accounts_for(self, row: ConversationSummary) -> bool:
        """Whether the message that a summary shows as the last was handed over.

        Of two in one second a summary shows one. Where this agent takes part, the other is pushed anyway.
        """
        track = self.tracks.get(row.conversation_uuid or "")
        return track is not None and track.is_mine and track.has_last(row)

    # What is read

    def reading(self, uuid: str, row: ConversationSummary | None = None, *, now: int) -> GapReading:
        """A read of what this conversation has since its watermark; `now` is our time in milliseconds since 1970."""
        track = self.tracks.get(uuid) or self._new_track(uuid, row)
        return GapReading(track, self.shape, now=now, counted=None if row is None else row.message_count)

    def close(self, reading: GapReading) -> list[Found]:
        """What of a reading is to be handed over; when it is complete, the watermark moves."""
        track, messages = reading.track, reading.messages.values()
        is_complete = reading.unproven is None or reading.lagging
        if is_complete:
            track.begin(messages)
        found = self._found(track.take(messages, number=self.number))
        if is_complete:
            track.prove(reading.through, counted=reading.counted)
            self._compact()
        self._turn += 1
        track.turn, track.is_proven = self._turn, reading.unproven is None
        return found

    def failed(self, uuid: str) -> None:
        """This conversation could not be read."""
        track = self.tracks.get(uuid)
        if track is not None:
            track.is_proven = False

    # What is pushed

    def pushed(self, uuid: str, message: ConversationMessage) -> list[Found]:
        """What of a pushed message is to be handed over."""
        return self._found_one(self._pushed_in(uuid).push(message, number=self.number))

    def updated(self, uuid: str, message: ConversationMessage) -> list[Found]:
        """What of a message that the service calls updated is to be handed over."""
        return self._found_one(self._pushed_in(uuid).update(message, number=self.number))

    def is_expected(self, uuid: str, message: ConversationMessage) -> bool:
        """Whether the service pushes such a message to this agent: others' messages, where the agent takes part."""
        track = self.tracks.get(uuid)
        is_own = self.me is not None and message.author_conversation_participant_arn == self.me
        return track is not None and track.is_mine and not is_own

    def checkpoint(self, pending: Mapping[str, Pending]) -> Checkpoint:
        """All this as a value, as if what is `pending` had not been handed over."""
        tracks = [track.to_dict(pending.get(track.uuid)) for track in self.tracks.values()]
        return Checkpoint(mark=self.mark, start=self.start, shape_learned=self.shape.to_dict(), conversations=tracks)

    def _pushed_in(self, uuid: str) -> Track:
        track = self.tracks.get(uuid) or self._new_track(uuid, None)
        track.is_mine = True
        return track

    def _found(self, found: list[Found]) -> list[Found]:
        self.number += len(found)
        return found

    def _found_one(self, found: Found | None) -> list[Found]:
        return self._found([] if found is None else [found])

    def _must_be_read(self, row: ConversationSummary) -> bool:
        return self.follows(row) and not self._is_unchanged(row)

    def _is_unchanged(self, row: ConversationSummary) -> bool:
        known = self._digests.get(row.conversation_uuid or "")
        if known is not None:
            return known == digest_of(row)
        return self.mark is not None and is_older(row, self.mark - SLACK)

    def _is_own(self, track: Track) -> bool:
        return self.follow == "mine" and track.is_open and track.is_mine

    def _begin_track(self, row: ConversationSummary) -> None:
        uuid, baseline = row.conversation_uuid or "", Baseline.of(row, now=self._now)
        start = self.start or 0 if baseline is None else baseline.second
        track = Track(uuid, start, start - 1, baseline, row.message_count, newest=start)
        self.tracks.setdefault(uuid, track)
        self.note(row)

    def _new_track(self, uuid: str, row: ConversationSummary | None) -> Track:
        """A conversation that nobody followed before begins when this agent joined it, or at the very first mark."""
        start = self.start or 0
        joined = None if row is None else self._joined(row)
        if joined is not None and self.follow == "mine":
            start = max(start, joined - _SKEW)
        track = self.tracks[uuid] = Track(uuid, start, start - 1)
        if row is not None:
            self.note(row)
        return track

    def _joined(self, row: ConversationSummary) -> int | None:
        times = [each.joined_dts for each in row.participants if each.conversation_participant_arn == self.me]
        return max((second_of(time) for time in times if time is not None), default=None)

    def _compact(self) -> None:
        """Of conversations that are over, keep little."""
        if len(self.tracks) <= _MOST_TRACKS:
            return
        over = [track for track in self.tracks.values() if not track.is_open and track.known]
        for track in over[: len(self.tracks) - _MOST_TRACKS]:
            track.compact()
