"""`export` as a user has it: the messages of an archive as a file."""

import contextlib
import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.command_line import assert_one_line, environment, run
from tests.live.sync_command import lacking, stored, synchronised
from ultracart_conversation.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=4) as running:
        yield running


@pytest.fixture(scope="module")
def archive(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("archive") / "conversations.db"
    synchronised(sandbox, path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("messages.jsonl", ()),
        ("messages.NDJSON", ()),
        ("messages.json", ()),
        ("messages", ()),
        ("messages.2026", ()),
        ("messages.jsonl", ("--format", "jsonl")),
        ("messages.txt", ("--format", "jsonl")),
    ],
    ids=lambda each: each if isinstance(each, str) else each[-1] if each else "as named",
)
def test_json_lines(sandbox: Sandbox, archive: str, tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    output = tmp_path / name
    done = run("export", "--archive", archive, *arguments, str(output), env=environment())
    read = [json.loads(line) for line in output.read_text().splitlines()]
    told = {
        (each["conversation_uuid"], each["message"]["conversation_message_uuid"], each["message"].get("body"))
        for each in read
    }
    assert told == stored(sandbox)
    assert len(read) == len(told)
    assert done.stdout.startswith(f"{len(read):,} messages in {output}, ")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "arguments"), [("o.csv", ()), ("o.CSV", ()), ("o.txt", ("--format", "csv"))])
def test_csv(sandbox: Sandbox, archive: str, tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    output = tmp_path / name
    assert run("export", "--archive", archive, *arguments, str(output), env=environment()).returncode == 0
    with output.open(encoding="utf-8-sig", newline="") as file:
        read = {
            (row["conversation_uuid"], row["conversation_message_uuid"], row["body"]) for row in csv.DictReader(file)
        }
    assert read == stored(sandbox)


@pytest.mark.parametrize(("name", "arguments"), [("o.parquet", ()), ("o", ("--format", "parquet"))])
def test_parquet(sandbox: Sandbox, archive: str, tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    output = tmp_path / name
    assert run("export", "--archive", archive, *arguments, str(output), env=environment()).returncode == 0
    assert parquet.read_metadata(output).num_rows == len(stored(sandbox))


def test_parquet_without_its_extra(archive: str, tmp_path: Path) -> None:
    arguments = ("export", "--archive", archive, "--format", "parquet", str(tmp_path / "messages.parquet"))
    done = run(*arguments, env=environment(), command=lacking("pyarrow"))
    assert_one_line(done, 'pip install "ultracart-conversation[parquet]"')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("o.csv", ("--format", "jsonl"), ("o.csv would not be what it is called", "--format jsonl")),
        ("o.json", ("--format", "parquet"), ("o.json", "--format parquet")),
        ("-", (), ("not standard output",)),
        ("-", ("--format", "csv"), ("not standard output",)),
    ],
)
def test_a_name_that_says_something_else_is_refused(
    archive: str, tmp_path: Path, name: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    with contextlib.chdir(tmp_path):
        done = run("export", "--archive", archive, *arguments, name, env=environment())
    assert_one_line(done, *words, code=2)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_stays_as_it_is(archive: str, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("elsewhere")
    for output, what in ((tmp_path, "is a directory"), (pipe, "not a plain file"), (link, "not a plain file")):
        assert_one_line(run("export", "--archive", archive, str(output), env=environment()), what)
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_what_cannot_be_written_is_one_line(archive: str, tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "messages.jsonl"
    assert_one_line(run("export", "--archive", archive, str(nowhere), env=environment()), "no directory")
    assert_one_line(run("export", "--archive", archive, archive, env=environment()), "the archive itself")
    done = run("export", "--archive", archive, f"{tmp_path}/{'x' * 300}", env=environment())
    assert_one_line(done, f"{'x' * 100}… cannot be written: ")


def test_an_unknown_format_is_explained(archive: str) -> None:
    done = run("export", "--archive", archive, "--format", "xml", "out.xml", env=environment())
    assert done.returncode == 2
    assert "jsonl" in done.stderr
