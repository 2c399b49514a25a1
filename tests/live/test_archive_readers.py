"""Whoever else reads an archive, in this process or another: what was committed stays."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.archive_desk import select
from tests.live.command_line import environment, run

WRITER = """
import asyncio, sys
from tests.archive_desk import batch, change, checkpoint, claimed, message
from ultracart_conversation.archive import Archive

async def read(path, way):
    if way == "nobody":
        return
    async with Archive(path, read_only=way == "read_only") as other:
        await other.statistics()
        await other.search("body")

async def main(path, way):
    async with claimed(path) as archive:
        async def commit(numbers):
            for number in numbers:
                await archive.commit(batch(change("c", message(f"m{number}", "body " * 500))), checkpoint(number))
        await commit(range(20))
        await read(path, way)
        print("read", flush=True)
        sys.stdin.readline()
        await commit(range(20, 40))
        print("written", flush=True)
        sys.stdin.readline()

asyncio.run(main(*sys.argv[1:]))
"""
COUNT = "SELECT count(*) FROM messages"


@contextmanager
def writer(path: Path, way: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that commits, reads in that way, and goes on committing at the next line; killed in the end."""
    command = [sys.executable, "-c", WRITER, str(path), way]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def expect(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"


def go_on(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.parametrize("way", ["nobody", "read_write", "read_only"])
def test_what_is_committed_is_seen_by_others_and_survives_a_kill(tmp_path: Path, way: str) -> None:
    path = tmp_path / "conversations.db"
    with writer(path, way) as process:
        expect(process, "read")
        assert run("stats", "--archive", str(path), env=environment()).returncode == 0
        with closing(sqlite3.connect(path)) as other:
            other.execute(COUNT).fetchall()
        go_on(process)
        expect(process, "written")
        assert select(path, COUNT) == [40]
    assert select(path, COUNT) == [40]
    assert select(path, "PRAGMA integrity_check") == ["ok"]
    assert select(path, "SELECT value FROM cursors WHERE name = 'poller'") == [
        '{"version":1,"head":{"mark":39},"conversations":{}}'
    ]


def test_commands_that_read_leave_an_archive_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    with writer(path, "nobody") as process:
        expect(process, "read")
    run("stats", "--archive", str(path), env=environment())
    before, names = path.read_bytes(), sorted(each.name for each in tmp_path.iterdir())
    for command in (("search", "body"), ("stats",), ("export", str(tmp_path / "out.jsonl"))):
        assert run(*command, "--archive", str(path), env=environment()).returncode == 0
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == [*names, "out.jsonl"]
