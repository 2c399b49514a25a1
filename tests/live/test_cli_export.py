"""`export` as a user has it: the messages of an archive as a file."""

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


@pytest.mark.parametrize("arguments", [(), ("--format", "jsonl")], ids=["default", "jsonl"])
def test_json_lines(sandbox: Sandbox, archive: str, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    output = tmp_path / "messages.jsonl"
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


def test_csv(sandbox: Sandbox, archive: str, tmp_path: Path) -> None:
    output = tmp_path / "messages.csv"
    assert run("export", "--archive", archive, "--format", "csv", str(output), env=environment()).returncode == 0
    with output.open(encoding="utf-8-sig", newline="") as file:
        read = {
            (row["conversation_uuid"], row["conversation_message_uuid"], row["body"]) for row in csv.DictReader(file)
        }
    assert read == stored(sandbox)


def test_parquet(sandbox: Sandbox, archive: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    output = tmp_path / "messages.parquet"
    assert run("export", "--archive", archive, "--format", "parquet", str(output), env=environment()).returncode == 0
    assert parquet.read_metadata(output).num_rows == len(stored(sandbox))


def test_parquet_without_its_extra(archive: str, tmp_path: Path) -> None:
    arguments = ("export", "--archive", archive, "--format", "parquet", str(tmp_path / "messages.parquet"))
    done = run(*arguments, env=environment(), command=lacking("pyarrow"))
    assert_one_line(done, 'pip install "ultracart-conversation[parquet]"')
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


def test_an_unknown_format_is_explained(archive: str) -> None:
    done = run("export", "--archive", archive, "--format", "xml", "out.xml", env=environment())
    assert done.returncode == 2
    assert "jsonl" in done.stderr
