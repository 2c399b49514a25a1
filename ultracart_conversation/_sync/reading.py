"""One conversation of a poller, from being read to what is handed over."""

import attrs

from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.known import Found, Known, digest_of
from ultracart_conversation._sync.message_order import epoch_of, key_of
from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.position import Position
from ultracart_conversation._sync.tip import tip_of
from ultracart_conversation.changes import Change, ChangeKind
from ultracart_conversation.models import ConversationSummary, MessageType


@attrs.frozen
class Reading:
    """One conversation that is being read."""

    uuid: str
    kind: ChangeKind
    gap: GapReading
    row: ConversationSummary | None
    """As it was listed, where that is at hand."""
    listed: bytes | None
    """The digest of how it was listed when this began."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing but what the service itself does not show yet."""
        return self.gap.unproven is None or self.gap.lagging

    def take(self, position: Position, shape: PageShape) -> Change | None:
        """What of it is to be handed over; where it is complete, the position moves. None when there is nothing."""
        track, messages = self.gap.track, self.gap.messages.values()
        old = [each for each in messages if epoch_of(each) < position.silent]
        track.known |= {key_of(each): Known(epoch_of(each), digest_of(each)) for each in old}
        self._welcome_back()
        if self.is_complete:
            track.begin(messages)
        found = track.take(messages, number=1)
        if self.is_complete:
            self._prove(position, shape)
        position.start, position.baseline = track.start, track.baseline
        if position.known is not None:
            position.known = track.known
        return self._change(found)

    def _welcome_back(self) -> None:
        """What was gone and is there again is an update, whatever it says."""
        known = self.gap.track.known
        for key, message in self.gap.messages.items():
            if key in known and known[key].epoch == 0 < epoch_of(message):
                known[key].digest = b""
                self.gap.track.taken += 1

    def _prove(self, position: Position, shape: PageShape) -> None:
        track, gap = self.gap.track, self.gap
        total = None if track.count is None else track.count + track.taken
        track.prove(gap.through, counted=gap.counted)
        if total is not None and total == gap.counted == len(gap.messages):
            shape.counted_right(total, notices=any(each.type == MessageType.NOTICE for each in gap.messages.values()))
        is_right = total is not None and (position.exact or total == gap.counted)
        position.exact = is_right and shape.is_exact(total or 0)
        position.count = track.count
        position.watermark = track.watermark
        position.tip = tip_of(gap.messages.values())
        position.silent = 0

    def _change(self, found: list[Found]) -> Change | None:
        new = tuple(each.message for each in found if not each.is_update)
        updated = tuple(each.message for each in found if each.is_update)
        removed = tuple(sorted(self.gap.removed))
        if not (new or updated or removed or self.row):
            return None
        return Change(
            conversation_uuid=self.uuid,
            kind=self.kind,
            conversation=self.row,
            new=new,
            updated=updated,
            removed=removed,
        )
