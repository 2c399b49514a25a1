"""Where a poller stands in one conversation."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import attrs

from ultracart_conversation._sync.baseline import Baseline
from ultracart_conversation._sync.known import Known
from ultracart_conversation._sync.sweep import digest_of, latest
from ultracart_conversation._sync.tip import tip_of_row
from ultracart_conversation._sync.track import LATE, Track, whole
from ultracart_conversation.models import ConversationSummary

Owed = Literal["news", "history"]
QUARANTINE = 3
"""Failures in a row after which a conversation alone is held to be at fault."""


@attrs.define
class Position:
    """What was read of a conversation, and whether it is to be read again. Small, as there may be many."""

    start: int = 0
    """Messages of an earlier epoch (milliseconds) are not wanted."""
    watermark: int = -1
    """Every message up to this epoch was handed over, as a complete read has shown."""
    count: int | None = None
    """How many messages there were when all was read last; None where that cannot be told."""
    exact: bool = False
    """Whether a list that counts otherwise knows of other messages."""
    tip: bytes | None = None
    """The last message that was read, as a row would show it."""
    time: int = 0
    """The latest time of its row, in milliseconds by the service's clock; 0 where it was never listed."""
    row: bytes | None = None
    """The digest of its row as it was listed last."""
    row_count: int | None = None
    """How many messages that row counts, until they were read."""
    row_tip: bytes | None = None
    """The last message that it shows, likewise."""
    owed: Owed | None = None
    """Why it must be read, until that was done."""
    due: float = 0.0
    """When, in seconds since 1970 by our clock."""
    behind: int = 0
    """Up to where it was complete when it came to be owed, in milliseconds by the service's clock."""
    is_settling: bool = False
    """Whether it was read, and is owed only because the service may have lagged behind."""
    failures: int = 0
    """How often in a row it could not be read, or not be proven to be complete; none where others failed likewise."""
    audited: float = 0.0
    """When all of its recent messages were read last, in seconds since 1970 by our clock; 0 for never."""
    silent: int = 0
    """Until the first complete read: messages of an earlier epoch were there before, and are not handed over."""
    baseline: Baseline | None = None
    """What was last said before it was followed, until that is told apart from what is new."""
    known: dict[str, Known] | None = None
    """What was handed over, where no archive remembers that."""

    @property
    def is_suspect(self) -> bool:
        """Whether it could not be read, for which others may be to blame as well."""
        return 0 < self.failures < QUARANTINE

    @property
    def is_quarantined(self) -> bool:
        """Whether it alone cannot be read."""
        return self.failures >= QUARANTINE

    def list_as(self, row: ConversationSummary) -> None:
        """This is its row now."""
        self.time, self.row = latest(row) or 0, digest_of(row)
        self.row_count, self.row_tip = row.message_count, tip_of_row(row)

    def read_row(self) -> None:
        """What its row tells was read: from now on the row is only what it looked like."""
        self.row_count = self.row_tip = None

    def anchors(self) -> dict[str, Known]:
        """Of what was handed over, what the next read must show again."""
        known = self.known or {}
        return {key: each for key, each in known.items() if each.epoch >= self.watermark - LATE}

    def forget(self) -> None:
        """Keep only what is needed to hand over nothing twice; older messages are not new when they come late."""
        self.start, self.known = self._horizon, self.anchors()

    @property
    def _horizon(self) -> int:
        return max(self.start, self.watermark - LATE)

    @property
    def is_confirmed(self) -> bool:
        """Whether its row shows what was read: that number of messages, and that last one."""
        return self.exact and self.row_count == self.count and self.row_tip == self.tip is not None

    def track(self, uuid: str, known: Mapping[str, Known]) -> Track:
        """All that is to be known for reading it, of which `known` was handed over."""
        count = self.count
        if count is None and self.start == 0 and self.baseline is None:
            count = sum(each.epoch > 0 for each in known.values())
        newest = max((each.epoch for each in known.values()), default=self.start)
        watermark = max(self.watermark, self.start - 1)
        return Track(uuid, self.start, watermark, self.baseline, count, known=dict(known), newest=newest)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """What `to_dict` gave; raises `TypeError` or `ValueError` for anything else."""
        fields = dict(data)
        for name in ("tip", "row", "row_tip"):
            if name in fields:
                fields[name] = bytes.fromhex(fields[name])
        if "baseline" in fields:
            second, body, author = fields["baseline"]
            fields["baseline"] = Baseline(whole(second), body, author)
        if "known" in fields:
            pairs = fields["known"].items()
            fields["known"] = {key: Known(whole(epoch), bytes.fromhex(said)) for key, (epoch, said) in pairs}
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it; what is as it is at first is left out."""
        fields: dict[str, Any] = {field.name: getattr(self, field.name) for field in attrs.fields(Position)}
        kept = {name: value for name, value in fields.items() if value != _FIRST[name]}
        for name in ("tip", "row", "row_tip"):
            if name in kept:
                kept[name] = kept[name].hex()
        if self.baseline is not None:
            kept["baseline"] = list(attrs.astuple(self.baseline))
        if self.known is not None:
            anchors = self.anchors()
            kept["known"] = {key: [each.epoch, each.digest.hex()] for key, each in anchors.items()}
            if len(anchors) < len(self.known):
                kept["start"] = self._horizon
        return kept


_FIRST: Mapping[str, Any] = {field.name: field.default for field in attrs.fields(Position)}
