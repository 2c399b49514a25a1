"""Searching an archive: what is typed, what is found, in which order."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
