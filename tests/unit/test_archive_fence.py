"""Only the newest claimant writes."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.archive_desk import batch, change, checkpoint, claimed, contents, execute, message, row, select
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ConfigurationError, Fenced

pytestmark = pytest.mark.asyncio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


async def test_an_older_claim_commits_nothing(path: Path) -> None:
    async with claimed(path) as older, claimed(path) as newer:
        before = contents(path)
        with pytest.raises(Fenced, match="another process has claimed the archive since"):
            await older.commit(batch(change("a", message("m")), rows=(row("a"),)), checkpoint(1, a={"at": 1}))
        assert contents(path) == before
        await newer.commit(batch(change("a", message("m"))), checkpoint())
        with pytest.raises(Fenced):
            await older.commit(batch(), checkpoint())
    assert select(path, "SELECT count(*) FROM outbox") == [2]


async def test_who_was_fenced_may_claim_again(path: Path) -> None:
    async with claimed(path) as first, claimed(path) as second:
        await second.commit(batch(), checkpoint(2))
        assert await first.claim() == checkpoint(2)
        await first.commit(batch(), checkpoint(3))
        with pytest.raises(Fenced):
            await second.commit(batch(), checkpoint(4))
        assert await second.claim() == checkpoint(3)


async def test_another_process_fences_this_one(path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from ultracart_conversation.archive import Archive\n"
        "async def main():\n"
        "    async with Archive(sys.argv[1]) as archive:\n"
        "        await archive.claim()\n"
        "asyncio.run(main())\n"
    )
    async with claimed(path) as archive:
        await archive.commit(batch(), checkpoint(1))
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, str(path)], check=True)
        with pytest.raises(Fenced):
            await archive.commit(batch(), checkpoint(2))
        assert await archive.claim() == checkpoint(1)


async def test_without_a_claim_nothing_is_committed(path: Path) -> None:
    async with Archive(path) as archive:
        with pytest.raises(ConfigurationError, match="call claim\\(\\) before commit"):
            await archive.commit(batch(), checkpoint())
        assert await archive.claim() is None
    async with archive:
        with pytest.raises(ConfigurationError, match="is not claimed"):
            await archive.commit(batch(), checkpoint())


async def test_a_claim_sees_all_that_the_older_one_committed(path: Path) -> None:
    """The older one commits as fast as it can; whatever it was told is kept must be in the newer one's checkpoint."""
    async with claimed(path) as older, Archive(path) as newer:
        kept = 0
        begun = asyncio.Event()

        async def commit_until_fenced() -> None:
            nonlocal kept
            while True:
                await older.commit(batch(change("a", message(f"m{kept + 1}"))), checkpoint(kept + 1))
                kept += 1
                if kept == 5:
                    begun.set()

        committing = asyncio.create_task(commit_until_fenced())
        await begun.wait()
        found = await newer.claim()
        with pytest.raises(Fenced):
            await committing
        assert found == checkpoint(kept)
        assert select(path, "SELECT count(*) FROM messages") == [kept]


async def test_a_claim_that_cannot_be_used_is_none(path: Path) -> None:
    """A package that cannot read the checkpoint leaves the archive to the one that can."""
    async with claimed(path) as archive, Archive(path) as other:
        await archive.commit(batch(), checkpoint(1))
        execute(path, "UPDATE cursors SET value = replace(value, '\"version\":1', '\"version\":9')")
        with pytest.raises(ConfigurationError, match="version 9 and this package reads version 1"):
            await other.claim()
        await archive.commit(batch(), checkpoint(2))
