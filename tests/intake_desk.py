"""An intake, the service behind it, and somebody who drives both."""

from datetime import UTC, datetime
from typing import Any

from tests.chat_service import ME, Service
from ultracart_conversation._live.deliveries import Delivery, Moment
from ultracart_conversation._live.frames import Frame
from ultracart_conversation._live.intake import Intake
from ultracart_conversation._sync.ledger import Follow, Ledger
from ultracart_conversation.config import Sweeping
from ultracart_conversation.events import Event, MessageAnnounced, MessageReceived
from ultracart_conversation.models import ConversationMessage, ConversationSummary

SWEEPING = Sweeping()


class Desk:
    """An intake at a service whose list was read once, with an open websocket."""

    def __init__(self, *chats: str, follow: Follow = "mine", live: bool = True) -> None:
        self.service = Service()
        for chat in chats:
            self.service.write(chat)
        self.service.now += 1000
        self.intake = Intake(Ledger(follow=follow), sweeping=SWEEPING)
        self.intake.opened(self.moment(), ME)
        self.sweep()
        self.service.now += 60_000
        if not live:
            self.reopen()

    def moment(self) -> Moment:
        return Moment(self.service.now / 1000, datetime.fromtimestamp(self.service.now / 1000, UTC), 1)

    def wait(self, seconds: float) -> None:
        self.service.now += int(seconds * 1000)

    def reopen(self) -> list[Event]:
        lost = events(self.intake.gap(self.moment(), "1006"))
        self.intake.opened(self.moment(), ME)
        return lost

    def push(self, message: ConversationMessage, chat: str | None = "a") -> list[Event]:
        return self.frame(MessageReceived(message=message, conversation_uuid=chat, **self.origin()))

    def announce(self, chat: str = "a", **changes: Any) -> list[Event]:
        return self.frame(
            MessageAnnounced(conversation=self.service.row(chat, **changes), conversation_uuid=chat, **self.origin())
        )

    def frame(self, frame: Frame) -> list[Event]:
        return events(self.intake.pushed(frame, self.moment()))

    def origin(self) -> dict[str, Any]:
        return {"received_at": self.moment().at, "generation": 1}

    def read(self, chat: str = "a", row: ConversationSummary | None = None) -> list[Event]:
        reading = self.intake.ledger.reading(chat, row, now=self.service.now)
        while (request := reading.request) is not None:
            reading.receive(self.service.answer(request))
        self.intake.agenda.drop(chat)
        return events(self.intake.read(reading, self.moment()))

    def sweep(self) -> list[Event]:
        """The connection's first sweep, as whoever drives it makes it."""
        sweep = self.intake.ledger.sweep(now=self.service.now)
        rows: list[ConversationSummary] = []
        while (request := sweep.request) is not None:
            rows += sweep.receive(self.service.answer(request))
        changed = self.intake.listed(rows, sweep.mark)
        found = events(self.intake.expect(row.conversation_uuid or "" for row in changed))
        for row in changed:
            found += self.read(row.conversation_uuid or "", row)
        self.intake.ledger.swept(rows, sweep.mark)
        return found + events(self.intake.recovered(self.moment()))

    def due(self, *chats: str) -> list[float | None]:
        """In how many seconds the next conversations are due; they are taken off the agenda."""
        found: list[float | None] = []
        for chat in chats:
            at = self.intake.agenda.next()
            found.append(None if at is None else round(at - self.moment().now, 3))
            self.intake.agenda.drop(chat)
        return found


def events(deliveries: list[Delivery]) -> list[Event]:
    return [delivery.event for delivery in deliveries]


def messages(found: list[Event]) -> list[ConversationMessage]:
    return [event.message for event in found if isinstance(event, MessageReceived)]


def kinds(found: list[Event]) -> list[type[Event]]:
    return [type(event) for event in found]
