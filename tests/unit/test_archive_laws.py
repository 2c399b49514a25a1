"""Whatever batches come, in whatever order and however often: the tables say what a plain dict would say."""

import asyncio
import tempfile
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive_desk import EPOCH, FEED, NUMBERS, batch, change, checkpoint, claimed, message, prepared, row, select
from ultracart_conversation.changes import Batch, Change, ChangeKind
from ultracart_conversation.models import ConversationMessage, ConversationSummary

UUIDS = st.sampled_from("ab")
KEYS = st.sampled_from("mno")
TEXTS = st.sampled_from(["one", "two"])
MESSAGES = st.lists(st.builds(message, KEYS, TEXTS), max_size=3)
ROWS = st.builds(lambda uuid, text: row(uuid, last_conversation_message_body=text), UUIDS, TEXTS)
KINDS: st.SearchStrategy[ChangeKind] = st.sampled_from(["news", "history", "audit", "gone"])


@st.composite
def _changes(draw: st.DrawFn) -> Change:
    """One without two words on the same message, as the poller makes them."""
    uuid = draw(UUIDS)
    said = {each.conversation_message_uuid: each for each in draw(MESSAGES)}
    removed = tuple(key for key in draw(st.sets(KEYS)) if key not in said)
    cut = draw(st.integers(0, len(said)))
    new, updated = [*said.values()][:cut], tuple([*said.values()][cut:])
    shown = draw(st.none() | ROWS.map(lambda each: attrs.evolve(each, conversation_uuid=uuid)))
    return change(uuid, *new, kind=draw(KINDS), updated=updated, removed=removed, conversation=shown)


BATCHES = st.builds(
    lambda changes, rows: batch(*changes, rows=tuple(rows)),
    st.lists(_changes(), max_size=3),
    st.lists(ROWS, max_size=2),
)
SCRIPTS = st.lists(st.tuples(BATCHES, st.integers(1, 2)), max_size=6)


@attrs.define
class Model:
    """What an archive should hold, without a database."""

    texts: dict[str, str | None] = attrs.Factory(dict[str, "str | None"])
    gone: set[str] = attrs.Factory(set[str])
    bodies: dict[tuple[str, str], str | None] = attrs.Factory(dict[tuple[str, str], "str | None"])
    removed: set[tuple[str, str]] = attrs.Factory(set[tuple[str, str]])
    revisions: int = 0

    def take(self, given: Batch) -> set[tuple[str, str, str | None]]:
        """What the change feed should say of it."""
        before = attrs.evolve(
            self, texts={**self.texts}, gone={*self.gone}, bodies={**self.bodies}, removed={*self.removed}
        )
        for shown in given.conversations:
            uuid = shown.conversation_uuid or ""
            self.texts[uuid] = shown.last_conversation_message_body
            self.gone.discard(uuid)
        fixed = {*self.texts}
        for each in given.changes:
            if each.conversation_uuid not in fixed:
                self._mention(each.conversation_uuid, each.conversation)
            self._change(each)
        return self._news(before)

    def _mention(self, uuid: str, shown: ConversationSummary | None) -> None:
        if shown is not None:
            self.texts[uuid] = shown.last_conversation_message_body
        else:
            self.texts.setdefault(uuid, None)

    def _change(self, each: Change) -> None:
        uuid = each.conversation_uuid
        self.gone.discard(uuid)
        if each.kind == "gone":
            self.gone.add(uuid)
        self._say(uuid, [*each.new, *each.updated])
        self.removed |= {(uuid, key) for key in each.removed if (uuid, key) in self.bodies}

    def _say(self, uuid: str, said: list[ConversationMessage]) -> None:
        for each in said:
            key = (uuid, each.conversation_message_uuid or "")
            self.bodies[key] = each.body
            self.removed.discard(key)

    def _news(self, before: "Model") -> set[tuple[str, str, str | None]]:
        news: set[tuple[str, str, str | None]] = set()
        for uuid, text in self.texts.items():
            if uuid not in before.texts or text != before.texts[uuid] or uuid in before.gone - self.gone:
                news.add(("conversation", uuid, None))
        news |= {("gone", uuid, None) for uuid in self.gone - before.gone}
        news |= {("removal", *key) for key in self.removed - before.removed}
        for key, body in self.bodies.items():
            if key not in before.bodies or key in before.removed - self.removed:
                news.add(("message", *key))
            elif body != before.bodies[key]:
                news.add(("revision", *key))
        self.revisions += sum(body != self.bodies[key] for key, body in before.bodies.items())
        return news


def check(path: Path, model: Model, said: list[set[tuple[str, str, str | None]]]) -> None:
    """The tables hold what the model holds, and the feed tells each change once, batch by batch."""
    conversations = select(path, "SELECT conversation_uuid, last_message_body, gone_at IS NOT NULL FROM conversations")
    assert {uuid: text for uuid, text, _ in conversations} == model.texts
    assert {uuid for uuid, _, gone in conversations if gone} == model.gone
    columns = "conversation_uuid, conversation_message_uuid, body, removed_at IS NOT NULL, message_epoch"
    messages = select(path, f"SELECT {columns} FROM messages")
    assert {(uuid, key): body for uuid, key, body, *_ in messages} == model.bodies
    assert {(uuid, key) for uuid, key, _, removed, _ in messages if removed} == model.removed
    assert {epoch for *_, epoch in messages} <= {EPOCH}
    assert select(path, "SELECT count(*) FROM revisions") == [model.revisions]
    feed = select(path, FEED)
    assert select(path, NUMBERS) == [*range(1, len(feed) + 1)]
    for news in said:
        part, feed = feed[: len(news)], feed[len(news) :]
        assert set(part) == news
    assert feed == []


async def run(path: Path, script: list[tuple[Batch, int]]) -> None:
    model, said = Model(), list[set[tuple[str, str, str | None]]]()
    async with claimed(path) as archive:
        for number, (given, times) in enumerate(script):
            for _ in range(times):
                await archive.commit(given, checkpoint(number))
            said.append(model.take(given))
    check(path, model, said)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return prepared(tmp_path_factory.mktemp("empty") / "archive.db")


@settings(max_examples=80)
@given(script=SCRIPTS)
def test_the_tables_say_what_a_dict_would_say(empty: bytes, script: list[tuple[Batch, int]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "archive.db")
        path.write_bytes(empty)
        asyncio.run(run(path, script))
