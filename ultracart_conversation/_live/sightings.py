"""Which messages were seen before, so that an old one is not taken for the acknowledgement of a new one.

It matters only where the service leaves out the `client_message_id` (unknown): then the body has to do.
"""

from ultracart_conversation._sync.recent import Recent
from ultracart_conversation.models import ConversationMessage

REMEMBERED = 10_000
"""Messages, and conversations."""

SKEW = 2_000
"""Milliseconds by which the service's own machines may disagree about the time."""

TOLERANCE = 120_000
"""Milliseconds by which this machine's clock may be ahead of the service's."""


class Sightings:
    """The newest message of each conversation, and our own messages that came without an id."""

    def __init__(self) -> None:
        self._newest = Recent[str, int](REMEMBERED)
        self._used = Recent[str, bool](REMEMBERED)

    def note(self, message: ConversationMessage, conversation_uuid: str) -> None:
        """A message of anybody: what is written from now on gets a later `message_epoch`."""
        if message.message_epoch is not None:
            newest = self._newest.get(conversation_uuid)
            self._newest.set(conversation_uuid, max(message.message_epoch, newest or message.message_epoch))

    def earliest(self, conversation_uuid: str, epoch: int) -> int:
        """The earliest `message_epoch` of what is written now, at `epoch` by this machine's clock."""
        newest = self._newest.get(conversation_uuid)
        return epoch - TOLERANCE if newest is None else min(newest - SKEW, epoch)

    def is_first(self, message: ConversationMessage) -> bool:
        """Whether a message of our own without an id is seen for the first time; once it is asked, it was seen."""
        uuid = message.conversation_message_uuid
        if not uuid or uuid in self._used:
            return False
        self._used.set(uuid, value=False)
        return True

    def use(self, message: ConversationMessage) -> None:
        """It acknowledged something, and shall not do so again."""
        if message.conversation_message_uuid:
            self._used.set(message.conversation_message_uuid, value=True)

    def is_used(self, message: ConversationMessage) -> bool:
        return bool(message.conversation_message_uuid and self._used.get(message.conversation_message_uuid))
