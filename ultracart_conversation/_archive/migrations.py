"""From each version of the tables to the next; a new archive begins with the newest."""

from collections.abc import Awaitable, Callable

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.dialect import create_full_text_index
from ultracart_conversation._archive.schema import METADATA, schema_version

Migration = Callable[[AsyncConnection], Awaitable[None]]

MIGRATIONS: tuple[Migration, ...] = (create_full_text_index,)
"""The first one leads from version 1 to 2. Each makes of its version what `schema` says of the next."""


def newest() -> int:
    """The version that this package reads and writes."""
    return 1 + len(MIGRATIONS)


async def version_of(connection: AsyncConnection) -> int:
    """The version of the tables; 0 where there are none."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(schema_version.name)):
        return 0
    return await version_noted(connection)


async def version_noted(connection: AsyncConnection) -> int:
    """The version of tables that are there."""
    return (await connection.scalar(select(func.max(schema_version.c.version)))) or 0


async def bring_up_to_date(connection: AsyncConnection, *, at: int) -> None:
    """Make the tables or change them within the transaction, at that many milliseconds since 1970."""
    version = await version_of(connection)
    if not version:
        await _create(connection)
        await _note(connection, newest(), at=at)
        return
    for later, migration in enumerate(MIGRATIONS[version - 1 :], version + 1):
        await migration(connection)
        await _note(connection, later, at=at)


async def _create(connection: AsyncConnection) -> None:
    await connection.run_sync(METADATA.create_all)
    await create_full_text_index(connection)


async def _note(connection: AsyncConnection, version: int, *, at: int) -> None:
    await connection.execute(insert(schema_version).values(version=version, applied_at=at))
