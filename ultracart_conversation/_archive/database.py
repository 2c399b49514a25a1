"""The archive's file: one connection that writes, a few that read, and errors that say what to do."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ultracart_conversation._archive import dialect
from ultracart_conversation._archive.failures import explained, unopenable, unusable
from ultracart_conversation._archive.migrations import MIGRATIONS, migrate, version_of
from ultracart_conversation._archive.shielding import completed, wound_up
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import ConfigurationError

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]


class Database:
    """Transactions on one file.

    `read` and `write` end cleanly wherever they are cancelled, and so do `reading` and `writing` inside of `wound_up`.
    """

    def __init__(self, path: Path, *, clock: Clock, busy_timeout: float) -> None:
        self.path = path
        self._clock = clock
        self._patience = busy_timeout
        self._readers = dialect.readers(path, patience=busy_timeout)
        self._writer = dialect.writer(path, patience=busy_timeout)
        self._writing = asyncio.Lock()
        self._is_open = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Create the file or check that it is ours, and bring its tables up to date; raises `ArchiveError`."""
        self._check_file()
        self._is_open = True
        try:
            await wound_up(self._prepare())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Wait for transactions that run, and close all connections."""
        self._is_open = False
        await completed(self._dispose())

    async def read(self, work: Work[T]) -> T:
        """What `work` gives from one moment of the archive."""
        return await wound_up(self._run(self.reading, work))

    async def write(self, work: Work[T]) -> T:
        """What `work` gives, in one transaction: kept as a whole, or not at all when it raises or is cancelled."""
        return await wound_up(self._run(self.writing, work))

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """One read transaction. It holds back the log's end, so nothing is handed to a caller's code inside of it."""
        async with self._connected(self._readers) as connection:
            await dialect.begin_reading(connection)
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """One write transaction, committed in the end, and rolled back on any exception or cancellation."""
        async with self._writing, self._connected(self._writer) as connection:
            await dialect.begin_writing(connection, patience=self._patience)
            yield connection
            await connection.commit()

    async def _run(self, transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]], work: Work[T]) -> T:
        async with transaction() as connection:
            return await work(connection)

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
        if not self._is_open:
            raise ConfigurationError(f"the archive {self.path} is not open: use it inside `async with`")
        connection = engine.connect()
        self._started()
        try:
            with explained(self.path, patience=self._patience):
                try:
                    await completed(connection.start())
                    yield connection
                finally:
                    if connection.sync_connection is not None:
                        await completed(connection.close())
        finally:
            self._ended()

    def _started(self) -> None:
        self._running += 1
        self._idle.clear()

    def _ended(self) -> None:
        self._running -= 1
        if not self._running:
            self._idle.set()

    async def _dispose(self) -> None:
        await self._idle.wait()
        with explained(self.path, patience=self._patience):
            await self._readers.dispose()
            await self._writer.dispose()

    def _check_file(self) -> None:
        if not self.path.parent.is_dir():
            raise unusable(self.path, f"cannot be created: there is no directory {self.path.parent}; create it first")
        try:
            dialect.create_file(self.path)
            kind = dialect.kind_of(self.path)
        except OSError as error:
            raise unopenable(self.path, error) from None
        if kind == "foreign":
            raise unusable(self.path, "is another program's database, and was left as it is: choose another path")
        if kind == "no database":
            raise unusable(self.path, "is not a database: choose another path, or restore a backup if it once was one")

    async def _prepare(self) -> None:
        async with self.reading() as connection:
            version, is_logged = await version_of(connection), await dialect.has_write_ahead_log(connection)
        if version > len(MIGRATIONS):
            raise unusable(
                self.path,
                f"has version {version} and this package knows {len(MIGRATIONS)}: use the package that wrote it, or "
                "a later one",
            )
        if not is_logged:
            await self._adopt()
        while version < len(MIGRATIONS):
            async with self.writing() as connection:
                await migrate(connection, at=int(self._clock.time() * 1000))
                version = await version_of(connection)

    async def _adopt(self) -> None:
        async with self._writing, self._connected(self._writer) as connection:
            if not await dialect.adopt(connection, patience=self._patience):
                raise unusable(self.path, "cannot keep a write-ahead log where it is: put it on a local disk")
