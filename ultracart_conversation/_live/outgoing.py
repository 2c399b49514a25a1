"""Frames that an agent sends, as JSON texts. That agents send these, and with these fields, is inferred."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ultracart_conversation._wire.json import dumps
from ultracart_conversation._wire.json_object import JsonObject
from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.models import (
    ConversationEventAddCoupon,
    ConversationEventAddItem,
    ConversationEventReadMessage,
    ConversationEventTyping,
    ConversationMessage,
    ConversationWebsocketMessage,
    EventType,
    FrameType,
)

LARGEST_FRAME = 128 * 1024
"""Bytes that a frame may have: documented for AWS API Gateway, which UltraCart's service is inferred to use."""


def message_frame(
    conversation_uuid: str,
    body: str,
    *,
    client_message_id: str,
    upload_keys: Iterable[str] = (),
    delay_until: datetime | None = None,
    language_iso_code: str | None = None,
) -> str:
    """A message; all of these raise `ConfigurationError` for what JSON cannot say and for more than 128 KiB."""
    message = ConversationMessage(
        body=body,
        client_message_id=client_message_id,
        upload_keys=tuple(upload_keys),
        delay_until_dts=delay_until,
        language_iso_code=language_iso_code,
    )
    frame = ConversationWebsocketMessage(type=FrameType.MESSAGE, conversation_uuid=conversation_uuid, message=message)
    return _text(frame, what="a message")


def typing_frame(conversation_uuid: str, *, value: str) -> str:
    """This agent is typing; what `value` should be is unknown."""
    return _event(EventType.TYPING, conversation_uuid, event_typing=ConversationEventTyping(value=value))


def read_message_frame(
    conversation_uuid: str, *, conversation_message_uuid: str | None, message_epoch: int | None
) -> str:
    """This agent has read up to that message; `message_epoch` in milliseconds since 1970."""
    read = ConversationEventReadMessage(
        conversation_message_uuid=conversation_message_uuid, message_epoch=message_epoch
    )
    return _event(EventType.READ_MESSAGE, conversation_uuid, event_read_message=read)


def add_coupon_frame(
    conversation_uuid: str, coupon_code: str, *, agent_arn: str | None = None, agent_name: str | None = None
) -> str:
    """Put a coupon on the customer's cart, in the name of this agent."""
    coupon = ConversationEventAddCoupon(coupon_code=coupon_code, agent_arn=agent_arn, agent_name=agent_name)
    return _event(EventType.ADD_COUPON, conversation_uuid, event_add_coupon=coupon)


def add_item_frame(
    conversation_uuid: str,
    items: Iterable[Mapping[str, Any]],
    *,
    agent_arn: str | None = None,
    agent_name: str | None = None,
) -> str:
    """Put items, each a `CartItem` of the contract such as `{"item_id": "TEA", "quantity": 1}`, into the cart."""
    added = ConversationEventAddItem(
        items=tuple(JsonObject(item) for item in items), agent_arn=agent_arn, agent_name=agent_name
    )
    return _event(EventType.ADD_ITEM, conversation_uuid, event_add_item=added)


def _event(event_type: EventType, conversation_uuid: str, **payload: Any) -> str:
    frame = ConversationWebsocketMessage(
        type=FrameType.EVENT, event_type=event_type, conversation_uuid=conversation_uuid, **payload
    )
    return _text(frame, what=f"the event {event_type!s}")


def _text(frame: ConversationWebsocketMessage, *, what: str) -> str:
    try:
        data = dumps(frame.to_dict())
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{what} cannot be written as JSON: {error}; nothing was sent") from None
    if len(data) > LARGEST_FRAME:
        raise ConfigurationError(
            f"{what} takes {len(data):,} bytes as a frame, and the limit is {LARGEST_FRAME:,}: shorten it"
        )
    return data.decode()
