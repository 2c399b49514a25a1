"""Reading the change feed, and how far each of its readers has come."""

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.arguments import MOST, whole_text
from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.dialect import upsert
from ultracart_conversation._archive.reading import Query, Record, message_in, summary_in
from ultracart_conversation._archive.schema import conversations, cursors, messages, outbox
from ultracart_conversation._archive.values import ArchivedChange
from ultracart_conversation.errors import ArchiveError, ConfigurationError

PAGE = 500
"""Changes read at a time, each time in a read of its own: a slow consumer holds nobody up."""


def changes(
    database: Database, /, *, after: int | None, consumer: str | None, limit: int | None
) -> AsyncGenerator[ArchivedChange, None]:
    """See `Archive.changes`."""
    if after is not None and consumer is not None:
        raise ConfigurationError("the change feed begins after a number or where a consumer stands: give one of them")
    if after is not None and not 0 <= after <= MOST:
        raise ConfigurationError(f"after={after} is no place in the change feed: its numbers are 1 to {MOST}")
    if limit is not None and limit < 1:
        raise ConfigurationError(f"limit={limit} would give no change: it is at least 1")
    name = None if consumer is None else _cursor(consumer)
    return _changes(database, after or 0, name, limit)


async def _changes(
    database: Database, after: int, name: str | None, limit: int | None
) -> AsyncGenerator[ArchivedChange, None]:
    come = after if name is None else await _position(database, name)
    left = PAGE if limit is None else limit
    while left and (page := await database.read(partial(_page, after=come, limit=min(PAGE, left)))):
        for row in page:
            yield _change(row)
        come += len(page)
        left = PAGE if limit is None else left - len(page)


async def acknowledge(database: Database, consumer: str, seq: int, /) -> None:
    """See `Archive.acknowledge`."""
    await database.write(partial(_acknowledge, name=_cursor(consumer), seq=seq))


async def acknowledged(database: Database, consumer: str, /) -> int:
    """See `Archive.acknowledged`."""
    return await _position(database, _cursor(consumer))


def _cursor(consumer: str) -> str:
    if not consumer:
        raise ConfigurationError("a consumer of the change feed needs a name")
    return f"consumer/{whole_text('consumer', consumer)}"


async def _position(database: Database, name: str) -> int:
    return await database.read(partial(_value, name=name))


async def _acknowledge(connection: AsyncConnection, *, name: str, seq: int) -> None:
    end = await _end(connection)
    if not 0 <= seq <= end:
        raise ConfigurationError(
            f"{seq} is no number of the change feed, which ends at {end}: nothing was acknowledged"
        )
    if seq > await _value(connection, name=name):
        await connection.execute(upsert(cursors), {"name": name, "value": json.dumps(seq)})


async def _value(connection: AsyncConnection, *, name: str) -> int:
    value = await connection.scalar(select(cursors.c.value).where(cursors.c.name == name))
    return 0 if value is None else int(json.loads(value))


async def _end(connection: AsyncConnection) -> int:
    return await connection.scalar(select(func.max(outbox.c.seq))) or 0


async def _page(connection: AsyncConnection, *, after: int, limit: int) -> Sequence[Record]:
    page = (await connection.execute(_rows().where(outbox.c.seq > after).limit(limit))).all()
    missing = next((seq for seq, row in enumerate(page, after + 1) if row.seq != seq), None)
    if missing is not None:
        raise ArchiveError(
            f"the change feed has no number {missing}: rows were taken out of its table; read all of the archive "
            "again, then go on after the newest number"
        )
    if not page and after > (end := await _end(connection)):
        raise ArchiveError(
            f"the change feed ends at {end} and you have come to {after}: this is an older copy of the archive; read "
            "all of it again, then go on from its end"
        )
    return page


def _rows() -> Query:
    of_message = and_(
        messages.c.conversation_uuid == outbox.c.conversation_uuid,
        messages.c.conversation_message_uuid == outbox.c.conversation_message_uuid,
    )
    return (
        select(*outbox.c, messages.c.raw.label("message"), conversations.c.raw.label("conversation"))
        .outerjoin_from(outbox, messages, of_message)
        .outerjoin(conversations, conversations.c.conversation_uuid == outbox.c.conversation_uuid)
        .order_by(outbox.c.seq)
    )


def _change(row: Record) -> ArchivedChange:
    return ArchivedChange(
        seq=row.seq,
        kind=row.kind,
        conversation_uuid=row.conversation_uuid,
        conversation_message_uuid=row.conversation_message_uuid,
        at=datetime.fromtimestamp(row.at / 1000, UTC),
        message=None if row.message is None else message_in(row.message),
        conversation=None if row.conversation is None else summary_in(row.conversation),
    )
