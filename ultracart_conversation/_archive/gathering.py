"""What a batch says in the end, however often its changes speak of the same message."""

from typing import Self

import attrs

from ultracart_conversation._archive.rows import summary_of
from ultracart_conversation._sync.message_order import key_of
from ultracart_conversation.changes import Batch, Change
from ultracart_conversation.models import ConversationMessage, ConversationSummary

MessageKey = tuple[str, str]
"""A conversation's UUID and a message's."""


@attrs.frozen
class Said:
    """A message as the batch has it last."""

    message: ConversationMessage | None
    """None where it is only said to be removed."""
    is_removed: bool = False


@attrs.define
class Gathered:
    """One entry for each conversation and message, in the order in which the batch first speaks of them.

    Putting it into the archive a second time changes nothing, as it does not say how things came about.
    """

    listed: dict[str, ConversationSummary] = attrs.field(factory=dict[str, ConversationSummary])
    """As the list shows them by now."""
    mentioned: dict[str, ConversationSummary] = attrs.field(factory=dict[str, ConversationSummary])
    """As a change shows them, which may be older than what the archive has."""
    gone: dict[str, bool] = attrs.field(factory=dict[str, bool])
    """Whether the service no longer has the conversation, for each that the batch speaks of."""
    messages: dict[MessageKey, Said] = attrs.field(factory=dict[MessageKey, Said])

    @property
    def merchants(self) -> list[str]:
        """Whose conversations these are, as far as their rows say."""
        rows = (*self.listed.values(), *self.mentioned.values())
        return [row.merchant_id for row in rows if row.merchant_id]

    @classmethod
    def of(cls, batch: Batch) -> Self:
        gathered = cls()
        for row in batch.conversations:
            if row.conversation_uuid:
                gathered.listed[row.conversation_uuid] = summary_of(row)
                gathered.gone[row.conversation_uuid] = False
        for change in batch.changes:
            gathered._take(change)
        return gathered

    def _take(self, change: Change) -> None:
        uuid = change.conversation_uuid
        self.gone[uuid] = change.kind == "gone"
        if change.conversation is not None:
            self.mentioned[uuid] = summary_of(change.conversation)
        elif uuid not in self.listed and uuid not in self.mentioned:
            self.mentioned[uuid] = ConversationSummary(conversation_uuid=uuid)
        for message in (*change.new, *change.updated):
            self.messages[uuid, key_of(message)] = Said(message)
        for key in change.removed:
            before = self.messages.get((uuid, key))
            self.messages[uuid, key] = Said(before.message if before else None, is_removed=True)
