"""The archive: conversations and messages in a SQLite file, the change feed, full-text search and export."""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ultracart_conversation._archive.values import (
    ArchivedChange,
    ArchivedChangeKind,
    ArchiveStatistics,
    Hit,
)
from ultracart_conversation._sync.known import Known
from ultracart_conversation.changes import Batch, PollerCheckpoint
from ultracart_conversation.clock import Clock, SystemClock
from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.models import ConversationMessage, ConversationSummary

if TYPE_CHECKING:
    from ultracart_conversation._archive.database import Database
    from ultracart_conversation._rest.budget_store import BudgetStore

__all__ = ["Archive", "ArchiveStatistics", "ArchivedChange", "ArchivedChangeKind", "Hit"]

_NEEDED = ("sqlalchemy", "greenlet", "aiosqlite")
_SQLITE = ("sqlite", "sqlite+aiosqlite")


class Archive:
    """Keeps what a `MessagePoller` finds, durably; an async context manager for asyncio, not for trio.

    `database` is the path of a file, which is created for its owner alone, or `sqlite:///` with the path. Its tables
    are documented in the README, and other programs may read them at any time.
    `busy_timeout` is how many seconds to wait for another process that writes. With `read_only` the file has to be
    there, and may be one that this user cannot write; nothing is made or changed. Within this process leave the file
    to archives and to `sqlite3`: if it is opened and closed in another way, be it to copy it, they lose their locks.

    Everything here raises `ConfigurationError` outside of `async with`; `ArchiveError` when the file cannot be used,
    with what to do about it, after which nothing is half written; and `ArchiveBusy` when another process kept it
    locked for too long.
    """

    def __init__(
        self,
        database: str | os.PathLike[str],
        *,
        clock: Clock | None = None,
        busy_timeout: float = 30.0,
        read_only: bool = False,
    ) -> None:
        if not busy_timeout >= 0:
            raise ConfigurationError(f"busy_timeout={busy_timeout!r} is no time to wait: give seconds, 0 or more")
        self._path = _path_of(database)
        self._clock: Clock = SystemClock() if clock is None else clock
        self._busy_timeout = busy_timeout
        self._read_only = read_only
        self._database: Database | None = None
        self._epoch: int | None = None

    def __repr__(self) -> str:
        return f"<Archive {str(self._path)!r}: {'open' if self.is_open else 'not open'}>"

    @property
    def path(self) -> Path:
        """Where the file is, from the root."""
        return self._path

    @property
    def is_open(self) -> bool:
        """Whether it is inside of `async with`."""
        return self._database is not None

    async def __aenter__(self) -> Self:
        if self._database is not None:
            raise ConfigurationError(f"the archive {self._path} is open already: enter it once")
        _need_asyncio()
        database = _database_class()(
            self._path, clock=self._clock, busy_timeout=self._busy_timeout, read_only=self._read_only
        )
        self._database = database
        try:
            await database.open()
        except BaseException:
            self._database = None
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        database, self._database, self._epoch = self._opened, None, None
        await database.close()

    async def claim(self) -> PollerCheckpoint | None:
        """Take the archive over: whoever claimed it before can commit no more (`Fenced`).

        It gives the checkpoint to go on from; None when nothing was committed yet. `epoch` is the claim's number then.
        """
        from ultracart_conversation._archive.state import claim  # noqa: PLC0415

        self._epoch, checkpoint = await claim(self._opened, at=self._now())
        return checkpoint

    @property
    def epoch(self) -> int | None:
        """The number of the latest claim by this object, larger than that of any before; None before the first."""
        return self._epoch

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /, *, epoch: int | None = None) -> None:
        """Keep the batch and what of the checkpoint changed, in one transaction; a repeated batch changes nothing.

        It is kept as a whole or not at all wherever it is cancelled, and safe to repeat. `epoch` is the claim that it
        is for, the object's latest by default. Raises `Fenced` when somebody has claimed the file since, be it another
        poller on this object or another process, and `ConfigurationError` before `claim`;
        `ArchiveError` when the first rows after `claim`, ten or more, are all of merchants that the archive has nothing
        of, so that two accounts are not mixed, and for what JSON cannot say, which only models made by hand have.
        """
        from ultracart_conversation._archive.writing import commit  # noqa: PLC0415

        database = self._opened
        database.check_writable()
        claimed = self._epoch if epoch is None else epoch
        if claimed is None:
            raise ConfigurationError(f"the archive {self._path} is not claimed: call claim() before commit()")
        await commit(database, batch, checkpoint, epoch=claimed, at=self._now())

    async def known(self, conversation_uuid: str) -> dict[str, Known]:
        """What is kept of a conversation's messages, by key; those that the service no longer has have epoch 0."""
        from ultracart_conversation._archive.state import known  # noqa: PLC0415

        return await known(self._opened, conversation_uuid)

    def budget_store(self, name: str = "ultracart") -> "BudgetStore":
        """Keeps a client's budget in the archive, across restarts; clients with different credentials need names."""
        from ultracart_conversation._archive.budget import ArchivedBudget  # noqa: PLC0415

        return ArchivedBudget(lambda: self._opened, name)

    async def search(
        self, text: str, *, since: datetime | None = None, conversation_uuid: str | None = None, limit: int = 50
    ) -> list[Hit]:
        """The newest messages whose body has all words and "phrases" of `text`, newest first; `word*` is a beginning.

        Case and accents make no difference, and what the service has removed is not found. `since` is inclusive.
        Raises `ConfigurationError` when there is nothing to search for, and for values that nothing can have.
        """
        from ultracart_conversation._archive.search import search  # noqa: PLC0415

        return await search(self._opened, text, since=since, conversation_uuid=conversation_uuid, limit=limit)

    def changes(
        self, *, after: int | None = None, consumer: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ArchivedChange]:
        """The change feed up to now, from its start, after a number, or from where `consumer` acknowledged it.

        ```python
        while True:
            async for change in archive.changes(consumer="crm"):
                await crm.put(change.message)
                await archive.acknowledge("crm", change.seq)
            await asyncio.sleep(10)
        ```

        Every change comes at least once and in order; what is acknowledged does not come again. Several may be
        acknowledged by the last of them. Message and conversation are as they are by now, not as they were at the
        change. It is read in pages, so that a slow consumer holds up nobody. Consumers need no claim, and may be other
        processes.

        Give `consumer` rather than keep a number: where an older copy of the file is put back, its position goes back
        with it, so that nothing that is in the feed is missed. The numbers after the copy are given once more, to other
        changes, and `after` with a number of before passes those over: it raises `ArchiveError` only while the feed has
        not come as far again. With a number of your own, read all of the archive again after a restore.

        Raises `ArchiveError` where rows were taken out of the feed as well, and `ConfigurationError` for what is no
        place in it.
        """
        from ultracart_conversation._archive.feed import changes  # noqa: PLC0415

        return changes(self._opened, after=after, consumer=consumer, limit=limit)

    async def acknowledge(self, consumer: str, seq: int) -> None:
        """Remember that `consumer` is done with all changes up to this number; it never goes back.

        Raises `ConfigurationError` for a number that the change feed has not reached.
        """
        from ultracart_conversation._archive.feed import acknowledge  # noqa: PLC0415

        await acknowledge(self._opened, consumer, seq)

    async def acknowledged(self, consumer: str) -> int:
        """The number up to which `consumer` has acknowledged the change feed; 0 at first."""
        from ultracart_conversation._archive.feed import acknowledged  # noqa: PLC0415

        return await acknowledged(self._opened, consumer)

    async def export(
        self,
        path: str | os.PathLike[str],
        *,
        format: Literal["jsonl", "csv", "parquet"] = "jsonl",  # noqa: A002
    ) -> int:
        """Write all messages to a file, in the order of time; how many they were.

        They are of one moment, whatever is written meanwhile. The file is for its owner alone (mode 0600), and takes
        the place of an older one when it is complete; whatever happens before leaves nothing. `removed` says which
        messages the service no longer has.

        - "jsonl" has a line for each message, with the message as the service gave it under `message`.
        - "csv" is for spreadsheets: it begins with a byte order mark (read it as `utf-8-sig`), and text that would run
          as a formula has a `'` before it, so other programs do better with the others.
        - "parquet" needs `pip install "ultracart-conversation[parquet]"`; times are milliseconds in UTC.

        Raises `ConfigurationError` for what cannot be exported to, such as a file of the archive itself, and
        `ArchiveError` when the disk is full.
        """
        from ultracart_conversation._archive.export import export  # noqa: PLC0415
        from ultracart_conversation._archive.shielding import wound_up  # noqa: PLC0415

        return await wound_up(export(self._opened, path, form=format))

    async def statistics(self) -> ArchiveStatistics:
        """How much there is, and up to when it is complete."""
        from ultracart_conversation._archive.statistics import statistics  # noqa: PLC0415

        return await statistics(self._opened)

    def conversations(self) -> AsyncIterator[ConversationSummary]:
        """Those that the service still has, as listed last, in the order of their UUIDs."""
        from ultracart_conversation._archive.reading import conversations  # noqa: PLC0415

        return conversations(self._opened)

    def messages(self, conversation_uuid: str) -> AsyncIterator[ConversationMessage]:
        """Those that the service still has of a conversation, in order."""
        from ultracart_conversation._archive.reading import messages  # noqa: PLC0415

        return messages(self._opened, conversation_uuid)

    @property
    def _opened(self) -> "Database":
        if self._database is None:
            raise ConfigurationError(f"the archive {self._path} is not open: use it inside `async with`")
        return self._database

    def _now(self) -> int:
        return int(self._clock.time() * 1000)


def _path_of(database: str | os.PathLike[str]) -> Path:
    text = os.fspath(database)
    scheme, mark, rest = text.partition("://")
    if isinstance(database, str) and mark:
        if scheme not in _SQLITE:
            # The rest of such a URL may hold a password.
            raise ConfigurationError(f"an archive cannot be kept in {scheme}://… yet: give sqlite:/// and a path")
        text = rest.removeprefix("/")
    if not text or text == ":memory:":
        raise ConfigurationError("an archive is a file: give its path")
    if "\0" in text:
        raise ConfigurationError(f"an archive cannot be kept in {text!r}: no path has a NUL")
    return Path(text).absolute()


def _need_asyncio() -> None:
    import asyncio  # noqa: PLC0415

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError("an archive works on asyncio only: run it there, or write your own Sink") from None


def _database_class() -> "type[Database]":
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f'an archive needs {", ".join(missing)}: pip install "ultracart-conversation[archive]"'
        )
    from ultracart_conversation._archive.database import Database  # noqa: PLC0415

    return Database
