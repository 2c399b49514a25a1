"""What is pushed and what is read become one stream, in which every message comes once."""

import attrs
import pytest

from tests.intake_desk import SWEEPING, Desk, events, kinds, messages
from ultracart_conversation._live.frames import Garbage, Ping
from ultracart_conversation._live.held import MOST
from ultracart_conversation.events import (
    ConversationClosed,
    ConversationStarted,
    Event,
    Gap,
    GapClosed,
    MessageAnnounced,
    MessageReceived,
    MessageUpdated,
)

# What is pushed


def test_a_pushed_message_is_handed_over_once_and_looked_at_again_later() -> None:
    desk = Desk("a")
    message = desk.service.write("a")
    assert messages(desk.push(message)) == [message]
    assert desk.push(message) == []
    assert desk.intake.counts.duplicates == 1
    assert desk.due("a") == [SWEEPING.settle]
    assert desk.read() == []


def test_a_busy_conversation_is_looked_at_when_it_rests_or_after_one_interval() -> None:
    desk = Desk("a")
    began = desk.moment().now
    for _ in range(20):
        desk.push(desk.service.write("a"))
        desk.wait(20)
    at = desk.intake.agenda.next()
    assert at == began + SWEEPING.interval


def test_an_edit_is_an_update_and_of_an_unseen_message_it_is_the_message() -> None:
    desk = Desk("a")
    unseen = desk.service.write("a")

    def edited(body: str) -> list[Event]:
        message = attrs.evolve(unseen, body=body)
        return desk.frame(MessageUpdated(message=message, conversation_uuid="a", **desk.origin()))

    assert kinds([*edited("1"), *edited("2"), *edited("2")]) == [MessageReceived, MessageUpdated]


def test_pings_and_garbage_are_no_events() -> None:
    desk = Desk("a")
    assert desk.frame(Ping()) == desk.frame(Garbage(3, "???")) == []
    counts = desk.intake.counts
    assert (counts.frames, counts.pings, counts.garbage) == (2, 1, 1)


def test_a_message_of_no_conversation_is_handed_over_as_it_is() -> None:
    desk = Desk(live=False)
    assert len(desk.push(desk.service.write("a"), None)) == 1
    assert len(desk.intake.agenda) == 0


# Announcements


def test_an_announced_message_that_does_not_come_is_read_soon() -> None:
    desk = Desk("a")
    missed = desk.service.write("a")
    assert kinds(desk.announce()) == [MessageAnnounced]
    assert desk.due("a") == [SWEEPING.grace]
    assert messages(desk.read()) == [missed]


@pytest.mark.parametrize("first", ["message", "announcement"])
def test_an_announced_message_that_comes_costs_no_hurried_read(first: str) -> None:
    desk = Desk("a")
    message = desk.service.write("a")
    if first == "message":
        desk.push(message)
    desk.announce()
    if first == "announcement":
        desk.push(message)
    assert desk.due("a") == [SWEEPING.settle]


def test_what_is_to_be_read_at_once_is_not_put_off_by_a_push() -> None:
    desk = Desk("a")
    desk.intake.agenda.hasten("a", desk.moment().now, within=0)
    desk.push(desk.service.write("a"))
    assert desk.due("a") == [0]


def test_announcements_of_others_conversations_are_passed_on_and_not_read() -> None:
    desk = Desk("a")
    desk.service.write("b")
    assert kinds(desk.announce("b", participants=())) == [MessageAnnounced]
    assert len(desk.intake.agenda) == 0


def test_a_conversation_that_begins_with_this_agent_is_followed_from_then_on() -> None:
    desk = Desk("a")
    message = desk.service.write("new")
    desk.frame(ConversationStarted(conversation=desk.service.row("new"), conversation_uuid="new", **desk.origin()))
    assert desk.due("new") == [SWEEPING.settle]
    assert messages(desk.read("new")) == [message]


def test_a_closed_conversation_is_noticed() -> None:
    desk = Desk("a")
    row = desk.service.row("a", closed=True)
    desk.frame(ConversationClosed(conversation=row, conversation_uuid="a", **desk.origin()))
    assert not desk.intake.ledger.tracks["a"].is_open


# Recovering


def test_what_is_pushed_while_it_recovers_waits_for_what_was_missed() -> None:
    desk = Desk("a", "b", live=False)
    missed = desk.service.write("a")
    desk.wait(1)
    pushed, other = desk.service.write("a", lag=10_000), desk.service.write("b")
    assert desk.push(pushed) == desk.push(other, "b") == []
    found = desk.sweep()
    in_a = [event for event in found if event.conversation_uuid == "a"]
    assert messages(in_a) == [missed, pushed]
    assert [event.replayed for event in in_a] == [True, False]
    assert not any(event.late for event in in_a if isinstance(event, MessageReceived))
    assert messages(found).count(other) == 1
    assert isinstance(found[-1], GapClosed)
    assert found[-1].count == 2


def test_what_waits_for_a_conversation_without_a_gap_goes_on_once_the_list_is_read() -> None:
    desk = Desk("a", "b", live=False)
    message, other = desk.service.write("a"), desk.service.write("b")
    desk.push(message)
    desk.push(other, "b")
    desk.intake.listed([], desk.service.now)
    assert messages(events(desk.intake.expect(["b"]))) == [message]
    assert desk.push(desk.service.write("b"), "b") == []
    assert len(desk.push(desk.service.write("a"))) == 1
    assert len(messages(desk.read("b"))) == 2
    assert len(desk.push(desk.service.write("b"), "b")) == 1


@pytest.mark.parametrize("end", ["failed", "gone", "recovered"])
def test_nothing_waits_for_ever(end: str) -> None:
    desk = Desk("a", live=False)
    message = desk.service.write("a")
    desk.push(message)
    desk.intake.expect(["a"])
    ends = {
        "failed": lambda: desk.intake.failed("a", "500", desk.moment()),
        "gone": lambda: desk.intake.gone("a"),
        "recovered": lambda: desk.intake.recovered(desk.moment()),
    }
    assert messages(events(ends[end]())) == [message]


def test_what_is_too_much_to_wait_is_read_instead() -> None:
    desk = Desk("a", "b", live=False)
    said = [desk.service.write("a") for _ in range(MOST)]
    for message in said:
        desk.push(message)
    assert desk.intake.agenda.next() == desk.moment().now + SWEEPING.settle
    more = desk.service.write("b")
    desk.push(more, "b")
    assert desk.intake.agenda.next() == desk.moment().now
    found = messages(desk.sweep())
    assert len(found) == MOST + 1
    assert {message.conversation_message_uuid for message in found} == {
        message.conversation_message_uuid for message in [*said, more]
    }


def test_what_went_on_makes_room_for_more_to_wait() -> None:
    desk = Desk("a", live=False)
    for _ in range(2):
        for _ in range(MOST - 1):
            assert desk.push(desk.service.write("a")) == []
        assert desk.intake.agenda.next() != desk.moment().now, "nothing has to be read instead"
        assert len(messages(desk.sweep())) == MOST - 1
        desk.reopen()


def test_a_gap_is_said_once_and_closed_with_what_it_held() -> None:
    desk = Desk("a")
    assert kinds(desk.reopen()) == [Gap]
    assert desk.reopen() == []
    desk.service.write("a")
    *_, closed = desk.sweep()
    assert isinstance(closed, GapClosed)
    assert closed.count == 1
    assert events(desk.intake.recovered(desk.moment())) == []
