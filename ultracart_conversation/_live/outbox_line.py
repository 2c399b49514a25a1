"""What one conversation has in the outbox, and when to look for it by REST."""

from collections.abc import Iterator
from enum import Enum, auto
from math import inf

import attrs

from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import Sent, Unknown
from ultracart_conversation.errors import SessionClosed

LOOKS = 4
"""Look-ups that even the last of a steady stream of messages gets, about, before it is given up."""


Result = Sent | Unknown | SessionClosed


class Stage(Enum):
    """How far a message came."""

    WAITING = auto()
    """Certainly not written."""
    WRITING = auto()
    """Handed out to be written; its echo may come before the write returns."""
    IN_FLIGHT = auto()
    """Written to a websocket that is open."""
    IN_DOUBT = auto()
    """Written, perhaps, to a websocket that is no longer open."""
    OVER = auto()


@attrs.define(eq=False)
class Entry:
    """One message on its way; `text` is its frame, `body` is what an echo without an id is known by."""

    conversation_uuid: str
    client_message_id: str
    text: str = attrs.field(kw_only=True, repr=False)
    body: str = attrs.field(kw_only=True, repr=False)
    epoch: int = attrs.field(kw_only=True)
    """Milliseconds since 1970, by this machine's clock, when it was submitted."""
    size: int = attrs.field(init=False)
    number: int = attrs.field(init=False, default=0)
    stage: Stage = attrs.field(init=False, default=Stage.WAITING)
    generation: int = attrs.field(init=False, default=0)
    written_at: float = attrs.field(init=False, default=inf)
    """When it was handed out or, as soon as that is known, when it was written."""
    earliest: int = attrs.field(init=False, default=0)
    """An older `message_epoch` cannot be this message's."""
    result: Result | None = attrs.field(init=False, default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        self.size = len(self.text.encode())


class Line:
    """The messages of one conversation that are not over, in the order of submission.

    Those that may have been written come first. They are looked for by REST at growing distances, all of them at once.
    """

    def __init__(self, sending: Sending) -> None:
        self.entries: dict[Entry, None] = {}
        self.look_at: float = inf
        self._echo = sending.echo
        self._unknown = sending.unknown
        self._distance = sending.echo

    def next_to_write(self, generation: int) -> Entry | None:
        """The first that waits, unless one before it is in doubt, is being written, or was on another connection."""
        for entry in self.entries:
            if entry.stage is Stage.WAITING:
                return entry
            if entry.stage is not Stage.IN_FLIGHT or entry.generation != generation:
                return None
        return None

    def begun(self) -> Iterator[Entry]:
        """Those that may have been written."""
        for entry in self.entries:
            if entry.stage is Stage.WAITING:
                return
            yield entry

    def remove(self, entry: Entry) -> None:
        del self.entries[entry]
        if next(self.begun(), None) is None:
            self.look_at = inf

    def await_echo(self, now: float) -> None:
        """A message was written: look for it if no look-up is planned anyway."""
        if self.look_at == inf:
            self.look_at = now + self._echo
            self._distance = 2 * self._echo

    def look_soon(self, now: float) -> None:
        """Nothing more will come by itself."""
        self.look_at = now
        self._distance = self._echo

    def looked(self, now: float) -> None:
        """Plan the next look-up, twice as far away."""
        self.look_at = now + self._distance
        self._distance = min(2 * self._distance, max(self._echo, self._unknown / LOOKS))

    def next_time(self) -> float:
        """When something is to be looked for or given up."""
        oldest = next(self.begun(), None)
        return inf if oldest is None else min(self.look_at, oldest.written_at + self._unknown)
