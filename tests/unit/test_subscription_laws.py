"""Whatever happens to a consumer, and wherever it is cancelled: every message once and in order."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.consumer_desk import Desk, drained, keys
from ultracart_conversation._live.subscription import Subscription
from ultracart_conversation.errors import ServerError
from ultracart_conversation.events import Event, MessageReceived
from ultracart_conversation.models import ConversationMessage

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from("ab"), st.integers(0, 2), st.booleans()),
        st.tuples(st.just("type")),
        st.tuples(st.just("show")),
        st.tuples(st.just("fail"), st.booleans()),
        st.tuples(st.just("take"), st.integers(1, 5)),
        st.tuples(st.just("wait"), st.sampled_from([0.05, 1.0, 20.0])),
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(maxsize=st.integers(1, 4), steps=STEPS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_message_once_and_in_order_whatever_happens(
    backend: str, maxsize: int, steps: list[tuple[Any, ...]]
) -> None:
    anyio.run(run_steps, maxsize, steps, backend=backend)


async def run_steps(maxsize: int, steps: list[tuple[Any, ...]]) -> None:
    desk, events = Desk(), list[Event]()
    consumer = desk.subscribe(maxsize=maxsize)
    actions: dict[str, Callable[..., Any]] = {
        "say": lambda chat, back, hidden: desk.say(chat, back=back, hidden=hidden),
        "type": desk.type,
        "show": desk.hidden.clear,
        "fail": lambda fails: setattr(desk, "failure", ServerError("500") if fails else None),
    }
    for name, *arguments in steps:
        if name in actions:
            actions[name](*arguments)
        elif name == "wait":
            events += await drained(desk, consumer, arguments[0])
        else:
            events += [each for each in [await polled(consumer) for _ in range(arguments[0])] if each is not None]
        statistics = consumer.statistics()
        assert statistics.waiting <= 2 * maxsize + len(desk.said)
        assert statistics.owed <= len(desk.said)
    desk.hidden.clear()
    desk.failure = None
    events += await drained(desk, consumer)
    for chat, said in desk.said.items():
        assert sorted(keys(events, chat), key=str) == [message.conversation_message_uuid for message in said]
        in_time = keys(event for event in events if isinstance(event, MessageReceived) and not event.late)
        epochs = [epoch_in(said, key) for key in in_time if key in keys(events, chat)]
        assert epochs == sorted(epochs)
    assert consumer.unconfirmed() == {}


def epoch_in(said: list[ConversationMessage], key: str | None) -> int:
    return next(message.message_epoch or 0 for message in said if message.conversation_message_uuid == key)


async def polled(consumer: Subscription) -> Event | None:
    try:
        return await consumer.next(object, timeout=0)  # type: ignore[arg-type]
    except TimeoutError:
        return None


@pytest.mark.parametrize("timeout", [None, 50.0])
@pytest.mark.anyio
async def test_cancelling_at_any_await_loses_nothing(timeout: float | None) -> None:
    for turns in range(1, 40):
        desk, events = Desk(latency=0.0), list[Event]()
        consumer = desk.subscribe(maxsize=2)
        for number in range(12):
            desk.say("ab"[number % 2])
        await cancelled_after(turns, consumer, events, timeout)
        desk.say("a")
        with anyio.fail_after(5):
            while len(keys(events)) < 13:
                events.append(await anext(consumer))
        assert await polled(consumer) is None
        for chat in "ab":
            assert keys(events, chat) == [message.conversation_message_uuid for message in desk.said[chat]]


async def cancelled_after(turns: int, consumer: Subscription, events: list[Event], timeout: float | None) -> None:
    """Take events until the event loop has turned so often."""

    async def consume() -> None:
        with scope:
            while True:
                events.append(await consumer.next(object, timeout=timeout))  # type: ignore[arg-type]

    scope = anyio.CancelScope()
    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        for _ in range(turns):
            await checkpoint()
        scope.cancel()
