"""Putting a batch into the tables, in few statements however large it is."""

from collections.abc import Iterable, Sequence
from itertools import count

from sqlalchemy import and_, bindparam, delete, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive import dialect
from ultracart_conversation._archive.chunks import chunks
from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.gathering import Gathered, MessageKey
from ultracart_conversation._archive.merchants import take_merchants
from ultracart_conversation._archive.planning import Plan, Stored, StoredConversation, StoredMessage
from ultracart_conversation._archive.rows import Row
from ultracart_conversation._archive.schema import (
    attachments,
    conversations,
    messages,
    outbox,
    participants,
    revisions,
)
from ultracart_conversation._archive.state import check_claim, move_checkpoint
from ultracart_conversation.changes import Batch, PollerCheckpoint
from ultracart_conversation.errors import ArchiveError

_UPSERT_CONVERSATIONS = dialect.upsert(conversations, but={"first_seen_at", "gone_at"})
# The columns are those of the rows that it is given.
_UPDATE_MESSAGE = update(messages).where(messages.c.id == bindparam("row_id"))
_DELETE_ATTACHMENTS = delete(attachments).where(
    attachments.c.conversation_uuid == bindparam("of_conversation"),
    attachments.c.conversation_message_uuid == bindparam("of_message"),
)


async def commit(database: Database, batch: Batch, checkpoint: PollerCheckpoint, *, epoch: int, at: int) -> None:
    """See `Archive.commit`."""
    gathered = Gathered.of(batch)
    _check_names((*gathered.gone, *(key for _, key in gathered.messages), *checkpoint.conversations))

    async def work(connection: AsyncConnection) -> None:
        await check_claim(connection, epoch)
        await take_merchants(connection, gathered.merchants, epoch=epoch)
        plan = Plan.of(gathered, await _stored(connection, gathered), at=at)
        await _write_conversations(connection, plan)
        await _write_messages(connection, plan)
        await _write_attachments(connection, plan)
        await _write_outbox(connection, plan.outbox)
        await move_checkpoint(connection, checkpoint)

    await database.write(work)


def _check_names(names: Iterable[str]) -> None:
    try:
        "".join(names).encode()
    except UnicodeEncodeError:
        raise ArchiveError(
            "a UUID of a conversation or message has half a character in it, which cannot be kept: nothing was written"
        ) from None


async def _stored(connection: AsyncConnection, gathered: Gathered) -> Stored:
    return Stored(
        await _stored_conversations(connection, [*gathered.gone]),
        await _stored_messages(connection, [*gathered.messages]),
    )


async def _stored_conversations(connection: AsyncConnection, uuids: Sequence[str]) -> dict[str, StoredConversation]:
    column = conversations.c
    found: dict[str, StoredConversation] = {}
    for some in chunks(uuids):
        query = select(column.conversation_uuid, column.digest, column.gone_at)
        for uuid, digest, gone_at in await connection.execute(query.where(column.conversation_uuid.in_(some))):
            found[uuid] = StoredConversation(digest, is_gone=gone_at is not None)
    return found


async def _stored_messages(connection: AsyncConnection, keys: Sequence[MessageKey]) -> dict[MessageKey, StoredMessage]:
    column = messages.c
    found: dict[MessageKey, StoredMessage] = {}
    for some in chunks(keys):
        by_conversation: dict[str, list[str]] = {}
        for uuid, key in some:
            by_conversation.setdefault(uuid, []).append(key)
        # SQLite reads the whole table for pairs in a list, and looks up each of these by the index.
        wanted = or_(
            *(
                and_(column.conversation_uuid == uuid, column.conversation_message_uuid.in_(keys))
                for uuid, keys in by_conversation.items()
            )
        )
        query = select(
            column.conversation_uuid, column.conversation_message_uuid, column.id, column.digest, column.removed_at
        )
        for uuid, key, row_id, digest, removed_at in await connection.execute(query.where(wanted)):
            found[uuid, key] = StoredMessage(row_id, digest, removed_at)
    return found


async def _write_conversations(connection: AsyncConnection, plan: Plan) -> None:
    written = [row["conversation_uuid"] for row in plan.conversations]
    if written:
        await connection.execute(_UPSERT_CONVERSATIONS, plan.conversations)
    for some in chunks(written):
        await connection.execute(delete(participants).where(participants.c.conversation_uuid.in_(some)))
    if plan.participants:
        await connection.execute(insert(participants), plan.participants)
    for uuids, gone_at in ((plan.gone, plan.at), (plan.back, None)):
        for some in chunks(uuids):
            await connection.execute(
                update(conversations)
                .where(conversations.c.conversation_uuid.in_(some))
                .values(gone_at=gone_at, changed_at=plan.at)
            )


async def _write_messages(connection: AsyncConnection, plan: Plan) -> None:
    for some in chunks(plan.replaced):
        await _keep_revisions(connection, some, plan.at)
    if plan.updated:
        await connection.execute(_UPDATE_MESSAGE, plan.updated)
    for some in chunks(plan.removed):
        await connection.execute(
            update(messages).where(messages.c.id.in_(some)).values(removed_at=plan.at, changed_at=plan.at)
        )
    if plan.inserted:
        await connection.execute(insert(messages), plan.inserted)


async def _keep_revisions(connection: AsyncConnection, ids: Sequence[int], at: int) -> None:
    column = messages.c
    before = select(column.conversation_uuid, column.conversation_message_uuid, literal(at), column.raw)
    names = ["conversation_uuid", "conversation_message_uuid", "replaced_at", "raw"]
    await connection.execute(insert(revisions).from_select(names, before.where(column.id.in_(ids)).order_by(column.id)))


async def _write_attachments(connection: AsyncConnection, plan: Plan) -> None:
    if plan.updated:
        rows = [
            {"of_conversation": row["conversation_uuid"], "of_message": row["conversation_message_uuid"]}
            for row in plan.updated
        ]
        await connection.execute(_DELETE_ATTACHMENTS, rows)
    if plan.attachments:
        await connection.execute(insert(attachments), plan.attachments)


async def _write_outbox(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    if rows:
        # Nobody else counts meanwhile: this transaction holds the claim.
        last: int = await connection.scalar(select(func.max(outbox.c.seq))) or 0
        numbers = count(last + 1)
        await connection.execute(insert(outbox), [{**row, "seq": next(numbers)} for row in rows])
