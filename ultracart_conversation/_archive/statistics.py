"""How much an archive holds, and up to when it is complete."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.companions import files_of
from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.reading import LAST, Query, Record, instant
from ultracart_conversation._archive.schema import conversations, cursors, messages, outbox, revisions
from ultracart_conversation._archive.values import ArchiveStatistics


async def statistics(database: Database, /) -> ArchiveStatistics:
    """All of one moment, but the size. What the service no longer has is among the conversations and messages too."""
    row = await database.read(_counted)
    return ArchiveStatistics(
        conversations=row.conversations,
        messages=row.messages,
        revisions=row.revisions,
        removed=row.removed,
        gone=row.gone,
        changes=row.changes,
        size=_size(database.path),
        complete_through=_complete_through(row.checkpoint),
        oldest=instant(row.oldest),
        newest=instant(row.newest),
    )


async def _counted(connection: AsyncConnection) -> Record:
    return (await connection.execute(_counts())).one()


def _counts() -> Query:
    epoch = messages.c.message_epoch
    has_time = epoch.between(1, LAST)
    return select(
        _of(conversations, func.count()).label("conversations"),
        _of(messages, func.count()).label("messages"),
        _of(revisions, func.count()).label("revisions"),
        _of(messages, func.count(), messages.c.removed_at.is_not(None)).label("removed"),
        _of(conversations, func.count(), conversations.c.gone_at.is_not(None)).label("gone"),
        _of(outbox, func.count()).label("changes"),
        _of(messages, func.min(epoch), has_time).label("oldest"),
        _of(messages, func.max(epoch), has_time).label("newest"),
        _of(cursors, cursors.c.value, cursors.c.name == "poller").label("checkpoint"),
    )


def _of(table: Table, value: ColumnElement[Any], *such: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(value).select_from(table).where(*such).scalar_subquery()


def _complete_through(checkpoint: str | None) -> datetime | None:
    """What the poller says in the `head` of its checkpoint."""
    return None if checkpoint is None else instant(json.loads(checkpoint)["head"].get("complete_through"))


def _size(path: Path) -> int:
    """With the log of what was written last."""
    return sum(each.stat().st_size for each in files_of(path) if each.exists())
