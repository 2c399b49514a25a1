"""How servers may list conversations: what `before` means, how deep a list goes, and what is wrong with its rows."""

from typing import Any

import pytest

from tests.live.sandbox.judge import Contract
from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import Clock, Personality, Sandbox

LAST, INTERACTIVE, START = "last_message_dts", "last_interactive_message_dts", "start_dts"


def uuids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["conversation_uuid"] for row in rows]


@pytest.fixture
def tied(sandbox: Sandbox, clock: Clock) -> list[str]:
    """Three conversations, newest first, of which the last two share a second."""
    made = [sandbox.text("a"), sandbox.text("b")]
    clock.advance(1)
    made.append(sandbox.text("c"))
    newest_first: list[str] = sandbox.conversation_uuids[:3]
    assert {each.conversation_uuid for each in made} == set(newest_first)
    return newest_first


@pytest.mark.parametrize("sorts_by", ["last interactive", "last message"])
@pytest.mark.parametrize(("before", "left_out"), [("time", 3), ("time inclusive", 1), ("ignored", 0)])
def test_before_is_taken_in_three_ways(
    sandbox: Sandbox, rest: Rest, tied: list[str], before: Any, left_out: int, sorts_by: Any
) -> None:
    sandbox.personality = Personality(before=before, sorts_by=sorts_by)
    rows = rest.summaries()
    cursor = rows[1][INTERACTIVE]
    assert uuids(rows)[:3] == tied
    assert rest.summaries(before=cursor) == rows[left_out:]
    result = rest.get("/conversations", before=cursor, _limit=2)["metadata"]["result_set"]
    assert result["total_records"] == 15 - left_out


@pytest.mark.parametrize("sorts_by", ["last interactive", "last message"])
def test_before_and_the_medium_go_together(sandbox: Sandbox, rest: Rest, sorts_by: Any) -> None:
    sandbox.personality = Personality(sorts_by=sorts_by)
    rows = rest.summaries()
    cursor = rows[6][INTERACTIVE]
    expected = [row for row in rows if row["medium"] == "websocket" and row[INTERACTIVE] < cursor]
    assert 0 < len(expected) < 6
    assert rest.summaries(before=cursor, medium="websocket") == expected


def test_before_asks_when_somebody_last_spoke(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    sandbox.personality = Personality(sorts_by="last message")
    last = rest.summaries(medium="websocket")[-1]["conversation_uuid"]
    clock.advance(60)
    rest.put(f"/conversations/{last}/join")
    rows = rest.summaries()
    assert (rows[0]["conversation_uuid"], rows[0][INTERACTIVE] < rows[0][LAST]) == (last, True)
    assert rest.summaries(before=rows[0][LAST]) == rows


def test_a_cursor_that_is_ignored_may_be_anything(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.personality = Personality(before="ignored")
    assert len(rest.summaries(before="yesterday")) == 12


@pytest.mark.parametrize(("offset", "limit", "status"), [(0, 10, 200), (5, 5, 200), (6, 5, 400), (10, 1, 400)])
def test_a_list_may_not_go_deep(sandbox: Sandbox, rest: Rest, offset: int, limit: int, status: int) -> None:
    sandbox.personality = Personality(list_cap=10)
    response = rest.http.get("/conversations", params={"_offset": offset, "_limit": limit})
    assert response.status_code == status
    if status == 400:
        assert "10" in response.json()["error"]["user_message"]


def test_a_page_may_be_smaller_than_asked_for(sandbox: Sandbox, rest: Rest) -> None:
    rows = rest.summaries()
    sandbox.personality = Personality(list_page_cap=5)
    page = rest.get("/conversations", _limit=10, _offset=5)
    assert page["conversations"] == rows[5:10]
    assert page["metadata"]["result_set"] == {
        "count": 5, "offset": 5, "limit": 5, "more": True, "next_offset": 10, "total_records": 12,
    }  # fmt: skip
    assert len(rest.summaries(_limit=3)) == 3


def test_a_page_may_not_say_what_follows(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.personality = Personality(counts_rows=False)
    for offset, count in ((0, 10), (10, 2)):
        result = rest.get("/conversations", _limit=10, _offset=offset)["metadata"]["result_set"]
        assert result == {"count": count, "offset": offset, "limit": 10}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 200])
@pytest.mark.parametrize("every", [1, 2, 3, 5, 12, 13])
def test_rows_may_be_repeated(sandbox: Sandbox, rest: Rest, every: int, size: int) -> None:
    rows = uuids(rest.summaries())
    expected = [each for at, row in enumerate(rows, start=1) for each in ([row, row] if at % every == 0 else [row])]
    sandbox.personality = Personality(repeats_every=every)
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = rest.get("/conversations", _limit=size, _offset=offset)
        seen += uuids(page["conversations"])
        assert page["metadata"]["result_set"]["total_records"] == len(expected)
        offset = page["metadata"]["result_set"].get("next_offset")
    assert seen == expected
    assert rest.summaries(_offset=99) == []


def test_some_rows_lack_dates(rest: Rest, contract: Contract) -> None:
    with Sandbox(conversations=100) as sandbox:
        crowded = Rest(sandbox)
        whole = crowded.summaries()
        sandbox.personality = Personality(undated_every=3)
        rows = crowded.summaries()
        lacking = [frozenset(full.keys() - row.keys()) for full, row in zip(whole, rows, strict=True)]
        ways = [{LAST}, {INTERACTIVE}, {LAST, INTERACTIVE}, {LAST, INTERACTIVE, START}]
        assert set(lacking) == {frozenset(), *map(frozenset, ways)}
        assert 15 < sum(map(bool, lacking)) < 55
        assert all(row.items() <= full.items() for full, row in zip(whole, rows, strict=True))
        assert not [each for row in rows for each in contract.complaints("ConversationSummary", row)]
        assert crowded.summaries() == rows
        crowded.http.close()


def test_every_row_may_lack_dates_and_only_rows_do(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.personality = Personality(undated_every=1)
    assert not any(LAST in row and INTERACTIVE in row for row in rest.summaries())
    one = rest.conversation(sandbox.conversation_uuids[0])
    assert {LAST, INTERACTIVE, START} <= one.keys()


@pytest.mark.parametrize("name", ["page_cap", "list_page_cap", "list_cap", "repeats_every", "undated_every"])
def test_a_number_must_be_positive(name: str) -> None:
    wrong: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        Personality(**wrong)


def test_a_way_must_be_known() -> None:
    with pytest.raises(ValueError, match="before must be one of"):
        Personality(before="keyset")  # type: ignore[arg-type]
