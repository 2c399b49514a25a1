"""The archive's place on the disk: whether there can be one, and how it may be opened.

Nothing here opens a file that exists. Whoever closes one gives up, on POSIX, all locks that the process has on it, and
other processes would take a database that is being written for one that nobody uses; only SQLite knows when to close.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from ultracart_conversation._archive.dialect import Access
from ultracart_conversation._archive.failures import NO_DATABASE, unopenable, unusable, unwritable
from ultracart_conversation.errors import ArchiveBusy

_HEADER = 100
"""Bytes that every database has."""
_creating = threading.Lock()


class ArchiveFile:
    """A path as somebody gave it, and the file that it leads to."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.real = Path(os.path.realpath(path))
        self._seen = self._state()
        self.access: Access = self._access() if read_only else "write"

    def prepare(self) -> None:
        """Make an empty file where there is none; raises `ArchiveError` where no archive can be written."""
        directory = self.real.parent
        try:
            if not directory.is_dir():
                raise unusable(self.path, f"cannot be created: there is no directory {directory}; create it first")
            _create(self.real)
        except OSError as error:
            raise unopenable(self.path, error) from None
        self.check()
        if not self._may_write():
            raise unwritable(self.path)

    def check(self) -> None:
        """Raise `ArchiveError` where there is no file, or where it can be no database."""
        try:
            status = self.real.stat()
        except FileNotFoundError:
            raise unusable(self.path, "does not exist: give the path of one") from None
        except OSError as error:
            raise unopenable(self.path, error) from None
        if not S_ISREG(status.st_mode):
            raise unusable(self.path, "cannot be opened: it is not a plain file; choose another path")
        if 0 < status.st_size < _HEADER:
            raise unusable(self.path, NO_DATABASE)

    def check_untouched(self) -> None:
        """Raise `ArchiveBusy` when a file that was taken to stay as it is did not."""
        if self.access == "untouched" and self._state() != self._seen:
            raise ArchiveBusy(
                f"the archive {self.path} has been written to since it was opened, and cannot be read further: open it "
                "again"
            )

    def _access(self) -> Access:
        """Where the database may put its files beside it, it also takes them away again."""
        if self._may_write():
            return "write"
        return "read" if self._has_log() else "untouched"

    def _may_write(self) -> bool:
        return _may(self.real, os.R_OK | os.W_OK) and _may(self.real.parent, os.W_OK | os.X_OK)

    def _has_log(self) -> bool:
        return os.path.exists(f"{self.real}-wal")

    def _state(self) -> tuple[int, int, int] | None:
        """What changes with the content; None where it cannot be told."""
        try:
            status = self.real.stat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, self._has_log())


def _create(path: Path) -> None:
    """An empty file that only its owner may read; SQLite gives its companions the same mode. Raises `OSError`."""
    # Others of this process open it when it is closed here: their locks would be lost with the descriptor.
    with _creating, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600))


def _may(path: Path, what: int) -> bool:
    return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)
