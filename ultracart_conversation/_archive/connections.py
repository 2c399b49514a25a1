"""Connections to the archive's file, lent to one transaction at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ultracart_conversation._archive.shielding import completed


class Connections:
    """As many as there may be, which are opened when they are needed, and kept."""

    def __init__(self, engine: AsyncEngine, *, count: int) -> None:
        self._engine = engine
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def lent(self) -> AsyncGenerator[AsyncConnection]:
        """The next that is free. A cancellation ends the wait for it, but not what is done with it in a thread."""
        async with self._free:
            connection = self._engine.connect()
            try:
                await completed(connection.start())
                yield connection
            finally:
                if connection.sync_connection is not None:
                    await completed(connection.close())

    async def dispose(self) -> None:
        """Close all of them, once they are free."""
        await self._engine.dispose()
