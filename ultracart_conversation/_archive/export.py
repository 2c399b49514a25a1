"""Copying the messages of an archive to a file for other programs."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ultracart_conversation._archive.companions import files_of
from ultracart_conversation._archive.database import Database
from ultracart_conversation._archive.formats import Row, Write, format_of
from ultracart_conversation._archive.reading import Query, Record, instant
from ultracart_conversation._archive.schema import conversations, messages
from ultracart_conversation._archive.shielding import completed
from ultracart_conversation.errors import ArchiveError, ConfigurationError

PAGE = 1000
"""Rows in memory at a time, and in each row group of Parquet."""
_SELECTED = (
    *messages.c,
    messages.c.removed_at.is_not(None).label("removed"),
    *[conversations.c[name] for name in ("conversation_arn", "medium", "merchant_id", "closed", "start_epoch")],
)
_ORDER = (messages.c.message_epoch, messages.c.conversation_message_uuid, messages.c.conversation_uuid)


async def export(database: Database, path: str | os.PathLike[str], /, *, form: str) -> int:
    """See `Archive.export`."""
    opened, target = format_of(form), Path(path)
    with _explained(target):
        _check(target, database.path)
    with _replacing(target) as file:
        with opened(file) as write:
            written = await database.read(lambda connection: _copy(connection, write, target))
        await _on_disk(target, partial(_flush, file))
    return written


async def _copy(connection: AsyncConnection, write: Write, target: Path) -> int:
    """How many messages were written, all from one moment of the archive."""
    query, written = _page(), 0
    while found := (await connection.execute(query)).all():
        await _on_disk(target, partial(write, [_row(record) for record in found]))
        query, written = _page(after=found[-1]), written + len(found)
    return written


def _page(*, after: "Record | None" = None) -> Query:
    same = messages.c.conversation_uuid == conversations.c.conversation_uuid
    query = select(*_SELECTED).outerjoin_from(messages, conversations, same).order_by(*_ORDER).limit(PAGE)
    if after is None:
        return query
    return query.where(tuple_(*_ORDER) > tuple_(*[getattr(after, column.name) for column in _ORDER]))


def _row(record: Record) -> Row:
    row = dict(zip([column.name for column in _SELECTED], record, strict=True))
    return {**row, "start_dts": instant(row["start_epoch"]), "message_dts": instant(row["message_epoch"])}


async def _on_disk(target: Path, work: Callable[[], object]) -> None:
    """Let a slow disk hold up nobody else, and do not take its errors for the archive's."""
    with _explained(target):
        await completed(asyncio.to_thread(work))


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _check(target: Path, archive: Path) -> None:
    if target.is_dir():
        raise ConfigurationError(f"{target} is a directory: give the export the name of a file")
    if not target.parent.is_dir():
        raise ConfigurationError(f"there is no directory {target.parent} to export to: create it first")
    # /dev/stdout is a link, and may be one to a file.
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise ConfigurationError(f"{target} is not a plain file: an export would take its place; give another path")
    if any(_is_same(target, file) for file in files_of(archive)):
        raise ConfigurationError(f"{target} is the archive itself, or belongs to it: export it to another file")


def _is_same(target: Path, file: Path) -> bool:
    """Also where there is none yet: the database may make it at any time."""
    return target.resolve() == file or (target.exists() and file.exists() and target.samefile(file))


@contextmanager
def _replacing(target: Path) -> Generator[IO[bytes]]:
    """A new file, mode 0600, that takes the place of `target` in one step, or leaves nothing behind."""
    with _explained(target):
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)


@contextmanager
def _explained(target: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"the export {target} cannot be written: {error.strerror}; nothing was left of it"
        ) from error
