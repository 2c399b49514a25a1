"""The files that are an archive: the database's own, and those that it keeps beside it."""

from pathlib import Path

_COMPANIONS = ("-wal", "-shm", "-journal")


def files_of(archive: Path) -> tuple[Path, ...]:
    """The file itself and its companions, which need not be there; where they are, not where a link to them is."""
    file = archive.resolve()
    return (file, *(file.with_name(f"{file.name}{suffix}") for suffix in _COMPANIONS))
