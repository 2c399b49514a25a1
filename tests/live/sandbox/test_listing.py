"""The list of conversations: order, pages, the cursor, the filter."""

import httpx
import pytest

from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import Clock, Personality, Sandbox


def test_summaries_come_newest_first(rest: Rest, sandbox: Sandbox) -> None:
    rows = rest.summaries()
    times = [row["last_interactive_message_dts"] for row in rows]
    assert len(rows) == 12
    assert sandbox.conversation_uuids == [row["conversation_uuid"] for row in rows]
    assert times[0] > times[-1]
    sandbox.customer(rows[-1]["conversation_uuid"]).write("me again")
    assert rest.summaries()[0]["conversation_uuid"] == rows[-1]["conversation_uuid"]


def test_pages_follow_the_result_set(rest: Rest) -> None:
    first = rest.get("/conversations", _limit=5)
    assert first["metadata"] == {
        "payload_name": "conversations",
        "result_set": {
            "count": 5, "offset": 0, "limit": 5, "more": True, "next_offset": 5, "total_records": 12,
        },
    }  # fmt: skip
    last = rest.get("/conversations", _limit=5, _offset=10)
    assert last["metadata"]["result_set"] == {
        "count": 2, "offset": 10, "limit": 5, "more": False, "total_records": 12,
    }  # fmt: skip
    beyond = rest.get("/conversations", _offset=99)
    assert beyond["conversations"] == []
    assert beyond["success"] is True


@pytest.mark.parametrize("query", [{"_limit": 201}, {"_limit": 0}, {"_limit": "x"}, {"_offset": -1}])
def test_impossible_pages_are_400(rest: Rest, query: dict[str, int | str]) -> None:
    assert rest.http.get("/conversations", params=query).status_code == 400


def test_the_default_page_holds_100_and_the_largest_200() -> None:
    with Sandbox(conversations=210) as sandbox:
        headers = {"X-UltraCart-Api-Version": "2017-03-01", "x-ultracart-simple-key": sandbox.api_key}
        with httpx.Client(base_url=f"{sandbox.base_url}/conversation", headers=headers) as http:
            assert len(http.get("/conversations").json()["conversations"]) == 100
            assert len(http.get("/conversations?_limit=200").json()["conversations"]) == 200


def test_the_medium_filters(rest: Rest) -> None:
    by_medium = {medium: rest.summaries(medium=medium) for medium in ("sms", "websocket")}
    for medium, rows in by_medium.items():
        assert {row["medium"] for row in rows} == {medium}
    assert sum(len(rows) for rows in by_medium.values()) == 12


def test_before_is_an_exclusive_cursor(rest: Rest) -> None:
    rows = rest.summaries()
    cursor = rows[4]["last_interactive_message_dts"]
    assert rest.summaries(before=cursor) == rows[5:]
    assert rest.http.get("/conversations", params={"before": "yesterday"}).status_code == 400


def test_a_notice_moves_a_row_only_when_the_personality_says_so(rest: Rest, sandbox: Sandbox, clock: Clock) -> None:
    last = rest.summaries(medium="websocket")[-1]["conversation_uuid"]
    clock.advance(60)
    rest.put(f"/conversations/{last}/join")
    assert rest.summaries(medium="websocket")[-1]["conversation_uuid"] == last
    sandbox.personality = Personality(sorts_by="last message")
    assert rest.summaries(medium="websocket")[0]["conversation_uuid"] == last


def test_a_summary_tells_of_the_last_message(rest: Rest, sandbox: Sandbox) -> None:
    customer = sandbox.text("first", name="Hugo Weber")
    customer.write("second")
    row = rest.summaries()[0]
    assert row["last_conversation_message_body"] == "second"
    assert row["last_conversation_participant_name"] == "Hugo Weber"
    assert row["last_conversation_participant_arn"] == customer.arn
    assert row["message_count"] == 2
    assert row["unread_messages"] is True
    assert row["customer_first_message_unresponded_to_dts"] == row["start_dts"]
