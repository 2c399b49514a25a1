"""Which of the messages that were read again a consumer has not been given yet. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

import attrs

from ultracart_conversation._live.feed import Owed
from ultracart_conversation._sync.known import Found, Known
from ultracart_conversation._sync.message_order import epoch_of, key_of, order_of
from ultracart_conversation._sync.track import Track
from ultracart_conversation.models import ConversationMessage

_Messages = Mapping[str, ConversationMessage]


@attrs.frozen
class Repayment:
    """What one reading gives back to a consumer."""

    found: tuple[Found, ...]
    """In order."""
    rest: Owed | None
    """What is still owed: there was no room for it, or the service did not show it (yet)."""


@attrs.frozen
class _Due:
    key: str
    epoch: int
    number: int
    is_update: bool = False


def repay(
    track: Track | None, owed: Owed, read: Iterable[ConversationMessage], *, room: int, complete: bool = True
) -> Repayment:
    """What to give of the messages `read`, at most `room` of them.

    They are given in the order in which they were handed over, up to the first that was not read, so that one number
    says what was given. Where the reading is not `complete`, those that were not read are left out for good.
    """
    shown = {key_of(message): message for message in read}
    line = _due(track, owed, shown)
    if not complete:
        line = [each for each in line if each.key in shown]
    ready = list(takewhile(lambda each: each.key in shown, line))[:room]
    return Repayment(_found(track, owed, ready, shown), _rest(line[len(ready) :]))


def _due(track: Track | None, owed: Owed, shown: _Messages) -> list[_Due]:
    """What the consumer was not given, first what nobody remembers and then by number."""
    known = {} if track is None else track.known
    forgotten = sorted(
        (message for key, message in shown.items() if key not in known and _is_forgotten(track, owed, message)),
        key=order_of,
    )
    numbered = sorted(
        (each.updated, key, each)
        for key, each in known.items()
        if each.updated >= owed.first and (each.epoch or key in shown)
    )
    return [
        *(_Due(key_of(message), epoch_of(message), owed.first) for message in forgotten),
        *(_Due(key, each.epoch, number, is_update=each.order < owed.first) for number, key, each in numbered),
    ]


def _is_forgotten(track: Track | None, owed: Owed, message: ConversationMessage) -> bool:
    """Whether nobody remembers if it was given: better twice than never. Others are yet to be handed over."""
    if epoch_of(message) < owed.epoch:
        return False
    return track is None or track.start <= epoch_of(message) < track.kept


def _found(track: Track | None, owed: Owed, ready: Iterable[_Due], shown: _Messages) -> tuple[Found, ...]:
    newest = max((each.epoch for each in _given(track, owed)), default=0)
    found = [
        Found(shown[each.key], each.number, each.is_update, late=not each.is_update and each.epoch < newest)
        for each in ready
    ]
    return tuple(sorted(found, key=lambda each: order_of(each.message)))


def _given(track: Track | None, owed: Owed) -> Iterable[Known]:
    return () if track is None else (each for each in track.known.values() if each.order < owed.first)


def _rest(line: Sequence[_Due]) -> Owed | None:
    return Owed(min(each.epoch for each in line), line[0].number) if line else None
