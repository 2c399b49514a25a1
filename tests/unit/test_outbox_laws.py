"""Whatever order things happen in: nothing is written twice, all ends once, and order and bounds hold."""

from collections import Counter
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.outbox_desk import Desk, is_sent, is_unknown
from ultracart_conversation import ConfigurationError, ConversationMessage, SendQueueFull, SessionClosed
from ultracart_conversation._live.outbox_line import Entry
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import Sent

T = TypeVar("T")
MESSAGES, SIZE = 6, 30
CONVERSATIONS = st.sampled_from("ab")
BODIES = st.sampled_from(["ok", "see you"])
ANY = st.integers(0, 1_000)
WRITES = st.sampled_from(["written", "written", "written", "late", "maybe", "not"])


class OutboxMachine(RuleBasedStateMachine):
    """An outbox between callers, connections that come and go, and a service that stores some of what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(Sending(messages=MESSAGES, size=SIZE), connected=False)
        self.generation = 0
        self.open: list[int] = []
        self.submitted: list[Entry] = []
        self.pending: list[Entry] = []
        self.writing: list[Entry] = []
        self.begun: list[Entry] = []
        """Those that may have been written, in the order in which they were handed out; each once."""
        self.doubtful: set[Entry] = set()
        self.withdrawn: list[Entry] = []
        self.shown: list[tuple[Entry, ConversationMessage]] = []
        """What the service stored."""
        self.closed = False

    @rule(conversation=CONVERSATIONS, body=BODIES)
    def submit(self, conversation: str, body: str) -> None:
        full = len(self.pending) == MESSAGES or sum(entry.size for entry in self.pending) + len(body) + 2 > SIZE
        try:
            entry = self.desk.submit(conversation, body)
        except SessionClosed:
            assert self.closed
        except SendQueueFull:
            assert full
        else:
            assert not full
            assert not self.closed
            self.submitted.append(entry)
            self.pending.append(entry)

    @precondition(lambda self: self.begun and not self.closed)
    @rule(which=ANY)
    def use_an_id_again(self, which: int) -> None:
        with pytest.raises(ConfigurationError):
            self.desk.submit(identifier=pick(self.begun, which).client_message_id)

    @rule()
    def hand_out(self) -> None:
        entry = self.desk.outbox.next_to_write(self.desk.now)
        if entry is None:
            return
        assert self.open, "nothing is written without a connection"
        assert entry in self.pending, "what is over is not written"
        assert entry not in self.begun, "nothing is written twice"
        before = [other for other in self.of(entry.conversation_uuid) if other.number < entry.number]
        assert all(other in self.begun for other in before), "the order of submission"
        assert self.doubtful.isdisjoint(before), "what is in doubt holds back what follows"
        assert not set(before) & set(self.writing), "one write at a time for each conversation"
        assert {other.generation for other in before} <= {max(self.open)}, "one connection for each conversation"
        self.begun.append(entry)
        self.writing.append(entry)

    @rule(conversation=CONVERSATIONS, stored=st.booleans())
    def send(self, conversation: str, *, stored: bool) -> None:
        """Often enough everything goes well, and something waits behind it."""
        self.submit(conversation, "ok")
        self.hand_out()
        if self.writing:
            self.end_write(len(self.writing) - 1, "written", stored=stored)
        self.submit(conversation, "ok")

    @precondition(lambda self: self.writing)
    @rule(which=ANY)
    def arrive_before_the_write_returns(self, which: int) -> None:
        self.store(pick(self.writing, which))

    @precondition(lambda self: self.writing)
    @rule(which=ANY, how=WRITES, stored=st.booleans())
    def end_write(self, which: int, how: str, *, stored: bool) -> None:
        entry, outbox, now = pick(self.writing, which), self.desk.outbox, self.desk.now
        self.writing.remove(entry)
        generation = entry.generation
        if how == "not" and not self.is_stored(entry):
            outbox.not_written(entry, now=now)
            if entry in self.pending:
                self.begun.remove(entry)
            return
        if stored:
            self.store(entry)
        if how in ("maybe", "not"):
            outbox.maybe_written(entry, now=now)
        else:
            generation += how == "late"
            outbox.written(entry, generation, now=now)
        if entry in self.pending and (how in ("maybe", "not") or generation not in self.open):
            self.doubtful.add(entry)

    @rule()
    def connect(self) -> None:
        self.generation += 1
        self.open.append(self.generation)
        self.desk.connect(self.generation)
        due = self.desk.outbox.due(self.desk.now)
        assert {entry.conversation_uuid for entry in self.doubtful} <= set(due), "doubt is looked into at once"

    @rule()
    def reconnect(self) -> None:
        while self.open:
            self.lose(0)
        self.connect()
        self.hand_out()

    @precondition(lambda self: self.open)
    @rule(which=ANY)
    def lose(self, which: int) -> None:
        generation = pick(self.open, which)
        self.open.remove(generation)
        self.desk.lose(generation)
        flying = [entry for entry in self.pending if entry in self.begun and entry not in self.writing]
        lost = {entry for entry in flying if entry.generation == generation} - self.doubtful
        self.doubtful |= lost
        if lost and any(other > generation for other in self.open):
            due = self.desk.outbox.due(self.desk.now)
            assert {entry.conversation_uuid for entry in lost} <= set(due), "doubt is looked into at once"

    @precondition(lambda self: self.shown)
    @rule(which=ANY, named=st.booleans())
    def echo(self, which: int, *, named: bool) -> None:
        entry, message = pick(self.shown, which)
        self.see(entry.conversation_uuid, message, named=named)

    @rule(conversation=CONVERSATIONS, named=st.booleans())
    def read(self, conversation: str, *, named: bool) -> None:
        began = self.desk.now
        for entry, message in self.shown:
            if entry.conversation_uuid == conversation:
                self.see(conversation, message, named=named)
        ended = self.desk.outbox.read_completely(conversation, began=began)
        self.over(ended)
        assert all(is_unknown(entry) and entry.written_at <= began - 30.0 for entry in ended)

    @rule(conversation=CONVERSATIONS, body=BODIES)
    def a_customer_says_the_same(self, conversation: str, body: str) -> None:
        assert self.desk.see(self.desk.message(body, author="arn:customer"), conversation) == []

    @rule(seconds=st.sampled_from([0.5, 5.0, 31.0, 91.0]))
    def wait(self, seconds: float) -> None:
        self.desk.now += seconds
        self.expire()
        asked = self.desk.outbox.due(self.desk.now)
        assert len(asked) == len(set(asked))
        assert set(asked) <= {entry.conversation_uuid for entry in self.pending}
        assert self.desk.outbox.next_time(self.desk.now) > self.desk.now

    @precondition(lambda self: self.submitted)
    @rule(which=ANY)
    def withdraw(self, which: int) -> None:
        entry = pick(self.submitted, which)
        certain = entry in self.pending and entry not in self.begun
        assert self.desk.outbox.withdraw(entry) == certain
        if certain:
            self.pending.remove(entry)
            self.withdrawn.append(entry)

    @precondition(lambda self: len(self.submitted) > 10)
    @rule()
    def close(self) -> None:
        waiting = [entry for entry in self.pending if entry not in self.begun]
        ended = self.desk.outbox.close()
        self.over(ended)
        assert self.pending == []
        assert all(isinstance(entry.result, SessionClosed) == (entry in waiting) for entry in ended)
        self.closed = True

    @invariant()
    def all_is_accounted_for(self) -> None:
        statistics = self.desk.outbox.statistics()
        assert len(self.desk.outbox) == len(self.pending) <= MESSAGES
        assert statistics.waiting + statistics.in_flight + statistics.in_doubt == len(self.pending)
        assert statistics.in_doubt == len(self.doubtful)
        assert statistics.waiting == len([entry for entry in self.pending if entry not in self.begun])
        assert statistics.waiting_bytes <= sum(entry.size for entry in self.pending) <= SIZE
        assert statistics.sent == sum(is_sent(entry) for entry in self.submitted)
        assert statistics.unknown == sum(is_unknown(entry) for entry in self.submitted)

    @invariant()
    def what_is_sent_was_stored(self) -> None:
        used = Counter[str | None]()
        stored = {message.conversation_message_uuid: entry for entry, message in self.shown}
        for entry in self.submitted:
            if isinstance(entry.result, Sent):
                message = entry.result.message
                used[message.conversation_message_uuid] += 1
                original = stored[message.conversation_message_uuid]
                assert (original.conversation_uuid, original.body) == (entry.conversation_uuid, entry.body)
                assert message.client_message_id in (None, entry.client_message_id)
        assert not used or max(used.values()) == 1, "each message acknowledges one"

    def teardown(self) -> None:
        """However it went, with a good connection everything ends, and what is left ends with the session."""
        for entry in list(self.writing):
            self.end_write(self.writing.index(entry), "not", stored=False)
        self.connect()
        for _ in range(2 * MESSAGES):
            self.desk.now += 91.0
            self.expire()
            self.hand_out()
            if self.writing:
                self.end_write(0, "written", stored=False)
        assert self.pending == [], "nobody waits for ever"
        self.close()
        for entry in self.submitted:
            assert (entry.result is None) == (entry in self.withdrawn)

    def expire(self) -> None:
        ended = self.desk.outbox.expire(self.desk.now)
        self.over(ended)
        assert all(is_unknown(entry) and entry in self.begun for entry in ended)
        assert all(entry.written_at + 90.0 <= self.desk.now for entry in ended), "nothing is given up early"

    def is_stored(self, entry: Entry) -> bool:
        return any(entry is stored for stored, _ in self.shown)

    def store(self, entry: Entry) -> None:
        if not self.is_stored(entry):
            self.shown.append((entry, self.desk.message(entry.body, identifier=entry.client_message_id)))

    def see(self, conversation: str, message: ConversationMessage, *, named: bool) -> None:
        fields = message.to_dict()
        if not named:
            del fields["client_message_id"]
        ended = self.desk.see(ConversationMessage.from_dict(fields), conversation, found_by="rest")
        self.over(ended)
        assert all(is_sent(entry) and entry in self.begun for entry in ended)
        assert len(ended) <= 1

    def over(self, ended: list[Entry]) -> None:
        """Each ends once; `remove` fails for what had ended before."""
        for entry in ended:
            self.pending.remove(entry)
            self.doubtful.discard(entry)
            assert entry.result is not None

    def of(self, conversation: str) -> list[Entry]:
        return [entry for entry in self.pending if entry.conversation_uuid == conversation]


def pick(some: list[T], which: int) -> T:
    return some[which % len(some)]


OutboxMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestAnyInterleaving = OutboxMachine.TestCase
