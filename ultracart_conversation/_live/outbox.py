"""What may be written to a websocket, when, and what became of it; it is told the time and never asks.

A message is handed out to be written once. It is handed out again only when it was certainly not written: whether the
service knows a `client_message_id` again is unknown, so writing a message twice may send it twice.
"""

from collections import Counter
from itertools import count
from math import inf

from ultracart_conversation._live.outbox_line import Entry, Line, Result, Stage
from ultracart_conversation._live.sightings import Sightings
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import FoundBy, SendingStatistics, Sent, Unknown
from ultracart_conversation.errors import ConfigurationError, SendQueueFull, SessionClosed
from ultracart_conversation.models import ConversationMessage

REMEMBERED = 10_000
"""Ids of messages that are over and may not be used again."""

PAUSE = 1.0
"""Seconds until a connection that took nothing is tried again."""


class Outbox:
    """Messages that wait, are being written, or are not acknowledged yet.

    All methods that end messages return those that they ended, with their `result`.
    """

    def __init__(self, sending: Sending, *, settle: float) -> None:
        self._sending = sending
        self._settle = settle
        self._lines: dict[str, Line] = {}
        self._entries: dict[str, Entry] = {}
        self._spent = Recent[str, None](REMEMBERED)
        self._sightings = Sightings()
        self._participant_arn: str | None = None
        self._open: set[int] = set()
        self._paused_until = -inf
        self._closed = False
        self._numbers = count(1)
        self._bytes = 0
        self._results: Counter[type] = Counter()

    def __len__(self) -> int:
        """How many messages are not over."""
        return len(self._entries)

    def submit(self, entry: Entry) -> None:
        """Put a message last; raises `SessionClosed`, `ConfigurationError` for a used id, or `SendQueueFull`."""
        self._check(entry)
        entry.number = next(self._numbers)
        self._entries[entry.client_message_id] = entry
        self._bytes += entry.size
        if entry.conversation_uuid not in self._lines:
            self._lines[entry.conversation_uuid] = Line(self._sending)
        self._lines[entry.conversation_uuid].entries[entry] = None

    def withdraw(self, entry: Entry) -> bool:
        """Forget a message and its id, if it was certainly not written."""
        if entry.stage is not Stage.WAITING:
            return False
        self._remove(entry)
        return True

    def next_to_write(self, now: float) -> Entry | None:
        """The message to write now; tell `written`, `maybe_written` or `not_written` what became of it."""
        if not self._open or now < self._paused_until:
            return None
        generation = max(self._open)
        firsts = (line.next_to_write(generation) for line in self._lines.values())
        entry = min((first for first in firsts if first), key=lambda first: first.number, default=None)
        if entry is not None:
            entry.stage, entry.generation, entry.written_at = Stage.WRITING, generation, now
            entry.earliest = self._sightings.earliest(entry.conversation_uuid, entry.epoch)
        return entry

    def written(self, entry: Entry, generation: int, *, now: float) -> None:
        """It was written to this connection, as far as this side can tell."""
        if entry.stage is not Stage.WRITING:
            return
        entry.generation, entry.written_at = generation, now
        if generation in self._open:
            entry.stage = Stage.IN_FLIGHT
            self._lines[entry.conversation_uuid].await_echo(now)
        else:
            self._doubt(entry, now)

    def maybe_written(self, entry: Entry, *, now: float) -> None:
        """The connection ended while it was being written."""
        if entry.stage is Stage.WRITING:
            entry.written_at = now
            self._doubt(entry, now)

    def not_written(self, entry: Entry, *, now: float) -> None:
        """Certainly nothing of it was written: it stays the first of its conversation."""
        if entry.stage is not Stage.WRITING:
            return
        entry.stage, entry.written_at = Stage.WAITING, inf
        if entry.generation == max(self._open, default=0):
            self._paused_until = now + PAUSE

    def connected(self, generation: int, *, participant_arn: str | None, now: float) -> None:
        """There is a new connection, perhaps beside an old one; what is in doubt is looked for at once."""
        self._open.add(generation)
        self._participant_arn = participant_arn or self._participant_arn
        self._paused_until = -inf
        for line in self._lines.values():
            if any(entry.stage is Stage.IN_DOUBT for entry in line.begun()):
                line.look_soon(now)

    def connection_lost(self, generation: int, *, now: float) -> None:
        """What was in flight on it is in doubt."""
        self._open.discard(generation)
        for entry in self._begun():
            if entry.stage is Stage.IN_FLIGHT and entry.generation == generation:
                self._doubt(entry, now)

    def seen(self, message: ConversationMessage, conversation_uuid: str, *, found_by: FoundBy) -> list[Entry]:
        """A message that the service shows, whoever wrote it; it acknowledges at most one."""
        entry = self._acknowledged(message, conversation_uuid, found_by)
        self._sightings.note(message, conversation_uuid)
        if entry is None:
            return []
        self._sightings.use(message)
        return [self._resolve(entry, Sent(entry.client_message_id, message, found_by))]

    def read_completely(self, conversation_uuid: str, *, began: float) -> list[Entry]:
        """All that REST shows of a conversation was `seen`, by a read that is proven complete and began then."""
        line = self._lines.get(conversation_uuid)
        missing = [
            entry
            for entry in (line.begun() if line else ())
            if entry.stage is not Stage.WRITING and began - entry.written_at >= self._settle
        ]
        reason = "a complete read by REST, begun at least {:g} s after it was written, does not show it"
        return [self._give_up(entry, reason.format(self._settle)) for entry in missing]

    def due(self, now: float) -> list[str]:
        """The conversations to read by REST now."""
        due = [uuid for uuid, line in self._lines.items() if line.look_at <= now]
        for uuid in due:
            self._lines[uuid].looked(now)
        return due

    def expire(self, now: float) -> list[Entry]:
        """Give up what was written too long ago."""
        late = [entry for entry in self._begun() if entry.written_at + self._sending.unknown <= now]
        reason = f"neither the websocket nor REST showed it within {self._sending.unknown:g} s"
        return [self._give_up(entry, reason) for entry in late]

    def next_time(self, now: float) -> float:
        """When to call `due`, `expire` and `next_to_write` again if nothing else happens before."""
        soonest = min((line.next_time() for line in self._lines.values()), default=inf)
        return min(soonest, self._paused_until) if self._paused_until > now else soonest

    def close(self) -> list[Entry]:
        """Take nothing more, and end everything: what was certainly not written as `SessionClosed`."""
        self._closed = True
        return [self._abandon(entry) for entry in list(self._entries.values())]

    def statistics(self) -> SendingStatistics:
        stages = Counter(entry.stage for entry in self._entries.values())
        waiting = (entry.size for entry in self._entries.values() if entry.stage is Stage.WAITING)
        return SendingStatistics(
            waiting=stages[Stage.WAITING],
            waiting_bytes=sum(waiting),
            in_flight=stages[Stage.WRITING] + stages[Stage.IN_FLIGHT],
            in_doubt=stages[Stage.IN_DOUBT],
            sent=self._results[Sent],
            unknown=self._results[Unknown],
        )

    def _check(self, entry: Entry) -> None:
        identifier, sending = entry.client_message_id, self._sending
        if self._closed:
            raise SessionClosed("the session is closed, so the message was not queued: send it in a new session")
        if not identifier or identifier in self._entries or identifier in self._spent:
            raise ConfigurationError(f"the client_message_id {identifier!r} was used before: give each message its own")
        if len(self) >= sending.messages or self._bytes + entry.size > sending.size:
            raise SendQueueFull(
                f"{len(self)} messages of {self._bytes} bytes are not sent yet, and {entry.size} bytes more would "
                f"pass {sending.messages} messages or {sending.size} bytes: not queued, await some, then try again"
            )

    def _begun(self) -> list[Entry]:
        return [entry for line in self._lines.values() for entry in line.begun()]

    def _doubt(self, entry: Entry, now: float) -> None:
        entry.stage = Stage.IN_DOUBT
        line = self._lines[entry.conversation_uuid]
        if max(self._open, default=0) > entry.generation:
            line.look_soon(now)
        else:
            line.await_echo(now)

    def _acknowledged(self, message: ConversationMessage, conversation_uuid: str, found_by: FoundBy) -> Entry | None:
        if message.client_message_id:
            entry = self._entries.get(message.client_message_id)
            fits = entry and entry.conversation_uuid == conversation_uuid and not self._sightings.is_used(message)
            return entry if fits else None
        if not self._is_new_and_own(message):
            return None
        line = self._lines.get(conversation_uuid)
        return next((entry for entry in (line.begun() if line else ()) if _looks_like(entry, message, found_by)), None)

    def _is_new_and_own(self, message: ConversationMessage) -> bool:
        author = message.author_conversation_participant_arn
        return author is not None and author == self._participant_arn and self._sightings.is_first(message)

    def _give_up(self, entry: Entry, reason: str) -> Entry:
        unknown = Unknown(entry.client_message_id, entry.conversation_uuid, reason)
        return self._resolve(entry, unknown)

    def _abandon(self, entry: Entry) -> Entry:
        if entry.stage is not Stage.WAITING:
            return self._give_up(entry, "the session closed before the service showed it")
        return self._resolve(
            entry, SessionClosed("the session closed before the message was written: send it in a new session")
        )

    def _resolve(self, entry: Entry, result: Result) -> Entry:
        self._spent.set(entry.client_message_id, None)
        self._remove(entry)
        self._results[type(result)] += 1
        entry.result = result
        return entry

    def _remove(self, entry: Entry) -> None:
        line = self._lines[entry.conversation_uuid]
        line.remove(entry)
        if not line.entries:
            del self._lines[entry.conversation_uuid]
        del self._entries[entry.client_message_id]
        self._bytes -= entry.size
        entry.stage = Stage.OVER


def _looks_like(entry: Entry, message: ConversationMessage, found_by: FoundBy) -> bool:
    """Whether a message without an id may be this one; what was pushed need not say when it was written."""
    epoch = message.message_epoch
    fresh = found_by == "echo" if epoch is None else epoch >= entry.earliest
    return fresh and entry.body == (message.body or "")
