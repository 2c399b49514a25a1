"""What one consumer has yet to take: bounded, and never at the price of a message. Pure, without a clock."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Literal

import attrs

from ultracart_conversation._sync.message_order import epoch_of, key_of
from ultracart_conversation._sync.pending import Pending, united
from ultracart_conversation.events import (
    CobrowsingLost,
    CobrowsingRecorded,
    ConsumerSlow,
    Event,
    Gap,
    GapClosed,
    GapUnresolved,
    MessageReceived,
    MessageUpdated,
    PushMissed,
    QueueStatusChanged,
    StateChanged,
    Typing,
)

Overflow = Literal["wait", "drop_oldest"]
_Key = int | tuple[object, ...]
_MESSAGES = (MessageReceived, MessageUpdated)
_KEPT = (StateChanged, Gap, GapClosed, GapUnresolved, PushMissed, ConsumerSlow)
_LOST_FIRST = (Typing, CobrowsingRecorded, CobrowsingLost)


@attrs.define
class Owed:
    """Messages of one conversation that this consumer must be given by reading them again."""

    epoch: int
    """The earliest of them, in milliseconds."""
    first: int
    """The number of the first of them; what was handed over under an earlier number was given."""


class Feed:
    """The events that wait for one consumer.

    When `maxsize` of them wait, a feed with overflow "wait" keeps no more messages but notes which conversations must
    be read again for this consumer; of the rest it keeps the latest of each kind and conversation, and loses typing
    and recordings. One with overflow "drop_oldest" loses the oldest. Nothing that fills a feed ever waits for it.
    """

    def __init__(self, *, maxsize: int, overflow: Overflow) -> None:
        self.overflow: Overflow = overflow
        self.maxsize = maxsize
        self.owed: dict[str, Owed] = {}
        self.dropped: int = 0
        """Events lost to this consumer, in all."""
        self.taken: int = 0
        self.is_full: bool = False
        """Whether something was refused since the consumer last took anything."""
        self._waiting: dict[_Key, Event] = {}
        self._numbers = count()
        self._unreported = 0
        self._unconfirmed: Event | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, event: Event, number: int) -> None:
        """Keep `event`, or what must be known of it; `number` is the ledger's, for messages."""
        if isinstance(event, Typing | QueueStatusChanged) and _latest_key(event) in self._waiting:
            self._waiting[_latest_key(event)] = event
        elif self.overflow == "wait" and isinstance(event, _MESSAGES) and event.conversation_uuid is not None:
            self._offer_message(event.conversation_uuid, event, number)
        elif len(self._waiting) < self.maxsize:
            self._keep(event)
        elif self.overflow == "drop_oldest":
            self._drop_oldest()
            self._keep(event)
        else:
            self._offer_when_full(event)

    def take(self) -> Event | None:
        """The next event, which confirms that the one before was dealt with; None when there is none now."""
        self._unconfirmed = self._waiting.pop(next(iter(self._waiting))) if self._waiting else None
        if self._unconfirmed is not None:
            self.taken += 1
            self.is_full = False
        return self._unconfirmed

    def lost(self) -> int:
        """How many events were lost since this was last asked."""
        lost, self._unreported = self._unreported, 0
        return lost

    def next_owed(self) -> str | None:
        """The conversation to read again for this consumer now, as it has room again; None when there is none."""
        if not self.owed or 2 * len(self._waiting) > self.maxsize:
            return None
        return next(iter(self.owed))

    @property
    def room(self) -> int:
        """How many of the messages that are owed may be given now."""
        return max(1, self.maxsize - len(self._waiting))

    def repaid(self, uuid: str, events: Iterable[Event], rest: Owed | None) -> None:
        """Give what was owed of a conversation; what is still owed goes to the end of the line."""
        for event in events:
            self._waiting[next(self._numbers)] = event
        self.owed.pop(uuid, None)
        if rest is not None:
            self.owed[uuid] = rest

    def end(self, at: datetime) -> None:
        """Nothing will be read again any more: say so of every conversation for which that was owed."""
        reason = "the session ended before its messages could be read again for this reader"
        for uuid in self.owed:
            self._waiting[next(self._numbers)] = GapUnresolved(conversation_uuid=uuid, reason=reason, received_at=at)

    def clear(self) -> None:
        """Nobody wants any of it."""
        self._waiting.clear()
        self.owed.clear()
        self._unconfirmed = None

    def unconfirmed(self) -> Mapping[str, Pending]:
        """The messages that this consumer has not dealt with, by conversation."""
        epochs: dict[str, dict[str, int]] = {}
        current = () if self._unconfirmed is None else (self._unconfirmed,)
        for event in (*self._waiting.values(), *current):
            if isinstance(event, _MESSAGES):
                epochs.setdefault(event.conversation_uuid or "", {})[key_of(event.message)] = epoch_of(event.message)
        kept = {uuid: Pending(min(each.values()), frozenset(each)) for uuid, each in epochs.items()}
        return united([kept, {uuid: Pending(owed.epoch, first=owed.first) for uuid, owed in self.owed.items()}])

    def _offer_message(self, uuid: str, event: MessageReceived | MessageUpdated, number: int) -> None:
        if uuid in self.owed:
            self.owed[uuid].epoch = min(self.owed[uuid].epoch, epoch_of(event.message))
        elif len(self._waiting) < self.maxsize:
            self._keep(event)
        else:
            self.is_full = True
            self.owed[uuid] = Owed(epoch_of(event.message), number)

    def _offer_when_full(self, event: Event) -> None:
        self.is_full = True
        has_room = len(self._waiting) < 2 * self.maxsize and not isinstance(event, _LOST_FIRST)
        replaces = self._waiting.pop(_latest_key(event), None) is not None
        if replaces or has_room or isinstance(event, _KEPT):
            self._waiting[_latest_key(event)] = event
        else:
            self._lose()

    def _keep(self, event: Event) -> None:
        latest_only = isinstance(event, Typing | QueueStatusChanged)
        self._waiting[_latest_key(event) if latest_only else next(self._numbers)] = event

    def _drop_oldest(self) -> None:
        del self._waiting[next(iter(self._waiting))]
        self.is_full = True
        self._lose()

    def _lose(self) -> None:
        self.dropped += 1
        self._unreported += 1


def _latest_key(event: Event) -> tuple[object, ...]:
    """Of events with the same key only the latest matters."""
    detail: object = None
    if isinstance(event, Typing):
        detail = event.typing.author_conversation_participant_arn
    elif isinstance(event, QueueStatusChanged):
        detail = event.queue.queue_name
    elif isinstance(event, _MESSAGES):
        detail = key_of(event.message)
    return type(event), event.conversation_uuid, detail
