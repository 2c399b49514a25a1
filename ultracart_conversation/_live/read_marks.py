"""Up to which message we have said that we read, so that no mark goes back."""

from typing import NamedTuple

from ultracart_conversation._sync.recent import Recent

REMEMBERED = 10_000
"""Conversations."""


class Mark(NamedTuple):
    """A message that was read, and with it all before it; marks are ordered as messages are."""

    message_epoch: int
    conversation_message_uuid: str


class ReadMarks:
    """The newest mark of each conversation, and those that are being sent."""

    def __init__(self) -> None:
        self._sent = Recent[str, Mark](REMEMBERED)
        self._sending: dict[str, list[Mark]] = {}

    def begin(self, conversation_uuid: str, mark: Mark) -> bool:
        """Whether to send this mark; if so, say `sent` or `not_sent` afterwards."""
        sent = self._sent.get(conversation_uuid)
        sending = self._sending.get(conversation_uuid, [])
        if any(mark <= other for other in (*sending, *([sent] if sent else []))):
            return False
        self._sending.setdefault(conversation_uuid, []).append(mark)
        return True

    def sent(self, conversation_uuid: str, mark: Mark) -> None:
        """The service has it, or may have it."""
        self._end(conversation_uuid, mark)
        sent = self._sent.get(conversation_uuid)
        self._sent.set(conversation_uuid, mark if sent is None else max(sent, mark))

    def not_sent(self, conversation_uuid: str, mark: Mark) -> None:
        """Certainly nothing was sent: the same mark may be tried again."""
        self._end(conversation_uuid, mark)

    def _end(self, conversation_uuid: str, mark: Mark) -> None:
        marks = self._sending[conversation_uuid]
        marks.remove(mark)
        if not marks:
            del self._sending[conversation_uuid]
