"""Whose turn it is to write, where the poller stands, and what is kept of a conversation."""

import json

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.arguments import whole_text
from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.dialect import upsert
from ultracart_conversation._archive.rows import json_of
from ultracart_conversation._archive.schema import claims, cursors, messages, positions
from ultracart_conversation._sync.known import Known
from ultracart_conversation.changes import PollerCheckpoint
from ultracart_conversation.errors import Fenced

_POLLER = "poller"


async def claim(database: Database, *, at: int) -> tuple[int, PollerCheckpoint | None]:
    """The epoch of the new claim, and the checkpoint as of the same moment."""

    async def work(connection: AsyncConnection) -> tuple[int, PollerCheckpoint | None]:
        epoch = await _raise_epoch(connection, at)
        head = await connection.scalar(select(cursors.c.value).where(cursors.c.name == _POLLER))
        if head is None:
            return epoch, None
        rows = await connection.execute(select(positions.c.conversation_uuid, positions.c.value))
        stands = {row.conversation_uuid: json.loads(row.value) for row in rows}
        # A checkpoint that this package cannot read raises here, which takes the claim back.
        return epoch, PollerCheckpoint.from_dict({**json.loads(head), "conversations": stands})

    return await database.write(work)


async def check_claim(connection: AsyncConnection, epoch: int) -> None:
    """Raise `Fenced` unless the latest claim is this one, which stays so until the transaction ends."""
    # A write, so that on any database a newer claim waits for this transaction, or this one sees it.
    mine = update(claims).where(claims.c.name == _POLLER, claims.c.epoch == epoch).values(epoch=epoch)
    if (await connection.execute(mine)).rowcount != 1:
        raise Fenced(
            "another process has claimed the archive since, and only the latest may write to it: nothing was written; "
            "stop this one, or the other one and start this again"
        )


async def move_checkpoint(connection: AsyncConnection, checkpoint: PollerCheckpoint) -> None:
    """Note where the poller stands; of the conversations, those that the checkpoint names."""
    head = PollerCheckpoint(head=checkpoint.head).to_dict()
    stands = checkpoint.conversations.items()
    moved = [{"conversation_uuid": uuid, "value": json_of(dict(position))} for uuid, position in stands]
    await connection.execute(upsert(cursors), {"name": _POLLER, "value": json_of(head)})
    if moved:
        await connection.execute(upsert(positions), moved)


async def known(database: Database, conversation_uuid: str) -> dict[str, Known]:
    """See `Archive.known`."""
    column = messages.c
    query = select(column.conversation_message_uuid, column.message_epoch, column.digest, column.removed_at)
    of_conversation = column.conversation_uuid == whole_text("conversation_uuid", conversation_uuid)

    async def work(connection: AsyncConnection) -> dict[str, Known]:
        rows = await connection.execute(query.where(of_conversation))
        return {key: Known(0 if removed_at else epoch, digest) for key, epoch, digest, removed_at in rows}

    return await database.read(work, ahead=True)


async def _raise_epoch(connection: AsyncConnection, at: int) -> int:
    higher = update(claims).where(claims.c.name == _POLLER).values(epoch=claims.c.epoch + 1, claimed_at=at)
    if not (await connection.execute(higher)).rowcount:
        await connection.execute(upsert(claims), {"name": _POLLER, "epoch": 1, "claimed_at": at})
    return await connection.scalar(select(claims.c.epoch).where(claims.c.name == _POLLER)) or 0
