"""Conversations of two accounts are not mixed in one archive."""

from pathlib import Path

import pytest

from tests.archive_desk import batch, change, checkpoint, claimed, contents, execute, message, row, select, statements
from ultracart_conversation.archive import Archive
from ultracart_conversation.changes import Batch
from ultracart_conversation.errors import ArchiveError, Fenced

pytestmark = pytest.mark.asyncio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


def of(*merchants: str | None) -> Batch:
    """Ten rows of each."""
    return batch(
        rows=tuple(row(f"{n} of {merchant}", merchant_id=merchant) for merchant in merchants for n in range(10))
    )


async def keep(path: Path, *batches: Batch) -> None:
    """What one poller commits, from its claim on."""
    async with claimed(path) as archive:
        for number, given in enumerate(batches):
            await archive.commit(given, checkpoint(number))


async def refused(archive: Archive, given: Batch) -> str:
    with pytest.raises(
        ArchiveError, match=r"^the archive holds conversations of merchant .* a file of their own$"
    ) as e:
        await archive.commit(given, checkpoint(9))
    return str(e.value)


async def test_another_account_is_refused_and_nothing_is_written(path: Path) -> None:
    await keep(path, of("DEMO", "ALSO"))
    async with claimed(path) as archive:
        before = contents(path)
        given = batch(change("new", message("m")), rows=of("TEA", "COFFEE").conversations)
        assert "of merchant ALSO, DEMO and these are of COFFEE, TEA: nothing" in await refused(archive, given)
        await refused(archive, given)
        assert contents(path) == before
        await archive.commit(of("DEMO"), checkpoint(1))


async def test_it_is_refused_as_well_when_only_a_change_shows_its_row(path: Path) -> None:
    await keep(path, of("DEMO"))
    async with claimed(path) as archive:
        rows = [row(f"new {number}", merchant_id="TEA") for number in range(10)]
        await refused(archive, batch(*(change(each.conversation_uuid or "", conversation=each) for each in rows)))


async def test_a_few_rows_may_be_of_a_linked_account_that_never_showed_before(path: Path) -> None:
    await keep(path, of("DEMO"))
    few = batch(rows=tuple(row(f"new {number}", merchant_id="TEA") for number in range(9)))
    await keep(path, few, of("DEMO"), of("TEA"))
    assert select(path, "SELECT count(DISTINCT merchant_id) FROM conversations") == [2]


async def test_linked_accounts_may_come_one_by_one_once_one_of_them_is_known(path: Path) -> None:
    await keep(path, of("DEMO"), of("TEA"), of("COFFEE"))
    await keep(path, of("COFFEE"), of("MILK"))
    await keep(path, of("MILK", "SUGAR"))
    await keep(path, of("SUGAR"))
    assert select(path, "SELECT count(*) FROM conversations") == [50]


async def test_who_is_refused_once_is_refused_after_every_claim(path: Path) -> None:
    await keep(path, of("DEMO"))
    async with claimed(path) as archive:
        for _ in range(2):
            await refused(archive, of("TEA"))
            await archive.claim()
        await archive.commit(of("DEMO"), checkpoint(1))
        await archive.claim()
        await refused(archive, of("TEA"))


async def test_rows_that_do_not_say_whose_they_are_decide_nothing(path: Path) -> None:
    await keep(path, of(None), of(""), batch(change("a", message("m"))), of("DEMO"))
    async with claimed(path) as archive:
        await archive.commit(of(None), checkpoint(1))
        await archive.commit(batch(change("b", kind="gone")), checkpoint(2))
        await refused(archive, of("TEA", None))
        await archive.commit(of("DEMO", None), checkpoint(3))


async def test_an_archive_that_did_not_note_its_merchants_takes_them_from_its_rows(path: Path) -> None:
    await keep(path, of("DEMO", "ALSO", None, ""))
    execute(path, "DELETE FROM cursors WHERE name = 'merchants'")
    async with claimed(path) as archive:
        assert "of merchant ALSO, DEMO and these" in await refused(archive, of("TEA"))
        await archive.commit(of("ALSO"), checkpoint(1))
        await archive.commit(of("TEA"), checkpoint(2))
    await keep(path, of("DEMO"))


async def test_they_are_noted_with_the_batch_or_not_at_all(path: Path) -> None:
    noted = "SELECT count(*) FROM cursors WHERE name = 'merchants'"
    async with claimed(path) as older, claimed(path):
        with pytest.raises(Fenced):
            await older.commit(of("TEA"), checkpoint(1))
    assert select(path, noted) == [0]
    async with claimed(path) as archive:
        execute(path, "ALTER TABLE outbox RENAME TO hidden")
        with pytest.raises(ArchiveError, match="no such table: outbox"):
            await archive.commit(of("TEA"), checkpoint(1))
        assert select(path, noted) == [0]


async def test_what_is_noted_already_is_not_written_again(path: Path) -> None:
    async with claimed(path) as archive:
        await archive.commit(of("DEMO"), checkpoint(1))
        with statements() as sent:
            await archive.commit(of("DEMO"), checkpoint(2))
    assert [each for each in sent if each.startswith("INSERT")] == [
        each for each in sent if each.startswith("INSERT INTO cursors")
    ]
    assert len([each for each in sent if "INTO cursors" in each]) == 1
