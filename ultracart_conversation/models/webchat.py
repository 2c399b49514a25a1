"""What the customer of a webchat is looking at. Commerce objects are kept as `JsonObject`."""

from datetime import datetime

import attrs

from ultracart_conversation._wire.json_object import JsonObject
from ultracart_conversation.models.model import Model


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebchatContext(Model):
    """The customer's cart, orders and visit."""

    auto_orders: tuple[JsonObject, ...] = ()
    cart: JsonObject | None = None
    current_url: str | None = None
    orders: tuple[JsonObject, ...] = ()
    page_view: tuple[JsonObject, ...] = ()
    session_start: JsonObject | None = None
    session_start_dts: datetime | None = None
    session_utm: JsonObject | None = None
