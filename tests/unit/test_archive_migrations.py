"""Tables of an earlier version are brought up to date, as a whole or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.archive_desk import batch, change, checkpoint, claimed, contents, execute, message, select
from ultracart_conversation.archive import Archive

pytestmark = pytest.mark.asyncio

VERSIONS = "SELECT version FROM schema_version ORDER BY version"
INDEX = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'messages_text%'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@pytest_asyncio.fixture
async def first_version(path: Path) -> Path:
    """A file as it was before bodies could be searched."""
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m", "a refund"), message("n", None))), checkpoint())
    execute(
        path,
        *(f"DROP TRIGGER messages_text_{change}" for change in ("insert", "update", "delete")),
        "DROP TABLE messages_text",
        "DELETE FROM schema_version WHERE version = 2",
    )
    return path


@contextmanager
def breaking(beginning: str) -> Iterator[None]:
    """The statement that begins so fails."""

    def fail(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        if statement.startswith(beginning):
            raise RuntimeError("broken off")

    event.listen(Engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", fail)


async def test_a_new_archive_has_gone_through_all_versions(path: Path) -> None:
    async with Archive(path):
        assert select(path, VERSIONS) == [1, 2]


async def test_what_is_there_becomes_searchable(first_version: Path) -> None:
    async with claimed(first_version) as archive:
        assert select(first_version, VERSIONS) == [1, 2]
        [hit] = await archive.search("refund")
        assert (hit.conversation_uuid, hit.message) == ("a", message("m", "a refund"))
        await archive.commit(batch(change("a", message("o", "refund me"), updated=(message("m", "no"),))), checkpoint())
        assert [hit.message.conversation_message_uuid for hit in await archive.search("refund")] == ["o"]
        assert [hit.message.conversation_message_uuid for hit in await archive.search("no")] == ["m"]
    with sqlite3.connect(first_version) as connection:
        connection.execute("INSERT INTO messages_text (messages_text) VALUES ('integrity-check')")
    connection.close()


async def test_nothing_else_changes(first_version: Path) -> None:
    before = contents(first_version)
    async with Archive(first_version):
        pass
    after = contents(first_version)
    assert {name for name in before if before[name] != after[name]} == {"schema_version"}


@pytest.mark.parametrize(
    "step", ["CREATE VIRTUAL", "CREATE TRIGGER messages_text_update", "INSERT INTO schema_version"]
)
async def test_a_migration_that_breaks_off_leaves_the_old_version(first_version: Path, step: str) -> None:
    before = contents(first_version)
    with breaking(step), pytest.raises(RuntimeError, match="broken off"):
        await Archive(first_version).__aenter__()
    assert contents(first_version) == before
    assert select(first_version, INDEX) == [0]
    async with claimed(first_version) as archive:
        assert len(await archive.search("refund")) == 1


@pytest.mark.parametrize("step", ["PRAGMA application_id", "PRAGMA journal_mode = WAL", "\nCREATE TABLE messages"])
async def test_a_new_archive_that_breaks_off_can_be_opened_again(path: Path, step: str) -> None:
    with breaking(step), pytest.raises(RuntimeError, match="broken off"):
        await Archive(path).__aenter__()
    assert contents(path) == {}
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint())
    assert select(path, VERSIONS) == [1, 2]
