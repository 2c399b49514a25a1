"""What must be true of an archive, at any moment and once all is read."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.live.kills.witness import PATIENCE
from tests.live.sync_command import stored
from ultracart_conversation.sandbox import Sandbox

Tables = dict[str, list[tuple[Any, ...]]]
_MESSAGES = "SELECT conversation_uuid, conversation_message_uuid, body FROM messages WHERE removed_at IS NULL"
_REMOVED = "SELECT conversation_message_uuid FROM messages WHERE removed_at IS NOT NULL"
_TOLD = "SELECT conversation_message_uuid FROM outbox WHERE kind = ?"


def assert_consistent(archive: Path, *, in_use: bool = False) -> None:
    """Nothing is torn, twice, or told to the readers of the change feed otherwise than it is kept.

    Unless it is in use, this looks at a copy of the files, so that whoever opens them next has to recover them.
    """
    with (_backup if in_use else _copy)(archive) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchall():
            return
        numbers = [number for (number,) in database.execute("SELECT seq FROM outbox ORDER BY seq")]
        assert numbers == list(range(1, len(numbers) + 1))
        kept = Counter(_column(database, "SELECT conversation_message_uuid FROM messages"))
        assert kept == Counter(_column(database, _TOLD, "message"))
        assert set(kept.values()) <= {1}
        assert Counter(_column(database, _REMOVED)) == Counter(_column(database, _TOLD, "removal"))
        revisions = Counter(_column(database, "SELECT conversation_message_uuid FROM revisions"))
        assert revisions == Counter(_column(database, _TOLD, "revision"))
        assert_searchable(database)


def assert_searchable(database: sqlite3.Connection) -> None:
    """The full-text index, if there is one by now, says what the table says; raises `sqlite3.DatabaseError`."""
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'messages_text'").fetchall():
        database.execute("INSERT INTO messages_text (messages_text, rank) VALUES ('integrity-check', 1)")


def assert_complete(archive: Path, sandbox: Sandbox) -> None:
    """It is consistent, and every message and conversation of the service is there, as it is there now."""
    assert_consistent(archive)
    with _copy(archive) as database:
        found = database.execute(_MESSAGES).fetchall()
        listed = database.execute("SELECT conversation_uuid, message_count FROM conversations").fetchall()
        removed = set(_column(database, _REMOVED))
    assert Counter(found) == Counter(stored(sandbox))
    assert removed.isdisjoint(uuid for _, uuid, _ in stored(sandbox))
    uuids = sandbox.conversation_uuids
    assert Counter(listed) == Counter((uuid, len(sandbox.snapshot(uuid)["messages"])) for uuid in uuids)


def tables(archive: Path, *, but: Collection[str] = ()) -> Tables:
    """All that is in an archive, in every table but these."""
    with _copy(archive) as database:
        names = _column(database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {name: _rows(database, name) for name in names if name not in but}


@contextmanager
def _copy(archive: Path) -> Generator[sqlite3.Connection]:
    with TemporaryDirectory(dir=archive.parent) as directory:
        for path in (archive, archive.with_name(f"{archive.name}-wal")):
            if path.exists():
                shutil.copy(path, directory)
        with closing(sqlite3.connect(Path(directory) / archive.name)) as database:
            yield database


@contextmanager
def _backup(archive: Path) -> Generator[sqlite3.Connection]:
    with (
        closing(sqlite3.connect(archive, timeout=PATIENCE)) as source,
        closing(sqlite3.connect(":memory:")) as database,
    ):
        source.backup(database)
        yield database


def _rows(database: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return sorted(database.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)


def _column(database: sqlite3.Connection, query: str, *values: str) -> list[str]:
    return [value for (value,) in database.execute(query, values)]
