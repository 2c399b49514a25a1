"""The outbox by example: order, bounds, doubt, look-ups and the end."""

from math import inf

import pytest

from tests.outbox_desk import Desk, is_sent, is_unknown
from ultracart_conversation import ConfigurationError, SendQueueFull, SessionClosed
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import Sent, Unknown


def test_messages_are_pipelined_in_the_order_of_submission() -> None:
    desk = Desk()
    entries = [desk.submit("a"), desk.submit("b"), desk.submit("a")]
    assert [desk.write() for _ in range(3)] == entries
    assert desk.nothing_to_write()


def test_nothing_is_handed_out_twice() -> None:
    desk = Desk()
    desk.submit()
    desk.hand_out()
    assert desk.nothing_to_write()


def test_a_message_waits_for_the_one_before_it_while_that_is_being_written() -> None:
    desk = Desk()
    first, _, other = desk.submit("a"), desk.submit("a"), desk.submit("b")
    assert desk.hand_out() is first
    assert desk.hand_out() is other
    assert desk.nothing_to_write()


def test_nothing_is_handed_out_without_a_connection() -> None:
    desk = Desk(connected=False)
    entry = desk.submit()
    assert desk.nothing_to_write()
    desk.connect(1)
    assert desk.write() is entry


def test_what_was_certainly_not_written_stays_first() -> None:
    desk = Desk()
    first, second = desk.submit(), desk.submit()
    desk.outbox.not_written(desk.hand_out(), now=desk.now)
    desk.connect(2)
    assert [desk.write(generation=2), desk.write(generation=2)] == [first, second]


def test_a_connection_that_takes_nothing_is_tried_again_after_a_pause() -> None:
    desk = Desk()
    entry = desk.submit()
    desk.outbox.not_written(desk.hand_out(), now=desk.now)
    assert desk.nothing_to_write()
    desk.now = desk.outbox.next_time(desk.now)
    assert desk.now == 1.0
    assert desk.write() is entry


def test_a_message_that_met_a_closing_connection_goes_out_at_once_on_the_next() -> None:
    desk = Desk()
    entry = desk.submit()
    desk.hand_out()
    desk.connect(2)
    desk.outbox.not_written(entry, now=desk.now)
    assert desk.write(generation=2) is entry


@pytest.mark.parametrize("how", ["in flight", "while writing", "before the write returned"])
def test_a_lost_connection_leaves_a_message_in_doubt_and_holds_back_its_conversation_only(how: str) -> None:
    desk = Desk()
    doubtful, behind, other = desk.submit("a"), desk.submit("a"), desk.submit("b")
    desk.hand_out()
    if how == "in flight":
        desk.outbox.written(doubtful, 1, now=desk.now)
    desk.lose(1)
    if how == "while writing":
        desk.outbox.maybe_written(doubtful, now=desk.now)
    if how == "before the write returned":
        desk.outbox.written(doubtful, 1, now=desk.now)
    desk.connect(2)
    assert desk.outbox.statistics().in_doubt == 1
    assert desk.write(generation=2) is other
    assert desk.nothing_to_write()
    desk.see(desk.message(identifier=doubtful.client_message_id), found_by="rest")
    assert is_sent(doubtful)
    assert desk.write(generation=2) is behind


def test_what_follows_a_message_goes_out_when_its_fate_is_unknown() -> None:
    desk = Desk()
    doubtful, behind = desk.send(), desk.submit()
    desk.lose(1)
    desk.connect(2)
    desk.now = 90.0
    assert desk.outbox.expire(desk.now) == [doubtful]
    assert desk.write(generation=2) is behind


def test_a_conversation_is_never_on_two_connections_at_once() -> None:
    desk = Desk()
    old, new, other = desk.send("a"), desk.submit("a"), desk.submit("b")
    desk.connect(2)
    assert desk.write(generation=2) is other
    assert desk.nothing_to_write()
    desk.see(desk.message(identifier=old.client_message_id))
    assert desk.write(generation=2) is new


def test_losing_the_old_connection_leaves_the_new_one_alone() -> None:
    desk = Desk()
    old = desk.send("a")
    desk.connect(2)
    desk.submit("b")
    desk.write(generation=2)
    desk.lose(1)
    assert (desk.outbox.statistics().in_doubt, desk.outbox.statistics().in_flight) == (1, 1)
    assert desk.outbox.due(desk.now) == [old.conversation_uuid]


def test_the_bound_on_messages() -> None:
    desk = Desk(Sending(messages=2))
    desk.send()
    desk.submit()
    with pytest.raises(SendQueueFull, match=r"^2 messages of 14 bytes .* 7 bytes more would pass 2 messages .* again$"):
        desk.submit(identifier="free")
    assert len(desk.outbox) == 2
    desk.see(desk.message(identifier="id-1"))
    desk.submit(identifier="free")


def test_the_bound_on_bytes() -> None:
    desk = Desk(Sending(size=14))
    desk.submit(body="é" * 6)
    with pytest.raises(SendQueueFull):
        desk.submit(body="")
    assert desk.outbox.statistics().waiting_bytes == 14


def test_an_id_is_used_once() -> None:
    desk = Desk()
    desk.submit(identifier="x")
    for name in ("x", ""):
        with pytest.raises(ConfigurationError, match="client_message_id"):
            desk.outbox.submit(type(desk.submit())("a", name, text="", body="", epoch=0))
    desk.write()
    desk.see(desk.message(identifier="x"))
    with pytest.raises(ConfigurationError):
        desk.submit(identifier="x")


def test_a_message_is_withdrawn_only_while_it_is_certainly_not_written() -> None:
    desk = Desk()
    first, second = desk.submit(identifier="x"), desk.submit(identifier="y")
    assert desk.outbox.withdraw(second)
    assert not desk.outbox.withdraw(second)
    desk.hand_out()
    assert not desk.outbox.withdraw(first)
    desk.outbox.not_written(first, now=desk.now)
    assert desk.outbox.withdraw(first)
    assert len(desk.outbox) == 0
    desk.submit(identifier="x")


def test_a_message_that_is_not_echoed_is_looked_for_at_growing_distances_and_then_given_up() -> None:
    desk = Desk()
    entry = desk.send()
    looked = list[float]()
    while not desk.outbox.expire(desk.now):
        looked += [desk.now] * len(desk.outbox.due(desk.now))
        desk.now = desk.outbox.next_time(desk.now)
    assert looked == [5.0, 15.0, 35.0, 57.5, 80.0]
    assert desk.now == 90.0
    assert entry.result == Unknown("id-1", "a", "neither the websocket nor REST showed it within 90 s")
    assert desk.outbox.next_time(desk.now) == inf


def test_all_messages_of_a_conversation_share_their_look_ups() -> None:
    desk = Desk()
    looked = 0
    for desk.now in range(90):
        desk.send()
        looked += len(desk.outbox.due(desk.now))
    assert looked == 5


def test_what_is_in_doubt_is_looked_for_at_once_after_a_reconnect() -> None:
    desk = Desk()
    desk.send()
    desk.now = 1.0
    desk.lose(1)
    assert desk.outbox.due(desk.now) == []
    desk.now = 3.0
    desk.connect(2)
    assert desk.outbox.due(desk.now) == ["a"]
    assert desk.outbox.due(desk.now) == []


def test_what_is_acknowledged_is_not_looked_for() -> None:
    desk = Desk()
    entry = desk.send()
    desk.lose(1)
    desk.submit()
    desk.see(desk.message(identifier=entry.client_message_id))
    assert desk.outbox.next_time(desk.now) == inf
    assert desk.outbox.due(90.0) == []
    assert desk.outbox.expire(90.0) == []


def test_a_write_that_never_returns_is_given_up_too() -> None:
    desk = Desk()
    desk.submit()
    entry = desk.hand_out()
    assert desk.outbox.next_time(desk.now) == 90.0
    assert desk.outbox.expire(90.0) == [entry]
    desk.outbox.written(entry, 1, now=90.0)
    assert is_unknown(entry)
    assert len(desk.outbox) == 0


def test_a_complete_read_without_it_gives_a_message_up_sooner_once_the_service_had_time() -> None:
    desk = Desk()
    early = desk.send("a")
    desk.now = 1.0
    late, other = desk.send("a"), desk.send("b")
    assert desk.outbox.read_completely("a", began=29.9) == []
    assert desk.outbox.read_completely("a", began=30.5) == [early]
    assert desk.outbox.read_completely("a", began=31.0) == [late]
    assert desk.outbox.read_completely("nobody", began=31.0) == []
    assert is_unknown(early)
    assert other.result is None


def test_a_complete_read_says_nothing_of_a_message_that_is_still_being_written() -> None:
    desk = Desk()
    desk.submit()
    desk.hand_out()
    assert desk.outbox.read_completely("a", began=80.0) == []


def test_closing_ends_everything() -> None:
    desk = Desk()
    flying, waiting = desk.send(), desk.submit()
    assert desk.outbox.close() == [flying, waiting]
    assert is_unknown(flying)
    assert isinstance(waiting.result, SessionClosed)
    assert desk.outbox.close() == []
    assert desk.nothing_to_write()
    with pytest.raises(SessionClosed):
        desk.submit()


def test_statistics() -> None:
    desk = Desk()
    sent, doubtful = desk.send("a"), desk.send("b")
    desk.see(message := desk.message(identifier=sent.client_message_id))
    desk.lose(1)
    desk.connect(2)
    desk.submit("c", "flying")
    desk.write(generation=2)
    desk.submit("b", "waiting")
    statistics = desk.outbox.statistics()
    assert (statistics.waiting, statistics.waiting_bytes) == (1, 9)
    assert (statistics.in_flight, statistics.in_doubt) == (1, 1)
    assert (statistics.sent, statistics.unknown) == (1, 0)
    assert sent.result == Sent("id-1", message, "echo")
    desk.outbox.close()
    assert is_unknown(doubtful)
    assert desk.outbox.statistics().unknown == 2
