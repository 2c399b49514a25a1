"""What goes wrong with the file is said in one sentence, and nothing is half written."""

import os
import pickle
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.archive_desk import batch, change, checkpoint, claimed, content, contents, execute, message, row, select
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ArchiveError

NEWS = batch(change("a", message("m"), message("n")), rows=(row("a"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


async def refused(path: Path) -> str:
    """What is said to who opens it."""
    with pytest.raises(ArchiveError) as caught:
        await Archive(path).__aenter__()
    said = str(caught.value)
    assert said.startswith(f"the archive {path} ")
    assert "\n" not in said
    return said


def write(path: Path, garbage: bytes, *, at: int = 0) -> None:
    """Over what is there."""
    with path.open("r+b" if path.exists() else "xb") as file:
        file.seek(at)
        file.write(garbage)


async def fill(path: Path, count: int) -> None:
    """So many messages of a few kilobytes each."""
    async with claimed(path) as archive:
        for number in range(count):
            await archive.commit(batch(change(f"c{number}", message("m", "x" * 3000))), checkpoint())


@pytest.mark.asyncio
async def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    said = await refused(tmp_path / "missing" / "archive.db")
    assert said.endswith(f"cannot be created: there is no directory {tmp_path / 'missing'}; create it first")


@pytest.mark.asyncio
async def test_a_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    assert "cannot be opened: it is not a plain file" in await refused(tmp_path)


@pytest.mark.asyncio
@pytest.mark.parametrize("garbage", [b"x", b"not a database at all" * 100, b"SQLite format 3\0 and no more"])
async def test_a_file_that_is_no_database_stays_as_it_is(path: Path, garbage: bytes) -> None:
    write(path, garbage)
    assert "is not a database" in await refused(path)
    assert content(path) == garbage


@pytest.mark.asyncio
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
async def test_the_database_of_another_program_stays_as_it_is(path: Path, journal: str) -> None:
    execute(path, f"PRAGMA journal_mode = {journal}", "CREATE TABLE schema_version (version)")
    before = content(path)
    assert "is another program's database, and was left as it is" in await refused(path)
    assert content(path) == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.asyncio
async def test_an_archive_of_a_later_version_stays_as_it_is(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(NEWS, checkpoint())
    execute(path, "INSERT INTO schema_version VALUES (99, 0)")
    before = content(path)
    assert "has version 99 and this package knows 2: use the package that wrote it" in await refused(path)
    assert content(path) == before


@pytest.mark.asyncio
async def test_an_archive_with_garbage_in_the_middle_is_damaged(path: Path) -> None:
    await fill(path, 50)
    size = len(content(path))
    write(path, b"\xa5" * (size // 2), at=size // 4)
    with pytest.raises(ArchiveError, match="is damaged: restore a backup"):
        async with claimed(path) as archive:
            for number in range(50):
                await archive.commit(batch(change(f"c{number}", message("m", "changed"))), checkpoint())


@pytest.mark.asyncio
@pytest.mark.parametrize("kept", [150, 4096, 5000, 40_000])
async def test_an_archive_that_was_cut_off_is_damaged(path: Path, kept: int) -> None:
    await fill(path, 50)
    os.truncate(path, kept)
    assert "is damaged" in await refused(path)


@contextmanager
def no_room_beyond(pages: int) -> Iterator[None]:
    """Connections that are opened meanwhile find the disk full there."""

    def limit(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


@pytest.mark.asyncio
async def test_a_full_disk_keeps_nothing_of_the_batch(path: Path) -> None:
    await fill(path, 1)
    [pages] = select(path, "PRAGMA page_count")
    large = batch(*(change(f"d{number}", message("m", "x" * 3000)) for number in range(100)))
    with no_room_beyond(pages + 20):
        async with claimed(path) as archive:
            before = contents(path)
            with pytest.raises(ArchiveError, match="has no room left on its disk: make room"):
                await archive.commit(large, checkpoint(2))
            assert contents(path) == before
            await archive.commit(NEWS, checkpoint(2))
    async with claimed(path) as archive:
        await archive.commit(large, checkpoint(3))


@pytest.mark.asyncio
async def test_a_disk_that_does_not_write_keeps_nothing_of_the_batch(path: Path) -> None:
    await fill(path, 1)
    large = batch(*(change(f"d{number}", message("m", "x" * 3000)) for number in range(100)))
    async with claimed(path) as archive:
        before = contents(path)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(ArchiveError, match="could not be read or written: check that its disk works"):
                await archive.commit(large, checkpoint(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert contents(path) == before
        await archive.commit(large, checkpoint(2))


@pytest.mark.parametrize(("of_file", "of_directory"), [(0o444, 0o777), (0o000, 0o777), (0o666, 0o555), (None, 0o555)])
def test_what_may_not_be_written(of_file: int | None, of_directory: int) -> None:
    code = (
        "import asyncio, os, sys\n"
        "from ultracart_conversation.archive import Archive\n"
        "path, of_file, of_directory = sys.argv[1], sys.argv[2], int(sys.argv[3])\n"
        "async def use():\n"
        "    async with Archive(path) as archive:\n"
        "        await archive.claim()\n"
        "asyncio.run(use())\n"
        "os.unlink(path) if of_file == 'None' else os.chmod(path, int(of_file))\n"
        "os.chmod(os.path.dirname(path), of_directory)\n"
        "if os.geteuid() == 0:\n"
        "    os.setuid(65534)\n"
        "try:\n"
        "    asyncio.run(use())\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "archive.db")
        command = [sys.executable, "-c", code, str(path), str(of_file), str(of_directory)]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    said = "cannot be written: make the file and its directory writable for this user"
    assert run.stdout == f"ArchiveError the archive {path} {said}\n"


@pytest.mark.asyncio
async def test_nothing_that_a_customer_wrote_is_in_what_is_said(path: Path) -> None:
    async with claimed(path) as archive:
        execute(path, "DROP TABLE outbox")
        with pytest.raises(ArchiveError, match="cannot be used: no such table: outbox") as caught:
            await archive.commit(batch(change("a", message("m", "my card number"))), checkpoint())
    assert "card number" not in f"{caught.value}{caught.value.__cause__}{caught.value.__cause__!r}"
    pickle.loads(pickle.dumps(caught.value))
