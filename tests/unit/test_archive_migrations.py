"""Tables of an earlier version are brought up to date, as a whole or not at all."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Text, event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.archive_desk import batch, change, checkpoint, claimed, contents, execute, message, select
from ultracart_conversation._archive import migrations
from ultracart_conversation._archive.dialect import APPLICATION_ID
from ultracart_conversation._archive.schema import METADATA
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ArchiveError

pytestmark = pytest.mark.asyncio

VERSIONS = "SELECT version FROM schema_version ORDER BY version"
INDEX = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'messages_text%'"
FIRST_VERSION = Path(__file__).with_name("archive_version_1.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@pytest.fixture
def first_version(path: Path) -> Path:
    """A file as it was before bodies could be searched."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_VERSION.read_text())
        for key, body in (("m", "a refund"), ("n", None)):
            raw = json.dumps(message(key, body).to_dict())
            connection.execute(
                "INSERT INTO messages (conversation_uuid, conversation_message_uuid, message_epoch, body, digest, "
                "first_seen_at, changed_at, raw) VALUES ('a', ?, 0, ?, x'00', 0, 0, ?)",
                (key, body, raw),
            )
        connection.commit()
    execute(
        path,
        "INSERT INTO schema_version VALUES (1, 0)",
        f"PRAGMA application_id = {APPLICATION_ID}",
        "PRAGMA journal_mode = WAL",
    )
    return path


def structure(path: Path) -> dict[str, Any]:
    """What the tables are, however somebody spelled that."""
    found: dict[str, Any] = {}
    for kind, name, sql in select(path, "SELECT type, name, sql FROM sqlite_master"):
        if kind != "table" or "VIRTUAL" in sql:
            found[name] = (kind, " ".join((sql or "").split()))
            continue
        indexes = select(path, "SELECT name, [unique], origin FROM pragma_index_list(?)", name)
        found[name] = (
            select(path, "SELECT name, upper(type), [notnull], dflt_value, pk FROM pragma_table_xinfo(?)", name),
            {index: (how, select(path, "SELECT * FROM pragma_index_xinfo(?)", index)) for index, *how in indexes},
        )
    return found


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


@contextmanager
def next_version() -> Iterator[None]:
    """The package as it may be one day, with one more column."""
    tables = MetaData()
    for table in METADATA.sorted_tables:
        table.to_metadata(tables)
    tables.tables["messages"].append_column(Column("sentiment", Text))

    async def add_sentiment(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("ALTER TABLE messages ADD COLUMN sentiment TEXT")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "METADATA", tables)
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, add_sentiment))
        yield


async def test_a_new_archive_begins_with_the_newest_version(path: Path) -> None:
    async with Archive(path):
        assert select(path, VERSIONS) == [2]


async def test_what_is_there_becomes_searchable(first_version: Path) -> None:
    async with claimed(first_version) as archive:
        assert select(first_version, VERSIONS) == [1, 2]
        [hit] = await archive.search("refund")
        assert (hit.conversation_uuid, hit.message) == ("a", message("m", "a refund"))
        await archive.commit(batch(change("a", message("o", "refund me"), updated=(message("m", "no"),))), checkpoint())
        assert [hit.message.conversation_message_uuid for hit in await archive.search("refund")] == ["o"]
        assert [hit.message.conversation_message_uuid for hit in await archive.search("no")] == ["m"]
    execute(first_version, "INSERT INTO messages_text (messages_text) VALUES ('integrity-check')")


async def test_nothing_else_changes(first_version: Path) -> None:
    before = contents(first_version)
    async with Archive(first_version):
        pass
    after = contents(first_version)
    assert {name for name in before if before[name] != after[name]} == {"schema_version"}


async def test_a_new_archive_is_as_one_that_went_through_all_versions(first_version: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.db"
    for each in (first_version, made):
        async with Archive(each):
            pass
    assert structure(first_version) == structure(made)
    with next_version():
        for each in (first_version, made, tmp_path / "later.db"):
            async with claimed(each) as archive:
                await archive.commit(batch(change("b", message("x", "so much later"))), checkpoint())
                assert len(await archive.search("later")) == 1
    assert structure(first_version) == structure(made) == structure(tmp_path / "later.db")
    assert select(first_version, VERSIONS) == [1, 2, 3]
    assert select(tmp_path / "later.db", VERSIONS) == [3]


async def test_who_knows_only_the_earlier_version_writes_no_more(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint())
        with next_version():
            async with Archive(path):
                pass
        before = contents(path)
        writes = (
            lambda: archive.commit(batch(change("a", message("n"))), checkpoint(2)),
            lambda: archive.acknowledge("reader", 1),
            archive.claim,
        )
        for write in writes:
            with pytest.raises(ArchiveError, match="has version 3 and this package knows 2: use the package"):
                await write()
        assert contents(path) == before
        assert set(await archive.known("a")) == {"m"}


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


@pytest.mark.parametrize("step", ["PRAGMA application_id =", "PRAGMA journal_mode =", "\nCREATE TABLE messages"])
async def test_a_new_archive_that_breaks_off_can_be_opened_again(path: Path, step: str) -> None:
    with breaking(step), pytest.raises(RuntimeError, match="broken off"):
        await Archive(path).__aenter__()
    assert contents(path) == {}
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint())
    assert select(path, VERSIONS) == [2]
