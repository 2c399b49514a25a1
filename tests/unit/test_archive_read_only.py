"""Who only reads needs a file that may be read, and changes nothing."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.archive_desk import (
    batch,
    change,
    checkpoint,
    claimed,
    content,
    execute,
    message,
    mode,
    prepared,
    row,
    statements,
)
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ArchiveBusy, ArchiveError, ConfigurationError

NEWS = batch(change("a", message("m", "a refund"), message("n")), rows=(row("a"),))
UNPRIVILEGED = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@pytest.fixture
def kept(path: Path) -> Path:
    prepared(path, NEWS)
    return path


@pytest.fixture
def garbage(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"no database" * 100)
    return path


async def read(archive: Archive) -> None:
    """All that can be read."""
    assert (await archive.statistics()).messages == 2
    assert [hit.message.body for hit in await archive.search("refund")] == ["a refund"]
    assert set(await archive.known("a")) == {"m", "n"}
    assert len([change async for change in archive.changes(consumer="crm")]) == 3
    assert [each.conversation_uuid async for each in archive.conversations()] == ["a"]
    assert await archive.acknowledged("crm") == 0


@pytest.mark.asyncio
async def test_reading_leaves_the_directory_as_it_was(kept: Path) -> None:
    os.chmod(kept, 0o444)
    before = content(kept)
    with statements() as sent:
        async with Archive(kept, read_only=True) as archive:
            await read(archive)
    assert {statement.split()[0] for statement in sent} <= {"PRAGMA", "BEGIN", "SELECT"}
    assert (content(kept), mode(kept), os.listdir(kept.parent)) == (before, 0o444, ["archive.db"])


@pytest.mark.asyncio
async def test_nothing_is_written(kept: Path) -> None:
    async with Archive(kept, read_only=True) as archive:
        writes = (
            archive.claim,
            lambda: archive.commit(batch(), checkpoint()),
            lambda: archive.acknowledge("crm", 1),
        )
        for write in writes:
            with pytest.raises(ConfigurationError, match="is open for reading only: open it without read_only=True"):
                await write()


@pytest.mark.asyncio
async def test_reading_beside_who_writes(kept: Path) -> None:
    async with claimed(kept) as writer, Archive(kept, read_only=True) as reader:
        await writer.commit(batch(change("b", message("o", "a teapot"))), checkpoint())
        assert [hit.message.body for hit in await reader.search("teapot")] == ["a teapot"]


@pytest.mark.asyncio
async def test_a_missing_file_is_not_made(path: Path) -> None:
    with pytest.raises(ArchiveError, match=rf"the archive {path} does not exist: give the path of one$"):
        await Archive(path, read_only=True).__aenter__()
    with pytest.raises(ArchiveError, match="does not exist"):
        await Archive(path / "deep", read_only=True).__aenter__()
    assert os.listdir(path.parent) == []


@pytest.mark.asyncio
async def test_an_earlier_version_is_not_brought_up_to_date(path: Path, kept: Path) -> None:
    empty = path.with_name("empty.db")
    empty.touch()
    execute(kept, "UPDATE schema_version SET version = 1")
    before = content(kept)
    for file, version in ((empty, 0), (kept, 1)):
        said = f"has version {version} and this package reads 2: open it once for writing, as `ultracart-conversation"
        with pytest.raises(ArchiveError, match=said):
            await Archive(file, read_only=True).__aenter__()
    assert (content(empty), content(kept)) == (b"", before)


@pytest.mark.asyncio
async def test_what_is_no_archive_is_said(path: Path, garbage: Path) -> None:
    with pytest.raises(ArchiveError, match="is not a database"):
        await Archive(garbage, read_only=True).__aenter__()
    execute(path, "CREATE TABLE t (x)")
    with pytest.raises(ArchiveError, match="is another program's database"):
        await Archive(path, read_only=True).__aenter__()


# Once before it is another user, who cannot import what it needs.
READ = """
import asyncio, json, os, sys
from ultracart_conversation.archive import Archive

async def main(lines):
    async with Archive(sys.argv[1], read_only=True) as archive:
        await archive.statistics()
        for line in lines:
            try:
                print(json.dumps([(await archive.statistics()).messages, os.listdir(os.path.dirname(sys.argv[1]))]))
            except Exception as error:
                print(json.dumps([type(error).__name__, str(error)]))
            sys.stdout.flush()

asyncio.run(main(()))
if os.geteuid() == 0:
    os.setuid(int(sys.argv[2]))
asyncio.run(main(sys.stdin))
"""


@contextmanager
def stranger(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process reads the archive, as a user who may write neither it nor its directory."""
    path.chmod(0o444)
    path.parent.chmod(0o555)
    command = [sys.executable, "-c", READ, str(path), str(UNPRIVILEGED)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert ask(process)[0] in {1, 2}
        yield process
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0


def ask(process: "subprocess.Popen[str]") -> list[object]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    told: list[object] = json.loads(process.stdout.readline())
    return told


@pytest.fixture
def public() -> Iterator[Path]:
    """An archive where another user can get at it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "archive.db")
        prepared(path, NEWS)
        yield path
        path.parent.chmod(0o700)


def test_a_file_and_a_directory_that_may_not_be_written(public: Path) -> None:
    with stranger(public) as process:
        assert ask(process) == [2, ["archive.db"]]
    assert os.listdir(public.parent) == ["archive.db"]


def test_a_log_that_somebody_writes_meanwhile_is_read(public: Path) -> None:
    if os.geteuid():
        pytest.skip("the writer has to be another user")
    public.chmod(0o644)
    with closing(sqlite3.connect(public)) as writer:
        writer.execute("DELETE FROM messages WHERE conversation_message_uuid = 'n'")
        writer.commit()
        with stranger(public) as process:
            told = ask(process)
    assert told[0] == 1


def test_a_file_that_did_not_stay_as_it_was_is_not_read_further(public: Path) -> None:
    if os.geteuid():
        pytest.skip("the writer has to be another user")
    with stranger(public) as process:
        assert ask(process)[0] == 2
        asyncio.run(_commit(public))
        name, said = ask(process)
    assert name == ArchiveBusy.__name__
    assert said == (
        f"the archive {public} has been written to since it was opened, and cannot be read further: open it again"
    )


async def _commit(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(change("b", message("o"))), checkpoint())
