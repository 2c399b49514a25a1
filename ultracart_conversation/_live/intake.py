"""Joins what is pushed and what is read into one stream, in which every message comes once. Pure: time is passed in."""

from collections.abc import Iterable

from ultracart_conversation._live.agenda import Agenda
from ultracart_conversation._live.cobrowsing import Assembly
from ultracart_conversation._live.deliveries import Delivery, Moment, Stamp
from ultracart_conversation._live.frames import CobrowsingPart, Frame, Garbage, Ping
from ultracart_conversation._live.held import Held, Message
from ultracart_conversation._live.intake_counts import IntakeCounts
from ultracart_conversation._live.shown import Shown
from ultracart_conversation._live.suspects import Suspects
from ultracart_conversation._live.unresolved import Unresolved
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.known import Found
from ultracart_conversation._sync.ledger import Ledger
from ultracart_conversation._sync.message_order import key_of
from ultracart_conversation.config import Sweeping
from ultracart_conversation.events import (
    ConversationChanged,
    ConversationClosed,
    ConversationStarted,
    Event,
    Gap,
    GapClosed,
    MessageAnnounced,
    MessageReceived,
    MessageUpdated,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    PushMissed,
    QueueStatusChanged,
)
from ultracart_conversation.models import ConversationSummary, ConversationWebchatQueueStatus

_Summarised = (
    MessageAnnounced
    | ConversationStarted
    | ConversationClosed
    | ParticipantJoined
    | ParticipantLeft
    | ParticipantUpdated
)


class Intake:
    """What the session does with everything that comes in.

    Nothing here asks the service for anything: `agenda` says which conversations are to be read, and when.
    """

    def __init__(self, ledger: Ledger, *, sweeping: Sweeping) -> None:
        self.ledger = ledger
        self.agenda: Agenda = Agenda()
        self.held: Held = Held()
        self.suspects: Suspects = Suspects()
        self.counts: IntakeCounts = IntakeCounts()
        self.unresolved: Unresolved = Unresolved(self.agenda, sweeping=sweeping)
        self._sweeping = sweeping
        self._assembly = Assembly()
        self._heard = 0
        self._gap_count: int | None = None
        self._opened_at = 0.0
        self._queues: dict[str | None, ConversationWebchatQueueStatus] = {}
        self._shown = Shown()

    # The connection

    def opened(self, moment: Moment, me: str | None) -> None:
        """A websocket is open: messages that it brings wait until the list says what was missed."""
        self.ledger.me = me
        self.held.begin()
        self._opened_at = moment.now

    def gap(self, moment: Moment, reason: str) -> list[Delivery]:
        """From here on something may be missing; said once until it is closed."""
        lost: list[Event] = list(self._assembly.clear(reason))
        if self._gap_count is None:
            self._gap_count = 0
            lost.append(Gap(reason=reason, received_at=moment.at, generation=moment.generation))
        return [Delivery(event) for event in lost]

    # What is pushed

    def pushed(self, frame: Frame, moment: Moment) -> list[Delivery]:
        """What a frame leads to."""
        self.counts.came(frame)
        if isinstance(frame, Ping | Garbage):
            return []
        self._heard += 1
        if isinstance(frame, CobrowsingPart):
            return [Delivery(event) for event in self._assembly.add(frame, now=moment.now)]
        if isinstance(frame, MessageReceived | MessageUpdated):
            return self._pushed_message(frame, moment)
        if isinstance(frame, _Summarised):
            self._summarised(frame, moment)
        elif isinstance(frame, QueueStatusChanged):
            self._queues[frame.queue.queue_name] = frame.queue
        return [Delivery(frame)]

    def _pushed_message(self, event: Message, moment: Moment) -> list[Delivery]:
        uuid = event.conversation_uuid
        if uuid is None:
            # A message of no conversation can be neither told apart nor read again.
            return [Delivery(event)]
        self.suspects.clear(key_of(event.message))
        self._settle(uuid, moment, after=self._sweeping.settle)
        if not self.held.waits(uuid):
            return self._hand_over(uuid, event)
        if not self.held.hold(uuid, event):
            self.agenda.hasten(uuid, moment.now, within=0)
        return []

    def _hand_over(self, uuid: str, event: Message) -> list[Delivery]:
        take = self.ledger.updated if isinstance(event, MessageUpdated) else self.ledger.pushed
        found = take(uuid, event.message)
        self.counts.duplicates += not found
        stamp = Stamp(uuid, event.received_at, event.generation)
        return [stamp.deliver(each) for each in found]

    def _summarised(self, event: _Summarised, moment: Moment) -> None:
        row, uuid = event.conversation, event.conversation_uuid
        if uuid is None:
            return
        self._shown.differs(row)
        if isinstance(event, ConversationStarted | ParticipantJoined) and self.ledger.is_mine(row):
            self.ledger.adopt(row)
        self.ledger.note(row)
        if not self.ledger.follows(row):
            return
        is_announced = isinstance(event, MessageAnnounced) and not self.ledger.accounts_for(row)
        self._settle(uuid, moment, after=self._sweeping.grace if is_announced else self._sweeping.settle)

    def _settle(self, uuid: str, moment: Moment, *, after: float) -> None:
        """Read this conversation once more when it has come to rest."""
        self.agenda.settle(uuid, moment.now, after=after, at_most=self._sweeping.interval)

    # What is read

    def listed(self, rows: Iterable[ConversationSummary], mark: int | None) -> list[ConversationSummary]:
        """Take a sweep's rows; those whose conversations must be read."""
        rows = tuple(rows)
        for row in rows:
            self.ledger.note(row)
        if self.ledger.start is not None:
            return self.ledger.changed(rows)
        self.ledger.begin(rows, mark)
        return []

    def changed(self, rows: Iterable[ConversationSummary], moment: Moment) -> list[Delivery]:
        """The rows of conversations that are followed and look otherwise than they were shown."""
        followed = (row for row in rows if self.ledger.follows(row))
        return [
            Delivery(
                ConversationChanged(
                    conversation_uuid=row.conversation_uuid, conversation=row, received_at=moment.at, replayed=True
                )
            )
            for row in followed
            if self._shown.differs(row)
        ]

    def expect(self, uuids: Iterable[str]) -> list[Delivery]:
        """These conversations are going to be read; what waits for others is handed over."""
        return self._released(self.held.narrow(uuids))

    def read(self, reading: GapReading, moment: Moment) -> list[Delivery]:
        """What a reading leads to: what was missed, and then what waited for its conversation."""
        uuid, before = reading.track.uuid, reading.track.watermark
        found = self.ledger.close(reading)
        new = [each for each in found if not each.is_update]
        self._count(uuid, new, moment)
        if new:
            # What was written just before may become visible only now.
            self._settle(uuid, moment, after=self._sweeping.settle)
        if new or reading.track.watermark > before:
            self.unresolved.progress(uuid)
        stamp = Stamp(uuid, received_at=moment.at, replayed=True)
        deliveries = [stamp.deliver(each) for each in found]
        deliveries += self.unresolved.read(reading, len(new), moment)
        return deliveries + self._released(self.held.finish(uuid))

    def failed(self, uuid: str, reason: str, moment: Moment) -> list[Delivery]:
        """A conversation cannot be read; the others go on."""
        self.ledger.failed(uuid)
        return [*self.unresolved.failed(uuid, reason, moment), *self._released(self.held.finish(uuid))]

    def gone(self, uuid: str) -> list[Delivery]:
        """The service no longer knows a conversation."""
        self.unresolved.forget(uuid)
        self.agenda.drop(uuid)
        released = self._released(self.held.finish(uuid))
        self.ledger.gone(uuid)
        return released

    def queues(self, statuses: Iterable[ConversationWebchatQueueStatus], moment: Moment) -> list[Delivery]:
        """What is new in the queues, as read by REST."""
        changed = [queue for queue in statuses if self._queues.get(queue.queue_name) != queue]
        self._queues |= {queue.queue_name: queue for queue in changed}
        return [Delivery(QueueStatusChanged(queue=queue, received_at=moment.at, replayed=True)) for queue in changed]

    def recovered(self, moment: Moment) -> list[Delivery]:
        """The connection's first sweep is over."""
        deliveries = self._released(self.held.end())
        if self._gap_count is not None:
            closed = GapClosed(count=self._gap_count, received_at=moment.at, generation=moment.generation)
            self._gap_count = None
            deliveries.append(Delivery(closed))
        return deliveries

    def is_deaf(self) -> bool:
        """Whether the websocket brought nothing since this was last asked, although there was something to bring."""
        heard, self._heard = self._heard, 0
        return heard == 0 and len(self.suspects) > 0

    def overdue(self, moment: Moment) -> list[Delivery]:
        """What was read and never pushed although the websocket was open, and recordings that wait for too long."""
        convicted = self.suspects.convicted(now=moment.now)
        self.counts.missed += len(convicted)
        missed = [
            PushMissed(
                conversation_uuid=each.conversation_uuid,
                conversation_message_uuid=each.key,
                received_at=moment.at,
                generation=moment.generation,
            )
            for each in convicted
        ]
        expired = [Delivery(event) for event in self._assembly.expire(now=moment.now)]
        return [*(Delivery(event) for event in missed), *expired]

    def _count(self, uuid: str, new: list[Found], moment: Moment) -> None:
        self.counts.replayed += len(new)
        if self._gap_count is not None:
            self._gap_count += len(new)
        if not self.held.is_active and moment.now - self._opened_at >= self._sweeping.settle:
            expected = [each.message for each in new if self.ledger.is_expected(uuid, each.message)]
            self.suspects.add(uuid, map(key_of, expected), now=moment.now)

    def _released(self, messages: Iterable[tuple[str, Message]]) -> list[Delivery]:
        return [each for uuid, message in messages for each in self._hand_over(uuid, message)]
