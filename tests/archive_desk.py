"""What tests put into an archive, and what any other program finds in its file."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_IMODE
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ultracart_conversation.archive import Archive
from ultracart_conversation.changes import Batch, Change, ChangeKind, PollerCheckpoint
from ultracart_conversation.models import ConversationMessage, ConversationSummary

EPOCH = 1_700_000_000_000
READ_AT = datetime.fromtimestamp(EPOCH / 1000, UTC)
FEED = "SELECT kind, conversation_uuid, conversation_message_uuid FROM outbox ORDER BY seq"
NUMBERS = "SELECT seq FROM outbox ORDER BY seq"


@asynccontextmanager
async def claimed(path: Path, **options: Any) -> AsyncGenerator[Archive]:
    """An archive that is open and ours."""
    async with Archive(path, **options) as archive:
        await archive.claim()
        yield archive


def prepared(path: Path, *batches: Batch) -> bytes:
    """The file of an archive that holds these, to be written again and again; not for within an event loop."""

    async def fill() -> None:
        async with claimed(path) as archive:
            for number, given in enumerate(batches):
                await archive.commit(given, checkpoint(number))

    asyncio.run(fill())
    return content(path)


def message(key: str, body: str | None = "hello", **fields: Any) -> ConversationMessage:
    fields = {"message_epoch": EPOCH, "type": "message", **fields}
    return ConversationMessage(conversation_message_uuid=key, body=body, **fields)


def row(uuid: str, **fields: Any) -> ConversationSummary:
    return ConversationSummary(conversation_uuid=uuid, **fields)


def change(uuid: str, *new: ConversationMessage, kind: ChangeKind = "news", **fields: Any) -> Change:
    return Change(conversation_uuid=uuid, kind=kind, new=new, **fields)


def batch(*changes: Change, rows: tuple[ConversationSummary, ...] = ()) -> Batch:
    return Batch(read_at=READ_AT, conversations=rows, changes=changes)


def checkpoint(mark: int = 1, **conversations: dict[str, Any]) -> PollerCheckpoint:
    return PollerCheckpoint(head={"mark": mark}, conversations=conversations)


def select(path: Path, query: str, *values: Any) -> list[Any]:
    """Rows as `sqlite3` reads them; bare values where there is one column."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(query, values).fetchall()
    return [each[0] if len(each) == 1 else each for each in rows]


def content(path: Path) -> bytes:
    """The file, byte by byte."""
    return path.read_bytes()


def mode(path: Path) -> int:
    """Who may do what with the file."""
    return S_IMODE(path.stat().st_mode)


def execute(path: Path, *statements: str) -> None:
    """What somebody does to the file with another tool."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def contents(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables but the search index."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_text%'")
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in names.fetchall()}


@contextmanager
def statements() -> Iterator[list[str]]:
    """Those that are sent to databases meanwhile, without the commits."""
    seen: list[str] = []

    def note(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
