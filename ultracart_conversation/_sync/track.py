"""What of one conversation was handed over, and how far that is proven to be all."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import attrs

from ultracart_conversation._sync.baseline import Baseline
from ultracart_conversation._sync.known import Found, Known, digest_of
from ultracart_conversation._sync.message_order import epoch_of, key_of, order_of, second_of
from ultracart_conversation._sync.pending import Pending
from ultracart_conversation.models import ConversationMessage, ConversationSummary

LATE = 120_000
"""Milliseconds below the watermark that are read again, as messages may become visible out of order (inferred)."""
_MOST_KNOWN = 2_000


@attrs.define
class Track:
    """One conversation that is followed."""

    uuid: str
    start: int
    """Messages of an earlier epoch (milliseconds) were there before we followed it."""
    watermark: int
    """Every message up to this epoch was handed over, as a complete read has shown."""
    baseline: Baseline | None = None
    """What was last said before we followed it, until that is told apart from what is new."""
    count: int | None = None
    """How many messages the service counted when all was read last."""
    known: dict[str, Known] = attrs.Factory(dict[str, Known])
    kept: int = 0
    """Of messages of an earlier epoch it is forgotten whether they were handed over."""
    newest: int = 0
    """The latest epoch that was handed over."""
    taken: int = 0
    """How many messages were handed over since the last complete read."""
    is_open: bool = True
    """Whether more is to be expected here."""
    is_mine: bool = False
    """Whether this agent takes part in it, so that its messages are pushed whole."""
    is_proven: bool = True
    """Whether the last read showed that nothing is missing."""
    turn: int = 0
    """When it was read last, as the number of a reading."""

    @property
    def floor(self) -> int:
        """Unknown messages of an earlier epoch are old when they are read."""
        return max(self.start, self.kept)

    @property
    def since(self) -> int:
        """From which epoch on to read."""
        return max(self.floor, self.watermark - LATE)

    def begin(self, messages: Iterable[ConversationMessage]) -> None:
        """Tell what is new from what was there before, once the messages of that second are read."""
        if self.baseline is None:
            return
        last = self.baseline.last_of(messages)
        self.baseline = None
        if last is None:
            # What was counted before may be handed over as new, and must not be counted twice.
            self.count = None
        else:
            self.start = max(self.start, epoch_of(last))
            self.newest = max(self.newest, epoch_of(last))
            self.known.setdefault(key_of(last), Known(epoch_of(last), digest_of(last)))

    def take(self, messages: Iterable[ConversationMessage], *, number: int) -> list[Found]:
        """What of messages that were read is new or changed, in order; from now on it counts as handed over."""
        found: list[Found] = []
        for message in sorted(messages, key=order_of):
            news = None if self._is_old(message) else self.push(message, number=number + len(found))
            if news is not None:
                found.append(news)
        return found

    def push(self, message: ConversationMessage, *, number: int) -> Found | None:
        """Take a message that is new if it is not known, whatever its epoch."""
        key, digest = key_of(message), digest_of(message)
        known = self.known.get(key)
        if known is None:
            self.known[key] = Known(epoch_of(message), digest, number, number)
            self.taken += 1
            late = epoch_of(message) < self.newest
            self.newest = max(self.newest, epoch_of(message))
            return Found(message, number, late=late)
        known.epoch = epoch_of(message)
        if known.digest == digest:
            return None
        known.digest, known.updated = digest, number
        return Found(message, number, is_update=True)

    def update(self, message: ConversationMessage, *, number: int) -> Found | None:
        """Take a message that the service calls updated; None when nothing of it is new."""
        if not self._is_old(message):
            return self.push(message, number=number)
        self.known[key_of(message)] = Known(epoch_of(message), digest_of(message), updated=number)
        return Found(message, number, is_update=True)

    def _is_old(self, message: ConversationMessage) -> bool:
        return 0 < epoch_of(message) < self.floor and key_of(message) not in self.known

    def has_last(self, summary: ConversationSummary) -> bool:
        """Whether a message of the summary's last second, or a later one, was handed over."""
        return summary.last_message_dts is not None and self.newest >= second_of(summary.last_message_dts)

    def anchors(self, since: int) -> set[str]:
        """The messages that a complete read from this epoch on must show again."""
        return {key for key, known in self.known.items() if known.epoch >= since}

    def forget(self, keys: Iterable[str]) -> None:
        """These messages are no longer there; were they to come back, they would not be new."""
        for key in keys:
            self.known[key].epoch = 0
            self.taken -= 1

    def prove(self, through: int, *, counted: int | None) -> None:
        """A complete read has shown all messages up to this epoch; `counted` is what the list said there are."""
        self.watermark = max(self.watermark, through)
        self.count = counted if self.count is None else max(self.count + self.taken, counted or 0)
        self.taken = 0
        if len(self.known) > _MOST_KNOWN:
            self.compact()

    def compact(self) -> None:
        """Keep only what is needed to hand over nothing twice that is read."""
        self.kept = self.since
        self.known = {key: known for key, known in self.known.items() if known.epoch >= self.kept}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """What `to_dict` gave; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        known = {str(key): Known(whole(epoch), bytes.fromhex(digest)) for key, (epoch, digest) in data["known"].items()}
        baseline, count = data["baseline"], data["count"]
        return cls(
            uuid=str(data["uuid"]),
            start=whole(data["start"]),
            watermark=whole(data["watermark"]),
            baseline=None if baseline is None else Baseline(whole(baseline[0]), *baseline[1:]),
            count=None if count is None else whole(count),
            known=known,
            newest=max((each.epoch for each in known.values()), default=0),
            is_open=bool(data["is_open"]),
            is_mine=bool(data["is_mine"]),
            is_proven=bool(data["is_proven"]),
        )

    def to_dict(self, pending: Pending | None = None) -> dict[str, Any]:
        """As JSON can say it, as if what is `pending` had not been handed over."""
        start, watermark, count = self.floor, self.watermark, self.count
        undone = {key: known for key, known in self.known.items() if pending and pending.holds(key, known)}
        if pending is not None:
            new = (known.epoch for known in undone.values() if known.order and known.epoch)
            start, watermark = min(start, *new, start), min(watermark, pending.epoch - 1)
        # Told apart by its baseline again, a pending message from before it would be old.
        baseline = self.baseline if start == self.floor else None
        done = {key: known for key, known in self.known.items() if key not in undone}
        return {
            "uuid": self.uuid,
            "start": start,
            "watermark": max(watermark, start - 1),
            "known": {
                key: [known.epoch, known.digest.hex()] for key, known in done.items() if known.epoch >= watermark - LATE
            },
            "baseline": None if baseline is None else list(attrs.astuple(baseline)),
            "count": None if pending or count is None else count + self.taken,
            "is_open": self.is_open,
            "is_mine": self.is_mine,
            "is_proven": self.is_proven and pending is None,
        }


def whole(number: object) -> int:
    """`number`, if it is a whole one; `TypeError` otherwise."""
    if type(number) is not int:
        raise TypeError(f"{number!r} is no whole number")
    return number
