"""Reading conversations and messages back, and the statistics of an archive."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.archive_shelf import EPOCH, gone, keep, message, new, removed, shelf, summary, updated
from ultracart_conversation import (
    ConfigurationError,
    ConversationMessage,
    ConversationParticipant,
    JsonObject,
    MessageType,
)
from ultracart_conversation._archive.schema import METADATA
from ultracart_conversation.archive import Archive, ArchiveStatistics

pytestmark = pytest.mark.asyncio


async def uuids(archive: Archive, conversation_uuid: str) -> list[str | None]:
    return [each.conversation_message_uuid async for each in archive.messages(conversation_uuid)]


async def test_models_come_back_as_they_were_with_what_the_contract_does_not_know(tmp_path: Path) -> None:
    said = ConversationMessage.from_dict(
        {
            "conversation_message_uuid": "m",
            "body": "hé 🧾\n\0",
            "message_epoch": EPOCH,
            "message_dts": "2025-12-31T19:00:00-05:00",
            "type": "carrier pigeon",
            "merchant_id": 17,
            "newer": {"deep": [1, None, "x"]},
        }
    )
    listed = summary(
        "chat", participants=(ConversationParticipant(email="ann@example.com"),), extra=JsonObject({"newer": True})
    )
    async with shelf(tmp_path, new("chat", said), listed=(listed,)) as archive:
        assert [each async for each in archive.messages("chat")] == [said]
        assert [each async for each in archive.conversations()] == [listed]
    assert said.type == MessageType("carrier pigeon")
    assert said.extra["newer"]


async def test_messages_are_those_of_one_conversation_in_the_order_of_time(tmp_path: Path) -> None:
    mixed = [message("c", epoch=EPOCH), message("a", epoch=EPOCH + 1), message("b", epoch=EPOCH)]
    async with shelf(tmp_path, new("chat", *mixed), new("other", message("x"))) as archive:
        assert await uuids(archive, "chat") == ["b", "c", "a"]
        assert await uuids(archive, "nobody") == []


async def test_what_the_service_no_longer_has_is_left_out(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"), message("2")), new("b", message("1"))) as archive:
        await keep(archive, removed("a", "1"), gone("b"))
        assert await uuids(archive, "a") == ["2"]
        assert [each.conversation_uuid async for each in archive.conversations()] == ["a"]
        assert await uuids(archive, "b") == ["1"]


async def test_many_are_given_whole_although_others_write_meanwhile(tmp_path: Path) -> None:
    said = [message(f"{number:04}", epoch=EPOCH + number // 3) for number in range(1201)]
    chats = tuple(summary(f"{number:04}") for number in range(1201))
    async with shelf(tmp_path, new("0000", *said), listed=chats) as archive:
        assert await uuids(archive, "0000") == [f"{number:04}" for number in range(1201)]
        seen: list[str | None] = []
        async for each in archive.conversations():
            if not seen:
                await keep(archive, listed=(summary("zzzz"), summary("0600", closed=True)))
            seen.append(each.conversation_uuid)
        assert seen == [*[f"{number:04}" for number in range(1201)], "zzzz"]


async def test_statistics_count_what_there_is(tmp_path: Path) -> None:
    async with shelf(tmp_path, new("a", message("1"), message("2", epoch=EPOCH + 1500)), new("b")) as archive:
        await keep(archive, updated("a", message("1", "edited")), new("b", message("3", epoch=0)))
        await keep(archive, removed("a", "2"), gone("b"), head={"complete_through": EPOCH + 250})
        statistics = await archive.statistics()
    assert statistics == ArchiveStatistics(
        conversations=2,
        messages=3,
        revisions=1,
        removed=1,
        gone=1,
        changes=8,
        size=statistics.size,
        complete_through=datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC),
        oldest=datetime(2026, 1, 1, tzinfo=UTC),
        newest=datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC),
    )


async def test_statistics_of_an_archive_that_nobody_wrote_to(tmp_path: Path) -> None:
    async with Archive(tmp_path / "conversations.db") as archive:
        statistics = await archive.statistics()
    assert statistics.messages == statistics.conversations == statistics.changes == 0
    assert statistics.complete_through is statistics.oldest is statistics.newest is None
    assert statistics.size > 0


async def test_the_size_grows_with_what_is_kept(tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        before = (await archive.statistics()).size
        await keep(archive, new("a", message("1", "x" * 100_000)))
        assert (await archive.statistics()).size > before + 100_000


async def test_the_size_is_the_same_behind_a_link(tmp_path: Path) -> None:
    """The log of what was written last is beside the file, and not beside the link."""
    async with shelf(tmp_path, new("a", message("1", "x" * 100_000))) as archive:
        (tmp_path / "elsewhere").mkdir()
        link = tmp_path / "elsewhere" / "link.db"
        link.symlink_to(archive.path)
        async with Archive(link) as linked:
            assert (await linked.statistics()).size == (await archive.statistics()).size > 200_000


async def test_a_conversation_that_no_archive_can_have_is_refused(tmp_path: Path) -> None:
    async with shelf(tmp_path) as archive:
        with pytest.raises(ConfigurationError, match=r"conversation_uuid='\\ud83d' has half a character"):
            await uuids(archive, "\ud83d")
        with pytest.raises(ConfigurationError, match="half a character"):
            await archive.known("\ud83d")


async def test_the_readme_names_what_other_programs_read() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    tables = [table for name, table in METADATA.tables.items() if name not in {"claims", "budget", "schema_version"}]
    for table in tables:
        [described] = re.findall(rf"^\| `{table.name}` \|.*$", readme, re.MULTILINE)
        assert {column.name for column in table.columns} <= set(re.findall(r"`(\w+)`", described)), table.name


async def test_a_closed_archive_says_so(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "conversations.db")
    with pytest.raises(ConfigurationError, match="use it inside `async with`"):
        await archive.statistics()
    with pytest.raises(ConfigurationError, match="use it inside `async with`"):
        archive.conversations()
