"""UltraCart's own client and ours, side by side: the same calls to two equal sandboxes read the same values."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.contract import OPERATIONS
from ultracart_conversation import (
    ConversationClient,
    ConversationJoinRequest,
    ConversationStartRequest,
    ConversationWebchatQueueStatusUpdateRequest,
    Limits,
)
from ultracart_conversation.models import Model
from ultracart_conversation.sandbox import Clock, Sandbox

SCRIPT = Path(__file__).parent / "sandbox" / "official_client.py"
OURS: dict[str, type[Model]] = {
    "join_request": ConversationJoinRequest,
    "start_request": ConversationStartRequest,
    "status_request": ConversationWebchatQueueStatusUpdateRequest,
}
Call = tuple[str, dict[str, Any]]


def sandbox(port: int = 0) -> Sandbox:
    """Always the same world, at the same time."""
    return Sandbox(port, clock=Clock(at=1_761_580_800.0), seed=11, customers=4, conversations=40)


def calls(world: Sandbox) -> list[Call]:
    """Every operation of the contract."""
    customer = world.arrive(question="Is the kettle in stock?")
    webchat, *_ = [uuid for uuid in world.conversation_uuids if world.snapshot(uuid)["medium"] == "websocket"]
    named = {"conversation_uuid": webchat}
    return [
        ("get_conversation_webchat_queue_statuses", {}),
        ("get_conversations", {"limit": 30, "offset": 2}),
        ("get_conversations", {"medium": "sms"}),
        ("get_conversation", {**named, "limit": 3}),
        ("get_conversation_messages", {**named, "since": 0, "limit": 200}),
        ("get_conversation_context", named),
        ("get_conversation_multimedia_upload_url", {"extension": "png"}),
        ("get_agent_websocket_authorization", {}),
        ("get_agent_keep_alive", {}),
        ("start_conversation", {"start_request": {"conversation_webchat_queue_uuid": customer.queue_entry_uuid}}),
        ("join_conversation", {**named, "join_request": {"participant_language_iso_code": "de"}}),
        ("mark_read_conversation", named),
        ("leave_conversation", named),
        (
            "update_conversation_webchat_queue_status",
            {"queue_name": "Support", "status_request": {"agent_status": "busy"}},
        ),
        *(("get_conversation", {"conversation_uuid": uuid}) for uuid in world.conversation_uuids),
    ]


def officially(world: Sandbox, wanted: list[Call]) -> list[Any]:
    command = [sys.executable, str(SCRIPT), world.base_url, world.api_key]
    given = json.dumps([{"operation": operation, "arguments": arguments} for operation, arguments in wanted])
    finished = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=True)
    return [answer["result"] for answer in json.loads(finished.stdout)]


async def by_us(world: Sandbox, wanted: list[Call]) -> list[Any]:
    answers: list[Any] = []
    async with ConversationClient(world.api_key, base_url=world.base_url, limits=Limits.unlimited()) as client:
        for operation, arguments in wanted:
            given = {name: OURS[name].from_dict(value) if name in OURS else value for name, value in arguments.items()}
            answer = await getattr(client, operation)(**given)
            answers.append(answer.to_dict() if isinstance(answer, Model) else answer)
    assert not client.drift
    return answers


def as_officially_named(value: Any) -> Any:
    """The official client renames this one field of the wire, and shows empty lists as we do not."""
    if isinstance(value, dict):
        named = {
            name.replace("time_on_Site", "time_on_site"): as_officially_named(item) for name, item in value.items()
        }
        return {name: item for name, item in named.items() if item != []}
    return [as_officially_named(item) for item in value] if isinstance(value, list) else value


@pytest.mark.anyio
async def test_both_read_the_same_values() -> None:
    with sandbox() as world:
        port, wanted = world.port, calls(world)
        expected = officially(world, wanted)
    with sandbox(port) as world:
        assert calls(world) == wanted
        found = await by_us(world, wanted)
    assert {operation for operation, _ in wanted} == OPERATIONS.keys()
    for call, ours, theirs in zip(wanted, found, expected, strict=True):
        assert as_officially_named(ours) == as_officially_named(theirs), call
