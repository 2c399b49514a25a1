"""A client's budget that lives in the archive."""

import asyncio
from pathlib import Path

import attrs
import pytest

from tests.archive_desk import claimed, select, statements
from tests.virtual_clock import VirtualClock
from ultracart_conversation._rest.budget import Budget
from ultracart_conversation._rest.budget_store import BudgetState
from ultracart_conversation.archive import Archive
from ultracart_conversation.limits import Priority

pytestmark = pytest.mark.asyncio

STATE = BudgetState(saved_at=1.5, hour=2.25, day=3.125, in_flight=4, paused_until=5.0625, share=0.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


async def test_what_was_saved_last_is_loaded(path: Path) -> None:
    async with Archive(path) as archive:
        store = archive.budget_store()
        assert await store.load() is None
        await store.save(STATE)
        await store.save(attrs.evolve(STATE, hour=9.0))
        await archive.budget_store("other").save(STATE)
    async with Archive(path) as archive:
        assert await archive.budget_store().load() == attrs.evolve(STATE, hour=9.0)
        assert await archive.budget_store("other").load() == STATE
        assert await archive.budget_store("nobody").load() is None


async def test_a_restart_does_not_refill(path: Path, clock: VirtualClock) -> None:
    async with Archive(path) as archive:
        budget = Budget(clock=clock, store=archive.budget_store())
        for _ in range(20):
            async with budget.slot(Priority.CRITICAL):
                assert select(path, "SELECT in_flight FROM budget") == [1]
    async with Archive(path) as archive:
        restarted = Budget(clock=VirtualClock(now=77.0, epoch=clock.time()), store=archive.budget_store())
        async with restarted.slot(Priority.CRITICAL):
            pass
        day = restarted.statistics().day
    assert day is not None
    assert day.left == day.burst - 21


async def test_saving_is_one_statement_and_needs_no_claim(path: Path) -> None:
    async with claimed(path) as archive, Archive(path) as other:
        store = other.budget_store()
        await store.save(STATE)
        with statements() as sent:
            await store.save(STATE)
        assert [each.split()[0] for each in sent] == ["BEGIN", "SELECT", "INSERT"]
        await asyncio.gather(archive.claim(), *(store.save(STATE) for _ in range(5)))


async def test_a_store_may_be_made_before_the_archive_is_open(path: Path) -> None:
    archive = Archive(path)
    store = archive.budget_store()
    async with archive:
        await store.save(STATE)
        assert await store.load() == STATE
