"""How long does a page of 200 conversations take to become typed objects, against others who do the same?

Peers: pydantic v2 with the same fields, and the official client's own deserialiser. Each figure is a multiple of
`orjson.loads` on the same bytes in the same run.
"""

import datetime as dt
import gc
import json
import random
from collections.abc import Callable
from time import process_time
from typing import Any

import orjson
import pydantic
from ultracart.api_client import ApiClient
from ultracart.model.conversations_response import ConversationsResponse as OfficialResponse

from ultracart_conversation import ConversationsResponse, Medium, Sentiment
from ultracart_conversation._wire.converter import converter


class Participant(pydantic.BaseModel):
    conversation_participant_arn: str | None = None
    conversation_participant_name: str | None = None
    joined_dts: dt.datetime | None = None
    last_message_dts: dt.datetime | None = None
    status: str | None = None
    unread_messages: int | None = None


class Mood(pydantic.BaseModel):
    mixed: float | None = None
    negative: float | None = None
    neutral: float | None = None
    positive: float | None = None
    sentiment: Sentiment | None = None


class Summary(pydantic.BaseModel):
    closed: bool | None = None
    conversation_arn: str | None = None
    conversation_uuid: str | None = None
    last_conversation_message_body: str | None = None
    last_conversation_participant_arn: str | None = None
    last_conversation_participant_name: str | None = None
    last_interactive_message_dts: dt.datetime | None = None
    last_message_dts: dt.datetime | None = None
    medium: Medium | None = None
    merchant_id: str | None = None
    message_count: int | None = None
    participants: list[Participant] = []
    sentiment: Mood | None = None
    start_dts: dt.datetime | None = None
    unread_messages: bool | None = None
    visible: bool | None = None


class Page(pydantic.BaseModel):
    conversations: list[Summary] = []
    success: bool | None = None


def page(rows: int) -> bytes:
    """A reply of `get_conversations` with that many rows."""
    dice = random.Random(7)
    when = "2025-10-06T16:07:13-04:00"

    def participant(number: int) -> dict[str, Any]:
        arn = f"arn:ultracart:conversation:DEMO:{number}"
        names = {"conversation_participant_arn": arn, "conversation_participant_name": "Grace Holm"}
        return {**names, "joined_dts": when, "last_message_dts": when, "status": "joined", "unread_messages": 0}

    def summary(number: int) -> dict[str, Any]:
        return {
            "closed": False,
            "conversation_arn": f"arn:ultracart:conversation:DEMO:conversation/{number}",
            "conversation_uuid": f"{dice.getrandbits(128):032x}",
            "last_conversation_message_body": "My order has not moved for three days.",
            "last_conversation_participant_arn": "arn:ultracart:conversation:DEMO:1",
            "last_conversation_participant_name": "Grace Holm",
            "last_interactive_message_dts": when,
            "last_message_dts": when,
            "medium": dice.choice(["sms", "websocket"]),
            "merchant_id": "DEMO",
            "message_count": dice.randrange(40),
            "participants": [participant(1), participant(2)],
            "sentiment": {"mixed": 0.1, "negative": 0.2, "neutral": 0.3, "positive": 0.4, "sentiment": "POSITIVE"},
            "start_dts": when,
            "unread_messages": False,
            "visible": True,
        }

    return json.dumps({"conversations": [summary(number) for number in range(rows)], "success": True}).encode()


def best(work: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """The least seconds of each, taken in turns so that a busy machine is busy for all."""
    least = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, function in work.items():
            gc.collect()
            started = process_time()
            function()
            least[name] = min(least[name], process_time() - started)
    return least


def main() -> None:
    body = page(200)
    official = ApiClient()
    ours = converter.get_structure_hook(ConversationsResponse)

    class Reply:
        data = body.decode()

    seconds = best(
        {
            "orjson.loads": lambda: orjson.loads(body),
            "ours": lambda: ours(orjson.loads(body), ConversationsResponse),
            "pydantic, from objects": lambda: Page.model_validate(orjson.loads(body)),
            "pydantic, from bytes": lambda: Page.model_validate_json(body),
            "official client": lambda: official.deserialize(Reply, (OfficialResponse,), True),
        },
        rounds=15,
    )
    for name, value in seconds.items():
        print(f"{name:24} {value / seconds['orjson.loads']:6.1f} x orjson.loads")


if __name__ == "__main__":
    main()
