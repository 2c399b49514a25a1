"""What became of a message that was to be sent.

Only the websocket can send (documented by absence: no REST operation does), and it acknowledges nothing (inferred).
A message counts as sent once the service shows it: pushed back on the websocket, or read by REST.
"""

from typing import Literal

import attrs

from ultracart_conversation.models import ConversationMessage

FoundBy = Literal["echo", "rest"]
"""Pushed on the websocket, or read by REST."""


@attrs.frozen
class Sent:
    """The service has the message."""

    client_message_id: str
    message: ConversationMessage
    """The message as the service shows it."""
    found_by: FoundBy


@attrs.frozen
class Unknown:
    """It was written, perhaps, and was not found: look before you send it again."""

    client_message_id: str
    conversation_uuid: str
    reason: str


@attrs.frozen(kw_only=True)
class SendingStatistics:
    """What is on its way now, and what became of the messages of this session so far."""

    waiting: int
    """Certainly not written yet."""
    waiting_bytes: int
    in_flight: int
    """Written, or being written, and not acknowledged yet."""
    in_doubt: int
    """Written, perhaps, before their connection was lost, and not acknowledged yet."""
    sent: int
    unknown: int
