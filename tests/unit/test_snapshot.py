"""Snapshots: what changes, what stays the same object, and what cannot be placed."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from ultracart_conversation import (
    Conversation,
    ConversationEventTyping,
    ConversationMessage,
    ConversationSummary,
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusQueueEntry,
    Event,
    JsonObject,
    MessageAnnounced,
    MessageReceived,
    MessageUpdated,
    QueueMemberJoined,
    QueueStatusChanged,
    Typing,
)
from ultracart_conversation.snapshot import Snapshot, apply

NOW = datetime(2025, 10, 27, 16, tzinfo=UTC)


def message(uuid: str | None, epoch: int | None, body: str = "x") -> ConversationMessage:
    return ConversationMessage(conversation_message_uuid=uuid, message_epoch=epoch, body=body)


def received(said: ConversationMessage, uuid: str | None = "c") -> MessageReceived:
    return MessageReceived(conversation_uuid=uuid, received_at=NOW, message=said)


def updated(said: ConversationMessage, uuid: str | None = "c") -> MessageUpdated:
    return MessageUpdated(conversation_uuid=uuid, received_at=NOW, message=said)


def announced(row: ConversationSummary, uuid: str | None = None) -> MessageAnnounced:
    return MessageAnnounced(conversation_uuid=uuid, received_at=NOW, conversation=row)


def joined(entry: ConversationWebchatQueueStatusQueueEntry) -> QueueMemberJoined:
    return QueueMemberJoined(received_at=NOW, entry=entry)


def entry(
    uuid: str | None, *, minutes: int = 0, queue: str | None = "Support"
) -> ConversationWebchatQueueStatusQueueEntry:
    return ConversationWebchatQueueStatusQueueEntry(
        conversation_webchat_queue_uuid=uuid, queue_name=queue, join_dts=NOW + timedelta(minutes=minutes)
    )


ONE, TWO = message("m1", 1), message("m2", 2, "y")
ROW = ConversationSummary(conversation_uuid="c", last_conversation_message_body="y", message_count=2)
QUEUE = ConversationWebchatQueueStatus(queue_name="Support", customer_waiting_count=0)
SNAPSHOT = Snapshot.of(
    conversations=[
        Conversation(conversation_uuid="c", last_conversation_message_body="y", message_count=2, messages=(TWO, ONE))
    ],
    queues=[QUEUE],
)


def test_a_conversation_is_kept_as_its_summary_and_its_messages_in_order() -> None:
    assert dict(SNAPSHOT.conversations) == {"c": ROW}
    assert dict(SNAPSHOT.messages) == {"c": (ONE, TWO)}
    assert dict(SNAPSHOT.queues) == {"Support": QUEUE}
    assert Snapshot.of(conversations=[ROW]) == Snapshot(conversations={"c": ROW})


def test_unknown_fields_of_a_newer_service_stay() -> None:
    newer = Conversation.from_dict({"conversation_uuid": "c", "mood": "good"})
    assert Snapshot.of(conversations=[newer]).conversations["c"].extra == JsonObject({"mood": "good"})


def test_what_has_no_name_is_left_out() -> None:
    nameless = Snapshot.of(conversations=[ConversationSummary()], queues=[ConversationWebchatQueueStatus()])
    assert nameless == Snapshot.of() == Snapshot()


UNCHANGED: dict[str, Event] = {
    "typing": Typing(conversation_uuid="c", received_at=NOW, typing=ConversationEventTyping(value="He")),
    "a message that is known": received(ONE),
    "a message of no conversation": received(message("m3", 3), uuid=None),
    "an update that is known": updated(TWO),
    "an update of a message that is not known": updated(message("m0", 0)),
    "an update in a conversation that is not known": updated(ONE, uuid="other"),
    "an update of no conversation": updated(message("m1", 1, "new"), uuid=None),
    "the summary that is known": announced(ROW),
    "a summary of no conversation": announced(ConversationSummary()),
    "the queue that is known": QueueStatusChanged(received_at=NOW, queue=QUEUE),
    "a queue without a name": QueueStatusChanged(received_at=NOW, queue=ConversationWebchatQueueStatus()),
    "an entry of a queue that is not known": joined(entry("q1", queue="Sales")),
    "an entry of no queue": joined(entry("q1", queue=None)),
}


@pytest.mark.parametrize("case", UNCHANGED)
def test_what_changes_nothing_gives_the_same_snapshot(case: str) -> None:
    assert apply(SNAPSHOT, UNCHANGED[case]) is SNAPSHOT


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (message("m0", 0), ["m0", "m1", "m2"]),
        (message("m10", 1), ["m1", "m10", "m2"]),
        (message("m3", 3), ["m1", "m2", "m3"]),
        (message(None, 9), ["m1", "m2", None]),
    ],
)
def test_a_message_takes_its_place(said: ConversationMessage, expected: list[str | None]) -> None:
    after = apply(SNAPSHOT, received(said))
    assert [each.conversation_message_uuid for each in after.messages["c"]] == expected
    assert apply(after, received(said)) is after
    assert after.conversations is SNAPSHOT.conversations


def test_a_message_of_an_unknown_conversation_is_the_first_that_is_known() -> None:
    assert apply(SNAPSHOT, received(ONE, uuid="new")).messages["new"] == (ONE,)


def test_an_edit_of_the_last_message_is_an_edit_of_what_the_summary_quotes() -> None:
    after = apply(SNAPSHOT, updated(message("m2", 2, "****")))
    assert [each.body for each in after.messages["c"]] == ["x", "****"]
    assert after.conversations["c"] == attrs.evolve(ROW, last_conversation_message_body="****")


@pytest.mark.parametrize(("said", "quoted"), [(ONE, "x"), (TWO, "something newer")])
def test_another_edit_leaves_the_summary_alone(said: ConversationMessage, quoted: str) -> None:
    before = apply(SNAPSHOT, announced(attrs.evolve(ROW, last_conversation_message_body=quoted)))
    after = apply(before, updated(attrs.evolve(said, body="****")))
    assert after.messages != before.messages
    assert after.conversations is before.conversations


def test_a_summary_replaces_the_one_before_whole() -> None:
    sparse = ConversationSummary(conversation_uuid="c", closed=True)
    assert dict(apply(SNAPSHOT, announced(sparse)).conversations) == {"c": sparse}
    nameless = ConversationSummary(closed=True)
    assert dict(apply(SNAPSHOT, announced(nameless, "c")).conversations) == {"c": nameless}


def test_a_new_member_waits_in_the_queue_once() -> None:
    first, second = entry("q1", minutes=5), entry("q2", minutes=7)
    after = apply(apply(apply(SNAPSHOT, joined(first)), joined(second)), joined(second))
    assert after.queues["Support"] == attrs.evolve(
        QUEUE, queue_entries=(first, second), customer_waiting_count=2, customer_waiting_join_dts=first.join_dts
    )


def test_a_count_that_the_service_does_not_give_is_not_made_up() -> None:
    silent = Snapshot.of(queues=[ConversationWebchatQueueStatus(queue_name="Support")])
    timeless = attrs.evolve(entry(None), join_dts=None)
    after = apply(silent, joined(timeless))
    assert after.queues["Support"] == ConversationWebchatQueueStatus(queue_name="Support", queue_entries=(timeless,))
    assert apply(after, joined(timeless)) is after


def test_a_snapshot_never_changes() -> None:
    before = attrs.evolve(SNAPSHOT)
    after = apply(SNAPSHOT, received(message("m3", 3)))
    assert before == SNAPSHOT != after
    for mapping in (after.conversations, after.messages, after.queues):
        with pytest.raises(TypeError):
            mapping["c"] = None  # type: ignore[index]
