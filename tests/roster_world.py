"""A poller's decisions against a service in memory, and a store that a crash leaves as it was."""

import json
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import attrs

from tests.chat_service import Habits, Service
from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.known import Known, digest_of
from ultracart_conversation._sync.message_order import epoch_of, key_of
from ultracart_conversation._sync.reading import Reading
from ultracart_conversation._sync.requests import Request
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation._sync.standing import Since
from ultracart_conversation.changes import Change, PollerCheckpoint
from ultracart_conversation.config import Audit
from ultracart_conversation.models import ConversationMessage, ConversationSummary

T = TypeVar("T")
SECOND, MINUTE = 1_000, 60_000
PAGE = 4


@attrs.define
class Store:
    """What an archive keeps, and what its change feed told."""

    messages: dict[str, dict[str, Known]] = attrs.Factory(dict[str, dict[str, Known]])
    bodies: dict[str, str | None] = attrs.Factory(dict[str, str | None])
    rows: dict[str, ConversationSummary] = attrs.Factory(dict[str, ConversationSummary])
    checkpoint: PollerCheckpoint | None = None
    told: Counter[str] = attrs.Factory(Counter[str])

    def keep(self, changes: list[Change], rows: list[ConversationSummary], checkpoint: PollerCheckpoint) -> None:
        for row in rows:
            self.rows[row.conversation_uuid or ""] = row
        for change in changes:
            for message in change.new:
                self.told[key_of(message)] += 1
            for message in (*change.new, *change.updated):
                self._keep_message(change.conversation_uuid, message)
            for key in change.removed:
                self.messages[change.conversation_uuid][key].epoch = 0
        newer = PollerCheckpoint.from_dict(json.loads(json.dumps(checkpoint.to_dict())))
        self.checkpoint = newer if self.checkpoint is None else self.checkpoint | newer

    def known(self, uuid: str) -> dict[str, Known]:
        return {key: attrs.evolve(each) for key, each in self.messages.get(uuid, {}).items()}

    def alive(self, uuid: str) -> dict[str, str | None]:
        return {key: self.bodies[key] for key, each in self.messages.get(uuid, {}).items() if each.epoch}

    def _keep_message(self, uuid: str, message: ConversationMessage) -> None:
        kept = self.messages.setdefault(uuid, {})
        kept[key_of(message)] = Known(epoch_of(message), digest_of(message))
        self.bodies[key_of(message)] = message.body


class World:
    """What is done in turn; everything that is kept is kept at once."""

    def __init__(self, habits: Habits, *, since: Since = None) -> None:
        self.service = Service(habits)
        self.store = Store()
        self.since = since
        self.roster = Roster(since=since, remembers=False)
        self.rows: list[ConversationSummary] = []
        self.changes: list[Change] = []

    @property
    def now(self) -> float:
        return self.service.now / 1000

    def wait(self, milliseconds: int) -> None:
        self.service.now += milliseconds

    def look(self) -> None:
        sweep = self.roster.sweep(now=self.now, limit=PAGE)
        self.listed(self.carry_out(sweep))
        self.roster.swept(sweep.mark)

    def list_more(self, pages: int) -> None:
        walk = self.roster.walk(limit=PAGE)
        for _ in range(pages):
            if (request := walk.request) is not None:
                self.listed(walk.receive(self.service.answer(request)))
                if not walk.is_trying:
                    self.roster.walked(walk.place)

    def listed(self, rows: list[ConversationSummary]) -> None:
        self.rows += self.roster.listed(rows, now=self.now)

    def read_news(self, most: int) -> int:
        return self._read_each(most, lambda: self.roster.news(now=self.now))

    def read_history(self, most: int) -> int:
        return self._read_each(most, self.roster.history)

    def audit(self, most: int) -> int:
        audit = Audit(window=self.now, every=1e-6, rest=0)

        def pop() -> str | None:
            self.wait(1)
            return self.roster.audit(audit, now=self.now)

        return self._read_each(most, pop, back=audit.window)

    def read(self, uuid: str, *, back: float | None = None) -> Reading:
        reading = self.roster.reading(uuid, self.store.known(uuid), now=self.now, back=back)
        self.carry_out(reading.gap)
        change = self.roster.close(reading, now=self.now)
        self.changes += [] if change is None else [change]
        return reading

    def keep(self) -> None:
        self.store.keep(self.changes, self.rows, self.roster.checkpoint())
        self.roster.kept()
        self.changes, self.rows = [], []

    def crash(self) -> None:
        """Begin again with what was kept."""
        self.changes, self.rows = [], []
        self.roster = Roster(since=self.since, remembers=False, checkpoint=self.store.checkpoint)

    def catch_up(self) -> None:
        """All that a poller does when nothing disturbs it."""
        for _ in range(4):
            self.look()
            while self.roster.walk(limit=PAGE).request is not None:
                self.list_more(1_000)
            while self.read_news(100) + self.read_history(100):
                pass
            self.keep()
            self.wait(2 * MINUTE)

    def carry_out(self, course: Course[Request, T]) -> list[T]:
        ready: list[T] = []
        while (request := course.request) is not None:
            ready += course.receive(self.service.answer(request))
        return ready

    def there(self, uuid: str) -> dict[str, str | None]:
        return {key_of(said.message): said.message.body for said in self.service.chats[uuid]}

    def _read_each(self, most: int, pop: Callable[[], str | None], *, back: float | None = None) -> int:
        """What was read is kept before more is read, as the store must know it by then."""
        count = 0
        while count < most and (uuid := pop()) is not None:
            self.keep()
            self.read(uuid, back=back)
            count += 1
        return count
