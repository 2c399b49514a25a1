"""What went wrong with an archive, in one sentence: what, which file, what next."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ultracart_conversation._archive.dialect import Reason, reason_of
from ultracart_conversation.errors import ArchiveBusy, ArchiveError

NO_DATABASE = "is not a database: choose another path, or restore a backup if it once was one"
_SENTENCES: dict[Reason, str] = {
    "full": "has no room left on its disk: make room; nothing of the last transaction was kept",
    "read-only": "cannot be written: make the file and its directory writable for this user",
    "unopenable": "cannot be opened: check that this user may read and write the file and its directory",
    "damaged": "is damaged: restore a backup, or move it away and synchronise again",
    "disk": "could not be read or written: check that its disk works, is still there and has room",
    "no database": NO_DATABASE,
}


@contextmanager
def explained(path: Path, *, patience: float) -> Generator[None]:
    """Raise the database's errors as `ArchiveError`, or as `ArchiveBusy` after `patience` seconds."""
    try:
        yield
    except DBAPIError as error:
        raise _explanation(error, path, patience) from error


def unopenable(path: Path, error: OSError) -> ArchiveError:
    """What the file system said."""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return unwritable(path)
    return unusable(path, f"cannot be opened: {error.strerror}; choose another path")


def unwritable(path: Path) -> ArchiveError:
    """This user may read the archive at most."""
    return unusable(path, _SENTENCES["read-only"])


def unusable(path: Path, what: str) -> ArchiveError:
    return ArchiveError(f"the archive {path} {what}")


def _explanation(error: DBAPIError, path: Path, patience: float) -> ArchiveError:
    reason = reason_of(error)
    if reason == "busy":
        return ArchiveBusy(
            f"the archive {path} was locked by another process for {patience:g} s: nothing was written; try again, "
            "or find out who holds it"
        )
    return unusable(path, _SENTENCES.get(reason) or f"cannot be used: {error.orig}")
