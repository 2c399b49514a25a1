"""What counts as the acknowledgement of a message, with its id and, where the service leaves that out, without."""

import pytest

from tests.outbox_desk import EPOCH, Desk, is_sent
from ultracart_conversation.delivery import FoundBy, Sent

EITHER = pytest.mark.parametrize("found_by", ["echo", "rest"])


@EITHER
def test_a_message_with_its_id_acknowledges_it(found_by: FoundBy) -> None:
    desk = Desk()
    desk.send()
    second = desk.send()
    message = desk.message("changed by the service", identifier=second.client_message_id, author="arn:whoever")
    assert desk.see(message, found_by=found_by) == [second]
    assert second.result == Sent(second.client_message_id, message, found_by)
    assert desk.see(message, found_by=found_by) == []


def test_an_id_in_another_conversation_says_nothing() -> None:
    desk = Desk()
    entry = desk.send("a")
    assert desk.see(desk.message(identifier=entry.client_message_id), "b") == []


def test_a_message_that_the_service_has_already_is_not_written_again() -> None:
    desk = Desk(connected=False)
    entry = desk.submit(identifier="of an earlier process")
    desk.see(desk.message(identifier="of an earlier process"), found_by="rest")
    assert is_sent(entry)
    desk.connect(1)
    assert desk.nothing_to_write()


@EITHER
def test_without_an_id_the_oldest_with_that_body_is_acknowledged(found_by: FoundBy) -> None:
    desk = Desk()
    desk.send(body="other")
    first, second = desk.send(), desk.send()
    assert desk.see(desk.message(), found_by=found_by) == [first]
    assert desk.see(desk.message(), found_by=found_by) == [second]
    assert desk.see(desk.message(), found_by=found_by) == []


def test_an_echo_may_come_before_the_write_returns() -> None:
    desk = Desk()
    desk.submit()
    entry = desk.hand_out()
    assert desk.see(desk.message()) == [entry]
    desk.outbox.written(entry, 1, now=desk.now)
    assert len(desk.outbox) == 0


@pytest.mark.parametrize(
    ("body", "author", "conversation"),
    [("hello", "arn:customer", "a"), ("Hello", "arn:agent", "a"), ("hello", "arn:agent", "b")],
)
def test_without_an_id_author_body_and_conversation_must_be_the_same(body: str, author: str, conversation: str) -> None:
    desk = Desk()
    desk.send()
    assert desk.see(desk.message(body, author=author), conversation) == []


def test_a_message_with_the_id_of_another_is_of_another() -> None:
    desk = Desk()
    desk.send()
    assert desk.see(desk.message(identifier="of another device")) == []


def test_what_waits_is_not_acknowledged_by_its_body() -> None:
    desk = Desk()
    desk.submit()
    assert desk.see(desk.message()) == []


def test_one_message_seen_twice_acknowledges_one() -> None:
    desk = Desk()
    first, second = desk.send(), desk.send()
    message = desk.message()
    assert desk.see(message) == [first]
    assert desk.see(message, found_by="rest") == []
    assert second.result is None


def test_one_message_seen_first_without_and_then_with_its_id_acknowledges_one() -> None:
    desk = Desk()
    first, second = desk.send(), desk.send()
    bare = desk.message()
    assert desk.see(bare) == [first]
    whole = type(bare).from_dict({**bare.to_dict(), "client_message_id": second.client_message_id})
    assert desk.see(whole, found_by="rest") == []


def test_a_message_seen_before_it_was_written_is_not_its_acknowledgement() -> None:
    desk = Desk()
    before = desk.message()
    desk.see(before)
    desk.send()
    assert desk.see(before, found_by="rest") == []


@EITHER
def test_a_message_older_than_what_was_seen_before_writing_is_not_its_acknowledgement(found_by: FoundBy) -> None:
    desk = Desk()
    for epoch in (EPOCH - 10_000, EPOCH - 60_000):
        desk.see(desk.message("question", author="arn:customer", epoch=epoch))
    desk.send()
    assert desk.see(desk.message(epoch=EPOCH - 12_001), found_by=found_by) == []
    assert len(desk.see(desk.message(epoch=EPOCH - 12_000), found_by=found_by)) == 1


@EITHER
def test_where_nothing_was_seen_before_this_machines_clock_decides(found_by: FoundBy) -> None:
    desk = Desk()
    desk.send()
    assert desk.see(desk.message(epoch=EPOCH - 120_001), found_by=found_by) == []
    assert len(desk.see(desk.message(epoch=EPOCH - 120_000), found_by=found_by)) == 1


def test_a_message_dated_ahead_does_not_hide_the_acknowledgements_of_others() -> None:
    desk = Desk()
    desk.see(desk.message("tomorrow", author="arn:customer", epoch=EPOCH + 86_400_000))
    desk.send()
    assert len(desk.see(desk.message())) == 1


def test_a_message_without_a_date_is_new_only_when_it_was_pushed() -> None:
    desk = Desk()
    desk.send()
    undated = {name: value for name, value in desk.message().to_dict().items() if name != "message_epoch"}
    pushed, read = (type(desk.message()).from_dict({**undated, "conversation_message_uuid": uuid}) for uuid in "pr")
    assert desk.see(read, found_by="rest") == []
    assert len(desk.see(pushed)) == 1


def test_a_message_without_uuid_and_id_cannot_be_told_from_others() -> None:
    desk = Desk()
    desk.send()
    nameless = {name: value for name, value in desk.message().to_dict().items() if name != "conversation_message_uuid"}
    assert desk.see(type(desk.message()).from_dict(nameless)) == []


def test_a_message_without_text_is_known_by_that() -> None:
    desk = Desk()
    entry = desk.send(body="")
    picture = {name: value for name, value in desk.message("").to_dict().items() if name != "body"}
    assert desk.see(type(desk.message()).from_dict(picture)) == [entry]
