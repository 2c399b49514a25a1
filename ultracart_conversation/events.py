"""What a session hands over: one class for each kind of event, and their union, `Event`.

`match` over `Event` is exhaustive. What the service's events mean is inferred from their names and payloads; UltraCart
documents the payloads only. Every field of a payload is optional, as the service may leave it out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from ultracart_conversation.models import (
    ConversationEventAddCoupon,
    ConversationEventAddItem,
    ConversationEventQueuePosition,
    ConversationEventReadMessage,
    ConversationEventTyping,
    ConversationEventWebchatContext,
    ConversationMessage,
    ConversationParticipant,
    ConversationSummary,
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusQueueEntry,
)
from ultracart_conversation.state import SessionState


@attrs.frozen(kw_only=True)
class Occurrence:
    """What all events share."""

    conversation_uuid: str | None = None
    """The conversation it is about; None where it is about none, or about all."""
    received_at: datetime
    """When it reached this process, in UTC, by this machine's clock."""
    generation: int = 0
    """The number of the websocket that brought it, from 1 on; 0 for what no websocket brought."""
    replayed: bool = False
    """True for what was read by REST instead of being pushed."""


@attrs.frozen(kw_only=True)
class MessageReceived(Occurrence):
    """A message, whoever wrote it; each once."""

    message: ConversationMessage
    late: bool = False
    """True when a newer message of this conversation was handed over before."""


@attrs.frozen(kw_only=True)
class MessageUpdated(Occurrence):
    """A message that was handed over before has changed: edited, translated, or further on its way."""

    message: ConversationMessage


@attrs.frozen(kw_only=True)
class MessageAnnounced(Occurrence):
    """`new message`: the conversation as it is after a message; the message itself comes as `MessageReceived`."""

    conversation: ConversationSummary


@attrs.frozen(kw_only=True)
class MessageRead(Occurrence):
    """`read message`: somebody has read up to this message."""

    read: ConversationEventReadMessage


@attrs.frozen(kw_only=True)
class Typing(Occurrence):
    """Somebody is typing; of several only the latest is kept."""

    typing: ConversationEventTyping


@attrs.frozen(kw_only=True)
class ConversationStarted(Occurrence):
    """`new conversation`."""

    conversation: ConversationSummary


@attrs.frozen(kw_only=True)
class ConversationClosed(Occurrence):
    """A conversation has ended."""

    conversation: ConversationSummary


@attrs.frozen(kw_only=True)
class ConversationChanged(Occurrence):
    """A conversation as the list shows it, when that is new or differs from before; read by REST, never pushed."""

    conversation: ConversationSummary


@attrs.frozen(kw_only=True)
class ParticipantJoined(Occurrence):
    """Somebody takes part in a conversation."""

    conversation: ConversationSummary
    participant: ConversationParticipant | None = None


@attrs.frozen(kw_only=True)
class ParticipantLeft(Occurrence):
    """Somebody takes part no longer."""

    conversation: ConversationSummary
    participant: ConversationParticipant | None = None


@attrs.frozen(kw_only=True)
class ParticipantUpdated(Occurrence):
    """What is known of a participant has changed."""

    conversation: ConversationSummary


@attrs.frozen(kw_only=True)
class WebchatStarted(Occurrence):
    """`webchat start conversation`, which has no payload; meant for customers (inferred)."""


@attrs.frozen(kw_only=True)
class WebchatContextChanged(Occurrence):
    """The customer opened another page or changed the cart; `session.context(conversation_uuid)` reads all of it."""

    context: ConversationEventWebchatContext


@attrs.frozen(kw_only=True)
class CouponAdded(Occurrence):
    """An agent put a coupon on the customer's cart."""

    coupon: ConversationEventAddCoupon


@attrs.frozen(kw_only=True)
class ItemsAdded(Occurrence):
    """An agent put items into the customer's cart."""

    items: ConversationEventAddItem


@attrs.frozen(kw_only=True)
class QueueStatusChanged(Occurrence):
    """A queue as it is now; of several only the latest is kept."""

    queue: ConversationWebchatQueueStatus


@attrs.frozen(kw_only=True)
class QueueMemberJoined(Occurrence):
    """A customer waits in a queue; `session.pick_up(entry)` begins the conversation."""

    entry: ConversationWebchatQueueStatusQueueEntry


@attrs.frozen(kw_only=True)
class CustomerEngaged(Occurrence):
    """A customer answered an engagement prompt, and is pushed to this agent."""

    entry: ConversationWebchatQueueStatusQueueEntry


@attrs.frozen(kw_only=True)
class QueuePositionChanged(Occurrence):
    """A customer's place in the queue; meant for customers (inferred)."""

    position: ConversationEventQueuePosition


@attrs.frozen(kw_only=True)
class CobrowsingRecorded(Occurrence):
    """A whole piece of a co-browsing recording (rrweb), put together and checked by SHA-256."""

    index: int
    """`event_index`: the number of this piece."""
    initial: bool
    """Whether a recording starts with it."""
    data: str = attrs.field(repr=False)
    """The recorder's JSON, as it came."""


@attrs.frozen(kw_only=True)
class CobrowsingLost(Occurrence):
    """A piece of a co-browsing recording that is not handed over, and why; it cannot be read again."""

    index: int | None
    reason: str


@attrs.frozen(kw_only=True)
class UnknownEvent(Occurrence):
    """A frame that fits no other class, as it came; also the gateway's own error objects."""

    raw: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class StateChanged(Occurrence):
    """The session came online, lost its connection, or leaves."""

    state: SessionState


@attrs.frozen(kw_only=True)
class Gap(Occurrence):
    """From here on something may be missing; it is being read by REST."""

    reason: str


@attrs.frozen(kw_only=True)
class GapClosed(Occurrence):
    """What the last `Gap` announced is proven to be complete again."""

    count: int
    """How many messages were handed over for it."""


@attrs.frozen(kw_only=True)
class GapUnresolved(Occurrence):
    """The service does not show that nothing is missing in this conversation; it will be tried again."""

    reason: str


@attrs.frozen(kw_only=True)
class PushMissed(Occurrence):
    """A message was found by REST that the open websocket should have brought; it was handed over just before."""

    conversation_message_uuid: str | None


@attrs.frozen(kw_only=True)
class ConsumerSlow(Occurrence):
    """Whoever reads these events did not keep up."""

    dropped: int
    """Events that are lost to this reader: typing, presence and recordings, or the oldest where it asked for that."""
    owed: int
    """Conversations whose messages will be read again by REST for this reader, so that none is lost."""


Event = (
    MessageReceived
    | MessageUpdated
    | MessageAnnounced
    | MessageRead
    | Typing
    | ConversationStarted
    | ConversationClosed
    | ConversationChanged
    | ParticipantJoined
    | ParticipantLeft
    | ParticipantUpdated
    | WebchatStarted
    | WebchatContextChanged
    | CouponAdded
    | ItemsAdded
    | QueueStatusChanged
    | QueueMemberJoined
    | CustomerEngaged
    | QueuePositionChanged
    | CobrowsingRecorded
    | CobrowsingLost
    | UnknownEvent
    | StateChanged
    | Gap
    | GapClosed
    | GapUnresolved
    | PushMissed
    | ConsumerSlow
)
