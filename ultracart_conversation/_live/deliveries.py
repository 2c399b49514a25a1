"""What goes to the consumers, with when and from where it came."""

from datetime import datetime

import attrs

from ultracart_conversation._sync.known import Found
from ultracart_conversation.events import Event, MessageReceived, MessageUpdated


@attrs.frozen
class Moment:
    """When something happens, and on which websocket."""

    now: float
    """Seconds on a clock that never goes back."""
    at: datetime
    generation: int


@attrs.frozen
class Delivery:
    """An event on its way to the consumers; `number` is the ledger's, and 0 for what is no message."""

    event: Event
    number: int = 0


@attrs.frozen
class Stamp:
    """Where a message of one conversation came from."""

    conversation_uuid: str
    received_at: datetime
    generation: int = 0
    replayed: bool = False

    def deliver(self, found: Found) -> Delivery:
        """The event for what the ledger found."""
        event: Event
        if found.is_update:
            event = MessageUpdated(message=found.message, **attrs.asdict(self))
        else:
            event = MessageReceived(message=found.message, late=found.late, **attrs.asdict(self))
        return Delivery(event, found.number)
