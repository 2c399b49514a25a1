"""The change feed: every change once, in order, and each consumer where it stands."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.archive_shelf import EPOCH, gone, keep, message, new, removed, shelf, summary, updated
from ultracart_conversation import ArchiveError, ConfigurationError
from ultracart_conversation.archive import Archive, ArchivedChange

pytestmark = pytest.mark.asyncio


async def read(archive: Archive, **where: object) -> list[ArchivedChange]:
    return [change async for change in archive.changes(**where)]  # type: ignore[arg-type]


async def numbers(archive: Archive, **where: object) -> list[int]:
    return [change.seq for change in await read(archive, **where)]


async def test_every_change_comes_once_in_the_order_of_its_commit(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1", "hi")), listed=(summary("a"),)) as archive:
        await keep(archive, updated("a", message("1", "hello")))
        await keep(archive, removed("a", "1"))
        await keep(archive, gone("a"))
        changes = await read(archive)
    assert [(change.seq, change.kind, change.conversation_message_uuid) for change in changes] == [
        (1, "conversation", None),
        (2, "message", "1"),
        (3, "revision", "1"),
        (4, "removal", "1"),
        (5, "gone", None),
    ]
    assert {change.conversation_uuid for change in changes} == {"a"}


async def test_a_change_shows_message_and_conversation_as_they_are_by_now(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1", "hi")), listed=(summary("a", closed=False),)) as archive:
        await keep(archive, updated("a", message("1", "hello")), listed=(summary("a", closed=True),))
        changes = await read(archive)
    of_message = [change for change in changes if change.conversation_message_uuid]
    assert [change.message for change in of_message] == [message("1", "hello")] * 2
    assert {change.conversation for change in changes} == {summary("a", closed=True)}
    assert [change.message for change in changes if not change.conversation_message_uuid] == [None, None]


async def test_messages_of_different_conversations_may_have_the_same_uuid(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1", "of a")), new("b", message("1", "of b"))) as archive:
        changes = [change for change in await read(archive) if change.message]
    assert [(change.conversation_uuid, change.message) for change in changes] == [
        ("a", message("1", "of a")),
        ("b", message("1", "of b")),
    ]


async def test_it_goes_on_after_a_number_and_gives_no_more_than_asked_for(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", *[message(str(number)) for number in range(5)])) as archive:
        assert await numbers(archive) == [1, 2, 3, 4, 5, 6]
        assert await numbers(archive, after=0) == [1, 2, 3, 4, 5, 6]
        assert await numbers(archive, after=4) == [5, 6]
        assert await numbers(archive, after=2, limit=2) == [3, 4]
        assert await numbers(archive, after=6) == []


async def test_a_long_feed_is_given_whole(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", *[message(f"{number:04}") for number in range(1200)])) as archive:
        assert await numbers(archive) == [*range(1, 1202)]
        assert await numbers(archive, limit=1100) == [*range(1, 1101)]


async def test_a_consumer_goes_on_where_it_acknowledged_also_after_a_restart(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"), message("2"))) as archive:
        assert await archive.acknowledged("crm") == 0
        assert await numbers(archive, consumer="crm") == [1, 2, 3]
        await archive.acknowledge("crm", 2)
    async with Archive(tmp_path / "conversations.db") as archive:
        assert await archive.acknowledged("crm") == 2
        assert await numbers(archive, consumer="crm") == [3]
        assert await numbers(archive, consumer="mailer") == [1, 2, 3]


async def test_an_acknowledgement_never_goes_back(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"), message("2"))) as archive:
        for seq in (2, 1, 0):
            await archive.acknowledge("crm", seq)
        assert await archive.acknowledged("crm") == 2


@pytest.mark.parametrize("seq", [-1, 4])
async def test_what_is_not_there_yet_cannot_be_acknowledged(seq: int, tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"), message("2"))) as archive:
        with pytest.raises(ConfigurationError, match=f"{seq} is no number of the change feed, which ends at 3"):
            await archive.acknowledge("crm", seq)
        assert await archive.acknowledged("crm") == 0


async def test_a_consumer_needs_no_claim_and_acknowledges_while_another_process_writes(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"))) as writer, Archive(tmp_path / "conversations.db") as reader:
        await asyncio.gather(
            *[keep(writer, new("a", message(f"n{number}"))) for number in range(20)],
            *[reader.acknowledge("crm", seq) for seq in (2, 1, 2, 1)],
        )
        assert await reader.acknowledged("crm") == 2
        assert await numbers(reader) == [*range(1, 23)]


async def test_a_slow_consumer_holds_up_nobody_and_sees_what_is_written_meanwhile(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", *[message(f"{number:04}") for number in range(600)])) as archive:
        seen = 0
        async for change in archive.changes():
            seen = change.seq
            if seen == 1:
                await keep(archive, new("a", message("late")))
                assert log_of(archive) == (0, 0)
        assert seen == 602


def log_of(archive: Archive) -> tuple[int, int]:
    """Whether somebody kept the log from being emptied, and how much of it is left."""
    connection = sqlite3.connect(archive.path)
    busy, left, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    return busy, left


async def test_readers_of_the_feed_may_stop_anywhere(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", *[message(f"{number:04}", epoch=EPOCH) for number in range(600)])) as archive:
        async for change in archive.changes():
            if change.seq == 3:
                break
        assert log_of(archive) == (0, 0)


@pytest.mark.parametrize(("taken", "after", "missing"), [("seq <= 2", 0, 1), ("seq = 3", 1, 3)])
async def test_a_hole_in_the_feed_is_not_passed_over(taken: str, after: int, missing: int, tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"), message("2"), message("3"))) as archive:
        with sqlite3.connect(archive.path) as connection:
            connection.execute(f"DELETE FROM outbox WHERE {taken}")
        connection.close()
        with pytest.raises(ArchiveError, match=f"has no number {missing}: "):
            await numbers(archive, after=after)
        assert await numbers(archive, after=3) == [4]


async def test_an_older_copy_of_the_archive_is_noticed(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"))) as archive:
        with pytest.raises(ArchiveError, match="ends at 2 and you have come to 7: this is an older copy"):
            await numbers(archive, after=7)


async def test_where_to_begin_is_said_in_one_way(tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        with pytest.raises(ConfigurationError, match="give one of them"):
            archive.changes(after=1, consumer="crm")
        with pytest.raises(ConfigurationError, match="after=-1"):
            archive.changes(after=-1)
        with pytest.raises(ConfigurationError, match=f"after={2**63}"):
            archive.changes(after=2**63)
        with pytest.raises(ArchiveError, match="older copy"):
            await numbers(archive, after=2**63 - 1)
        with pytest.raises(ConfigurationError, match=r"consumer='\\ud83d' has half a character"):
            archive.changes(consumer="\ud83d")
        with pytest.raises(ConfigurationError, match="half a character"):
            await archive.acknowledge("\ud83d", 1)
        with pytest.raises(ConfigurationError, match="limit=0"):
            archive.changes(limit=0)
        with pytest.raises(ConfigurationError, match="needs a name"):
            archive.changes(consumer="")
        with pytest.raises(ConfigurationError, match="needs a name"):
            await archive.acknowledge("", 1)


async def test_a_consumer_misses_nothing_where_an_older_copy_is_put_back(tmp_path: Path) -> None:
    path, copy = tmp_path / "conversations.db", tmp_path / "copy.db"
    async with shelf(tmp_path, new("a", message("1"))) as archive:
        await archive.acknowledge("crm", 1)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        await keep(archive, new("a", message("2"), message("3")))
        await archive.acknowledge("crm", 4)
    copy.replace(path)
    async with shelf(tmp_path, new("a", message("4"), message("2"), message("3"))) as archive:
        again = await read(archive, consumer="crm")
        assert [(change.seq, change.conversation_message_uuid) for change in again] == [
            (2, "1"),
            (3, "4"),
            (4, "2"),
            (5, "3"),
        ]
        assert await numbers(archive, after=4) == [5]
