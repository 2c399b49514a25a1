"""UltraCart's own client reads the sandbox, with its type checks on, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.sandbox.judge import Contract
from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import Clock, Sandbox

SCRIPT = Path(__file__).with_name("official_client.py")
Call = dict[str, Any]


def run(sandbox: Sandbox, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = [{"operation": operation, "arguments": arguments} for operation, arguments in calls]
    command = [sys.executable, str(SCRIPT), sandbox.base_url, sandbox.api_key]
    finished = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, timeout=60, check=True)
    results: list[dict[str, Any]] = json.loads(finished.stdout)
    return results


def test_it_drives_every_operation(sandbox: Sandbox, rest: Rest, contract: Contract) -> None:
    waiting = sandbox.arrive(question="Where is my order?")
    webchat = sandbox.arrive()
    uuid = rest.pick_up(webchat.queue_entry_uuid)
    sandbox.requests.clear()
    colleague = {"start_request": {"add_conversation_participant_arns": ["+15551234567"]}}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("get_agent_keep_alive", {}),
        ("get_agent_websocket_authorization", {}),
        ("get_conversation", {"conversation_uuid": uuid, "limit": 5}),
        ("get_conversation_context", {"conversation_uuid": uuid}),
        ("get_conversation_messages", {"conversation_uuid": uuid, "since": 0, "limit": 50}),
        ("get_conversation_multimedia_upload_url", {"extension": "png"}),
        ("get_conversation_webchat_queue_statuses", {}),
        ("get_conversations", {"medium": "websocket", "limit": 3, "offset": 1}),
        ("leave_conversation", {"conversation_uuid": uuid}),
        ("join_conversation", {"conversation_uuid": uuid, "join_request": {"participant_language_iso_code": "de"}}),
        ("mark_read_conversation", {"conversation_uuid": uuid}),
        ("start_conversation", {"start_request": {"conversation_webchat_queue_uuid": waiting.queue_entry_uuid}}),
        ("start_conversation", colleague),
        (
            "update_conversation_webchat_queue_status",
            {"queue_name": "Support", "status_request": {"agent_status": "available"}},
        ),
    ]
    results = run(sandbox, *calls)
    assert [each for each in results if "error" in each] == []
    assert {operation for operation, _ in calls} == set(contract.seed_operations)
    assert [request.operation for request in sandbox.requests] == [operation for operation, _ in calls]
    read = {operation: each["result"] for (operation, _), each in zip(calls, results, strict=True)}
    assert read["get_agent_keep_alive"] is None
    assert read["get_conversation"]["conversation"]["messages"][0]["body"] == "Is anybody there?"
    assert len(read["get_conversations"]["conversations"]) == 3
    assert read["get_conversation_context"]["session_start"]["time_on_site"] == 42.5
    assert read["start_conversation"]["conversation"]["medium"] == "sms"
    for operation in ("join_conversation", "leave_conversation", "mark_read_conversation"):
        assert sandbox.effects[operation] == 1


def test_it_reads_a_whole_history(clock: Clock) -> None:
    with Sandbox(clock=clock, seed=11, customers=4, conversations=60) as sandbox:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("get_conversation", {"conversation_uuid": uuid}) for uuid in sandbox.conversation_uuids
        ]
        results = run(sandbox, *calls, ("get_conversations", {"limit": 200}))
        assert [each for each in results if "error" in each] == []
        assert len(results[-1]["result"]["conversations"]) == 60


@pytest.mark.parametrize("uuid", ["nobody"])
def test_it_understands_the_errors(sandbox: Sandbox, uuid: str) -> None:
    (result,) = run(sandbox, ("get_conversation", {"conversation_uuid": uuid}))
    assert result["status"] == 400
    assert "It does not exist." in json.loads(result["body"])["error"]["user_message"]
