"""An outbox, and a service that shows messages, on a clock that the test moves."""

from itertools import count

from ultracart_conversation import ConversationMessage
from ultracart_conversation._live.outbox import Outbox
from ultracart_conversation._live.outbox_line import Entry
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import FoundBy, Sent, Unknown

EPOCH = 1_700_000_000_000
"""Milliseconds since 1970 at `now == 0`, by every clock."""
OURS = "arn:agent"
SETTLE = 30.0


class Desk:
    """Moves an outbox through its paces; a connection is open at first."""

    def __init__(self, sending: Sending | None = None, *, connected: bool = True) -> None:
        self.outbox = Outbox(sending or Sending(), settle=SETTLE)
        self.now = 0.0
        self.numbers = count(1)
        if connected:
            self.connect(1)

    def connect(self, generation: int) -> None:
        self.outbox.connected(generation, participant_arn=OURS, now=self.now)

    def lose(self, generation: int) -> None:
        self.outbox.connection_lost(generation, now=self.now)

    def submit(self, conversation: str = "a", body: str = "hello", *, identifier: str | None = None) -> Entry:
        name = identifier or f"id-{next(self.numbers)}"
        entry = Entry(conversation, name, text=f"<{body}>", body=body, epoch=self.epoch)
        self.outbox.submit(entry)
        return entry

    def hand_out(self) -> Entry:
        entry = self.outbox.next_to_write(self.now)
        assert entry is not None
        return entry

    def write(self, *, generation: int = 1) -> Entry:
        """Write what is next."""
        entry = self.hand_out()
        self.outbox.written(entry, generation, now=self.now)
        return entry

    def nothing_to_write(self) -> bool:
        return self.outbox.next_to_write(self.now) is None

    def send(self, conversation: str = "a", body: str = "hello") -> Entry:
        """Submit and write it."""
        entry = self.submit(conversation, body)
        assert self.write() is entry
        return entry

    def message(
        self,
        body: str = "hello",
        *,
        identifier: str | None = None,
        author: str = OURS,
        epoch: int | None = None,
    ) -> ConversationMessage:
        return ConversationMessage(
            author_conversation_participant_arn=author,
            body=body,
            client_message_id=identifier,
            conversation_message_uuid=f"m-{next(self.numbers)}",
            message_epoch=self.epoch if epoch is None else epoch,
        )

    def see(self, message: ConversationMessage, conversation: str = "a", *, found_by: FoundBy = "echo") -> list[Entry]:
        return self.outbox.seen(message, conversation, found_by=found_by)

    @property
    def epoch(self) -> int:
        return EPOCH + round(1_000 * self.now)


def is_sent(entry: Entry) -> bool:
    return isinstance(entry.result, Sent)


def is_unknown(entry: Entry) -> bool:
    return isinstance(entry.result, Unknown)
