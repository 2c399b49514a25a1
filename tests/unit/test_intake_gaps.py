"""What is not proven, what should have been pushed, and how often each is looked at."""

from typing import Any

import attrs
import pytest

from tests.chat_service import ME, Habits
from tests.intake_desk import SWEEPING, Desk, events, kinds, messages
from ultracart_conversation._live.frames import Ping
from ultracart_conversation._live.suspects import BELATED
from ultracart_conversation.events import (
    GapClosed,
    GapUnresolved,
    MessageReceived,
    PushMissed,
    QueueStatusChanged,
)
from ultracart_conversation.models import ConversationMessage, ConversationParticipant, ConversationWebchatQueueStatus

# Not proven


def pushed_but_not_shown(desk: Desk) -> ConversationMessage:
    message = desk.service.write("a", lag=10_000_000)
    desk.push(message)
    return message


def test_a_service_that_lags_is_given_time_before_that_is_called_a_gap() -> None:
    desk = Desk("a")
    pushed_but_not_shown(desk)
    assert [kinds(desk.read()) for _ in range(4)] == [[], [], [GapUnresolved], []]
    desk.wait(10_000)
    assert kinds(desk.read()) == [GapClosed]
    assert desk.read() == []


def test_a_busy_conversation_of_a_service_that_always_lags_is_no_gap() -> None:
    desk = Desk("a")
    for _ in range(10):
        desk.push(desk.service.write("a", lag=60_000))
        desk.wait(20)
        assert desk.read() == []
    assert desk.intake.ledger.tracks["a"].watermark > desk.service.now - 120_000


def test_what_is_not_proven_is_tried_again_less_and_less_often() -> None:
    desk = Desk("a")
    pushed_but_not_shown(desk)
    waits: list[float | None] = []
    for _ in range(6):
        desk.read()
        waits += desk.due("a")
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_conversation_that_cannot_be_read_is_a_gap_until_it_can() -> None:
    desk = Desk("a", follow="all")
    missed = desk.service.write("a")
    failures = [desk.intake.failed("a", "500", desk.moment()) for _ in range(2)]
    assert [kinds(events(failure)) for failure in failures] == [[GapUnresolved], []]
    assert desk.due("a") == [SWEEPING.interval]
    assert desk.intake.ledger.unlisted([]) == ["a"]
    received, closed = desk.read()
    assert messages([received]) == [missed]
    assert (type(closed), closed.conversation_uuid) == (GapClosed, "a")


def test_a_hole_in_what_the_service_can_show_is_said_and_what_it_shows_is_handed_over() -> None:
    desk = Desk("a")
    desk.service.habits = Habits(keeps="newest ascending", counts="inflated", cap=3, whole=3)
    for _ in range(9):
        desk.wait(1)
        desk.service.write("a")
    found = desk.read()
    assert kinds(found) == [MessageReceived] * 3 + [GapUnresolved]


def test_a_conversation_that_is_gone_is_not_read_again() -> None:
    desk = Desk("a")
    desk.intake.failed("a", "500", desk.moment())
    assert desk.intake.gone("a") == []
    assert len(desk.intake.agenda) == 0
    assert len(desk.intake.unresolved) == 0
    assert desk.intake.ledger.unlisted([]) == []


# Pushes that are missing


def test_what_is_read_and_never_pushed_was_missed() -> None:
    desk = Desk("a")
    message = desk.service.write("a")
    assert messages(desk.read()) == [message]
    assert desk.intake.is_deaf()
    assert desk.intake.overdue(desk.moment()) == []
    desk.wait(BELATED)
    [missed] = events(desk.intake.overdue(desk.moment()))
    assert isinstance(missed, PushMissed)
    assert missed.conversation_message_uuid == message.conversation_message_uuid
    assert desk.intake.overdue(desk.moment()) == []
    assert desk.intake.counts.missed == 1


def not_missed_as_it_was_pushed_a_little_later(desk: Desk) -> None:
    message = desk.service.write("a")
    desk.read()
    desk.wait(BELATED - 1)
    desk.push(message)


def not_missed_as_the_connection_was_lost(desk: Desk) -> None:
    desk.reopen()
    desk.service.write("a")
    desk.wait(2 * SWEEPING.settle)
    desk.sweep()


def not_missed_as_the_connection_is_young(desk: Desk) -> None:
    desk.reopen()
    desk.sweep()
    desk.wait(SWEEPING.settle - 1)
    desk.service.write("a")
    desk.read()


def not_missed_as_this_agent_wrote_it(desk: Desk) -> None:
    desk.service.write("a")
    said = desk.service.chats["a"][-1]
    said.message = attrs.evolve(said.message, author_conversation_participant_arn=ME)
    desk.read()


def not_missed_as_it_is_another_agents(desk: Desk) -> None:
    somebody = ConversationParticipant(conversation_participant_arn="arn:colleague")
    desk.intake.ledger.note(desk.service.row("a", participants=(somebody,)))
    desk.service.write("a")
    desk.read()


@pytest.mark.parametrize(
    "happens",
    [
        not_missed_as_it_was_pushed_a_little_later,
        not_missed_as_the_connection_was_lost,
        not_missed_as_the_connection_is_young,
        not_missed_as_this_agent_wrote_it,
        not_missed_as_it_is_another_agents,
    ],
    ids=lambda function: function.__name__,
)
def test_what_need_not_have_been_pushed_was_not_missed(happens: Any) -> None:
    desk = Desk("a", follow="all")
    happens(desk)
    desk.wait(BELATED)
    assert PushMissed not in kinds(events(desk.intake.overdue(desk.moment())))


def test_a_websocket_is_deaf_only_when_it_brought_nothing_and_there_was_something() -> None:
    desk = Desk("a")
    assert not desk.intake.is_deaf()
    desk.service.write("a")
    desk.read()
    assert desk.intake.is_deaf()
    desk.frame(Ping())
    assert desk.intake.is_deaf()
    desk.announce()
    assert not desk.intake.is_deaf()


def test_what_a_read_found_is_looked_at_once_more() -> None:
    desk = Desk("a")
    desk.service.write("a")
    desk.read()
    assert desk.due("a") == [SWEEPING.settle]
    desk.read()
    assert desk.due("a") == [None]


# Queues


def test_queues_are_told_when_they_change_whoever_says_so() -> None:
    desk = Desk("a")
    queues = [ConversationWebchatQueueStatus(queue_name=name, agent_count=1) for name in "qr"]
    assert kinds(events(desk.intake.queues(queues, desk.moment()))) == [QueueStatusChanged] * 2
    assert desk.intake.queues(queues, desk.moment()) == []
    changed = attrs.evolve(queues[0], agent_count=2)
    assert len(desk.frame(QueueStatusChanged(queue=changed, **desk.origin()))) == 1
    assert desk.intake.queues([changed, queues[1]], desk.moment()) == []
    assert [event.replayed for event in events(desk.intake.queues(queues, desk.moment()))] == [True]
