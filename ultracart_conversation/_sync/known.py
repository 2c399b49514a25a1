"""What is remembered of a message that was handed over."""

import attrs

from ultracart_conversation._sync.digest import digest
from ultracart_conversation.models import ConversationMessage

_PLAIN = ("body", "media_urls", "type")
_LISTS = ("translations", "transport_statuses")


@attrs.define
class Known:
    """A message that was handed over, or was there before."""

    epoch: int
    """Milliseconds since 1970; 0 once the service no longer has it."""
    digest: bytes
    order: int = 0
    """The number under which it was handed over; it grows with each message of the session."""
    updated: int = 0
    """The number under which it was handed over last, as an update or for the first time."""


@attrs.frozen
class Found:
    """A message that is to be handed over."""

    message: ConversationMessage
    number: int
    """Grows with everything that is handed over."""
    is_update: bool = False
    late: bool = False


def digest_of(message: ConversationMessage) -> bytes:
    """What a message says and how far it came, in 8 bytes."""
    said = [getattr(message, name) for name in _PLAIN]
    lists = [[each.to_dict() for each in getattr(message, name)] for name in _LISTS]
    return digest([*said, *lists])
