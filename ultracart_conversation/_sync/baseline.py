"""Telling what was said before a conversation was followed from what came after."""

from collections.abc import Iterable
from typing import Self

import attrs

from ultracart_conversation._sync.message_order import epoch_of, second_of
from ultracart_conversation.models import ConversationMessage, ConversationSummary


@attrs.frozen
class Baseline:
    """The last message of a conversation when it was first seen, as far as a summary tells."""

    second: int
    """Milliseconds since 1970, to the second."""
    body: str | None
    author_arn: str | None

    @classmethod
    def of(cls, summary: ConversationSummary, *, now: float) -> Self | None:
        """What `summary` tells of its last message; None when it has none.

        A message that is yet to come (by our `now`, in milliseconds) says nothing of what comes before it.
        """
        if summary.last_message_dts is None or second_of(summary.last_message_dts) > now:
            return None
        author = summary.last_conversation_participant_arn
        return cls(second_of(summary.last_message_dts), summary.last_conversation_message_body, author)

    def last_of(self, messages: Iterable[ConversationMessage]) -> ConversationMessage | None:
        """The message that was the last; None where that cannot be told.

        Times of summaries have whole seconds, so which messages of that second are new must be told by the last one's
        text; where it could be more than one message, all of the second are taken for new: better twice than never.
        """
        last = [message for message in messages if self._is_last(message)]
        return last[0] if len(last) == 1 else None

    def _is_last(self, message: ConversationMessage) -> bool:
        said = message.body, message.author_conversation_participant_arn
        return said == (self.body, self.author_arn) and self.second <= epoch_of(message) < self.second + 1000
