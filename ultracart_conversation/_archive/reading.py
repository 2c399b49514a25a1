"""Reading conversations and messages back as models."""

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive import schema
from ultracart_conversation._archive.arguments import whole_text
from ultracart_conversation._archive.database import Database
from ultracart_conversation.models import ConversationMessage, ConversationSummary

PAGE = 500
"""Rows read at a time, each time in a read of its own: whoever is slow with them holds nobody up."""
Query: TypeAlias = "Select[*tuple[Any, ...]]"
Record: TypeAlias = "Row[*tuple[Any, ...]]"
LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) * 1000
"""The latest time that can be told, in milliseconds since 1970."""
_START = datetime.fromtimestamp(0, UTC)


async def conversations(database: Database, /) -> AsyncGenerator[ConversationSummary, None]:
    """Those that the service still has, as listed last; by UUID, so that each comes once whatever is written."""
    table = schema.conversations.c
    query = select(table.conversation_uuid, table.raw).where(table.gone_at.is_(None))
    async for row in _each(database, query, (table.conversation_uuid,)):
        yield summary_in(row.raw)


async def messages(database: Database, conversation_uuid: str, /) -> AsyncGenerator[ConversationMessage, None]:
    """Those that the service still has of a conversation, oldest first, those of one millisecond by UUID."""
    table = schema.messages.c
    order = (table.message_epoch, table.conversation_message_uuid)
    of_conversation = table.conversation_uuid == whole_text("conversation_uuid", conversation_uuid)
    query = select(*order, table.raw).where(of_conversation, table.removed_at.is_(None))
    async for row in _each(database, query, order):
        yield message_in(row.raw)


async def _each(database: Database, query: Query, order: Sequence[ColumnElement[Any]]) -> AsyncGenerator[Record, None]:
    ordered, after = query.order_by(*order).limit(PAGE), None
    while page := await all_rows(database, ordered if after is None else ordered.where(tuple_(*order) > after)):
        for row in page:
            yield row
        after = tuple_(*[getattr(page[-1], column.name) for column in order])


async def all_rows(database: Database, query: Query) -> Sequence[Record]:
    """What the query gives."""

    async def work(connection: AsyncConnection) -> Sequence[Record]:
        return (await connection.execute(query)).all()

    return await database.read(work)


def message_in(raw: str) -> ConversationMessage:
    """A message from the column `raw`."""
    return ConversationMessage.from_dict(json.loads(raw))


def summary_in(raw: str) -> ConversationSummary:
    """A conversation from the column `raw`."""
    return ConversationSummary.from_dict(json.loads(raw))


def instant(epoch: int | None) -> datetime | None:
    """Milliseconds since 1970 as a time; 0 stands for none, and the calendar ends."""
    return _START + timedelta(milliseconds=epoch) if epoch and 0 < epoch <= LAST else None
