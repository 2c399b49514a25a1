"""What a dashboard shows, and how each event changes it: state read by REST, then kept current by events."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Self, TypeVar, assert_never

import attrs

from ultracart_conversation._sync.message_order import epoch_of, key_of, order_of
from ultracart_conversation.events import (
    CobrowsingLost,
    CobrowsingRecorded,
    ConsumerSlow,
    ConversationChanged,
    ConversationClosed,
    ConversationStarted,
    CouponAdded,
    CustomerEngaged,
    Event,
    Gap,
    GapClosed,
    GapUnresolved,
    ItemsAdded,
    MessageAnnounced,
    MessageRead,
    MessageReceived,
    MessageUpdated,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    PushMissed,
    QueueMemberJoined,
    QueuePositionChanged,
    QueueStatusChanged,
    StateChanged,
    Typing,
    UnknownEvent,
    WebchatContextChanged,
    WebchatStarted,
)
from ultracart_conversation.models import (
    Conversation,
    ConversationMessage,
    ConversationSummary,
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusQueueEntry,
)

V = TypeVar("V")
_SUMMARY_FIELDS = tuple(field.name for field in attrs.fields(ConversationSummary))


@attrs.frozen(kw_only=True)
class Snapshot:
    """Conversations, their messages and the queues at one moment; `apply` makes the next one."""

    conversations: Mapping[str, ConversationSummary] = attrs.field(factory=dict[str, ConversationSummary])
    """By `conversation_uuid`."""
    messages: Mapping[str, tuple[ConversationMessage, ...]] = attrs.field(
        factory=dict[str, tuple[ConversationMessage, ...]]
    )
    """By `conversation_uuid`, where any are known, in the order of `(message_epoch, conversation_message_uuid)`.

    They are what was given to `of` and what came in events since: not always all that there are.
    """
    queues: Mapping[str, ConversationWebchatQueueStatus] = attrs.field(
        factory=dict[str, ConversationWebchatQueueStatus]
    )
    """By `queue_name`."""

    @classmethod
    def of(
        cls,
        *,
        conversations: Iterable[ConversationSummary] = (),
        queues: Iterable[ConversationWebchatQueueStatus] = (),
    ) -> Self:
        """From REST replies. A `Conversation` gives its messages too; what has no uuid or name is left out."""
        named = {each.conversation_uuid: each for each in conversations if each.conversation_uuid is not None}
        return cls(
            conversations=MappingProxyType({uuid: _summary(each) for uuid, each in named.items()}),
            messages=MappingProxyType({uuid: said for uuid, each in named.items() if (said := _messages(each))}),
            queues=MappingProxyType({each.queue_name: each for each in queues if each.queue_name is not None}),
        )


def apply(snapshot: Snapshot, event: Event) -> Snapshot:
    """`snapshot` after `event`; the same object when nothing in it changes.

    A summary replaces the one before, as what it leaves out is cleared (inferred). Three things change on the service
    without being pushed, so that they stay as they were until a later summary or REST reply: the unread counts after
    `MessageRead`, which does not say who has read; the author's name on earlier messages after `ParticipantUpdated`;
    and the summary after a `MessageUpdated`, except for `last_conversation_message_body` where that was the message's.
    """
    match event:
        case MessageReceived():
            return _with_message(snapshot, event.conversation_uuid, event.message)
        case MessageUpdated():
            return _with_update(snapshot, event.conversation_uuid, event.message)
        case (
            MessageAnnounced()
            | ConversationStarted()
            | ConversationClosed()
            | ConversationChanged()
            | ParticipantJoined()
            | ParticipantLeft()
            | ParticipantUpdated()
        ):
            return _with_conversation(snapshot, event.conversation_uuid, event.conversation)
        case QueueStatusChanged():
            return _with_queue(snapshot, event.queue)
        case QueueMemberJoined():
            return _with_entry(snapshot, event.entry)
        case (
            Typing()
            | MessageRead()
            | WebchatStarted()
            | WebchatContextChanged()
            | CouponAdded()
            | ItemsAdded()
            | CustomerEngaged()
            | QueuePositionChanged()
            | CobrowsingRecorded()
            | CobrowsingLost()
            | UnknownEvent()
            | StateChanged()
            | Gap()
            | GapClosed()
            | GapUnresolved()
            | PushMissed()
            | ConsumerSlow()
        ):
            return snapshot
        case _:
            assert_never(event)


def _with_message(snapshot: Snapshot, uuid: str | None, message: ConversationMessage) -> Snapshot:
    known = () if uuid is None else snapshot.messages.get(uuid, ())
    others = tuple(each for each in known if key_of(each) != key_of(message))
    after = _in_order((*others, message))
    if uuid is None or after == known:
        return snapshot
    return attrs.evolve(snapshot, messages=_put(snapshot.messages, uuid, after))


def _with_update(snapshot: Snapshot, uuid: str | None, message: ConversationMessage) -> Snapshot:
    """A message that is not known is no reason to show it without its neighbours."""
    known = () if uuid is None else snapshot.messages.get(uuid, ())
    before = next((each for each in known if key_of(each) == key_of(message)), None)
    if uuid is None or before is None or before == message:
        return snapshot
    changed = _with_message(snapshot, uuid, message)
    summary = snapshot.conversations.get(uuid)
    newest = epoch_of(before) == max(map(epoch_of, known))
    if summary is None or not newest or before.body != summary.last_conversation_message_body:
        return changed
    return _with_conversation(changed, uuid, attrs.evolve(summary, last_conversation_message_body=message.body))


def _with_conversation(snapshot: Snapshot, uuid: str | None, conversation: ConversationSummary) -> Snapshot:
    uuid = uuid or conversation.conversation_uuid
    if uuid is None or snapshot.conversations.get(uuid) == conversation:
        return snapshot
    return attrs.evolve(snapshot, conversations=_put(snapshot.conversations, uuid, conversation))


def _with_queue(snapshot: Snapshot, queue: ConversationWebchatQueueStatus) -> Snapshot:
    name = queue.queue_name
    if name is None or snapshot.queues.get(name) == queue:
        return snapshot
    return attrs.evolve(snapshot, queues=_put(snapshot.queues, name, queue))


def _with_entry(snapshot: Snapshot, entry: ConversationWebchatQueueStatusQueueEntry) -> Snapshot:
    """The queue with one more who waits, as the `QueueStatusChanged` that follows will show it."""
    queue = snapshot.queues.get(entry.queue_name or "")
    if queue is None or any(_same_entry(each, entry) for each in queue.queue_entries):
        return snapshot
    waiting = queue.customer_waiting_count
    since = [when for when in (queue.customer_waiting_join_dts, entry.join_dts) if when is not None]
    longer = attrs.evolve(
        queue,
        queue_entries=(*queue.queue_entries, entry),
        customer_waiting_count=None if waiting is None else waiting + 1,
        customer_waiting_join_dts=min(since, default=None),
    )
    return _with_queue(snapshot, longer)


def _put(mapping: Mapping[str, V], key: str, value: V) -> Mapping[str, V]:
    # A proxy's own `copy` is many times faster than reading it key by key.
    copy = mapping.copy() if isinstance(mapping, MappingProxyType) else dict(mapping)
    copy[key] = value
    return MappingProxyType(copy)


def _summary(conversation: ConversationSummary) -> ConversationSummary:
    """Without what only a whole `Conversation` has."""
    return ConversationSummary(**{name: getattr(conversation, name) for name in _SUMMARY_FIELDS})


def _messages(conversation: ConversationSummary) -> tuple[ConversationMessage, ...]:
    return _in_order(conversation.messages) if isinstance(conversation, Conversation) else ()


def _in_order(messages: Iterable[ConversationMessage]) -> tuple[ConversationMessage, ...]:
    return tuple(sorted(messages, key=order_of))


def _same_entry(one: ConversationWebchatQueueStatusQueueEntry, other: ConversationWebchatQueueStatusQueueEntry) -> bool:
    if one.conversation_webchat_queue_uuid is None:
        return one == other
    return one.conversation_webchat_queue_uuid == other.conversation_webchat_queue_uuid
