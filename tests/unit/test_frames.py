"""Frames read as events: the table, the ways around a wrong name, and that nothing makes it fail."""

import json
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.contract import SCHEMAS, example, whole
from ultracart_conversation import ConversationMessage, ConversationSummary, ConversationWebsocketMessage, Drift, events
from ultracart_conversation import EventType as Of
from ultracart_conversation._live.frames import CobrowsingPart, Frame, Garbage, Ping, read_frame
from ultracart_conversation._wire.json_object import plain
from ultracart_conversation.events import MessageReceived, Typing, UnknownEvent, WebchatStarted

NOW = datetime(2025, 10, 27, 16, tzinfo=UTC)
UUID = "7d0c"
TABLE: list[tuple[Of, type[Any], str]] = [
    (Of.QUEUE_POSITION, events.QueuePositionChanged, "position"),
    (Of.CONVERSATION_CLOSED, events.ConversationClosed, "conversation"),
    (Of.NEW_CONVERSATION, events.ConversationStarted, "conversation"),
    (Of.NEW_MESSAGE, events.MessageAnnounced, "conversation"),
    (Of.UPDATED_MESSAGE, events.MessageUpdated, "message"),
    (Of.QUEUE_STATUS_UPDATE, events.QueueStatusChanged, "queue"),
    (Of.RRWEB, CobrowsingPart, "part"),
    (Of.PARTICIPANT_UPDATE, events.ParticipantUpdated, "conversation"),
    (Of.PARTICIPANT_JOIN, events.ParticipantJoined, "conversation"),
    (Of.PARTICIPANT_LEFT, events.ParticipantLeft, "conversation"),
    (Of.READ_MESSAGE, events.MessageRead, "read"),
    (Of.TYPING, events.Typing, "typing"),
    (Of.ADD_COUPON, events.CouponAdded, "coupon"),
    (Of.ADD_ITEM, events.ItemsAdded, "items"),
    (Of.WEBCHAT_CONTEXT, events.WebchatContextChanged, "context"),
    (Of.ENGAGE_CUSTOMER, events.CustomerEngaged, "entry"),
    (Of.QUEUE_NEW_MEMBER, events.QueueMemberJoined, "entry"),
]
each_event_with_a_payload = pytest.mark.parametrize(("event_type", "event", "field"), TABLE)


def read(frame: object, *, drift: Drift | None = None) -> Frame:
    return read_frame(json.dumps(frame), received_at=NOW, generation=3, drift=Drift() if drift is None else drift)


def kept(found: UnknownEvent) -> Any:
    return plain(found.raw)


def payload_of(event_type: str) -> str:
    return f"event_{event_type.replace(' ', '_')}"


def pushed(event_type: Of, /, **changes: object) -> dict[str, Any]:
    """A whole frame of this event type, as the contract has it."""
    name = payload_of(event_type)
    payload = {name: example({**SCHEMAS["ConversationWebsocketMessage"][name], "name": name})}
    return {"type": "event", "event_type": event_type, "conversation_uuid": UUID, **payload, **changes}


MESSAGE: dict[str, Any] = {"type": "message", "conversation_uuid": UUID, "message": whole("ConversationMessage")}
REAL = [MESSAGE, {"type": "ping"}, *(pushed(event_type) for event_type, _, _ in TABLE)]


def test_the_table_has_every_event_type() -> None:
    assert {*Of} == {event_type for event_type, _, _ in TABLE} | {Of.WEBCHAT_START_CONVERSATION}


@each_event_with_a_payload
def test_an_event_type_has_a_class(event_type: Of, event: type[Any], field: str) -> None:
    drift = Drift()
    found = read(pushed(event_type), drift=drift)
    assert type(found) is event
    assert isinstance(found, events.Occurrence)
    assert getattr(found, field).to_dict() == pushed(event_type)[payload_of(event_type)]
    assert (found.received_at, found.generation, found.replayed, found.conversation_uuid) == (NOW, 3, False, UUID)
    assert not drift


@each_event_with_a_payload
def test_the_payload_has_the_type_that_the_event_declares(event_type: Of, event: type[Any], field: str) -> None:
    declared = get_type_hints(ConversationWebsocketMessage)[payload_of(event_type)]
    assert get_type_hints(event)[field] | None == declared


def test_a_message_frame_is_a_message() -> None:
    message = ConversationMessage.from_dict(MESSAGE["message"])
    expected = MessageReceived(message=message, conversation_uuid=UUID, received_at=NOW, generation=3)
    assert read(MESSAGE) == expected
    assert read({**MESSAGE, "type": " Message"}) == expected
    assert read({"conversation_uuid": UUID, "message": MESSAGE["message"]}) == expected


def test_the_beginning_of_a_webchat_needs_no_payload() -> None:
    frame = {"type": "event", "event_type": "webchat start conversation", "conversation_uuid": UUID}
    assert read(frame) == WebchatStarted(conversation_uuid=UUID, received_at=NOW, generation=3)


@pytest.mark.parametrize("event_type", [Of.PARTICIPANT_JOIN, Of.PARTICIPANT_LEFT])
def test_a_participant_may_stand_beside_the_summary(event_type: Of) -> None:
    participant = whole("ConversationParticipant")
    found = read(pushed(event_type, **{f"{payload_of(event_type)}_participant": participant}))
    assert isinstance(found, events.ParticipantJoined | events.ParticipantLeft)
    assert found.participant is not None
    assert found.participant.to_dict() == participant
    assert getattr(read(pushed(event_type)), "participant", "absent") is None


@each_event_with_a_payload
@pytest.mark.parametrize("spelt", [" {} ", "{} ed", "", None, 5])
def test_the_payload_tells_what_a_misspelt_event_is(
    event_type: Of, event: type[Any], field: str, spelt: str | int | None
) -> None:
    named = spelt.format(event_type) if isinstance(spelt, str) else spelt
    assert type(read(pushed(event_type, event_type=named))) is event
    assert type(read(pushed(event_type, event_type=event_type.upper(), type="EVENT"))) is event
    nameless = {name: value for name, value in pushed(event_type).items() if name not in ("type", "event_type")}
    assert type(read(nameless)) is event


def test_both_spellings_of_leaving_are_read() -> None:
    assert isinstance(read(pushed(Of.PARTICIPANT_LEFT, event_type="participant leave")), events.ParticipantLeft)


@each_event_with_a_payload
@pytest.mark.parametrize("payload", [None, "text", 5, []])
def test_without_its_payload_an_event_is_unknown_and_whole(
    event_type: Of, event: type[Any], field: str, payload: object
) -> None:
    frame = pushed(event_type, **{payload_of(event_type): payload})
    found = read(frame)
    assert isinstance(found, UnknownEvent)
    assert (kept(found), found.conversation_uuid, found.received_at, found.generation) == (frame, UUID, NOW, 3)


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"type": "surprise", "conversation_uuid": UUID},
        {"type": "event"},
        {"type": "event", "event_type": "surprise", "event_surprise": {"deep": [1]}},
        {"type": "message", "message": None},
        {"type": "message", "message": "text"},
        {"type": "message", "event_typing": {"value": "x"}},
        {"type": "check queue position"},
        {"type": ["message"], "conversation_uuid": {}},
    ],
)
def test_an_object_that_says_nothing_known_is_kept_as_it_came(frame: dict[str, Any]) -> None:
    found = read(frame)
    assert isinstance(found, UnknownEvent)
    assert kept(found) == frame


@pytest.mark.parametrize("message", ["Forbidden", "Internal server error"])
def test_the_gateways_errors_are_unknown_events_and_no_drift(message: str) -> None:
    drift = Drift()
    error = {"message": message, "connectionId": "c=", "requestId": "r="}
    assert read(error, drift=drift) == UnknownEvent(raw=error, received_at=NOW, generation=3)
    assert not drift


def test_a_ping_is_no_event() -> None:
    assert read({"type": "ping"}) == read({"type": "event", "event_type": "ping"}) == read({"type": "Ping "}) == Ping()


@pytest.mark.parametrize("text", ["", "not json", "[]", "null", '"ping"', "NaN", "{", "[" * 100_000, "\ud800", b"\xff"])
def test_what_is_no_object_is_garbage_of_bounded_size(text: str | bytes) -> None:
    found = read_frame(text, received_at=NOW, generation=1, drift=Drift())
    assert isinstance(found, Garbage)
    assert found.size == len(text)
    assert len(found.start) <= 200
    assert found.start not in repr(found) or not found.start


def test_deep_json_is_read_without_failing() -> None:
    text = '{"type":"event","event_type":"surprise","deep":' + "[" * 1_000 + "]" * 1_000 + "}"
    assert isinstance(read_frame(text, received_at=NOW, generation=1, drift=Drift()), UnknownEvent | Garbage)


def test_a_summary_names_the_conversation_when_the_frame_does_not() -> None:
    frame = pushed(Of.NEW_MESSAGE, conversation_uuid=None, event_new_message={"conversation_uuid": "of the summary"})
    found = read(frame)
    assert isinstance(found, events.MessageAnnounced)
    assert found.conversation_uuid == "of the summary"
    assert found.conversation == ConversationSummary(conversation_uuid="of the summary")


def test_what_the_contract_does_not_list_is_counted_and_costs_nothing_else() -> None:
    drift = Drift()
    frame = pushed(Of.TYPING, event_type="typing fast", event_typing={"value": "Hel", "speed": 5})
    found = read(frame, drift=drift)
    assert isinstance(found, Typing)
    assert found.typing.value == "Hel"
    assert dict(drift.unknown_values) == {"EventType.typing fast": 1}
    assert dict(drift.unknown_fields) == {"ConversationEventTyping.speed": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(sorted(SCHEMAS["ConversationWebsocketMessage"]))


@given(JSON | st.dictionaries(NAMES, JSON, max_size=5))
def test_any_json_is_read_without_failing_and_nothing_of_it_is_lost(value: object) -> None:
    found = read(value)
    if not isinstance(value, dict):
        assert isinstance(found, Garbage)
    elif isinstance(found, UnknownEvent):
        assert kept(found) == value


@given(st.text(st.characters()) | st.binary())
def test_any_text_is_read_without_failing(text: str | bytes) -> None:
    read_frame(text, received_at=NOW, generation=1, drift=Drift())


@given(st.data(), st.sampled_from(REAL))
def test_a_real_frame_with_anything_replaced_is_read_without_failing(
    data: st.DataObject, frame: dict[str, Any]
) -> None:
    changed = json.loads(json.dumps(frame))
    inside = changed
    while True:
        name = data.draw(st.sampled_from(sorted(inside)))
        if not (isinstance(inside[name], dict) and inside[name] and data.draw(st.booleans())):
            break
        inside = inside[name]
    if data.draw(st.booleans()):
        del inside[name]
    else:
        inside[name] = data.draw(JSON)
    found = read(changed)
    assert not isinstance(found, Garbage)
    assert not isinstance(found, UnknownEvent) or kept(found) == changed


@given(st.sampled_from(REAL), st.integers(0, 400))
def test_half_a_frame_is_garbage(frame: dict[str, Any], size: int) -> None:
    text = json.dumps(frame)
    half = text[: min(size, len(text) - 1)]
    assert isinstance(read_frame(half, received_at=NOW, generation=1, drift=Drift()), Garbage)
