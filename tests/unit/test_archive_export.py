"""Exports: what is in them, that they read back as they were, and that they come whole or not at all."""

import asyncio
import csv
import json
import re
import resource
import stat
import sys
import tracemalloc
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive_shelf import EPOCH, keep, message, new, removed, shelf, summary
from ultracart_conversation import ArchiveError, ConfigurationError, ConversationMessage, JsonObject, Medium
from ultracart_conversation.archive import Archive

pytestmark = pytest.mark.asyncio
FORMATS = ("jsonl", "csv", "parquet")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def bodies(path: Path, form: str) -> list[str]:
    if form == "jsonl":
        return [line["message"]["body"] for line in lines(path)]
    return [row["body"] for row in (cells(path) if form == "csv" else rows(path))]


async def exported(archive: Archive, form: str) -> Path:
    path = archive.path.with_name(f"out.{form}")
    await archive.export(path, format=form)  # type: ignore[arg-type]
    return path


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if not path.name.startswith("conversations.db")}


CHAT = summary(
    "chat",
    conversation_arn="arn:chat",
    medium=Medium.SMS,
    merchant_id="DEMO",
    closed=True,
    start_dts=datetime(2025, 12, 31, tzinfo=UTC),
)
SAID = message(
    "m1",
    "Hello",
    epoch=EPOCH + 1,
    author_conversation_participant_arn="arn:ann",
    author_conversation_participant_name="Ann",
    language_iso_code="en",
    client_message_id="c1",
    extra=JsonObject({"newer": [1, {"field": None}]}),
)


async def test_json_lines_have_the_message_as_it_was_and_its_conversation_beside_it(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", SAID), listed=(CHAT,)) as archive:
        (line,) = lines(await exported(archive, "jsonl"))
    assert ConversationMessage.from_dict(line.pop("message")) == SAID
    assert line == {
        "conversation_uuid": "chat",
        "conversation_arn": "arn:chat",
        "medium": "sms",
        "merchant_id": "DEMO",
        "closed": True,
        "start_dts": "2025-12-31T00:00:00.000Z",
        "removed": False,
    }


async def test_tables_have_one_row_for_each_message(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", SAID), listed=(CHAT,)) as archive:
        (in_csv,) = cells(await exported(archive, "csv"))
        (in_parquet,) = rows(await exported(archive, "parquet"))
    assert in_parquet == {
        "conversation_uuid": "chat",
        "conversation_arn": "arn:chat",
        "medium": "sms",
        "merchant_id": "DEMO",
        "closed": True,
        "start_dts": datetime(2025, 12, 31, tzinfo=UTC),
        "conversation_message_uuid": "m1",
        "message_dts": datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=UTC),
        "type": None,
        "author_arn": "arn:ann",
        "author_name": "Ann",
        "body": "Hello",
        "language_iso_code": "en",
        "client_message_id": "c1",
        "removed": False,
    }
    in_words = {
        "start_dts": "2025-12-31T00:00:00.000Z",
        "message_dts": "2026-01-01T00:00:00.001Z",
        "closed": "true",
        "removed": "false",
        "type": "",
    }
    assert in_csv == in_parquet | in_words
    assert list(in_csv) == list(in_parquet)


async def test_parquet_says_its_types_whatever_is_in_it(tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        schema = pq.read_schema(await exported(archive, "parquet"))
    types = {field.name: str(field.type) for field in schema}
    assert {name: kind for name, kind in types.items() if kind != "string"} == {
        "start_dts": "timestamp[ms, tz=UTC]",
        "message_dts": "timestamp[ms, tz=UTC]",
        "closed": "bool",
        "removed": "bool",
    }


@pytest.mark.parametrize("form", FORMATS)
async def test_an_empty_archive_gives_an_empty_table(form: str, tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        assert await archive.export(tmp_path / "out", format=form) == 0  # type: ignore[arg-type]
        assert bodies(tmp_path / "out", form) == []


@pytest.mark.parametrize("form", FORMATS)
async def test_the_order_is_that_of_time_however_it_was_archived(form: str, tmp_path: Path) -> None:
    first = [message("b", "3", epoch=EPOCH), message("0", "4", epoch=EPOCH + 1)]
    second = [message("a", "1", epoch=EPOCH)]
    third = [message("a", "2", epoch=EPOCH)]
    async with shelf(tmp_path, new("z", *first), new("z", *third), new("y", *second)) as archive:
        assert bodies(await exported(archive, form), form) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("form", FORMATS)
async def test_pages_are_joined_without_a_seam(form: str, tmp_path: Path) -> None:
    said = [message(f"{number:05}", str(number), epoch=EPOCH + number // 700) for number in range(2100)]
    async with shelf(tmp_path, new("chat", *said)) as archive:
        path = tmp_path / "out"
        assert await archive.export(path, format=form) == 2100  # type: ignore[arg-type]
        assert bodies(path, form) == [str(number) for number in range(2100)]


@settings(max_examples=25)
@given(texts=st.lists(st.text() | st.sampled_from(["", "\0", '"', "a\r\nb", "\n", "\r", "=1", "'=1", "\u2028", "🧾"])))
async def test_every_body_reads_back_as_it_was(texts: list[str]) -> None:
    said = [message(f"{number:03}", text) for number, text in enumerate(texts)]
    with TemporaryDirectory() as directory:
        async with shelf(Path(directory), new("chat", *said)) as archive:
            for form in ("jsonl", "parquet"):
                assert bodies(await exported(archive, form), form) == texts
            assert [unguarded(cell) for cell in bodies(await exported(archive, "csv"), "csv")] == texts


def unguarded(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from running a text."""
    return cell[1:] if re.match("'+[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]", cell) else cell


@pytest.mark.parametrize("text", ["=1+1", "+1 555", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "'=1"])
async def test_no_cell_of_a_csv_is_a_formula(text: str, tmp_path: Path) -> None:
    said = message("1", text, author_conversation_participant_name=text)
    async with shelf(tmp_path, new("chat", said)) as archive:
        (row,) = cells(await exported(archive, "csv"))
    assert row["body"] == row["author_name"] == f"'{text}"


@pytest.mark.parametrize("text", ["it's 1+1=2", "'tis", "a\n=1", " =1", "#hash"])
async def test_other_cells_are_left_alone(text: str, tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", message("1", text))) as archive:
        assert bodies(await exported(archive, "csv"), "csv") == [text]


@pytest.mark.parametrize("form", FORMATS)
async def test_what_was_removed_is_there_and_says_so(form: str, tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", message("1", "kept"), message("2", "removed"))) as archive:
        await keep(archive, removed("chat", "2"))
        path = await exported(archive, form)
    assert bodies(path, form) == ["kept", "removed"]
    table = {"jsonl": lines, "csv": cells, "parquet": rows}[form](path)
    assert [row["removed"] in {True, "true"} for row in table] == [False, True]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("epoch", [0, 2**62, -5])
async def test_times_that_no_calendar_has_are_left_out(form: str, epoch: int, tmp_path: Path) -> None:
    async with shelf(tmp_path, new("chat", message("1", "?", epoch=epoch))) as archive:
        path = await exported(archive, form)
    if form == "jsonl":
        assert lines(path)[0]["message"]["message_epoch"] == epoch
    else:
        assert (cells(path) if form == "csv" else rows(path))[0]["message_dts"] in {"", None}


@pytest.mark.parametrize("form", FORMATS)
async def test_the_file_is_private_and_replaces_what_was_there(form: str, tmp_path: Path) -> None:
    (tmp_path / f"out.{form}").write_text("old")
    async with shelf(tmp_path, new("chat", SAID)) as archive:
        path = await exported(archive, form)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert bodies(path, form) == ["Hello"]
    assert names_in(tmp_path) == {path.name}


async def test_an_export_shows_one_moment_although_others_write(tmp_path: Path) -> None:
    before = [message(f"{number:05}", "", epoch=EPOCH + 1) for number in range(5000)]
    pairs = 0
    async with shelf(tmp_path, new("chat", *before)) as archive:
        export = asyncio.create_task(archive.export(tmp_path / "out", format="jsonl"))
        while not export.done():
            pairs += 1
            early = message(f"early {pairs}", "pair", epoch=EPOCH)
            await keep(archive, new("chat", early, message(f"late {pairs}", "pair", epoch=EPOCH + 2)))
        exported = [line["message"]["conversation_message_uuid"] for line in lines(tmp_path / "out")]
    assert pairs > 1
    assert sum(uuid.startswith("early") for uuid in exported) == sum(uuid.startswith("late") for uuid in exported)
    assert len(exported) == export.result()


@pytest.mark.parametrize("form", FORMATS)
async def test_a_cancelled_export_leaves_nothing_and_the_archive_in_order(form: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    said = [message(f"{number:05}", "text") for number in range(3000)]
    async with shelf(tmp_path, new("chat", *said)) as archive:
        export = asyncio.create_task(archive.export(tmp_path / "out", format=form))  # type: ignore[arg-type]
        while names_in(tmp_path) == {"out"}:
            await asyncio.sleep(0)
        export.cancel()
        with pytest.raises(asyncio.CancelledError):
            await export
        assert names_in(tmp_path) == {"out"}
        assert (tmp_path / "out").read_text() == "old"
        assert await archive.export(tmp_path / "out", format="jsonl") == 3000


@contextmanager
def full_disk(size: int) -> Generator[None]:
    """No file may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 4096, 200_000])
@pytest.mark.parametrize("form", FORMATS)
async def test_a_full_disk_is_said_and_leaves_nothing(form: str, size: int, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    said = [message(f"{number:05}", f"{number * 7919**40}") for number in range(3000)]
    async with shelf(tmp_path, new("chat", *said)) as archive:
        assert await archive.export(tmp_path / "whole", format=form) == 3000  # type: ignore[arg-type]
        (tmp_path / "whole").unlink()
        with full_disk(size), pytest.raises(ArchiveError, match=r"the export .*out cannot be written: File too large"):
            await archive.export(tmp_path / "out", format=form)  # type: ignore[arg-type]
        assert names_in(tmp_path) == {"out"}
        assert (tmp_path / "out").read_text() == "old"
        assert len(await archive.search("0*", limit=1)) <= 1


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("linked", ["nothing", "directory", "archive"])
async def test_the_files_of_the_archive_are_left_alone(suffix: str, linked: str, tmp_path: Path) -> None:
    """By whatever way they are named, and also those that are not there yet."""
    place, link = tmp_path / "place", tmp_path / "link"
    place.mkdir()
    link.symlink_to(place, target_is_directory=True)
    async with shelf(place, new("chat", SAID)):
        pass
    file = place / "conversations.db"
    if linked == "archive":
        file = tmp_path / "linked.db"
        file.symlink_to(place / "conversations.db")
    async with Archive(file) as archive:
        target = (link if linked == "directory" else place) / f"conversations.db{suffix}"
        with pytest.raises(ConfigurationError, match="is the archive itself, or belongs to it"):
            await archive.export(target)
        assert await archive.export(place / "conversations.db-out") == 1


async def test_what_cannot_be_exported_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shelf(tmp_path, new("chat", SAID)) as archive:
        with pytest.raises(ConfigurationError, match=r"format='xlsx' .* use \"jsonl\", \"csv\", \"parquet\""):
            await archive.export(tmp_path / "out", format="xlsx")  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=r"there is no directory .*nowhere to export to"):
            await archive.export(tmp_path / "nowhere" / "out")
        with pytest.raises(ConfigurationError, match="is a directory"):
            await archive.export(tmp_path)
        with pytest.raises(ConfigurationError, match="is the archive itself"):
            await archive.export(archive.path)
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(ConfigurationError, match=r'pip install "ultracart-conversation\[parquet\]"'):
            await archive.export(tmp_path / "out", format="parquet")
        assert names_in(tmp_path) == set()
        assert len(await archive.search("hello")) == 1


async def test_the_memory_of_an_export_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    size, count = 1000, 10_000
    async with shelf(tmp_path) as archive:
        for start in range(0, count, 1000):
            said = [message(f"{number:05}", "x" * size) for number in range(start, start + 1000)]
            await keep(archive, new("chat", *said))
        for form in FORMATS:
            # What is imported and compiled once is not counted.
            await exported(archive, form)
            assert await peak_of(exported(archive, form)) < size * count


async def peak_of(work: Awaitable[object]) -> int:
    """The most memory in bytes that the work took at a time."""
    tracemalloc.start()
    try:
        await work
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
