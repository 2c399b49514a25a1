"""What users' type checkers must see of events: a `match` over `Event` that forgets a class is an error.

This file is checked, never run.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never, assert_type

import attrs

from ultracart_conversation import (
    CobrowsingLost,
    CobrowsingRecorded,
    ConsumerSlow,
    ConversationChanged,
    ConversationClosed,
    ConversationEventAddCoupon,
    ConversationEventAddItem,
    ConversationEventQueuePosition,
    ConversationEventReadMessage,
    ConversationEventTyping,
    ConversationEventWebchatContext,
    ConversationMessage,
    ConversationParticipant,
    ConversationStarted,
    ConversationSummary,
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusQueueEntry,
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
    Phase,
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
from ultracart_conversation.snapshot import Snapshot, apply


def every_class(event: Event) -> None:  # noqa: C901
    match event:
        case MessageReceived(message=message, late=late):
            assert_type(message, ConversationMessage)
            assert_type(late, bool)
        case MessageUpdated(message=message):
            assert_type(message, ConversationMessage)
        case MessageAnnounced(conversation=conversation):
            assert_type(conversation, ConversationSummary)
        case MessageRead(read=read):
            assert_type(read, ConversationEventReadMessage)
        case Typing(typing=typing):
            assert_type(typing, ConversationEventTyping)
        case ConversationStarted(conversation=conversation):
            assert_type(conversation, ConversationSummary)
        case ConversationClosed(conversation=conversation):
            assert_type(conversation, ConversationSummary)
        case ConversationChanged(conversation=conversation):
            assert_type(conversation, ConversationSummary)
        case ParticipantJoined(conversation=conversation, participant=participant):
            assert_type(conversation, ConversationSummary)
            assert_type(participant, ConversationParticipant | None)
        case ParticipantLeft(conversation=conversation, participant=participant):
            assert_type(conversation, ConversationSummary)
            assert_type(participant, ConversationParticipant | None)
        case ParticipantUpdated(conversation=conversation):
            assert_type(conversation, ConversationSummary)
        case WebchatStarted():
            assert_type(event, WebchatStarted)
        case WebchatContextChanged(context=context):
            assert_type(context, ConversationEventWebchatContext)
        case CouponAdded(coupon=coupon):
            assert_type(coupon, ConversationEventAddCoupon)
        case ItemsAdded(items=items):
            assert_type(items, ConversationEventAddItem)
        case QueueStatusChanged(queue=queue):
            assert_type(queue, ConversationWebchatQueueStatus)
        case QueueMemberJoined(entry=entry):
            assert_type(entry, ConversationWebchatQueueStatusQueueEntry)
        case CustomerEngaged(entry=entry):
            assert_type(entry, ConversationWebchatQueueStatusQueueEntry)
        case QueuePositionChanged(position=position):
            assert_type(position, ConversationEventQueuePosition)
        case CobrowsingRecorded(index=index, initial=initial, data=data):
            assert_type(index, int)
            assert_type(initial, bool)
            assert_type(data, str)
        case CobrowsingLost(index=number, reason=reason):
            assert_type(number, int | None)
            assert_type(reason, str)
        case UnknownEvent(raw=raw):
            assert_type(raw, Mapping[str, Any])
        case StateChanged(state=state):
            assert_type(state.phase, Phase)
        case Gap(reason=reason):
            assert_type(reason, str)
        case GapClosed(count=count):
            assert_type(count, int)
        case GapUnresolved(reason=reason):
            assert_type(reason, str)
        case PushMissed(conversation_message_uuid=uuid):
            assert_type(uuid, str | None)
        case ConsumerSlow(dropped=dropped, owed=owed):
            assert_type((dropped, owed), tuple[int, int])
        case _:
            assert_never(event)


def one_class_forgotten(event: MessageReceived | Gap | UnknownEvent) -> None:
    match event:
        case MessageReceived() | Gap():
            return
        case _:
            assert_never(event)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def some_classes(event: Event) -> str:
    match event:
        case MessageReceived(conversation_uuid=uuid, message=message):
            assert_type(uuid, str | None)
            return message.body or ""
        case ParticipantJoined() | ParticipantLeft():
            return str(event.participant)
        case _:
            return ""


def every_event(event: Event) -> None:
    assert_type(event.conversation_uuid, str | None)
    assert_type(event.received_at, datetime)
    assert_type(event.generation, int)
    assert_type(event.replayed, bool)


def snapshots(snapshot: Snapshot, event: Event) -> None:
    assert_type(apply(snapshot, event), Snapshot)
    assert_type(Snapshot.of(conversations=[], queues=[]), Snapshot)
    assert_type(snapshot.messages["uuid"], tuple[ConversationMessage, ...])
    assert_type(attrs.evolve(snapshot, queues={}), Snapshot)
    snapshot.messages["uuid"] = ()  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
