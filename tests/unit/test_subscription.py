"""One consumer of a session's events: it may be slow, and neither loses messages nor harms others."""

import anyio
import pytest

from tests.consumer_desk import Desk, drain, drained, keys
from tests.virtual_clock import settle
from ultracart_conversation._live.subscription import Subscription
from ultracart_conversation.errors import NotFound, ServerError, SessionClosed, SessionError
from ultracart_conversation.events import ConsumerSlow, Event, GapUnresolved, MessageReceived, Typing

pytestmark = pytest.mark.anyio


def slow_told(events: list[Event]) -> int:
    return sum(isinstance(event, ConsumerSlow) for event in events)


async def test_events_come_as_they_are_offered() -> None:
    desk = Desk()
    async with desk.subscribe() as consumer:
        said = [desk.say().conversation_message_uuid for _ in range(3)]
        assert [(await anext(consumer)).message.conversation_message_uuid for _ in said] == said  # type: ignore[union-attr]


async def test_a_consumer_that_waits_is_woken() -> None:
    desk, found = Desk(), list[Event]()

    async def consume(consumer: Subscription) -> None:
        found.append(await anext(consumer))

    consumer = desk.subscribe()
    async with anyio.create_task_group() as group:
        group.start_soon(consume, consumer)
        await settle()
        desk.say()
    assert keys(found) == ["m00001"]


async def test_a_slow_consumer_is_given_everything_once_and_told_once() -> None:
    desk = Desk()
    consumer = desk.subscribe(maxsize=10)
    for number in range(300):
        desk.say("abc"[number % 3])
    events = await drained(desk, consumer)
    for chat in "abc":
        assert keys(events, chat) == [message.conversation_message_uuid for message in desk.said[chat]]
    assert slow_told(events) == 1
    assert isinstance(events[0], ConsumerSlow)
    assert (events[0].owed, events[0].dropped) == (3, 0)
    assert desk.taken == 1
    assert desk.reads <= 300 / 5 + 3


async def test_it_is_told_again_when_it_was_slow_again() -> None:
    desk = Desk()
    consumer = desk.subscribe(maxsize=4)
    told = []
    for _ in range(2):
        for _ in range(10):
            desk.say()
        told.append(slow_told(await drained(desk, consumer)))
    assert told == [1, 1]


async def test_while_anything_is_owed_it_is_still_slow() -> None:
    desk = Desk(failure=ServerError("500"))
    consumer = desk.subscribe(maxsize=2)
    for chat in "aab":
        desk.say(chat)
    events = await drained(desk, consumer, 1.0)
    for chat in "aac":
        desk.say(chat)
    assert slow_told(events + await drained(desk, consumer, 1.0)) == 1


async def test_one_that_loses_the_oldest_is_told_how_many() -> None:
    desk = Desk()
    consumer = desk.subscribe(maxsize=4, overflow="drop_oldest")
    for _ in range(10):
        desk.say()
    slow, *events = await drained(desk, consumer)
    assert isinstance(slow, ConsumerSlow)
    assert (slow.dropped, slow.owed) == (6, 0)
    assert keys(events) == ["m00007", "m00008", "m00009", "m00010"]
    assert desk.reads == 0
    assert consumer.statistics().dropped == 6


async def test_a_slow_consumer_does_not_harm_another() -> None:
    desk = Desk()
    slow, fast = desk.subscribe(maxsize=1), desk.subscribe(maxsize=1)
    for _ in range(50):
        message = desk.say()
        assert keys([await anext(fast)]) == [message.conversation_message_uuid]
    assert desk.reads == 0
    assert (slow.is_stuck(0.0), fast.is_stuck(0.0)) == (True, False)
    assert slow.statistics().waiting == 1


async def test_it_is_stuck_only_while_nobody_asks() -> None:
    desk = Desk(latency=100.0)
    consumer = desk.subscribe(maxsize=2)
    for _ in range(10):
        desk.say()
    await desk.clock.advance(30.0)
    assert consumer.is_stuck(30.0)
    assert not consumer.is_stuck(31.0)
    async with anyio.create_task_group() as group:
        group.start_soon(drain, desk.clock, consumer, [])
        await settle()
        for _ in range(10):
            desk.say("b")
        assert not consumer.is_stuck(0.0), "it waits for us, not we for it"
        group.cancel_scope.cancel()


@pytest.mark.parametrize("pauses", [[5, 10, 20, 40, 80, 160, 300, 300]])
async def test_what_cannot_be_read_again_is_tried_less_and_less_often(pauses: list[int]) -> None:
    desk = Desk(latency=0.0, failure=ServerError("500"))
    consumer = desk.subscribe(maxsize=1)
    desk.say()
    desk.say()
    async with anyio.create_task_group() as group:
        group.start_soon(drain, desk.clock, consumer, [], 1e9)
        await settle()
        for pause in pauses:
            before = desk.reads
            await desk.clock.advance(pause - 1)
            assert desk.reads == before
            await desk.clock.advance(1)
            assert desk.reads == before + 1
        group.cancel_scope.cancel()


async def test_a_conversation_that_cannot_be_read_does_not_block_the_others() -> None:
    desk = Desk(failure=ServerError("500"), failing={"a"})
    consumer = desk.subscribe(maxsize=2)
    for chat in "xyabc":
        desk.say(chat)
    assert sorted(keys(await drained(desk, consumer, 30.0)), key=str) == ["m00001", "m00002", "m00004", "m00005"]
    desk.failure = None
    assert keys(await drained(desk, consumer)) == ["m00003"]


async def test_a_conversation_that_is_gone_is_said_to_be_and_not_read_again() -> None:
    desk = Desk(failure=NotFound("it does not exist"))
    consumer = desk.subscribe(maxsize=1)
    desk.say()
    desk.say()
    events = await drained(desk, consumer)
    assert [type(event) for event in events] == [ConsumerSlow, MessageReceived, GapUnresolved]
    assert desk.reads == 1
    assert consumer.unconfirmed() == {}


async def test_what_the_service_does_not_show_yet_comes_when_it_does() -> None:
    desk = Desk()
    consumer = desk.subscribe(maxsize=1)
    for _ in range(4):
        desk.say(hidden=True)
    assert keys(await drained(desk, consumer, 20.0)) == ["m00001"]
    desk.hidden.clear()
    assert keys(await drained(desk, consumer)) == ["m00002", "m00003", "m00004"]


@pytest.mark.parametrize("timeout", [0.0, 3.0])
async def test_next_passes_over_others_and_gives_up_in_time(timeout: float) -> None:
    desk, ended = Desk(), list[float]()
    consumer = desk.subscribe()

    async def wait() -> None:
        with pytest.raises(TimeoutError):
            await consumer.next(MessageReceived, timeout=timeout)
        ended.append(desk.clock.now())

    began = desk.clock.now()
    desk.type()
    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await desk.clock.advance(10.0)
    assert ended == [began + timeout]
    desk.type()
    desk.say()
    assert isinstance(await consumer.next(MessageReceived, timeout=timeout), MessageReceived)


async def test_without_waiting_it_gives_what_there_is_although_more_is_owed() -> None:
    desk = Desk()
    consumer = desk.subscribe(maxsize=2)
    for _ in range(5):
        desk.say()
    assert keys([await consumer.next(MessageReceived, timeout=0) for _ in range(2)]) == ["m00001", "m00002"]
    with pytest.raises(TimeoutError):
        await consumer.next(MessageReceived, timeout=0)
    assert keys(await drained(desk, consumer)) == ["m00003", "m00004", "m00005"]


async def test_events_of_some_classes() -> None:
    desk = Desk()
    consumer = desk.subscribe()
    desk.say()
    desk.type()
    assert isinstance(await anext(consumer.events(Typing, ConsumerSlow)), Typing)


async def test_two_tasks_cannot_read_the_same_events() -> None:
    desk = Desk()
    consumer = desk.subscribe()
    async with anyio.create_task_group() as group:
        group.start_soon(drain, desk.clock, consumer, [])
        await settle()
        for read in (consumer.__anext__, lambda: consumer.next(MessageReceived, timeout=1)):
            with pytest.raises(SessionError, match="another task already: give each its own subscribe"):
                with anyio.fail_after(5):
                    await read()
        group.cancel_scope.cancel()


@pytest.mark.parametrize("failure", [None, ServerError("it broke")])
async def test_when_the_session_ends_what_waits_is_still_given(failure: ServerError | None) -> None:
    desk = Desk()
    consumer = desk.subscribe(maxsize=2)
    for chat in "aab":
        desk.say(chat)
    consumer.finish(failure)
    events = [await anext(consumer) for _ in range(4)]
    assert [type(event) for event in events] == [ConsumerSlow, MessageReceived, MessageReceived, GapUnresolved]
    for _ in range(2):
        with pytest.raises(ServerError if failure else StopAsyncIteration):
            await anext(consumer)
    with pytest.raises(ServerError if failure else SessionClosed):
        await consumer.next(MessageReceived)
    assert desk.reads == 0
    assert list(consumer.unconfirmed()) == ["b"]


async def test_one_who_waits_learns_that_the_session_ends() -> None:
    desk = Desk()
    consumer = desk.subscribe()

    async def consume() -> None:
        assert [event async for event in consumer] == []

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        await settle()
        consumer.finish(None)


async def test_a_closed_subscription_gives_nothing_more() -> None:
    desk = Desk()
    async with desk.subscribe() as consumer:
        desk.say()
    assert desk.consumers == []
    assert [event async for event in consumer] == []
    assert consumer.unconfirmed() == {}
