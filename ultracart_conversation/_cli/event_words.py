"""Events in words, for people: harmless, and on one line unless somebody wrote more."""

import json
from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto
from functools import singledispatch

import attrs

from ultracart_conversation import events
from ultracart_conversation._cli.text import local, one_line
from ultracart_conversation._wire.json_object import plain
from ultracart_conversation.models import (
    ConversationMessage,
    ConversationParticipant,
    ConversationSummary,
    ConversationWebchatQueueStatusQueueEntry,
)
from ultracart_conversation.state import SessionState


class Tone(Enum):
    """How much an event matters to whoever looks on."""

    SAID = auto()
    NEWS = auto()
    GOOD = auto()
    TROUBLE = auto()
    QUIET = auto()


@attrs.frozen
class Words:
    """What happened, in a word of at most 8 letters; who did it; and the rest."""

    kind: str
    who: str = ""
    text: str = ""
    """May have several lines, and characters that a terminal obeys: for `wrap` or `one_line`."""
    tone: Tone = Tone.NEWS


def told(words: Words) -> str:
    """Who, and the rest."""
    return f"{words.who}: {words.text}" if words.who and words.text else words.who or words.text


def clock(moment: datetime | None) -> str:
    """A time of today to the second, any other with its date."""
    if moment is None:
        return ""
    here = moment.astimezone()
    return f"{here:%H:%M:%S}" if here.date() == datetime.now().astimezone().date() else local(moment)


def standing(state: SessionState, now: datetime, *, reason: bool = True) -> str:
    """Why a session stands where it does, and when it connects again."""
    parts = [one_line(state.reason)] if reason else []
    if state.next_attempt is not None:
        wait = max(0.0, (state.next_attempt - now).total_seconds())
        parts.append(f"connecting in {wait:.1f} s")
    return "; ".join(parts)


@singledispatch
def words_of(event: object) -> Words | None:
    """What to say of `event`; None where another event says it, or nothing happened just now."""
    return Words("event", text=type(event).__name__, tone=Tone.QUIET)


# What is said


@words_of.register
def _message(event: events.MessageReceived) -> Words:
    who = [one_line(event.message.author_conversation_participant_name) or "(notice)"]
    if event.late:
        who.append("late")
    if event.late or event.replayed:
        who[-1] += f" at {clock(event.message.message_dts)}"
    return Words("replayed" if event.replayed else "message", ", ".join(who), _body(event.message), Tone.SAID)


@words_of.register
def _edited(event: events.MessageUpdated) -> Words:
    return Words("updated", one_line(event.message.author_conversation_participant_name), _body(event.message))


@words_of.register
def _announced(_: events.MessageAnnounced) -> None:
    return None


@words_of.register
def _read(event: events.MessageRead) -> Words:
    return Words("read", text=f"up to {clock(event.read.message_dts) or 'here'}", tone=Tone.QUIET)


@words_of.register
def _typing(event: events.Typing) -> Words | None:
    if not event.typing.value:
        return None
    return Words("typing", text=one_line(event.typing.author_conversation_participant_name), tone=Tone.QUIET)


# Conversations


@words_of.register
def _started(event: events.ConversationStarted) -> Words:
    return Words("started", text=_people(event.conversation))


@words_of.register
def _closed(event: events.ConversationClosed) -> Words:
    return Words("closed", text=_people(event.conversation))


@words_of.register
def _listed(_: events.ConversationChanged) -> None:
    return None


@words_of.register
def _joined(event: events.ParticipantJoined) -> Words:
    return Words("joined", text=_name(event.participant) or _people(event.conversation))


@words_of.register
def _left(event: events.ParticipantLeft) -> Words:
    return Words("left", text=_name(event.participant) or "somebody")


@words_of.register
def _people_changed(event: events.ParticipantUpdated) -> Words:
    return Words("people", text=_people(event.conversation), tone=Tone.QUIET)


@words_of.register
def _webchat(_: events.WebchatStarted) -> Words:
    return Words("webchat", text="started", tone=Tone.QUIET)


@words_of.register
def _page(event: events.WebchatContextChanged) -> Words:
    return Words("page", text=one_line(event.context.url) or "the cart changed", tone=Tone.QUIET)


@words_of.register
def _coupon(event: events.CouponAdded) -> Words:
    return Words("coupon", one_line(event.coupon.agent_name), one_line(event.coupon.coupon_code))


@words_of.register
def _items(event: events.ItemsAdded) -> Words:
    added = _list(str(item.get("item_id") or "an item") for item in event.items.items)
    return Words("items", one_line(event.items.agent_name), added)


@words_of.register
def _recorded(event: events.CobrowsingRecorded) -> Words:
    return Words("rrweb", text=f"piece {event.index}, {len(event.data):,} characters", tone=Tone.QUIET)


@words_of.register
def _recording_lost(event: events.CobrowsingLost) -> Words:
    piece = "a piece" if event.index is None else f"piece {event.index}"
    return Words("rrweb", text=f"{piece} is lost: {one_line(event.reason)}", tone=Tone.QUIET)


# Queues


@words_of.register
def _queue(event: events.QueueStatusChanged) -> Words:
    queue = event.queue
    now = (
        f"{queue.customer_waiting_count or 0} wait, {queue.customer_active_count or 0} active; "
        f"{queue.agent_available_count or 0} of {queue.agent_count or 0} agents available"
    )
    return Words("queue", one_line(queue.queue_name), now, Tone.QUIET)


@words_of.register
def _waiting(event: events.QueueMemberJoined) -> Words:
    return _entry("waiting", event.entry)


@words_of.register
def _engaged(event: events.CustomerEngaged) -> Words:
    return _entry("engaged", event.entry)


@words_of.register
def _position(event: events.QueuePositionChanged) -> Words:
    return Words("position", text=str(event.position.position), tone=Tone.QUIET)


# The session


@words_of.register
def _state(event: events.StateChanged) -> Words:
    tone = Tone.GOOD if event.state.phase == "live" else Tone.TROUBLE if event.state.next_attempt else Tone.NEWS
    return Words("session", str(event.state.phase), standing(event.state, event.received_at), tone)


@words_of.register
def _gap(event: events.Gap) -> Words:
    return Words("gap", "opened", f"{one_line(event.reason)}; reading what may be missing", Tone.TROUBLE)


@words_of.register
def _gap_closed(event: events.GapClosed) -> Words:
    missed = {0: "nothing was missing", 1: "1 message was missing and is here now"}
    many = f"{event.count} messages were missing and are here now"
    return Words("gap", "closed", missed.get(event.count, many), Tone.GOOD)


@words_of.register
def _gap_unresolved(event: events.GapUnresolved) -> Words:
    return Words("gap", "unresolved", one_line(event.reason), Tone.TROUBLE)


@words_of.register
def _missed(_: events.PushMissed) -> Words:
    return Words("missed", text="a message that was read should have been pushed", tone=Tone.QUIET)


@words_of.register
def _slow(event: events.ConsumerSlow) -> Words:
    return Words(
        "slow",
        text=f"{event.dropped} events are lost; {event.owed} conversations will be read again",
        tone=Tone.TROUBLE,
    )


@words_of.register
def _unknown(event: events.UnknownEvent) -> Words:
    return Words("unknown", text=one_line(json.dumps(plain(event.raw))), tone=Tone.QUIET)


def _body(message: ConversationMessage) -> str:
    return "\n".join([message.body or "", *(f"[{one_line(url)}]" for url in message.media_urls)]).strip("\n")


def _name(participant: ConversationParticipant | None) -> str:
    return one_line(participant.conversation_participant_name) if participant else ""


def _people(conversation: ConversationSummary) -> str:
    return _list(each.conversation_participant_name or "" for each in conversation.participants)


def _list(names: Iterable[str]) -> str:
    return ", ".join(filter(None, map(one_line, names)))


def _entry(kind: str, entry: ConversationWebchatQueueStatusQueueEntry) -> Words:
    who = f"{one_line(entry.conversation_participant_name) or 'somebody'} in {one_line(entry.queue_name)}"
    return Words(kind, who, entry.question or "")
