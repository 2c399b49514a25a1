"""All that only SQLite understands: the file, its pragmas, how transactions begin, and full-text search."""

import asyncio
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, ColumnElement, Integer, Select, Table, column, event, func, literal_column, select, table
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ultracart_conversation._archive.connections import Connections
from ultracart_conversation._archive.schema import messages

APPLICATION_ID = 0x55434341
"""In the header of every archive, so that the file of another program is never taken for one."""
Kind = Literal["new", "archive", "foreign"]
Access = Literal["write", "read", "untouched"]
"""Untouched is a file that is taken to stay as it is: reading it makes no files beside it, and takes no locks."""
Reason = Literal["busy", "full", "disk", "read-only", "unopenable", "damaged", "no database", "failed"]

_SLICE = 0.1
_URI: dict[Access, dict[str, str]] = {
    # Not one of them makes a file: that would be readable for others.
    "write": {"mode": "rw"},
    "read": {"mode": "ro"},
    "untouched": {"mode": "ro", "immutable": "1"},
}
_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "disk",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_CANTOPEN: "unopenable",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "no database",
}
_FULL_TEXT = """
CREATE VIRTUAL TABLE messages_text USING fts5
(body, content='messages', content_rowid='id', tokenize='unicode61 remove_diacritics 2');

CREATE TRIGGER messages_text_insert AFTER INSERT ON messages BEGIN
  INSERT INTO messages_text (rowid, body) VALUES (new.id, new.body);
END;

CREATE TRIGGER messages_text_delete AFTER DELETE ON messages BEGIN
  INSERT INTO messages_text (messages_text, rowid, body) VALUES ('delete', old.id, old.body);
END;

CREATE TRIGGER messages_text_update AFTER UPDATE OF id, body ON messages
WHEN old.id IS NOT new.id OR old.body IS NOT new.body BEGIN
  INSERT INTO messages_text (messages_text, rowid, body) VALUES ('delete', old.id, old.body);
  INSERT INTO messages_text (rowid, body) VALUES (new.id, new.body);
END;

INSERT INTO messages_text (messages_text) VALUES ('rebuild');
"""


def writer(path: Path, *, patience: float) -> Connections:
    """One connection, which waits for others in slices, so that whoever waits can be cancelled."""
    return _connections(path, "write", count=1, timeout=min(_SLICE, patience))


def readers(path: Path, access: Access, *, count: int, patience: float) -> Connections:
    """Connections that cannot write; beside a write-ahead log they hardly ever wait."""
    return _connections(path, access, count=count, timeout=patience)


def _connections(path: Path, access: Access, *, count: int, timeout: float) -> Connections:
    # Opening a connection starts a thread, so they are kept; one connection never serves two transactions at a time.
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=path.as_uri(), query={"uri": "true", **_URI[access]}),
        pool_size=count,
        max_overflow=0,
        pool_timeout=None,
        hide_parameters=True,
        connect_args={"timeout": timeout, "isolation_level": None},
    )
    event.listen(engine.sync_engine, "handle_error", _stay_connected)
    return Connections(engine, count=count)


def _stay_connected(context: ExceptionContext) -> None:
    """A cancelled statement comes to its end in its thread, and what follows on the connection waits for that.

    Closed instead, as is the rule, the connection would keep its locks for as long as anything refers to a cursor.
    """
    if isinstance(context.original_exception, asyncio.CancelledError):
        context.is_disconnect = False


def upsert(table: Table, *, but: Collection[str] = ()) -> Insert:
    """Put whole rows in the place of those with the same primary key, `but` for columns that stay as they were."""
    statement = insert(table)
    names = [column.name for column in table.columns if not column.primary_key and column.name not in but]
    replaced = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=replaced)


async def begin_reading(connection: AsyncConnection) -> None:
    """What is read until the end of the transaction is of one moment."""
    await _set_up(connection, "PRAGMA query_only = ON")
    await connection.exec_driver_sql("BEGIN")


async def begin_writing(connection: AsyncConnection, *, patience: float) -> None:
    """Take the lock that only one may have, waiting for up to `patience` seconds."""
    # In WAL mode a weaker setting than FULL may lose the last transactions when the power fails.
    await _set_up(connection, "PRAGMA synchronous = FULL")
    await _patiently(connection, "BEGIN IMMEDIATE", patience)


async def kind_of(connection: AsyncConnection) -> Kind:
    """What the file holds; new where there is nothing yet."""
    if not await _pragma(connection, "page_count"):
        return "new"
    return "archive" if await _pragma(connection, "application_id") == APPLICATION_ID else "foreign"


async def adopt(connection: AsyncConnection, *, patience: float) -> bool:
    """Mark the file as ours and give it a write-ahead log, so that readers and the writer do not wait for each other.

    False when its place allows no such log. Outside a transaction.
    """
    # The mark first: what is written with the log is not in the file's header until the log is taken over.
    await _patiently(connection, f"PRAGMA application_id = {APPLICATION_ID}", patience)
    return bool(await _patiently(connection, "PRAGMA journal_mode = WAL", patience) == "wal")


async def has_write_ahead_log(connection: AsyncConnection) -> bool:
    return bool(await _pragma(connection, "journal_mode") == "wal")


async def create_full_text_index(connection: AsyncConnection) -> None:
    """Index all bodies; from then on triggers keep the index, whoever writes to the table."""
    for statement in _FULL_TEXT.strip().split("\n\n"):
        await connection.exec_driver_sql(statement)


def select_matching(
    phrases: Iterable[tuple[str, bool]],
    *,
    such: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    limit: int,
) -> "Select[*tuple[Any, ...]]":
    """Rows of `messages` with all phrases, those with True being beginnings, and an `excerpt` that marks them [so].

    They are the first `limit` of those that are `such`, in order.
    """
    index = table("messages_text", column("rowid", Integer))
    whole: ColumnElement[str] = literal_column(index.name)
    quoted = ['"{}"{}'.format(phrase.replace('"', '""'), "*" * is_prefix) for phrase, is_prefix in phrases]
    matches = whole.op("MATCH")(" ".join(quoted))
    of_row = messages.c.id == index.c.rowid
    first = select(messages.c.id).join_from(index, messages, of_row).where(matches, such).order_by(*order).limit(limit)
    # Reading bodies for excerpts takes longest, so it is done for these alone. Without the plus the index would be
    # searched again for each of them, which is slow for beginnings.
    row_id: ColumnElement[int] = literal_column(f"+{index.name}.rowid", Integer)
    excerpt = func.snippet(whole, 0, "[", "]", "…", 16).label("excerpt")
    found = select(messages, excerpt).join_from(index, messages, of_row)
    return found.where(matches, row_id.in_(first.correlate(None))).order_by(*order)


def reason_of(error: DBAPIError) -> Reason:
    """Why a statement failed."""
    code: int = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return _REASONS.get(code & 0xFF, "failed")


async def _pragma(connection: AsyncConnection, name: str) -> Any:
    return (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()


async def _set_up(connection: AsyncConnection, pragma: str) -> None:
    """Once for each connection that the pool opens."""
    info = connection.info
    if "is_set_up" not in info:
        await connection.exec_driver_sql(pragma)
        info["is_set_up"] = True


async def _patiently(connection: AsyncConnection, statement: str, patience: float) -> Any:
    """The first value that the statement gives, once nobody else is in its way."""
    # Locks are other processes' and theirs is real time, whatever clock the archive is told.
    until = time.monotonic() + patience
    while True:
        try:
            result = await connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if reason_of(error) != "busy" or time.monotonic() >= until:
                raise
        else:
            return result.scalar() if result.returns_rows else None
