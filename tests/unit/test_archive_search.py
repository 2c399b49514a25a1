"""Searching an archive: what is typed, what is found, in which order."""

import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive_desk import select
from tests.archive_shelf import EPOCH, keep, message, new, removed, shelf, updated
from ultracart_conversation import ConfigurationError
from ultracart_conversation.archive import Archive

pytestmark = pytest.mark.asyncio
BODIES = {
    "plain": "I want a refund for my order",
    "apart": "the order came, and a refund is what I want",
    "longer": "how do refunds work?",
    "accent": "Un café crème",
    "quote": 'don\'t say "never"',
    "operator": "NOT a word OR two",
    "column": "body : refundable",
}


async def found(archive: Archive, text: str) -> set[str | None]:
    return {hit.message.conversation_message_uuid for hit in await archive.search(text)}


@pytest.mark.parametrize(
    ("typed", "hits"),
    [
        ("refund", {"plain", "apart"}),
        ("REFUND", {"plain", "apart"}),
        ("refund order", {"plain", "apart"}),
        ("refund café", set[str]()),
        ('"a refund for"', {"plain"}),
        ('"refund a"', set[str]()),
        ('"a refund" order', {"plain", "apart"}),
        ('"a refund', {"plain", "apart"}),
        ("refund*", {"plain", "apart", "longer", "column"}),
        ('"how do ref"*', {"longer"}),
        ("ref*und", set[str]()),
        ("cafe", {"accent"}),
        ("don't", {"quote"}),
        ("NOT", {"operator"}),
        ("refund OR cafe", set[str]()),
        ("body:refundable", {"column"}),
        ("-refund", {"plain", "apart"}),
        ("(refund", {"plain", "apart"}),
        ("refund ?!", {"plain", "apart"}),
        ("re\0fund", set[str]()),
        ("refund \ud83d", {"plain", "apart"}),
        ("?!", set[str]()),
    ],
)
async def test_what_is_typed_is_words_phrases_and_beginnings(typed: str, hits: set[str], tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", *[message(uuid, body) for uuid, body in BODIES.items()])) as archive:
        assert await found(archive, typed) == hits


TYPED = st.lists(st.text() | st.sampled_from(['"', "*", "^", "AND", "NEAR(", ":", "-", "+", "\0"])).map(" ".join)


@settings(max_examples=20)
@given(texts=st.lists(TYPED, min_size=5))
async def test_nothing_that_is_typed_is_an_error_of_the_database(texts: list[str]) -> None:
    with TemporaryDirectory() as directory:
        async with Archive(Path(directory) / "conversations.db") as archive:
            for typed in texts:
                assert await archive.search(f"word {typed}") == []


@pytest.mark.parametrize("typed", ["", " \n", "*", '""', '"" *', "\0"])
async def test_nothing_is_not_searched_for(typed: str, tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        with pytest.raises(ConfigurationError, match="there is nothing to search for"):
            await archive.search(typed)


async def test_the_newest_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    messages = [message(f"m{number}", "refund", epoch=EPOCH + number) for number in (2, 0, 3, 1)]
    async with shelf(tmp_path, new("a", *messages[:2]), new("b", *messages[2:])) as archive:
        hits = await archive.search("refund", limit=3)
        assert [(hit.conversation_uuid, hit.message.conversation_message_uuid) for hit in hits] == [
            ("b", "m3"),
            ("a", "m2"),
            ("b", "m1"),
        ]


async def test_a_hit_is_the_message_and_an_excerpt_that_marks_the_words(tmp_path: Path) -> None:
    said = message("m", "one " * 40 + "Refund me, please" + " two" * 40, author_conversation_participant_name="Ann")
    async with shelf(tmp_path, new("chat", said)) as archive:
        (hit,) = await archive.search("refund please")
        assert hit.message == said
        assert "[Refund] me, [please]" in hit.excerpt
        assert hit.excerpt.startswith("…")
        assert hit.excerpt.endswith("…")
        assert len(hit.excerpt) < 100


async def test_since_includes_its_own_moment(tmp_path: Path) -> None:
    messages = [message(str(number), "refund", epoch=EPOCH + number) for number in (-1, 0, 1)]
    async with shelf(tmp_path, new("chat", *messages)) as archive:
        hits = await archive.search("refund", since=datetime(2026, 1, 1, tzinfo=UTC))
        assert [hit.message.conversation_message_uuid for hit in hits] == ["1", "0"]


async def test_a_search_may_be_of_one_conversation(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1", "refund")), new("b", message("1", "refund"))) as archive:
        assert [hit.conversation_uuid for hit in await archive.search("refund", conversation_uuid="b")] == ["b"]


async def test_what_was_removed_is_not_found_and_of_what_was_updated_only_the_new_words(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", message("1", "refund one"), message("2", "refund two"))) as archive:
        await keep(archive, removed("chat", "1"), updated("chat", message("2", "exchange two")))
        assert await found(archive, "refund") == set()
        assert await found(archive, "two") == {"2"}
        assert await found(archive, "exchange") == {"2"}


async def test_times_without_an_offset_and_limits_below_one_are_refused(tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        with pytest.raises(ConfigurationError, match=r"since=2026-01-01T00:00:00 has no offset"):
            await archive.search("refund", since=datetime(2026, 1, 1))
        with pytest.raises(ConfigurationError, match="limit=0"):
            await archive.search("refund", limit=0)


async def test_values_that_nothing_can_have_are_refused(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", message("m", "refund"))) as archive:
        assert len(await archive.search("refund", limit=2**63 - 1)) == 1
        with pytest.raises(ConfigurationError, match=f"limit={2**63} is no number of messages"):
            await archive.search("refund", limit=2**63)
        with pytest.raises(ConfigurationError, match=r"conversation_uuid='\\ud83d' has half a character"):
            await archive.search("refund", conversation_uuid="\ud83d")


SHAPES = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(0, 3),
    st.lists(st.sampled_from(["refund", "refunds", "tea", "order", "été"]), max_size=5).map(" ".join),
    st.booleans(),
)


@settings(max_examples=20)
@given(said=st.lists(SHAPES, max_size=12), limit=st.integers(1, 6), since=st.none() | st.integers(0, 3))
async def test_what_is_found_is_what_one_plain_query_finds(
    said: list[tuple[str, int, str, bool]], limit: int, since: int | None
) -> None:
    """The rows, their order and their excerpts, however many there are beyond the limit."""
    when = None if since is None else datetime.fromtimestamp(EPOCH / 1000 + since, UTC)
    with TemporaryDirectory() as directory:
        async with shelf(Path(directory)) as archive:
            for number, (uuid, second, body, is_removed) in enumerate(said):
                key = f"{number % 3}-{number}"
                await keep(archive, new(uuid, message(key, body, epoch=EPOCH + second * 1000)))
                if is_removed:
                    await keep(archive, removed(uuid, key))
            for typed, query in (("refund", '"refund"'), ("re*", '"re"*'), ("tea order", '"tea" "order"')):
                hits = await archive.search(typed, limit=limit, since=when)
                found = [(hit.conversation_uuid, hit.message.conversation_message_uuid, hit.excerpt) for hit in hits]
                assert found == plainly(archive.path, query, EPOCH + (since or 0) * 1000, limit)


def plainly(path: Path, query: str, epoch: int, limit: int) -> list[Any]:
    return select(
        path,
        "SELECT m.conversation_uuid, m.conversation_message_uuid, snippet(messages_text, 0, '[', ']', '…', 16) "
        "FROM messages_text JOIN messages m ON m.id = messages_text.rowid "
        "WHERE messages_text MATCH ? AND removed_at IS NULL AND message_epoch >= ? "
        "ORDER BY message_epoch DESC, conversation_message_uuid, conversation_uuid LIMIT ?",
        query,
        epoch,
        limit,
    )


async def test_excerpts_are_made_of_what_is_given_and_of_nothing_else(tmp_path: Path) -> None:
    """Making one reads a body from end to end, which takes much longer than to find it."""
    long = "word " * 10_000
    many = [message(f"{number:02}", f"{long} refund {long}", epoch=EPOCH + number) for number in range(40)]

    async def work_of(limit: int) -> float:
        """In seconds of the processor, of this process alone."""
        begin = time.process_time()
        assert len(await archive.search("refund", limit=limit)) == limit
        return time.process_time() - begin

    async with shelf(tmp_path, new("chat", *many)) as archive:
        assert await work_of(40) > 8 * min([await work_of(1) for _ in range(3)])
