"""Opening an archive: what it makes, and what it refuses."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.archive_desk import batch, change, checkpoint, claimed, content, contents, message, mode, select, statements
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ConfigurationError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@pytest.mark.asyncio
async def test_nobody_else_may_read_any_of_its_files(path: Path) -> None:
    async with claimed(path):
        modes = {name: mode(path.parent / name) for name in os.listdir(path.parent)}
    assert modes == dict.fromkeys(["archive.db", "archive.db-wal", "archive.db-shm"], 0o600)
    assert os.listdir(path.parent) == ["archive.db"]


@pytest.mark.asyncio
async def test_what_was_kept_is_there_again(path: Path) -> None:
    archive = Archive(path)
    for is_new in (True, False):
        async with archive:
            assert archive.is_open
            assert (await archive.claim() is None) == is_new
            await archive.commit(batch(change("a", message("m"))), checkpoint())
        assert not archive.is_open
    assert select(path, "SELECT count(*) FROM messages") == [1]


@pytest.mark.asyncio
async def test_opening_an_archive_again_writes_nothing(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint())
    before = content(path)
    async with Archive(path):
        pass
    assert content(path) == before


@pytest.mark.asyncio
async def test_an_empty_file_becomes_an_archive(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT, 0o640))
    async with claimed(path) as archive:
        await archive.commit(batch(), checkpoint())
    assert mode(path) == 0o640


@pytest.mark.asyncio
async def test_a_path_means_where_it_led_at_first(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = path.with_name("elsewhere")
    elsewhere.mkdir()
    monkeypatch.chdir(path.parent)
    async with Archive(path.name) as archive:
        monkeypatch.chdir(elsewhere)
        await archive.claim()
        await archive.commit(batch(change("a", message("m"))), checkpoint())
        assert (await archive.statistics()).messages == 1
        assert await archive.export("out.jsonl") == 1
    async with archive:
        assert archive.path == path
    assert os.listdir(elsewhere) == ["out.jsonl"]


@pytest.mark.asyncio
async def test_a_link_is_followed_although_there_is_nothing_yet(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path.name)
    async with claimed(link) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint())
    assert (mode(path), link.is_symlink()) == (0o600, True)
    assert select(path, "SELECT count(*) FROM messages") == [1]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["a?mode=memory", "a#b", "p%41", "ü ñ", "file:x", "a'b\"c", "a&b=c;d"])
async def test_a_name_is_nothing_but_a_name(path: Path, name: str) -> None:
    async with claimed(path.with_name(name)):
        assert mode(path.with_name(name)) == 0o600
    assert os.listdir(path.parent) == [name]


@pytest.mark.asyncio
async def test_several_may_make_the_same_archive(path: Path) -> None:
    archives = [Archive(path) for _ in range(8)]
    await asyncio.gather(*(archive.__aenter__() for archive in archives))
    await asyncio.gather(*(archive.claim() for archive in archives))
    assert select(path, "SELECT epoch FROM claims") == [8]
    assert select(path, "SELECT version FROM schema_version ORDER BY 1") == [2]
    await asyncio.gather(*(archive.__aexit__(None, None, None) for archive in archives))


@pytest.mark.asyncio
@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_a_url_of_sqlite_is_taken(path: Path, scheme: str) -> None:
    async with Archive(f"{scheme}:///{path}") as archive:
        assert archive.path == path
        assert mode(path) == 0o600


@pytest.mark.parametrize("url", ["postgresql+asyncpg://me:hush@host/db", "mysql://me:hush@host", "sqlite3://x"])
def test_another_database_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be kept in (postgresql|mysql|sqlite3)") as caught:
        Archive(url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["", ":memory:", "sqlite://", "sqlite:///:memory:"])
def test_an_archive_needs_a_file(name: str) -> None:
    with pytest.raises(ConfigurationError, match="an archive is a file"):
        Archive(name)


def test_no_path_has_a_nul() -> None:
    with pytest.raises(ConfigurationError, match="no path has a NUL"):
        Archive("a\0b")


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_to_wait_is_not_negative(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="busy_timeout"):
        Archive("a.db", busy_timeout=seconds)


@pytest.mark.asyncio
async def test_it_is_used_while_it_is_open_and_entered_once(path: Path) -> None:
    archive = Archive(path)
    assert repr(archive) == f"<Archive {str(path)!r}: not open>"
    for use in (archive.claim, lambda: archive.known("a"), archive.budget_store().load, archive.statistics):
        with pytest.raises(ConfigurationError, match="is not open: use it inside `async with`"):
            await use()
    for begin in (archive.changes, archive.conversations, lambda: archive.messages("a")):
        with pytest.raises(ConfigurationError, match="is not open"):
            begin()
    async with archive:
        assert repr(archive) == f"<Archive {str(path)!r}: open>"
        with pytest.raises(ConfigurationError, match="is open already"):
            await archive.__aenter__()
        await archive.claim()
        iterator = archive.conversations()
    with pytest.raises(ConfigurationError, match="is not open"):
        await anext(iterator)


@pytest.mark.asyncio
async def test_leaving_waits_for_what_still_runs(path: Path) -> None:
    async with claimed(path) as archive:
        with statements() as sent:
            committing = asyncio.create_task(archive.commit(batch(change("a", message("m"))), checkpoint()))
            while not sent:
                await asyncio.sleep(0)
    assert select(path, "SELECT count(*) FROM messages") == [1]
    await committing


def test_it_is_not_for_trio(path: Path) -> None:
    async def use() -> None:
        async with Archive(path):
            pytest.fail("it was opened")

    with pytest.raises(ConfigurationError, match="works on asyncio only"):
        anyio.run(use, backend="trio")
    assert not path.exists()


def python(code: str, *arguments: str) -> str:
    run = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return run.stdout


def test_importing_it_is_cheap() -> None:
    code = "import json, sys, ultracart_conversation.archive; print(json.dumps(sorted(sys.modules)))"
    assert {"sqlalchemy", "aiosqlite", "greenlet", "pyarrow", "sqlite3"}.isdisjoint(json.loads(python(code)))


@pytest.mark.parametrize("package", ["sqlalchemy", "aiosqlite", "greenlet"])
def test_what_is_missing_is_named_with_the_extra_that_brings_it(path: Path, package: str) -> None:
    code = (
        "import asyncio, sys\n"
        "sys.modules[sys.argv[2]] = None\n"
        "from ultracart_conversation.archive import Archive\n"
        "try:\n"
        "    asyncio.run(Archive(sys.argv[1]).__aenter__())\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    said = python(code, str(path), package)
    assert said == f'ConfigurationError an archive needs {package}: pip install "ultracart-conversation[archive]"\n'


@pytest.mark.asyncio
async def test_other_programs_may_read_it_meanwhile(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(batch(change("a", message("m"))), checkpoint())
        assert set(contents(path)) >= {"messages", "conversations", "outbox"}
