"""Which summaries of conversations were handed over, so that those of a list are only when they differ. Pure."""

from ultracart_conversation._sync.recent import Recent
from ultracart_conversation._sync.sweep import digest_of
from ultracart_conversation.models import ConversationSummary

_MOST = 20_000


class Shown:
    """The latest summary of each conversation, as a digest."""

    def __init__(self) -> None:
        self._digests = Recent[str | None, bytes](_MOST)

    def differs(self, row: ConversationSummary) -> bool:
        """Whether this says something else than what was shown last; from now on it is what was."""
        digest = digest_of(row)
        before = self._digests.get(row.conversation_uuid)
        self._digests.set(row.conversation_uuid, digest)
        return digest != before
