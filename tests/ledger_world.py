"""A service, the ledger that follows it, and everything that was handed over."""

from collections import Counter

import attrs

from tests.chat_service import Service
from ultracart_conversation._sync.known import Found
from ultracart_conversation._sync.ledger import Ledger
from ultracart_conversation._sync.track import LATE
from ultracart_conversation.models import ConversationMessage, ConversationSummary

SECOND = 1000
MINUTE = 60_000
CHATS = ("a", "b")


@attrs.define
class World:
    """A service, the ledger that follows it, and everything that was handed over."""

    service: Service
    ledger: Ledger = attrs.field(factory=lambda: Ledger(follow="all"))
    handed_over: list[tuple[str, Found]] = attrs.Factory(list[tuple[str, Found]])
    old: int = 0
    """How many messages of each conversation were there before."""
    newest: dict[str, int] = attrs.Factory(dict[str, int])

    def write(self, chat: str, back: int, lag: int, notice: bool) -> None:
        self.service.write(chat, back=back, lag=lag, notice=notice)

    def write_late(self, chat: str) -> None:
        """Later than the overlap reaches, so that only the count tells."""
        if self.ledger.shape.counts and self.service.habits.counts == "true":
            self.service.write(chat, back=LATE + 10 * SECOND)

    def edit(self, chat: str, place: int) -> None:
        if self.service.chats[chat][place:]:
            self.service.edit(chat, max(place, -len(self.service.chats[chat])), f"edited {self.service.now}")

    def remove(self, chat: str, place: int) -> None:
        if len(self.service.chats[chat]) + place > 0:
            self.service.remove(chat, place)

    def push(self, chat: str, place: int) -> None:
        for each in self.service.chats[chat][self.old :][place:][:1]:
            self.take(chat, self.ledger.pushed(chat, each.message))

    def read(self, chat: str, row: ConversationSummary | None = None) -> int:
        visible = self.service.visible(chat)
        before = len(self.service.asked)
        reading = self.ledger.reading(chat, row, now=self.service.now)
        while (request := reading.request) is not None:
            reading.receive(self.service.answer(request))
        self.take(chat, self.ledger.close(reading), at_once=True)
        self.check_watermark(chat, visible)
        return len(self.service.asked) - before

    def sweep(self) -> None:
        sweep = self.ledger.sweep(now=self.service.now)
        rows: list[ConversationSummary] = []
        while (request := sweep.request) is not None:
            rows += sweep.receive(self.service.answer(request))
        besides = self.ledger.unlisted(rows)
        for row in self.ledger.changed(rows):
            self.read(row.conversation_uuid or "", row)
        for uuid in besides:
            self.read(uuid)
        self.ledger.swept(rows, sweep.mark)

    def wait(self, milliseconds: int) -> None:
        self.service.now += milliseconds

    def take(self, chat: str, found: list[Found], *, at_once: bool = False) -> None:
        new = [each for each in found if not each.is_update]
        epochs = [each.message.message_epoch or 0 for each in new]
        assert not at_once or epochs == sorted(epochs)
        for each, epoch in zip(new, epochs, strict=True):
            assert each.late == (epoch < self.newest.get(chat, 0))
            self.newest[chat] = max(self.newest.get(chat, 0), epoch)
        self.handed_over += [(chat, each) for each in found]

    def keys(self) -> Counter[str | None]:
        return Counter(found.message.conversation_message_uuid for _, found in self.handed_over if not found.is_update)

    def check_watermark(self, chat: str, visible: list[ConversationMessage]) -> None:
        track, keys = self.ledger.tracks[chat], self.keys()
        below = [each for each in visible if track.since <= (each.message_epoch or 0) <= track.watermark]
        old = {key for key, known in track.known.items() if known.order == 0}
        assert {each.conversation_message_uuid for each in below} <= keys.keys() | old
