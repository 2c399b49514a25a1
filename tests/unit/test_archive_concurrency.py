"""Readers, writers and locks at the same time, and commits that are broken off."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from tests.archive_desk import (
    batch,
    change,
    checkpoint,
    claimed,
    contents,
    execute,
    message,
    prepared,
    row,
    select,
    statements,
)
from ultracart_conversation._sync.known import digest_of
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ArchiveBusy

pytestmark = pytest.mark.asyncio

FIRST = batch(change("a", message("m", "one"), message("n")), rows=(row("a"),))
SECOND = batch(
    change("a", message("o"), updated=(message("m", "two", media_urls=("u",)),), removed=("n",)),
    change("b", kind="gone"),
    rows=(row("a", message_count=3),),
)
MOMENTS = 21
"""More than a commit has statements."""
Cancel = Callable[[], object]
Way = Callable[[Callable[[Cancel], Any]], Awaitable[None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_who_cannot_have_the_lock_waits_and_then_says_so(path: Path) -> None:
    async with claimed(path, busy_timeout=0.3) as archive:
        before = contents(path)
        with locked(path), statements() as sent:
            with pytest.raises(ArchiveBusy, match=r"was locked by another process for 0\.3 s: nothing was written"):
                await archive.commit(FIRST, checkpoint())
        assert len(sent) > 1
        assert contents(path) == before
        await archive.commit(FIRST, checkpoint())


async def test_who_waits_for_the_lock_goes_on_when_it_is_free(path: Path) -> None:
    async with claimed(path) as archive:
        with locked(path) as other, statements() as sent:
            committing = asyncio.create_task(archive.commit(FIRST, checkpoint()))
            await until(lambda: len(sent) > 1)
            other.execute("ROLLBACK")
            await committing
    assert select(path, "SELECT count(*) FROM messages") == [2]


async def test_who_is_cancelled_while_waiting_for_the_lock_does_not_wait_for_it(path: Path) -> None:
    async with claimed(path, busy_timeout=3600.0) as archive:
        with locked(path), statements() as sent:
            committing = asyncio.create_task(archive.commit(FIRST, checkpoint()))
            behind = asyncio.create_task(archive.claim())
            await until(lambda: sent)
            for task in (committing, behind):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        await archive.commit(FIRST, checkpoint())


async def test_readers_never_wait_for_a_writer(path: Path) -> None:
    async with claimed(path, busy_timeout=0.0) as archive:
        await archive.commit(FIRST, checkpoint())
        with locked(path) as other:
            other.execute("DELETE FROM messages")
            async with Archive(path, busy_timeout=0.0) as opened_meanwhile:
                for reader in (archive, opened_meanwhile):
                    assert set(await reader.known("a")) == {"m", "n"}
                    assert [hit.message.body for hit in await reader.search("one")] == ["one"]


async def test_readers_see_a_commit_as_a_whole(path: Path) -> None:
    """Each commit gives the conversation one more message and all of them a new body."""
    async with claimed(path) as archive:

        async def write() -> None:
            for number in range(1, 30):
                body = f"state {number}"
                said = (message(f"m{each}", body) for each in range(number))
                await archive.commit(batch(change("a", *said)), checkpoint())

        writing = asyncio.create_task(write())
        while not writing.done():
            known = await archive.known("a")
            assert {each.digest for each in known.values()} <= {digest_of(message("m", f"state {len(known)}"))}
        await writing
    assert select(path, "SELECT count(*) FROM revisions") == [sum(range(29))]


async def test_commits_at_the_same_time_take_turns(path: Path) -> None:
    async with claimed(path) as archive:
        commits = (archive.commit(batch(change(f"c{number}", message("m"))), checkpoint()) for number in range(30))
        await asyncio.gather(*commits, *(archive.known("c1") for _ in range(30)))
    assert select(path, "SELECT seq FROM outbox ORDER BY seq") == [*range(1, 61)]


@contextmanager
def held(word: str) -> Iterator[tuple[list[str], threading.Event]]:
    """Statements with the word, which stand still in connections that are opened meanwhile, and what ends that."""
    standing: list[str] = []
    go_on = threading.Event()

    def hold(statement: str) -> None:
        if word in statement:
            standing.append(statement)
            go_on.wait()

    def watch(connection: Any, _: object) -> None:
        connection.run_async(lambda driver: driver.set_trace_callback(hold))

    event.listen(Engine, "connect", watch)
    try:
        yield standing, go_on
    finally:
        go_on.set()
        event.remove(Engine, "connect", watch)


@asynccontextmanager
async def busy_readers(path: Path) -> AsyncGenerator[Archive]:
    """An archive in which as many searches run as there may be."""
    with held("MATCH") as (standing, go_on):
        async with Archive(path) as archive:
            searches = [asyncio.create_task(archive.search("one")) for _ in range(4)]
            try:
                await until(lambda: len(standing) == 4)
                yield archive
            finally:
                go_on.set()
                await asyncio.wait(searches)


async def test_who_waits_behind_long_reads_can_be_cancelled(path: Path, first: bytes) -> None:
    async with busy_readers(copied(first, path)) as archive:
        behind = asyncio.create_task(archive.statistics())
        for _ in range(20):
            await asyncio.sleep(0)
        behind.cancel()
        await asyncio.wait((behind,), timeout=5.0)
        assert behind.cancelled()


async def test_a_poller_never_waits_for_long_reads(path: Path, first: bytes) -> None:
    async with busy_readers(copied(first, path)) as archive:
        assert set(await asyncio.wait_for(archive.known("a"), 5.0)) == {"m", "n"}
        await asyncio.wait_for(archive.claim(), 5.0)
        await asyncio.wait_for(archive.commit(SECOND, checkpoint(2)), 5.0)


@contextmanager
def at_moment(number: int, cancel: Cancel) -> Iterator[list[str]]:
    """Call `cancel` just before the statement of that number; the commit and giving the connection back count too."""
    passed: list[str] = []

    def pass_one(what: str) -> None:
        passed.append(what)
        if len(passed) == number:
            cancel()

    def execute(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        pass_one(statement)

    def commit(_: Any) -> None:
        pass_one("COMMIT")

    def give_back(*_: Any) -> None:
        pass_one("RESET")

    event.listen(Engine, "before_cursor_execute", execute)
    event.listen(Engine, "commit", commit)
    event.listen(Pool, "reset", give_back)
    try:
        yield passed
    finally:
        event.remove(Engine, "before_cursor_execute", execute)
        event.remove(Engine, "commit", commit)
        event.remove(Pool, "reset", give_back)


async def in_a_task(work: Callable[[Cancel], Any], *, again: bool) -> None:
    """`work` is cancelled as asyncio does it, once, or until it ends."""
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        task.cancel()
        if again and not task.done():
            loop.call_soon(cancel)

    task = loop.create_task(work(cancel))
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


async def in_a_scope(work: Callable[[Cancel], Any]) -> None:
    """`work` is cancelled as anyio does it, whenever it waits for something."""
    with anyio.CancelScope() as scope:
        await work(scope.cancel)


async def broken_off(way: str, work: Callable[[Cancel], Any]) -> None:
    """`work`, cancelled in that way, leaves no task behind."""
    await WAYS[way](work)
    assert asyncio.all_tasks() == {asyncio.current_task()}


WAYS: dict[str, Way] = {
    "once": partial(in_a_task, again=False),
    "again": partial(in_a_task, again=True),
    "scope": in_a_scope,
}


@pytest.fixture
def threads() -> Iterator[None]:
    """No connection's thread is left behind."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5.0)
        assert not thread.is_alive()


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("way", WAYS)
async def test_a_commit_that_is_cancelled_at_any_statement_is_kept_whole_or_not_at_all(
    tmp_path: Path, first: bytes, way: str
) -> None:
    kept: list[bool] = []
    for moment in range(1, MOMENTS):
        path = copied(first, tmp_path / f"{moment}.db")
        async with claimed(path) as archive:
            before = contents(path)

            async def work(cancel: Cancel, archive: Archive = archive, moment: int = moment) -> None:
                with at_moment(moment, cancel):
                    await archive.commit(SECOND, checkpoint(2, a={"at": 1}))

            await broken_off(way, work)
            kept.append(contents(path) != before)
            await archive.commit(SECOND, checkpoint(2, a={"at": 1}))
        check_second(path)
    assert True in kept
    assert kept == sorted(kept)
    assert kept.count(False) > 12


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive with the first batch."""
    return prepared(tmp_path_factory.mktemp("first") / "archive.db", FIRST)


def copied(archive: bytes, path: Path) -> Path:
    path.write_bytes(archive)
    return path


def check_second(path: Path) -> None:
    """Both batches are there, once."""
    assert select(path, "SELECT count(*), count(removed_at) FROM messages") == [(3, 1)]
    assert select(path, "SELECT count(*) FROM revisions") == [1]
    assert select(path, "SELECT count(*) FROM attachments") == [1]
    assert select(path, "SELECT seq FROM outbox ORDER BY seq") == [*range(1, 10)]
    assert select(path, "SELECT value FROM positions") == ['{"at":1}']


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("way", WAYS)
async def test_opening_that_is_cancelled_at_any_statement_can_be_done_again(tmp_path: Path, way: str) -> None:
    for moment in [*range(1, 9), *range(9, 80, 9)]:
        path = tmp_path / f"{moment}.db"

        async def work(cancel: Cancel, path: Path = path, moment: int = moment) -> None:
            with at_moment(moment, cancel):
                async with Archive(path) as archive:
                    await archive.claim()

        await broken_off(way, work)
        async with claimed(path) as archive:
            await archive.commit(FIRST, checkpoint())
        assert select(path, "SELECT version FROM schema_version ORDER BY 1") == [2]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("way", WAYS)
async def test_opening_that_is_cancelled_between_statements_leaves_nothing_behind(
    tmp_path: Path, first: bytes, way: str
) -> None:
    path = copied(first, tmp_path / "archive.db")
    loop = asyncio.get_running_loop()
    for steps in (*range(12), 20, 40, 80, 160, 320):

        async def work(cancel: Cancel, steps: int = steps) -> None:
            def pass_one(left: int) -> None:
                _ = loop.call_soon(pass_one, left - 1) if left else cancel()

            pass_one(steps)
            async with Archive(path):
                pass

        await broken_off(way, work)
        execute(path, "PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("way", WAYS)
async def test_whatever_is_cancelled_between_statements_leaves_the_archive_usable(path: Path, way: str) -> None:
    async with claimed(path) as archive:
        await archive.commit(FIRST, checkpoint())
        store = archive.budget_store()
        for steps in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987):

            async def work(cancel: Cancel, steps: int = steps) -> None:
                async def cancel_later() -> None:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    cancel()

                later = asyncio.create_task(cancel_later())
                try:
                    await archive.commit(SECOND, checkpoint(2))
                    await store.load()
                    await archive.known("a")
                    await asyncio.sleep(3600.0)
                finally:
                    with anyio.CancelScope(shield=True):
                        await finished(later)

            await broken_off(way, work)
        await archive.commit(SECOND, checkpoint(2))
    assert select(path, "SELECT seq FROM outbox ORDER BY seq") == [*range(1, 10)]


async def finished(task: asyncio.Task[None]) -> None:
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            continue
