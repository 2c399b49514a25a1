"""What waits for one consumer: bounded, and never at the price of a message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ultracart_conversation._live.feed import Feed, Owed
from ultracart_conversation._sync.pending import Pending
from ultracart_conversation.events import (
    CobrowsingLost,
    Event,
    Gap,
    GapClosed,
    GapUnresolved,
    MessageAnnounced,
    MessageReceived,
    MessageUpdated,
    QueueStatusChanged,
    Typing,
)
from ultracart_conversation.models import (
    ConversationEventTyping,
    ConversationMessage,
    ConversationSummary,
    ConversationWebchatQueueStatus,
)

NOW: dict[str, Any] = {"received_at": datetime(2026, 1, 1, tzinfo=UTC)}


def received(number: int, chat: str | None = "a") -> MessageReceived:
    message = ConversationMessage(conversation_message_uuid=f"m{number}", message_epoch=number)
    return MessageReceived(message=message, conversation_uuid=chat, **NOW)


def typing(value: str, who: str = "w") -> Typing:
    payload = ConversationEventTyping(author_conversation_participant_arn=who, value=value)
    return Typing(typing=payload, conversation_uuid="a", **NOW)


def queue(name: str, count: int) -> QueueStatusChanged:
    return QueueStatusChanged(queue=ConversationWebchatQueueStatus(queue_name=name, agent_count=count), **NOW)


def announced(number: int, chat: str = "a") -> MessageAnnounced:
    return MessageAnnounced(conversation=ConversationSummary(message_count=number), conversation_uuid=chat, **NOW)


def feed_of(*events: Event, maxsize: int = 3, overflow: Any = "wait") -> Feed:
    feed = Feed(maxsize=maxsize, overflow=overflow)
    for number, event in enumerate(events, 1):
        feed.offer(event, number if isinstance(event, MessageReceived | MessageUpdated) else 0)
    return feed


def taken(feed: Feed) -> list[Event]:
    found: list[Event] = []
    while (event := feed.take()) is not None:
        found.append(event)
    return found


def test_events_come_in_their_order() -> None:
    events: list[Event] = [received(1), announced(1), received(2)]
    assert taken(feed_of(*events)) == events


def test_messages_that_find_no_room_are_owed_from_the_first_one_on() -> None:
    feed = feed_of(*(received(number) for number in range(1, 4)), received(9, "b"), received(5, "b"), received(4))
    assert feed.owed == {"b": Owed(5, 4), "a": Owed(4, 6)}
    assert feed.is_full
    assert len(feed) == 3


def test_a_conversation_that_is_owed_stays_in_order() -> None:
    feed = feed_of(received(1), received(2, "b"), maxsize=1)
    feed.take()
    feed.offer(received(3, "b"), 3)
    feed.offer(received(4), 4)
    assert feed.owed == {"b": Owed(2, 2)}
    assert taken(feed) == [received(4)]


def test_what_is_owed_is_read_again_once_half_of_the_room_is_free_in_turn() -> None:
    feed = feed_of(*(received(number) for number in range(4)), received(4, "b"), received(5, "c"), maxsize=4)
    waits: list[str | None] = []
    while True:
        waits.append(feed.next_owed())
        if feed.take() is None:
            break
    assert waits == [None, None, "b", "b", "b"]
    feed.repaid("b", [received(4, "b")], Owed(6, 6))
    assert feed.next_owed() == "c"
    feed.repaid("c", [], None)
    assert feed.next_owed() == "b"
    assert taken(feed) == [received(4, "b")]


def test_room_is_what_is_free_and_never_none_at_all() -> None:
    assert [feed_of(*map(received, range(count))).room for count in range(5)] == [3, 2, 1, 1, 1]


@pytest.mark.parametrize("maxsize", [1, 2, 10])
def test_typing_and_queues_keep_only_the_latest(maxsize: int) -> None:
    feed = feed_of(typing("a"), typing("ab"), maxsize=maxsize)
    assert taken(feed) == [typing("ab")]
    assert taken(feed_of(queue("q", 1), queue("q", 2), queue("r", 1), maxsize=2)) == [queue("q", 2), queue("r", 1)]
    assert taken(feed_of(typing("a", "v"), typing("b", "w"), maxsize=2)) == [typing("a", "v"), typing("b", "w")]


def test_when_it_is_full_the_latest_of_each_kind_is_kept_where_it_belongs() -> None:
    full = [received(number) for number in range(4)]
    gaps: list[Event] = [Gap(reason="1", **NOW), GapClosed(count=1, **NOW), Gap(reason="2", **NOW)]
    feed = feed_of(*full, *gaps, announced(1), announced(2), announced(3, "b"), maxsize=4)
    assert taken(feed) == [*full, gaps[1], gaps[2], announced(2), announced(3, "b")]


def test_when_it_is_full_typing_and_recordings_are_lost_and_counted() -> None:
    feed = feed_of(*map(received, range(3)), typing("a"), CobrowsingLost(index=1, reason="late", **NOW))
    assert (feed.dropped, feed.lost(), feed.lost()) == (2, 2, 0)
    assert len(feed) == 3


def test_it_never_grows_beyond_twice_its_size_and_one_of_each_kept_kind() -> None:
    feed = feed_of(maxsize=5)
    for number in range(1_000):
        chat = f"c{number}"
        for event in (
            received(number, chat),
            announced(1, chat),
            typing("x", chat),
            queue(chat, 1),
            Gap(reason="", **NOW),
        ):
            feed.offer(event, number)
    assert len(feed) <= 2 * 5 + 1
    assert len(feed.owed) <= 1_000


def test_drop_oldest_loses_only_the_oldest_and_counts_them() -> None:
    feed = feed_of(*map(received, range(10)), overflow="drop_oldest")
    assert (feed.dropped, feed.is_full, feed.owed) == (7, True, {})
    assert taken(feed) == [received(7), received(8), received(9)]
    assert not feed.is_full


def test_drop_oldest_loses_nothing_for_what_only_replaces() -> None:
    feed = feed_of(received(1), received(2), typing("a"), typing("b"), overflow="drop_oldest")
    assert (feed.dropped, taken(feed)) == (0, [received(1), received(2), typing("b")])


def test_a_message_of_no_conversation_cannot_be_read_again_and_is_kept_while_there_is_room() -> None:
    feed = feed_of(*(received(number, None) for number in range(9)))
    assert feed.owed == {}
    assert (len(feed), feed.dropped) == (6, 3)


def test_an_event_is_confirmed_by_asking_for_the_next() -> None:
    update = MessageUpdated(message=received(7).message, conversation_uuid="b", **NOW)
    feed = feed_of(received(1), announced(1), update, received(9, "c"))
    everything = {"a": Pending(1, frozenset({"m1"})), "b": Pending(7, frozenset({"m7"})), "c": Pending(9, first=4)}
    assert feed.unconfirmed() == everything
    feed.take()
    assert feed.unconfirmed() == everything
    feed.take()
    assert feed.unconfirmed() == {name: everything[name] for name in "bc"}
    feed.take()
    feed.take()
    assert feed.unconfirmed() == {"c": everything["c"]}


def test_what_waits_and_what_is_owed_of_one_conversation_are_pending_together() -> None:
    feed = feed_of(received(5), received(3), received(4), received(2))
    assert feed.unconfirmed() == {"a": Pending(2, frozenset({"m5", "m3", "m4"}), first=4)}


def test_at_the_end_what_is_still_owed_is_said_and_stays_pending() -> None:
    feed = feed_of(*map(received, range(3)), received(9, "b"))
    feed.end(NOW["received_at"])
    *_, last = taken(feed)
    assert isinstance(last, GapUnresolved)
    assert (last.conversation_uuid, "session ended" in last.reason) == ("b", True)
    assert feed.unconfirmed() == {"b": Pending(9, first=4)}


def test_cleared_it_holds_nothing() -> None:
    feed = feed_of(*map(received, range(5)))
    feed.take()
    feed.clear()
    assert (len(feed), feed.owed, feed.unconfirmed(), feed.take()) == (0, {}, {}, None)
