"""What an archive says: hits of a search, changes of its feed, and its statistics."""

from datetime import datetime
from typing import Literal

import attrs

from ultracart_conversation.models import ConversationMessage, ConversationSummary

ArchivedChangeKind = Literal["conversation", "message", "revision", "removal", "gone"]


@attrs.frozen(kw_only=True)
class Hit:
    """A message that a search found."""

    conversation_uuid: str
    message: ConversationMessage
    excerpt: str
    """The part of its body that matches."""


@attrs.frozen(kw_only=True)
class ArchivedChange:
    """An entry of the change feed.

    Its `kind` is "conversation" when a conversation is new, says something else or is back; "message" when a message is
    new or back; "revision" when it says something else than before; "removal" when the service no longer has the
    message, and "gone" when it no longer has the conversation.
    """

    seq: int
    """Its number: they have no gaps, and are in the order in which the changes were committed."""
    kind: ArchivedChangeKind
    conversation_uuid: str
    conversation_message_uuid: str | None = None
    at: datetime
    """When it was committed, by this machine's clock."""
    message: ConversationMessage | None = None
    """As it is by now, where the change is a message's."""
    conversation: ConversationSummary | None = None
    """As it is by now, where it is known."""


@attrs.frozen(kw_only=True)
class ArchiveStatistics:
    """What an archive holds."""

    conversations: int
    messages: int
    revisions: int
    """Earlier states of messages that were updated since."""
    removed: int
    """Messages that the service no longer has."""
    gone: int
    """Conversations that the service no longer has."""
    changes: int
    """Entries of the change feed."""
    size: int
    """Bytes on disk."""
    complete_through: datetime | None
    """Everything up to this time, by the service's clock, is in the archive; None before the first pass."""
    oldest: datetime | None
    """When the oldest message was written."""
    newest: datetime | None
    """When the newest message was written."""
