"""Transactions on the archive's file: one that writes, a few that read, and errors that say what to do."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive import dialect, migrations
from ultracart_conversation._archive.connections import Connections
from ultracart_conversation._archive.failures import explained, unusable
from ultracart_conversation._archive.file import ArchiveFile
from ultracart_conversation._archive.shielding import completed, wound_up
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import ConfigurationError

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_READERS = 4


class Database:
    """Transactions on one file.

    `read` and `write` end cleanly wherever they are cancelled, and so do `reading` and `writing` inside of `wound_up`.
    """

    def __init__(self, path: Path, *, clock: Clock, busy_timeout: float, read_only: bool = False) -> None:
        self.path = path
        self._clock = clock
        self._patience = busy_timeout
        self._read_only = read_only
        self._file = file = ArchiveFile(path, read_only=read_only)
        self._readers = dialect.readers(file.real, file.access, count=_READERS, patience=busy_timeout)
        self._reader_ahead = dialect.readers(file.real, file.access, count=1, patience=busy_timeout)
        self._writer = dialect.writer(file.real, patience=busy_timeout)
        self._is_open = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def open(self) -> None:
        """Create the file or check that it is ours, and bring its tables up to date; raises `ArchiveError`."""
        if self._read_only:
            self._file.check()
        else:
            self._file.prepare()
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

    async def read(self, work: Work[T], *, ahead: bool = False) -> T:
        """What `work` gives from one moment of the archive, be it `ahead` of reads that take long."""
        return await wound_up(self._run(self._reading_ahead if ahead else self.reading, work))

    async def write(self, work: Work[T]) -> T:
        """What `work` gives, in one transaction: kept as a whole, or not at all when it raises.

        When it is cancelled either may have happened. Raises `ConfigurationError` where the archive is read only.
        """
        self.check_writable()

        async def checked(connection: AsyncConnection) -> T:
            # The package of another process may be a later one, and have changed the tables meanwhile.
            self._check_version(await migrations.version_noted(connection))
            return await work(connection)

        return await wound_up(self._run(self.writing, checked))

    def check_writable(self) -> None:
        """Raise `ConfigurationError` where the archive is read only."""
        if self._read_only:
            raise ConfigurationError(
                f"the archive {self.path} is open for reading only: open it without read_only=True to write to it"
            )

    @asynccontextmanager
    async def reading(self, connections: Connections | None = None) -> AsyncGenerator[AsyncConnection]:
        """One read transaction. It holds back the log's end, so nothing is handed to a caller's code inside of it."""
        async with self._lent(connections or self._readers) as connection:
            await dialect.begin_reading(connection)
            try:
                yield connection
            except DBAPIError:
                self._file.check_untouched()
                raise
            self._file.check_untouched()

    def _reading_ahead(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.reading(self._reader_ahead)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """One write transaction, committed in the end, and rolled back on any exception or cancellation."""
        async with self._lent(self._writer) as connection:
            await dialect.begin_writing(connection, patience=self._patience)
            yield connection
            await connection.commit()

    async def _run(self, transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]], work: Work[T]) -> T:
        async with transaction() as connection:
            return await work(connection)

    @asynccontextmanager
    async def _lent(self, connections: Connections) -> AsyncGenerator[AsyncConnection]:
        if not self._is_open:
            raise ConfigurationError(f"the archive {self.path} is not open: use it inside `async with`")
        self._started()
        try:
            with explained(self.path, patience=self._patience):
                async with connections.lent() as connection:
                    yield connection
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
            for connections in (self._readers, self._reader_ahead, self._writer):
                await connections.dispose()

    async def _prepare(self) -> None:
        async with self.reading() as connection:
            kind = await dialect.kind_of(connection)
            if kind == "foreign":
                raise unusable(self.path, "is another program's database, and was left as it is: choose another path")
            version, is_logged = await migrations.version_of(connection), await dialect.has_write_ahead_log(connection)
        self._check_version(version)
        if self._read_only:
            return
        if not is_logged:
            await self._adopt()
        if version < migrations.newest():
            await self._bring_up_to_date()

    def _check_version(self, version: int) -> None:
        newest = migrations.newest()
        if version > newest:
            raise unusable(
                self.path,
                f"has version {version} and this package knows {newest}: use the package that wrote it, or a later one",
            )
        if version < newest and self._read_only:
            raise unusable(
                self.path,
                f"has version {version} and this package reads {newest}: open it once for writing, as "
                "`ultracart-conversation sync` does",
            )

    async def _adopt(self) -> None:
        async with self._lent(self._writer) as connection:
            if not await dialect.adopt(connection, patience=self._patience):
                raise unusable(self.path, "cannot keep a write-ahead log where it is: put it on a local disk")

    async def _bring_up_to_date(self) -> None:
        async with self.writing() as connection:
            await migrations.bring_up_to_date(connection, at=int(self._clock.time() * 1000))
            self._check_version(await migrations.version_noted(connection))
