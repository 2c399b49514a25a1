"""The last message of a conversation, as a summary and as its messages tell it."""

from collections.abc import Iterable

from ultracart_conversation._sync.digest import digest
from ultracart_conversation._sync.message_order import epoch_of, order_of, second_of
from ultracart_conversation.models import ConversationMessage, ConversationSummary


def tip_of_row(row: ConversationSummary) -> bytes | None:
    """The last message that a row shows, in 8 bytes; None where it shows none."""
    if row.last_message_dts is None:
        return None
    author = row.last_conversation_participant_arn
    return digest([second_of(row.last_message_dts), row.last_conversation_message_body, author])


def tip_of(messages: Iterable[ConversationMessage]) -> bytes | None:
    """The last of these messages as its conversation's row would show it; None where there is none."""
    last = max(messages, key=order_of, default=None)
    if last is None:
        return None
    return digest([epoch_of(last) // 1000 * 1000, last.body, last.author_conversation_participant_arn])
