"""A process that stands still, and goes on when it is too late."""

import asyncio
from itertools import count
from pathlib import Path
from signal import SIGKILL, SIGSTOP

import pytest

from tests.live.kills.at_request import at_request
from tests.live.kills.marks import Mark, Part
from tests.live.kills.town import Town
from tests.live.kills.verdict import assert_complete, assert_consistent, tables
from tests.live.kills.victims import TAKEN_OVER, ForkServer, Victim, until
from tests.live.sync_command import READ
from ultracart_conversation.archive import Archive
from ultracart_conversation.errors import ArchiveBusy
from ultracart_conversation.sandbox import Sandbox

BEGIN = 1
"""The statement by which a transaction begins."""
UNFENCED = ("budget",)
"""A request that was made counts, whoever made it."""


def stopped(server: ForkServer, sandbox: Sandbox, archive: Path, mark: Mark) -> Victim:
    victim = server.sync(sandbox, archive, "--follow", "0.05", mark=mark)
    until(victim.is_stopped, "the standstill at a mark")
    assert victim.code() is None, victim.errors
    return victim


def resumed_too_late(server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, victim: Victim) -> None:
    """Another process reads everything meanwhile."""
    town.live(3)
    server.finish(sandbox, archive)
    assert_complete(archive, sandbox)
    assert_fenced_off(archive, victim)


@pytest.mark.parametrize("part", ["rows", "messages"])
@pytest.mark.parametrize("turn", [1, 2])
def test_what_was_read_before_is_not_written(
    server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, part: Part, turn: int
) -> None:
    mark = Mark(part=part, turn=turn, statement=BEGIN, signal=SIGSTOP)
    if turn == 2:
        server.finish(sandbox, archive)
        for uuid in sandbox.conversation_uuids[:2]:
            town.act("write", conversation_uuid=uuid)
    victim = stopped(server, sandbox, archive, mark)
    resumed_too_late(server, sandbox, archive, town, victim)


def test_what_is_read_meanwhile_is_not_written(server: ForkServer, sandbox: Sandbox, archive: Path, town: Town) -> None:
    server.finish(sandbox, archive)
    town.act("write")
    actions = at_request(sandbox, 1, operation=READ)
    victim = server.sync(sandbox, archive, "--follow", "0.05")
    actions.put(lambda: victim.signal(SIGSTOP))
    until(victim.is_stopped, "the standstill while a conversation is read")
    resumed_too_late(server, sandbox, archive, town, victim)


@pytest.mark.parametrize("is_killed", [False, True], ids=["resumed", "killed"])
def test_within_a_transaction_others_wait(
    server: ForkServer, sandbox: Sandbox, archive: Path, town: Town, is_killed: bool
) -> None:
    server.finish(sandbox, archive)
    town.live(5)
    victim = stopped(server, sandbox, archive, Mark(part="messages", statement=5, signal=SIGSTOP))
    before = tables(archive)
    asyncio.run(assert_locked(archive))
    assert tables(archive) == before

    newer = server.sync(sandbox, archive, "--once", notes=True)
    until(lambda: newer.notes.count("BEGIN IMMEDIATE") > 1, "waiting for the lock", tell=lambda: newer.notes)
    assert tables(archive) == before
    victim.kill() if is_killed else victim.resume()
    assert newer.ended() == 0, newer.errors
    if not is_killed:
        town.act("write")
    assert victim.ended() == (-SIGKILL if is_killed else 1)
    assert_consistent(archive)
    server.finish(sandbox, archive)
    assert_complete(archive, sandbox)


def test_at_every_statement_it_has_the_lock_or_is_fenced_off(
    server: ForkServer, sandbox: Sandbox, archive: Path, town: Town
) -> None:
    server.finish(sandbox, archive)
    town.act("write")
    unlocked: list[int] = []
    for statement in count(BEGIN):
        victim = server.sync(
            sandbox, archive, "--once", mark=Mark(part="messages", statement=statement, signal=SIGSTOP)
        )
        until(victim.is_stopped, "the standstill at a mark, or the end of all statements")
        if victim.code() == 0:
            break
        if asyncio.run(can_be_claimed(archive)):
            unlocked.append(statement)
            assert_fenced_off(archive, victim)
        victim.kill()
        victim.ended()
    assert unlocked == [BEGIN]
    assert_complete(archive, sandbox)


def assert_fenced_off(archive: Path, victim: Victim) -> None:
    """The one that goes on ends without a trace."""
    before = tables(archive, but=UNFENCED)
    victim.resume()
    assert victim.ended() == 1
    assert TAKEN_OVER in victim.errors
    assert tables(archive, but=UNFENCED) == before


async def can_be_claimed(archive: Path) -> bool:
    """Whether nobody keeps others from writing; then it was done."""
    async with Archive(archive, busy_timeout=0) as other:
        try:
            await other.claim()
        except ArchiveBusy:
            return False
        return True


async def assert_locked(archive: Path) -> None:
    """Who wants to write is told so, and who wants to read reads."""
    async with Archive(archive, busy_timeout=0.2) as other:
        assert [change.seq async for change in other.changes(limit=1)] == [1]
        with pytest.raises(ArchiveBusy):
            await other.claim()
