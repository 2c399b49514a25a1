"""What comes in on the websocket, read as events. Pure, and nothing that comes in makes it fail.

A frame's `event_type` decides. Where that is missing or unknown, the payload that is present does, as UltraCart has
renamed event types before (documented by the history of its SDKs).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import attrs

from ultracart_conversation._wire.converter import converter
from ultracart_conversation._wire.drift import Drift, reporting_to
from ultracart_conversation._wire.json import json_object
from ultracart_conversation._wire.json_object import JsonObject
from ultracart_conversation._wire.open_enum import OpenEnum
from ultracart_conversation.events import (
    ConversationClosed,
    ConversationStarted,
    CouponAdded,
    CustomerEngaged,
    Event,
    ItemsAdded,
    MessageAnnounced,
    MessageRead,
    MessageReceived,
    MessageUpdated,
    Occurrence,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    QueueMemberJoined,
    QueuePositionChanged,
    QueueStatusChanged,
    Typing,
    UnknownEvent,
    WebchatContextChanged,
    WebchatStarted,
)
from ultracart_conversation.models import (
    ConversationEventRRWeb,
    ConversationSummary,
    ConversationWebsocketMessage,
    EventType,
    FrameType,
)

E = TypeVar("E", bound=OpenEnum)
_SHOWN = 200


@attrs.frozen
class Ping:
    """The service's sign of life; no event. Never answer it with a ping: both sides might go on for ever (inferred)."""


@attrs.frozen
class Garbage:
    """A frame that is no JSON object, so that there is nothing to make an event of; for statistics and logs."""

    size: int
    """Characters, or bytes of a binary frame."""
    start: str = attrs.field(repr=False)
    """At most the first 200 of them."""


@attrs.frozen(kw_only=True)
class CobrowsingPart(Occurrence):
    """One part of a co-browsing recording, for `Assembly`."""

    part: ConversationEventRRWeb


Frame = Event | CobrowsingPart | Ping | Garbage
"""What a frame can be read as."""


@attrs.frozen
class _Reading:
    """What a payload becomes, and which of its fields holds the payload."""

    event: Callable[..., Event | CobrowsingPart]
    field: str
    with_participant: bool = False


_READINGS: Mapping[EventType, _Reading] = {
    EventType.NEW_MESSAGE: _Reading(MessageAnnounced, "conversation"),
    EventType.UPDATED_MESSAGE: _Reading(MessageUpdated, "message"),
    EventType.READ_MESSAGE: _Reading(MessageRead, "read"),
    EventType.TYPING: _Reading(Typing, "typing"),
    EventType.NEW_CONVERSATION: _Reading(ConversationStarted, "conversation"),
    EventType.CONVERSATION_CLOSED: _Reading(ConversationClosed, "conversation"),
    EventType.PARTICIPANT_JOIN: _Reading(ParticipantJoined, "conversation", with_participant=True),
    EventType.PARTICIPANT_LEFT: _Reading(ParticipantLeft, "conversation", with_participant=True),
    EventType.PARTICIPANT_UPDATE: _Reading(ParticipantUpdated, "conversation"),
    EventType.WEBCHAT_CONTEXT: _Reading(WebchatContextChanged, "context"),
    EventType.ADD_COUPON: _Reading(CouponAdded, "coupon"),
    EventType.ADD_ITEM: _Reading(ItemsAdded, "items"),
    EventType.QUEUE_STATUS_UPDATE: _Reading(QueueStatusChanged, "queue"),
    EventType.QUEUE_NEW_MEMBER: _Reading(QueueMemberJoined, "entry"),
    EventType.ENGAGE_CUSTOMER: _Reading(CustomerEngaged, "entry"),
    EventType.QUEUE_POSITION: _Reading(QueuePositionChanged, "position"),
    EventType.RRWEB: _Reading(CobrowsingPart, "part"),
}
_PAYLOADS = {event_type: f"event_{event_type.replace(' ', '_')}" for event_type in _READINGS}


def read_frame(text: str | bytes, *, received_at: datetime, generation: int, drift: Drift) -> Frame:
    """What `text` says; `UnknownEvent` for an object that says nothing we know. Never raises.

    What the contract does not list is counted in `drift`, except for the gateway's error objects (AWS's, inferred).
    """
    raw = json_object(text)
    if raw is None:
        return Garbage(len(text), text[:_SHOWN] if isinstance(text, str) else text[:_SHOWN].decode(errors="replace"))
    origin: dict[str, Any] = {"received_at": received_at, "generation": generation}
    if "connectionId" in raw and "type" not in raw:
        return UnknownEvent(raw=JsonObject(raw), **origin)
    with reporting_to(drift):
        frame = converter.structure(raw, ConversationWebsocketMessage)
    origin["conversation_uuid"] = frame.conversation_uuid
    return _read(frame, origin) or UnknownEvent(raw=JsonObject(raw), **origin)


def _read(frame: ConversationWebsocketMessage, origin: dict[str, Any]) -> Event | CobrowsingPart | Ping | None:
    kind = _known(FrameType, frame.type)
    if kind is FrameType.PING:
        return Ping()
    event_type = None if kind is FrameType.MESSAGE else _event_type(frame)
    if event_type is not None:
        return _event(event_type, frame, origin)
    if frame.message is not None:
        return MessageReceived(message=frame.message, **origin)
    # UltraCart's report websocket has `ping` among its event types.
    return Ping() if _known(FrameType, frame.event_type) is FrameType.PING else None


def _event_type(frame: ConversationWebsocketMessage) -> EventType | None:
    """The event type that the frame names or else, by its payload, must mean."""
    named = _known(EventType, frame.event_type)
    present = (event_type for event_type, name in _PAYLOADS.items() if getattr(frame, name) is not None)
    return named or next(present, None)


def _known(enum: type[E], value: OpenEnum | None) -> E | None:
    """The member that `value` spells in whatever case."""
    return None if value is None else enum.known().get(value.strip().lower())


def _event(
    event_type: EventType, frame: ConversationWebsocketMessage, origin: dict[str, Any]
) -> Event | CobrowsingPart | None:
    """The event of this type; None when its payload is missing."""
    if event_type is EventType.WEBCHAT_START_CONVERSATION:
        return WebchatStarted(**origin)
    reading, name = _READINGS[event_type], _PAYLOADS[event_type]
    payload = getattr(frame, name)
    if payload is None:
        return None
    fields = {**origin, reading.field: payload}
    if reading.with_participant:
        fields["participant"] = getattr(frame, f"{name}_participant")
    if isinstance(payload, ConversationSummary):
        fields["conversation_uuid"] = frame.conversation_uuid or payload.conversation_uuid
    return reading.event(**fields)
