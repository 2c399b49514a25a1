"""The frames that an agent sends, as the sandbox and the contract know them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.live.sandbox.judge import Contract
from ultracart_conversation import ConfigurationError
from ultracart_conversation._live import outgoing

UUID = "7d0c"
EASTERN = timezone(timedelta(hours=-4))
LATER = datetime(2025, 10, 27, 16, tzinfo=EASTERN)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "the least of a message": (
        outgoing.message_frame(UUID, "Hi ✓", client_message_id="c-1"),
        {"type": "message", "conversation_uuid": UUID, "message": {"body": "Hi ✓", "client_message_id": "c-1"}},
    ),
    "all of a message": (
        outgoing.message_frame(
            UUID, "", client_message_id="c-2", upload_keys=["k.png"], delay_until=LATER, language_iso_code="de"
        ),
        {
            "type": "message",
            "conversation_uuid": UUID,
            "message": {
                "body": "",
                "client_message_id": "c-2",
                "upload_keys": ["k.png"],
                "delay_until_dts": "2025-10-27T16:00:00-04:00",
                "language_iso_code": "de",
            },
        },
    ),
    "typing": (
        outgoing.typing_frame(UUID, value="Let me"),
        {"type": "event", "event_type": "typing", "conversation_uuid": UUID, "event_typing": {"value": "Let me"}},
    ),
    "read message": (
        outgoing.read_message_frame(UUID, conversation_message_uuid="m-1", message_epoch=5),
        {
            "type": "event",
            "event_type": "read message",
            "conversation_uuid": UUID,
            "event_read_message": {"conversation_message_uuid": "m-1", "message_epoch": 5},
        },
    ),
    "add coupon": (
        outgoing.add_coupon_frame(UUID, "TEA10", agent_arn="arn:a", agent_name="Ada"),
        {
            "type": "event",
            "event_type": "add coupon",
            "conversation_uuid": UUID,
            "event_add_coupon": {"coupon_code": "TEA10", "agent_arn": "arn:a", "agent_name": "Ada"},
        },
    ),
    "add item": (
        outgoing.add_item_frame(UUID, [{"item_id": "TEA", "quantity": 2}]),
        {
            "type": "event",
            "event_type": "add item",
            "conversation_uuid": UUID,
            "event_add_item": {"items": [{"item_id": "TEA", "quantity": 2}]},
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_frame_is_what_the_contract_says(case: str) -> None:
    text, expected = CASES[case]
    assert json.loads(text) == expected
    assert Contract().complaints("ConversationWebsocketMessage", json.loads(text)) == []


def test_a_frame_of_128_kib_is_the_largest() -> None:
    frame = len(outgoing.message_frame(UUID, "", client_message_id="c").encode())
    room = 128 * 1024 - frame
    assert len(outgoing.message_frame(UUID, "x" * room, client_message_id="c").encode()) == 128 * 1024
    with pytest.raises(ConfigurationError, match=r"a message takes 131,073 bytes .* limit is 131,072"):
        outgoing.message_frame(UUID, "x" * (room - 1) + "é", client_message_id="c")


UNSAYABLE: list[Callable[[], str]] = [
    lambda: outgoing.message_frame(UUID, "\ud800", client_message_id="c"),
    lambda: outgoing.add_item_frame(UUID, [{"quantity": Decimal(1)}]),
    lambda: outgoing.message_frame(UUID, "x", client_message_id="c", delay_until=datetime(2025, 1, 1)),
]


@pytest.mark.parametrize("frame", UNSAYABLE)
def test_what_json_cannot_say_is_the_callers_mistake(frame: Callable[[], str]) -> None:
    with pytest.raises(ConfigurationError):
        frame()


def test_a_date_in_any_zone_is_written_with_its_offset() -> None:
    text = outgoing.message_frame(UUID, "x", client_message_id="c", delay_until=LATER.astimezone(UTC))
    assert json.loads(text)["message"]["delay_until_dts"] == "2025-10-27T20:00:00+00:00"
