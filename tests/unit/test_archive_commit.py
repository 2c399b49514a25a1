"""What a commit keeps, and that it keeps nothing twice."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.archive_desk import (
    EPOCH,
    FEED,
    NUMBERS,
    batch,
    change,
    checkpoint,
    claimed,
    contents,
    message,
    row,
    select,
    statements,
)
from tests.virtual_clock import VirtualClock
from ultracart_conversation import JsonObject
from ultracart_conversation._sync.known import digest_of
from ultracart_conversation.changes import Batch, PollerCheckpoint
from ultracart_conversation.errors import ArchiveError
from ultracart_conversation.models import (
    Conversation,
    ConversationMessage,
    ConversationParticipant,
    ConversationSummary,
)

pytestmark = pytest.mark.asyncio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


async def test_a_message_is_kept_in_columns_and_as_it_came(path: Path, clock: VirtualClock) -> None:
    said = ConversationMessage.from_dict(
        {
            "conversation_message_uuid": "m",
            "message_epoch": EPOCH,
            "type": "message",
            "author_conversation_participant_arn": "arn:a",
            "author_conversation_participant_name": "Jo",
            "body": "my order 💥",
            "language_iso_code": "en",
            "client_message_id": "c1",
            "brand_new": [1],
        }
    )
    async with claimed(path, clock=clock) as archive:
        await archive.commit(batch(change("a", said)), checkpoint())
    columns = "message_epoch, type, author_arn, author_name, body, language_iso_code, client_message_id, digest"
    assert select(path, f"SELECT {columns} FROM messages") == [
        (EPOCH, "message", "arn:a", "Jo", "my order 💥", "en", "c1", digest_of(said))
    ]
    at = int(clock.time() * 1000)
    assert select(path, "SELECT first_seen_at, changed_at, removed_at FROM messages") == [(at, at, None)]
    [raw] = select(path, "SELECT raw FROM messages")
    assert ConversationMessage.from_dict(json.loads(raw)) == said
    assert json.loads(raw)["brand_new"] == [1]


async def test_a_conversation_is_kept_in_columns_with_its_participants(path: Path) -> None:
    when = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    people = (
        ConversationParticipant(conversation_participant_arn="arn:a", conversation_participant_name="Jo"),
        ConversationParticipant(conversation_participant_uuid="u", email="x@example.com", joined_dts=when),
        ConversationParticipant(sms_phone_number="+1"),
    )
    listed = row("a", medium="sms", closed=False, message_count=3, last_message_dts=when, participants=people)
    async with claimed(path) as archive:
        await archive.commit(batch(rows=(listed,)), checkpoint())
    columns = "conversation_uuid, medium, closed, message_count, last_message_epoch, gone_at"
    epoch = int(when.timestamp() * 1000)
    assert select(path, f"SELECT {columns} FROM conversations") == [("a", "sms", 0, 3, epoch, None)]
    [raw] = select(path, "SELECT raw FROM conversations")
    assert ConversationSummary.from_dict(json.loads(raw)) == listed
    columns = "participant_arn, name, email, sms_phone_number, joined_epoch"
    assert select(path, f"SELECT {columns} FROM participants ORDER BY 1") == [
        ("arn:a", "Jo", None, None, None),
        ("participant 2", None, None, "+1", None),
        ("u", None, "x@example.com", None, epoch),
    ]
    assert select(path, FEED) == [("conversation", "a", None)]


async def test_who_left_the_row_leaves_the_table(path: Path) -> None:
    both, one = (
        tuple(ConversationParticipant(conversation_participant_arn=arn) for arn in arns) for arns in ("ab", "b")
    )
    async with claimed(path) as archive:
        await archive.commit(batch(rows=(row("a", participants=both), row("b", participants=both))), checkpoint())
        await archive.commit(batch(rows=(row("a", participants=one),)), checkpoint())
    people = select(path, "SELECT conversation_uuid, participant_arn FROM participants ORDER BY 1, 2")
    assert people == [("a", "b"), ("b", "a"), ("b", "b")]


async def test_files_are_listed_by_their_addresses(path: Path) -> None:
    urls = ("https://cdn.example/x/my%20photo.JPG?sig=1", "https://cdn.example", "http://[broken/a.b.c#d")
    said = message("m", media_urls=urls, upload_keys=("2024/07/file.pdf",))
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", said)), checkpoint())
        await archive.commit(batch(change("b", message("m", media_urls=("u",)))), checkpoint())
        await archive.commit(batch(change("a", updated=(message("m", media_urls=urls[:1]),))), checkpoint())
    columns = "conversation_uuid, position, media_url, upload_key, name, extension"
    assert select(path, f"SELECT {columns} FROM attachments ORDER BY 1, 2") == [
        ("a", 0, urls[0], None, "my photo.JPG", "jpg"),
        ("b", 0, "u", None, "u", None),
    ]
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", said)), checkpoint())
    assert select(path, "SELECT name, extension FROM attachments WHERE conversation_uuid = 'a' ORDER BY position") == [
        ("my photo.JPG", "jpg"),
        (None, None),
        ("a.b.c", "c"),
        ("file.pdf", "pdf"),
    ]


async def test_an_update_keeps_what_was_said_before(path: Path, clock: VirtualClock) -> None:
    async with claimed(path, clock=clock) as archive:
        await archive.commit(batch(change("a", message("m", "one"), message("n"))), checkpoint())
        await clock.advance(5.0)
        await archive.commit(batch(change("a", updated=(message("m", "two"),))), checkpoint())
    at = int(clock.time() * 1000)
    [(uuid, key, replaced_at, raw)] = select(
        path, "SELECT conversation_uuid, conversation_message_uuid, replaced_at, raw FROM revisions"
    )
    assert (uuid, key, replaced_at, json.loads(raw)["body"]) == ("a", "m", at, "one")
    rows = select(path, "SELECT body, changed_at - first_seen_at FROM messages ORDER BY conversation_message_uuid")
    assert rows == [("two", 5000), ("hello", 0)]
    assert select(path, FEED)[-1] == ("revision", "a", "m")


async def test_a_batch_that_comes_again_changes_nothing_but_the_checkpoint(path: Path, clock: VirtualClock) -> None:
    first = batch(
        change("a", message("1"), message("2"), conversation=row("a")),
        change("b", message("1"), message("3"), removed=("3",)),
        change("c", kind="gone"),
        rows=(row("a", message_count=2), row("d"), row("c")),
    )
    async with claimed(path, clock=clock) as archive:
        await archive.commit(first, checkpoint(1, a={"at": 1}))
        before = contents(path)
        await clock.advance(60.0)
        await archive.commit(first, checkpoint(2, a={"at": 2}))
        after = contents(path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"cursors", "positions"}


async def test_new_and_updated_are_told_apart_by_what_is_there(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", updated=(message("m"),))), checkpoint())
        await archive.commit(batch(change("a", message("m", "two"))), checkpoint())
    assert select(path, FEED)[1:] == [("message", "a", "m"), ("revision", "a", "m")]


async def test_a_message_may_be_removed_and_come_back(path: Path, clock: VirtualClock) -> None:
    async with claimed(path, clock=clock) as archive:
        await archive.commit(batch(change("a", message("m"), message("n"))), checkpoint())
        await archive.commit(batch(change("a", kind="audit", removed=("m", "never seen"))), checkpoint())
        assert select(path, "SELECT conversation_message_uuid FROM messages WHERE removed_at IS NOT NULL") == ["m"]
        assert (await archive.known("a"))["m"].epoch == 0
        await archive.commit(batch(change("a", message("m"))), checkpoint())
        assert select(path, "SELECT count(*) FROM messages WHERE removed_at IS NOT NULL") == [0]
        assert (await archive.known("a"))["m"].epoch == EPOCH
    assert select(path, FEED)[3:] == [("removal", "a", "m"), ("message", "a", "m")]
    assert select(path, "SELECT count(*) FROM revisions") == [0]


async def test_a_conversation_may_be_gone_and_come_back(path: Path) -> None:
    async with claimed(path) as archive:
        for back in (batch(rows=(row("a"),)), batch(change("a", message("m")))):
            await archive.commit(batch(rows=(row("a"),)), checkpoint())
            await archive.commit(batch(change("a", kind="gone"), rows=(row("b"),)), checkpoint())
            assert select(path, "SELECT conversation_uuid FROM conversations WHERE gone_at IS NOT NULL") == ["a"]
            await archive.commit(back, checkpoint())
            assert select(path, "SELECT count(*) FROM conversations WHERE gone_at IS NOT NULL") == [0]
    kinds = [kind for kind, uuid, _ in select(path, FEED) if uuid == "a"]
    assert kinds == ["conversation", "gone", "conversation", "gone", "conversation", "message"]


async def test_a_change_shows_its_conversation_only_where_no_row_is_known(path: Path) -> None:
    newer, older = row("a", message_count=5), row("a", message_count=4)
    async with claimed(path) as archive:
        await archive.commit(batch(rows=(newer,)), checkpoint())
        await archive.commit(batch(change("a", message("m"), conversation=older)), checkpoint())
        await archive.commit(batch(change("b", conversation=row("b", message_count=7)), change("c")), checkpoint())
    counts = select(path, "SELECT conversation_uuid, message_count FROM conversations ORDER BY 1")
    assert counts == [("a", 5), ("b", 7), ("c", None)]


async def test_a_whole_conversation_is_kept_like_its_row(path: Path) -> None:
    whole = Conversation(conversation_uuid="a", message_count=1, messages=(message("m"),), virtual_agent=True)
    async with claimed(path) as archive:
        await archive.commit(batch(rows=(whole,)), checkpoint())
        await archive.commit(batch(rows=(row("a", message_count=1),)), checkpoint())
    assert select(path, FEED) == [("conversation", "a", None)]
    [raw] = select(path, "SELECT raw FROM conversations")
    assert json.loads(raw) == {"conversation_uuid": "a", "message_count": 1}


async def test_what_no_column_can_hold_stops_nothing(path: Path) -> None:
    strange = message("m", None, message_epoch=2**64 - 1, type=None)
    nameless = ConversationMessage(body="x" * 100_000 + "\0")
    async with claimed(path) as archive:
        await archive.commit(
            batch(change("a", strange, nameless), rows=(row("a", message_count=2**64 - 1),)), checkpoint()
        )
        await archive.commit(
            batch(change("a", strange, nameless), rows=(row("a", message_count=2**64 - 1),)), checkpoint()
        )
        assert len(await archive.known("a")) == 2
    assert select(path, NUMBERS) == [1, 2, 3]


async def test_the_checkpoint_is_kept_and_only_what_moved_is_written(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(), checkpoint(1, a={"at": 1}, b={"at": 1}))
        await archive.commit(batch(), checkpoint(2, b={"at": 2}, c={"at": 1}))
        assert await archive.claim() == PollerCheckpoint(
            head={"mark": 2}, conversations={"a": {"at": 1}, "b": {"at": 2}, "c": {"at": 1}}
        )


async def test_what_is_known_is_of_one_conversation(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(
            batch(change("a", message("1"), message("2")), change("b", message("1", "x"))), checkpoint()
        )
        known = await archive.known("a")
        assert await archive.known("nobody") == {}
    assert {key: (each.epoch, each.digest) for key, each in known.items()} == {
        "1": (EPOCH, digest_of(message("1"))),
        "2": (EPOCH, digest_of(message("2"))),
    }


async def test_a_large_batch_is_kept_whole(path: Path) -> None:
    uuids = [f"c{number}" for number in range(600)]
    large = batch(*(change(uuid, message("m"), message("n")) for uuid in uuids))
    gone = batch(*(change(uuid, kind="gone", removed=("m",)) for uuid in uuids))
    async with claimed(path) as archive:
        for each in (large, large, gone, gone):
            await archive.commit(each, checkpoint(1, **{uuid: {"at": 1} for uuid in uuids}))
    assert select(path, NUMBERS) == [*range(1, 5 * 600 + 1)]
    assert select(path, "SELECT count(*), count(removed_at) FROM messages") == [(1200, 600)]


async def test_the_number_of_statements_does_not_depend_on_the_batch(path: Path) -> None:
    def news(body: str) -> tuple[ConversationSummary, ...]:
        return tuple(row(f"c{number}", last_conversation_message_body=body) for number in range(8))

    def changes(body: str) -> list[ConversationMessage]:
        return [message(f"m{number}", body) for number in range(20)]

    counts: list[int] = []
    async with claimed(path) as archive:
        for body in ("one", "two", "two"):
            some = batch(
                *(change(each.conversation_uuid or "", *changes(body)) for each in news(body)), rows=news(body)
            )
            with statements() as sent:
                await archive.commit(some, checkpoint(1, c0={"at": 1}))
            counts.append(len(sent))
    assert counts == [12, 14, 7]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (batch(change("a", message("n", "hello \ud83d"))), {}),
        (batch(change("a", message("\ud83d"))), {}),
        (batch(change("a", message("n", extra=JsonObject({"newer": object()})))), {}),
        (batch(change("\ud83d")), {}),
        (batch(change("a", removed=("\ud83d",))), {}),
        (batch(rows=(row("a", last_conversation_message_body="\ud83d"),)), {}),
        (batch(), {"\ud83d": {"at": 1}}),
        (batch(), {"a": {"at": "\ud83d"}}),
    ],
)
async def test_what_cannot_be_written_is_said_and_keeps_nothing_of_the_batch(
    given: Batch, named: dict[str, Any], path: Path
) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint(1))
        before = contents(path)
        whole = batch(change("b", message("m")), *given.changes, rows=given.conversations)
        with pytest.raises(ArchiveError, match=r"cannot be kept.*: nothing was written$") as caught:
            await archive.commit(whole, checkpoint(2, **named))
        assert contents(path) == before
        assert "hello" not in str(caught.value)
