"""No mark goes back."""

import pytest

from ultracart_conversation._live.read_marks import Mark, ReadMarks


@pytest.fixture
def marks() -> ReadMarks:
    return ReadMarks()


def send(marks: ReadMarks, mark: Mark, conversation: str = "a") -> bool:
    begun = marks.begin(conversation, mark)
    if begun:
        marks.sent(conversation, mark)
    return begun


def test_only_newer_marks_are_sent(marks: ReadMarks) -> None:
    assert send(marks, Mark(2, "b"))
    assert not send(marks, Mark(1, "z"))
    assert not send(marks, Mark(2, "a"))
    assert not send(marks, Mark(2, "b"))
    assert send(marks, Mark(2, "c"))
    assert send(marks, Mark(3, "a"))


def test_conversations_have_marks_of_their_own(marks: ReadMarks) -> None:
    assert send(marks, Mark(2, "b"), "a")
    assert send(marks, Mark(1, "a"), "b")


def test_a_mark_that_was_not_sent_may_be_tried_again(marks: ReadMarks) -> None:
    assert marks.begin("a", Mark(1, "a"))
    marks.not_sent("a", Mark(1, "a"))
    assert send(marks, Mark(1, "a"))


def test_an_older_mark_waits_for_no_newer_one_that_is_being_sent(marks: ReadMarks) -> None:
    assert marks.begin("a", Mark(1, "a"))
    assert marks.begin("a", Mark(3, "c"))
    assert not marks.begin("a", Mark(2, "b"))
    marks.not_sent("a", Mark(3, "c"))
    assert send(marks, Mark(2, "b"))
    marks.sent("a", Mark(1, "a"))
    assert not marks.begin("a", Mark(2, "b"))
