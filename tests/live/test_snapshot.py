"""State read by REST before, and every event pushed since, make the state that REST shows afterwards."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import reduce
from typing import Any, get_args

import attrs
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.live.sandbox.strangers import Rest
from ultracart_conversation import Conversation, ConversationWebchatQueueStatus, Drift, Event, EventType, events
from ultracart_conversation._live import outgoing
from ultracart_conversation._live.cobrowsing import Assembly
from ultracart_conversation._live.frames import CobrowsingPart, Garbage, Ping, read_frame
from ultracart_conversation.sandbox import Clock, Customer, Personality, Sandbox, SocketFault
from ultracart_conversation.snapshot import Snapshot, apply

NOON = 1_761_580_800.0
NOW = datetime(2025, 10, 27, 16, tzinfo=UTC)
PERSONALITIES = [Personality(), Personality(counts_messages=False, shares_epochs=True, sorts_by="last message")]


@attrs.frozen
class Desk:
    """A webchat of our agent's, a colleague, and the websocket of one of the two."""

    sandbox: Sandbox
    rest: Rest
    colleague: Rest
    uuid: str
    customer: Customer
    socket: ClientConnection
    drift: Drift = attrs.field(factory=Drift)
    assembly: Assembly = attrs.field(factory=Assembly)

    def state(self) -> Snapshot:
        """Everything, as REST shows it now."""
        conversations = [
            Conversation.from_dict(self.rest.conversation(uuid)) for uuid in self.sandbox.conversation_uuids
        ]
        statuses = self.rest.get("/conversations/queues/statuses")["queue_statuses"]
        return Snapshot.of(conversations=conversations, queues=map(ConversationWebchatQueueStatus.from_dict, statuses))

    def events(self) -> list[Event]:
        """What was pushed up to now: the sandbox answers a ping after all that it had pushed before."""
        self.socket.send('{"type":"ping"}')
        pushed: list[Event] = []
        while not isinstance(event := self._next(), Ping):
            pushed += event
        return pushed

    def _next(self) -> list[Event] | Ping:
        frame = read_frame(self.socket.recv(timeout=5), received_at=NOW, generation=1, drift=self.drift)
        assert not isinstance(frame, Garbage)
        if isinstance(frame, CobrowsingPart):
            return [*self.assembly.add(frame, now=0.0)]
        return frame if isinstance(frame, Ping) else [frame]

    def push(self, event_type: EventType, **payload: object) -> None:
        """What the sandbox's service never pushes by itself, as only customers or agents send it."""
        frame = {"type": "event", "event_type": event_type, "conversation_uuid": self.uuid, **payload}
        self.sandbox.sockets.send(frame)


@pytest.fixture(params=PERSONALITIES, ids=["plain", "odd"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(at=NOON), customers=1, conversations=3, personality=request.param) as running:
        yield running


@pytest.fixture
def open_desk(sandbox: Sandbox) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def open_one(*, as_colleague: bool = False) -> Desk:
            rest, colleague = Rest(sandbox), Rest(sandbox, api_key=sandbox.add_agent("Kim Berg").api_key)
            stack.enter_context(rest.http)
            stack.enter_context(colleague.http)
            customer = sandbox.arrive(name="Grace Holm", question="Is anybody there?")
            uuid = rest.pick_up(customer.queue_entry_uuid)
            listener = colleague if as_colleague else rest
            socket = stack.enter_context(connect(listener.websocket_url(), close_timeout=0.2, ping_interval=None))
            desk = Desk(sandbox, rest, colleague, uuid, customer, socket)
            answer(desk)
            desk.events()
            customer.write("Hello?")
            desk.events()
            return desk

        yield open_one


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


def differences(one: object, other: object, path: str = "") -> set[str]:
    """The fields in which two plain values differ, such as `conversations.unread_messages`."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        found = (differences(one.get(name), other.get(name), f"{path}.{name}") for name in {*one, *other})
        return set().union(*found)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return set().union(*(differences(*pair, path) for pair in zip(one, other, strict=True)))
    return set() if one == other else {path.lstrip(".")}


def plain(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as lists, in which no uuid is part of a path."""
    return {
        "conversations": [each.to_dict() for _, each in sorted(snapshot.conversations.items())],
        "messages": [[each.to_dict() for each in said] for _, said in sorted(snapshot.messages.items())],
        "queues": [each.to_dict() for _, each in sorted(snapshot.queues.items())],
    }


def write(desk: Desk) -> None:
    desk.customer.write("And my order?")


def write_late(desk: Desk) -> None:
    first = desk.rest.messages(desk.uuid)[0]
    desk.customer.write("I wrote this before", epoch=first["message_epoch"] - 1000)


def answer(desk: Desk) -> None:
    desk.socket.send(outgoing.message_frame(desk.uuid, "It left today", client_message_id="c-1"))


def edit_last(desk: Desk) -> None:
    desk.customer.edit(desk.customer.write("My card is 4111"), "My card is ****")


def edit_earlier(desk: Desk) -> None:
    first = desk.customer.write("My card is 4111")
    desk.customer.write("Oh no")
    desk.customer.edit(first, "My card is ****")


def wait(desk: Desk) -> None:
    desk.sandbox.arrive(name="Ida Lund", question="Me too?", email="ida@mail.example", language="da")


def pick_up(desk: Desk) -> None:
    customer = desk.sandbox.arrive(name="Ida Lund", question="Me too?")
    customer.write("Quick")
    desk.rest.pick_up(customer.queue_entry_uuid)


def give_up(desk: Desk) -> None:
    desk.sandbox.arrive(name="Ida Lund", question="Me too?").leave()


def write_sms(desk: Desk) -> None:
    desk.sandbox.text("Is my tea on its way?", name="Ida Lund")


def open_sms(desk: Desk) -> None:
    desk.rest.put("/conversations", {"add_conversation_participant_arns": ["+15550100199"]})


def joined_sms(desk: Desk) -> str:
    uuid = desk.sandbox.text("Is my tea on its way?", name="Ida Lund").conversation_uuid
    desk.colleague.put(f"/conversations/{uuid}/join")
    return uuid


def join_sms(desk: Desk) -> None:
    joined_sms(desk)


def leave_sms(desk: Desk) -> None:
    desk.colleague.delete(f"/conversations/{joined_sms(desk)}/leave")


def join(desk: Desk) -> None:
    desk.colleague.put(f"/conversations/{desk.uuid}/join", {"participant_language_iso_code": "da"})


def leave(desk: Desk) -> None:
    join(desk)
    desk.colleague.delete(f"/conversations/{desk.uuid}/leave")


def end(desk: Desk) -> None:
    desk.customer.leave()


def tell_address(desk: Desk) -> None:
    desk.customer.introduce(email="grace@mail.example")


def change_name(desk: Desk) -> None:
    desk.customer.introduce(name="Grace Holm-Lund")


def mark_read(desk: Desk) -> None:
    desk.rest.put(f"/conversations/{desk.uuid}/markread")


def read_as_customer(desk: Desk) -> None:
    desk.customer.read()


def set_status(desk: Desk) -> None:
    desk.rest.put("/conversations/queues/Support/status", {"agent_status": "busy", "custom_status_name": "Lunch"})


def browse(desk: Desk) -> None:
    desk.customer.browse("https://demo.ultracartstore.example/item/POT-IRON")


def engage(desk: Desk) -> None:
    customer = desk.sandbox.arrive(name="Ida Lund", question="Me too?")
    customer.engage()


def record(desk: Desk) -> None:
    desk.customer.record(json.dumps({"html": "✓" * 99}), parts=3)


def add_coupon(desk: Desk) -> None:
    desk.push(EventType.ADD_COUPON, event_add_coupon={"coupon_code": "TEA10"})


def add_item(desk: Desk) -> None:
    desk.push(EventType.ADD_ITEM, event_add_item={"items": [{"item_id": "TEA-SENCHA", "quantity": 1}]})


def move_up(desk: Desk) -> None:
    desk.push(EventType.QUEUE_POSITION, event_queue_position={"position": 1, "available": True})


def begin_webchat(desk: Desk) -> None:
    desk.push(EventType.WEBCHAT_START_CONVERSATION)


def draft(desk: Desk) -> None:
    desk.customer.type("And wh")


SAID = [events.MessageReceived, events.MessageAnnounced]
WAITS = [events.QueueMemberJoined, events.QueueStatusChanged]
ACTS: dict[Callable[[Desk], None], list[type[Any]]] = {
    write: SAID,
    write_late: SAID,
    answer: SAID,
    edit_last: [*SAID, events.MessageUpdated],
    edit_earlier: [*SAID, *SAID, events.MessageUpdated],
    wait: WAITS,
    pick_up: [*WAITS, events.ConversationStarted, *SAID, *SAID, events.QueueStatusChanged],
    give_up: [*WAITS, events.QueueStatusChanged],
    join: [events.ParticipantJoined, *SAID],
    leave: [events.ParticipantJoined, *SAID, events.ParticipantLeft, *SAID],
    end: [events.ParticipantLeft, *SAID, events.ConversationClosed, events.QueueStatusChanged],
    tell_address: [events.ParticipantUpdated],
    set_status: [events.QueueStatusChanged],
    browse: [events.WebchatContextChanged],
    engage: [*WAITS, events.CustomerEngaged],
    record: [events.CobrowsingRecorded],
    add_coupon: [events.CouponAdded],
    add_item: [events.ItemsAdded],
    move_up: [events.QueuePositionChanged],
    begin_webchat: [events.WebchatStarted],
    draft: [events.Typing],
}
"""What happens, and the events that tell of it. These tell all of it."""
UNTOLD: dict[Callable[[Desk], None], tuple[list[type[Any]], set[str]]] = {
    mark_read: ([events.MessageRead], {"conversations.unread_messages", "conversations.participants.unread_messages"}),
    read_as_customer: ([events.MessageRead], {"conversations.participants.unread_messages"}),
    change_name: ([events.ParticipantUpdated], {"messages.author_conversation_participant_name"}),
    write_sms: ([events.ConversationStarted, events.MessageAnnounced], {"messages"}),
}
"""What happens, the events, and the fields that they leave behind: `apply` names the first three.

Of an SMS conversation that the agent is not in, only the summary is pushed.
"""
LAST: dict[Callable[[Desk], None], type[Any]] = {
    write: events.MessageAnnounced,
    open_sms: events.ConversationStarted,
    end: events.ConversationClosed,
    join_sms: events.ParticipantJoined,
    leave_sms: events.ParticipantLeft,
    tell_address: events.ParticipantUpdated,
}
"""What happens, and the last event that tells of it with a summary."""


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_before_and_what_was_pushed_make_after(act: Callable[[Desk], None], desk: Desk) -> None:
    before = desk.state()
    act(desk)
    pushed = desk.events()
    after = desk.state()
    assert [type(event) for event in pushed] == ACTS[act]
    assert differences(plain(reduce(apply, pushed, before)), plain(after)) == set()
    assert reduce(apply, pushed, before) == reduce(apply, pushed * 2, before) == after
    assert not desk.drift


@pytest.mark.parametrize("act", UNTOLD, ids=lambda act: act.__name__)
def test_what_is_not_pushed_is_known_to_the_field(act: Callable[[Desk], None], desk: Desk) -> None:
    expected, left_behind = UNTOLD[act]
    before = desk.state()
    act(desk)
    pushed = desk.events()
    assert [type(event) for event in pushed] == expected
    assert differences(plain(reduce(apply, pushed, before)), plain(desk.state())) == left_behind


@pytest.mark.parametrize("act", LAST, ids=lambda act: act.__name__)
def test_the_last_summary_alone_is_the_conversation(act: Callable[[Desk], None], desk: Desk) -> None:
    before = desk.state()
    act(desk)
    *_, last = (event for event in desk.events() if not isinstance(event, events.QueueStatusChanged))
    assert type(last) is LAST[act]
    assert apply(before, last).conversations == desk.state().conversations != before.conversations


def test_every_pushed_event_is_tried() -> None:
    tried = {kind for kinds in (*ACTS.values(), *(kinds for kinds, _ in UNTOLD.values())) for kind in kinds}
    by_ourselves = {
        events.ConversationChanged,
        events.CobrowsingLost,
        events.UnknownEvent,
        events.StateChanged,
        events.Gap,
        events.GapClosed,
        events.GapUnresolved,
        events.PushMissed,
        events.ConsumerSlow,
    }
    assert tried == {*get_args(Event)} - by_ourselves


def test_a_whole_day_leaves_nothing_behind(desk: Desk) -> None:
    snapshot = desk.state()
    last = [write_late, leave, end]
    for act in [*(act for act in ACTS if act not in last), *last]:
        act(desk)
        snapshot = reduce(apply, desk.events(), snapshot)
        assert differences(plain(snapshot), plain(desk.state())) == set(), act.__name__


def test_the_summary_alone_keeps_the_list_of_conversations_right(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(as_colleague=True)
    before = desk.state()
    write(desk)
    pushed = desk.events()
    assert [type(event) for event in pushed] == [events.MessageAnnounced]
    assert differences(plain(reduce(apply, pushed, before)), plain(desk.state())) == {"messages"}


def test_a_new_member_alone_keeps_the_queue_right(desk: Desk) -> None:
    desk.sandbox.sockets.faults.add(SocketFault(kind="drop", times=None, frame="queue status update"))
    before = desk.state()
    wait(desk)
    wait(desk)
    pushed = desk.events()
    assert [type(event) for event in pushed] == [events.QueueMemberJoined] * 2
    assert reduce(apply, pushed, before) == desk.state()


def test_frames_that_come_twice_or_backwards_end_in_the_same_state(desk: Desk) -> None:
    desk.sandbox.sockets.faults.add(SocketFault(kind="duplicate", times=None))
    before = desk.state()
    write(desk)
    pushed = desk.events()
    assert [type(event) for event in pushed] == [kind for kind in SAID for _ in range(2)]
    assert reduce(apply, pushed, before) == reduce(apply, reversed(pushed), before) == desk.state()
