"""Every answer and every frame consists of fields, types and enum values that the contract knows."""

from typing import Any

import pytest

from tests.live.sandbox.judge import Contract
from tests.live.sandbox.strangers import OpenSocket, Rest
from ultracart_conversation.sandbox import Clock, Personality, Sandbox
from ultracart_conversation.sandbox.routes import ROUTES


def test_the_judge_itself_is_strict(contract: Contract) -> None:
    known = {"type": "ping"}
    assert contract.complaints("ConversationWebsocketMessage", known) == []
    wrongs: list[dict[str, Any]] = [
        {"type": "pong"},
        {"strange": 1},
        {"type": None},
        {"message": []},
        {"message": {"message_epoch": 1.0}},
    ]
    for wrong in wrongs:
        assert len(contract.complaints("ConversationWebsocketMessage", wrong)) >= 1
    nested = {"event_add_item": {"items": [{"unit_cost": {"value": "1"}}]}}
    (complaint,) = contract.complaints("ConversationWebsocketMessage", nested)
    assert "items[].unit_cost.value" in complaint


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_answer_conforms(contract: Contract, clock: Clock, seed: int) -> None:
    with Sandbox(clock=clock, seed=seed, customers=4, conversations=25) as sandbox:
        rest = Rest(sandbox)
        answers: list[tuple[str, Any]] = [
            ("get_agent_websocket_authorization", rest.put("/agent/auth")),
            ("get_conversation_multimedia_upload_url", rest.get("/upload_url/png")),
            ("get_conversation_webchat_queue_statuses", rest.get("/conversations/queues/statuses")),
            ("get_conversations", rest.get("/conversations")),
        ]
        for row in rest.summaries():
            path = f"/conversations/{row['conversation_uuid']}"
            answers.append(("get_conversation", rest.get(path)))
            answers.append(("get_conversation_messages", rest.get(f"{path}/messages/0")))
            if row["medium"] == "websocket":
                answers.append(("get_conversation_context", rest.put(f"{path}/context")))
        entry = rest.queue("Sales")["queue_entries"][0]["conversation_webchat_queue_uuid"]
        started = rest.put("/conversations", {"conversation_webchat_queue_uuid": entry})
        answers.append(("start_conversation", started))
        rest.http.close()
    for operation, answer in answers:
        assert contract.complaints(contract.operations[operation]["returns"], answer) == []


def test_every_operation_has_its_documented_method_and_path(contract: Contract) -> None:
    routes = {route.operation: (route.method, "/" + "/".join(route.segments)) for route in ROUTES}
    for name in contract.seed_operations:
        operation = contract.operations[name]
        assert routes[name] == (operation["method"], f"/rest/v2{operation['path']}")


def test_every_frame_conforms(
    contract: Contract, sandbox: Sandbox, rest: Rest, open_socket: OpenSocket, clock: Clock
) -> None:
    sandbox.personality = Personality(counts_messages=False)
    socket = open_socket()
    customer = sandbox.arrive(email="grace@mail.example")
    customer.engage()
    uuid = rest.pick_up(customer.queue_entry_uuid)
    customer.edit(customer.write("hello"), "hello!")
    customer.type("he")
    customer.introduce(name="Grace Holm-Berg", email="grace@berg.example")
    customer.browse("https://demo.ultracartstore.example/sale")
    customer.record("{}", parts=2)
    customer.read()
    rest.put(f"/conversations/{uuid}/markread")
    rest.delete(f"/conversations/{uuid}/leave")
    rest.put(f"/conversations/{uuid}/join")
    rest.put("/conversations/queues/Support/status", {"agent_status": "busy"})
    message = {"body": "x", "client_message_id": "c"}
    socket.send({"type": "message", "conversation_uuid": uuid, "message": message})
    sandbox.text("an SMS")
    customer.leave()
    frames = socket.drain()
    for frame in frames:
        assert contract.complaints("ConversationWebsocketMessage", frame) == []
    assert {frame.get("event_type") for frame in frames} == {
        None, "new conversation", "new message", "updated message", "conversation closed", "participant join",
        "participant left", "participant update", "read message", "typing", "webchat context", "rrweb",
        "queue status update", "queue new member", "engage customer",
    }  # fmt: skip
