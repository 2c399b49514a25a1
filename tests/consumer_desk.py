"""A producer, a service that can be read again, and one consumer; all on a clock that only a test moves."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import anyio
import attrs

from tests.virtual_clock import VirtualClock
from ultracart_conversation._live.deliveries import Delivery, Stamp
from ultracart_conversation._live.feed import Feed, Overflow, Owed
from ultracart_conversation._live.repayment import repay
from ultracart_conversation._live.subscription import Subscription
from ultracart_conversation._sync.track import Track
from ultracart_conversation.errors import UltraCartError
from ultracart_conversation.events import Event, MessageReceived, Typing
from ultracart_conversation.models import ConversationEventTyping, ConversationMessage

AT = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = 1_700_000_000_000


@attrs.define
class Desk:
    """Messages that are handed over to subscriptions, and can be read again in `latency` seconds."""

    clock: VirtualClock = attrs.field(factory=VirtualClock)
    latency: float = 0.1
    tracks: dict[str, Track] = attrs.Factory(dict[str, Track])
    said: dict[str, list[ConversationMessage]] = attrs.Factory(dict[str, list[ConversationMessage]])
    hidden: set[str | None] = attrs.Factory(set[str | None])
    """Keys of what the service does not show yet."""
    failure: UltraCartError | None = None
    failing: set[str] = attrs.Factory(set[str])
    """Conversations that cannot be read; all of them while this is empty."""
    consumers: list[Subscription] = attrs.Factory(list[Subscription])
    reads: int = 0
    taken: int = 0
    """How often a consumer that was full took something."""
    number: int = 0

    def subscribe(self, *, maxsize: int = 4, overflow: Overflow = "wait") -> Subscription:
        consumer = Subscription(
            maxsize=maxsize,
            overflow=overflow,
            clock=self.clock,
            reread=self._reread,
            on_take=self._on_take,
            on_close=self.consumers.remove,
        )
        self.consumers.append(consumer)
        return consumer

    def say(self, chat: str = "a", *, back: int = 0, hidden: bool = False) -> ConversationMessage:
        self.number += 1
        message = ConversationMessage(
            conversation_message_uuid=f"m{self.number:05}", message_epoch=EPOCH + 1000 * (self.number - back)
        )
        self.said.setdefault(chat, []).append(message)
        if hidden:
            self.hidden.add(message.conversation_message_uuid)
        track = self.tracks.setdefault(chat, Track(chat, 0, -1))
        found = track.push(message, number=self.number)
        assert found is not None
        self.offer(Stamp(chat, AT).deliver(found))
        return message

    def type(self, chat: str = "a") -> None:
        typing = ConversationEventTyping(author_conversation_participant_arn="w", value=str(self.number))
        self.offer(Delivery(Typing(typing=typing, conversation_uuid=chat, received_at=AT)))

    def offer(self, delivery: Delivery) -> None:
        for consumer in self.consumers:
            consumer.offer(delivery)

    def _on_take(self) -> None:
        self.taken += 1

    async def _reread(self, uuid: str, feed: Feed) -> tuple[Iterable[Event], Owed | None]:
        self.reads += 1
        owed = feed.owed[uuid]
        shown = [
            m
            for m in self.said[uuid]
            if (m.message_epoch or 0) >= owed.epoch and m.conversation_message_uuid not in self.hidden
        ]
        await self.clock.sleep(self.latency)
        if self.failure is not None and (not self.failing or uuid in self.failing):
            raise self.failure
        repayment = repay(self.tracks[uuid], owed, shown, room=feed.room)
        stamp = Stamp(uuid, AT, replayed=True)
        return [stamp.deliver(found).event for found in repayment.found], repayment.rest


async def drain(clock: VirtualClock, consumer: Subscription, into: list[Event], patience: float = 2_000.0) -> None:
    """Take everything that comes until nothing has come for so many seconds."""
    while True:
        try:
            into.append(await consumer.next(object, timeout=patience))  # type: ignore[arg-type]
        except TimeoutError:
            return


async def drained(desk: Desk, consumer: Subscription, seconds: float = 3_000.0) -> list[Event]:
    """Everything that comes within so many seconds."""
    events: list[Event] = []
    async with anyio.create_task_group() as group:
        group.start_soon(drain, desk.clock, consumer, events)
        await desk.clock.advance(seconds)
        group.cancel_scope.cancel()
    return events


def keys(events: Iterable[Any], chat: str | None = None) -> list[str | None]:
    """Of the messages among these events, in one conversation or in all."""
    received = [event for event in events if isinstance(event, MessageReceived)]
    return [each.message.conversation_message_uuid for each in received if chat in (None, each.conversation_uuid)]
