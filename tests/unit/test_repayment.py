"""What a consumer that could not keep everything is given when it is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chat_service import EPOCH
from ultracart_conversation._live.feed import Owed
from ultracart_conversation._live.repayment import Repayment, repay
from ultracart_conversation._sync.track import Track
from ultracart_conversation.models import ConversationMessage


def said(number: int, *, epoch: int | None = None, body: str = "") -> ConversationMessage:
    at = EPOCH + number if epoch is None else epoch
    return ConversationMessage(conversation_message_uuid=f"m{number}", message_epoch=at, body=body)


def handed_over(*messages: ConversationMessage) -> Track:
    """A track in which these were handed over under the numbers 1, 2, 3…"""
    track = Track("chat", EPOCH, EPOCH - 1)
    for number, message in enumerate(messages, 1):
        track.push(message, number=number)
    return track


def given_by(repayment: Repayment) -> list[str | None]:
    return [found.message.conversation_message_uuid for found in repayment.found]


MESSAGES = [said(number) for number in range(1, 7)]


def test_what_was_not_given_is_given_and_nothing_else() -> None:
    repayment = repay(handed_over(*MESSAGES), Owed(EPOCH + 4, 4), MESSAGES, room=10)
    assert given_by(repayment) == ["m4", "m5", "m6"]
    assert repayment.rest is None
    assert not any(found.late or found.is_update for found in repayment.found)


def test_what_finds_no_room_stays_owed() -> None:
    track, owed, given = handed_over(*MESSAGES), Owed(EPOCH, 1), list[str | None]()
    while True:
        repayment = repay(track, owed, MESSAGES, room=2)
        given += given_by(repayment)
        if repayment.rest is None:
            break
        owed = repayment.rest
    assert given == ["m1", "m2", "m3", "m4", "m5", "m6"]


def test_what_is_not_shown_yet_holds_back_what_came_after_it() -> None:
    track = handed_over(*MESSAGES)
    repayment = repay(track, Owed(EPOCH, 1), [MESSAGES[0], *MESSAGES[2:]], room=10)
    assert given_by(repayment) == ["m1"]
    assert repayment.rest == Owed(EPOCH + 2, 2)
    assert given_by(repay(track, repayment.rest, MESSAGES, room=10)) == ["m2", "m3", "m4", "m5", "m6"]


def test_what_was_handed_over_while_it_was_read_is_not_lost() -> None:
    track = handed_over(*MESSAGES)
    lagging = repay(track, Owed(EPOCH + 4, 4), MESSAGES[:3], room=10)
    assert (lagging.found, lagging.rest) == ((), Owed(EPOCH + 4, 4))


def test_a_late_message_comes_in_its_turn_and_says_so() -> None:
    late = said(9, epoch=EPOCH + 1)
    track = handed_over(said(2), said(3), late, said(4))
    repayment = repay(track, Owed(EPOCH + 1, 3), [said(2), said(3), late, said(4)], room=1)
    assert [(found.message, found.late) for found in repayment.found] == [(late, True)]
    assert repayment.rest == Owed(EPOCH + 4, 4)


def test_an_update_of_what_was_given_is_an_update_and_of_what_was_not_is_new() -> None:
    track = handed_over(said(1), said(2))
    for number in (1, 2):
        track.push(said(number, body="edited"), number=2 + number)
    repayment = repay(track, Owed(EPOCH, 2), [said(1, body="edited"), said(2, body="edited")], room=10)
    assert [found.is_update for found in repayment.found] == [True, False]
    assert [found.message.body for found in repayment.found] == ["edited", "edited"]


def test_what_was_removed_is_not_waited_for() -> None:
    track = handed_over(*MESSAGES)
    track.forget(["m4"])
    repayment = repay(track, Owed(EPOCH, 3), [each for each in MESSAGES if each != MESSAGES[3]], room=10)
    assert (given_by(repayment), repayment.rest) == (["m3", "m5", "m6"], None)


def test_what_an_incomplete_reading_cannot_show_is_left_out() -> None:
    repayment = repay(handed_over(*MESSAGES), Owed(EPOCH, 1), MESSAGES[3:], room=10, complete=False)
    assert (given_by(repayment), repayment.rest) == (["m4", "m5", "m6"], None)


@pytest.mark.parametrize("room", [150, 3_000])
def test_what_nobody_remembers_is_given_better_twice_than_never(room: int) -> None:
    messages = [said(number, epoch=EPOCH + 1000 * number) for number in range(2_200)]
    track = handed_over(*messages)
    track.prove(messages[-1].message_epoch or 0, counted=None)
    assert len(track.known) < 200
    owed, given = Owed(EPOCH, 1), list[str | None]()
    for _ in range(20):
        repayment = repay(track, owed, messages, room=room)
        given += given_by(repayment)
        if repayment.rest is None:
            break
        owed = repayment.rest
    assert given == [message.conversation_message_uuid for message in messages]


def test_what_was_there_before_it_was_followed_is_not_given() -> None:
    old, track = said(0, epoch=EPOCH - 1000), handed_over(*MESSAGES)
    track.kept = EPOCH + 1
    assert given_by(repay(track, Owed(EPOCH - 1000, 6), [old, *MESSAGES], room=10)) == ["m6"]


def test_of_a_conversation_that_is_not_followed_all_is_given() -> None:
    assert given_by(repay(None, Owed(EPOCH + 5, 3), MESSAGES, room=10)) == ["m5", "m6"]


@given(
    epochs=st.lists(st.integers(0, 8), min_size=1, max_size=10),
    first=st.integers(1, 10),
    hidden=st.lists(st.sets(st.integers(1, 10)), max_size=4),
    room=st.integers(1, 4),
)
def test_each_is_given_once_whatever_is_shown_when(
    epochs: list[int], first: int, hidden: list[set[int]], room: int
) -> None:
    messages = [said(number, epoch=EPOCH + epoch) for number, epoch in enumerate(epochs, 1)]
    track, due = handed_over(*messages), messages[first - 1 :]
    given, owed = list[str | None](), Owed(min((m.message_epoch or 0 for m in due), default=0), first)
    for unseen in [*hidden, *[set[int]()] * len(epochs)]:
        read = [
            m for number, m in enumerate(messages, 1) if number not in unseen and (m.message_epoch or 0) >= owed.epoch
        ]
        repayment = repay(track, owed, read, room=room)
        assert len(repayment.found) <= room
        given += given_by(repayment)
        if repayment.rest is None:
            break
        owed = repayment.rest
    assert sorted(given, key=str) == sorted((m.conversation_message_uuid for m in due), key=str)
