"""The frames of the websocket."""

from datetime import datetime

import attrs

from ultracart_conversation._wire.json_object import JsonObject
from ultracart_conversation.models.conversations import ConversationParticipant, ConversationSummary
from ultracart_conversation.models.enums import EventType, FrameType, RRWebType
from ultracart_conversation.models.messages import ConversationMessage
from ultracart_conversation.models.model import Model
from ultracart_conversation.models.queues import (
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusQueueEntry,
)


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventAddCoupon(Model):
    """An agent puts a coupon on the customer's cart."""

    agent_arn: str | None = None
    agent_name: str | None = None
    coupon_code: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventAddItem(Model):
    """An agent puts items (`CartItem` of the contract) into the customer's cart."""

    agent_arn: str | None = None
    agent_name: str | None = None
    items: tuple[JsonObject, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventQueuePosition(Model):
    """The customer's place in the queue, -1 when not in it; `available` when agents are logged in (documented)."""

    available: bool | None = None
    position: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventReadMessage(Model):
    """Up to which message somebody has read; `message_epoch` in milliseconds since 1970."""

    conversation_message_uuid: str | None = None
    message_dts: datetime | None = None
    message_epoch: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventRRWeb(Model):
    """One part of a co-browsing recording, with the SHA-256 of the part and of the whole."""

    data: str | None = None
    data_part: int | None = None
    data_sha256: str | None = None
    data_total_parts: int | None = None
    data_total_sha256: str | None = None
    event_index: int | None = None
    type: RRWebType | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventTyping(Model):
    """Somebody is typing; what `value` holds is unknown."""

    author_conversation_participant_arn: str | None = None
    author_conversation_participant_name: str | None = None
    value: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationEventWebchatContext(Model):
    """The customer moved to another page, or the cart changed."""

    cart_id: str | None = None
    ucacid: str | None = None
    url: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebsocketMessage(Model):
    """One frame, in either direction: a message, a ping, or an event with one `event_*` payload."""

    conversation_arn: str | None = None
    conversation_uuid: str | None = None
    event_add_coupon: ConversationEventAddCoupon | None = None
    event_add_item: ConversationEventAddItem | None = None
    event_conversation_closed: ConversationSummary | None = None
    event_engage_customer: ConversationWebchatQueueStatusQueueEntry | None = None
    event_new_conversation: ConversationSummary | None = None
    event_new_message: ConversationSummary | None = None
    event_participant_join: ConversationSummary | None = None
    event_participant_join_participant: ConversationParticipant | None = None
    event_participant_left: ConversationSummary | None = None
    event_participant_left_participant: ConversationParticipant | None = None
    event_participant_update: ConversationSummary | None = None
    event_queue_new_member: ConversationWebchatQueueStatusQueueEntry | None = None
    event_queue_position: ConversationEventQueuePosition | None = None
    event_queue_status_update: ConversationWebchatQueueStatus | None = None
    event_read_message: ConversationEventReadMessage | None = None
    event_rrweb: ConversationEventRRWeb | None = None
    event_type: EventType | None = None
    event_typing: ConversationEventTyping | None = None
    event_updated_message: ConversationMessage | None = None
    event_webchat_context: ConversationEventWebchatContext | None = None
    message: ConversationMessage | None = None
    type: FrameType | None = None
