"""From each version of the tables to the next; a new archive goes through all of them."""

from collections.abc import Awaitable, Callable

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.dialect import create_full_text_index
from ultracart_conversation._archive.schema import METADATA, schema_version

Migration = Callable[[AsyncConnection], Awaitable[None]]


async def _create_tables(connection: AsyncConnection) -> None:
    await connection.run_sync(METADATA.create_all)


MIGRATIONS: tuple[Migration, ...] = (_create_tables, create_full_text_index)
"""The one at n leads from version n to n + 1."""


async def version_of(connection: AsyncConnection) -> int:
    """The version of the tables; 0 where there are none."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(schema_version.name)):
        return 0
    return (await connection.scalar(select(func.max(schema_version.c.version)))) or 0


async def migrate(connection: AsyncConnection, *, at: int) -> None:
    """Go one version on within the transaction, if there is one, at that many milliseconds since 1970."""
    version = await version_of(connection)
    if version < len(MIGRATIONS):
        await MIGRATIONS[version](connection)
        await connection.execute(insert(schema_version).values(version=version + 1, applied_at=at))
