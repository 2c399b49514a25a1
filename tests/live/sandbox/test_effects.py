"""What operations do: to the state that REST shows, to the counters, and to the sockets of the agents."""

from typing import Any

import pytest

from tests.live.sandbox.strangers import OpenSocket, Rest, RestAs, Webchat
from ultracart_conversation.sandbox import Clock, Sandbox


def participant(conversation: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in conversation["participants"] if each["conversation_participant_name"] == name)


def test_picking_up_begins_the_webchat(sandbox: Sandbox, rest: Rest, open_socket: OpenSocket, clock: Clock) -> None:
    customer = sandbox.arrive(name="Grace Holm", question="Where is my order?", queue="Sales")
    customer.write("Hello?")
    waiting = rest.queue("Sales")
    socket = open_socket()
    clock.advance(90)
    started = rest.put("/conversations", {"conversation_webchat_queue_uuid": customer.queue_entry_uuid})
    assert socket.names() == [
        "new conversation", "message", "new message", "message", "new message", "queue status update",
    ]  # fmt: skip
    uuid = started["conversation"]["conversation_uuid"]
    conversation = rest.conversation(uuid)
    assert customer.conversation_uuid == uuid
    assert [said["body"] for said in conversation["messages"]] == ["Where is my order?", "Hello?"]
    assert conversation["medium"] == "websocket"
    assert {each["conversation_participant_name"] for each in conversation["participants"]} == {
        "Grace Holm",
        "Ada Park",
    }
    after = rest.queue("Sales")
    assert (waiting["customer_waiting_count"], after["customer_waiting_count"]) == (1, 0)
    assert after["customer_active_count"] == 1
    assert after["customer_chat_count"] == waiting["customer_chat_count"] + 1
    assert sandbox.effects["start_conversation"] == 1


def test_an_entry_is_picked_up_once(sandbox: Sandbox, rest: Rest) -> None:
    wanted = {"conversation_webchat_queue_uuid": sandbox.arrive().queue_entry_uuid}
    assert rest.http.put("/conversations", json=wanted).status_code == 200
    assert rest.http.put("/conversations", json=wanted).status_code == 400
    assert sandbox.effects["start_conversation"] == 1


def test_participants_open_an_sms_conversation(sandbox: Sandbox, rest: Rest, open_socket: OpenSocket) -> None:
    socket = open_socket()
    started = rest.put("/conversations", {"add_conversation_participant_arns": ["+15551234567"]})["conversation"]
    assert started["medium"] == "sms"
    assert participant(started, "+15551234567")["sms_phone_number"] == "+15551234567"
    assert socket.names() == ["new conversation"]
    again = {"add_conversation_participant_arns": ["+15551234567"], "resolve_only": True}
    resolved = rest.put("/conversations", again)["conversation"]
    assert resolved["conversation_uuid"] == started["conversation_uuid"]
    assert rest.put("/conversations", {**again, "add_conversation_participant_arns": ["+1"]}) == {}
    assert sandbox.effects["start_conversation"] == 1


def test_a_conversation_arn_invites_people(rest: Rest, webchat: Webchat, open_socket: OpenSocket) -> None:
    uuid, _ = webchat
    socket = open_socket()
    arn = rest.conversation(uuid)["conversation_arn"]
    body = {"conversation_arn": arn, "add_conversation_participant_arns": ["+15550001111"]}
    invited = rest.put("/conversations", body)["conversation"]
    assert len(invited["participants"]) == 3
    assert socket.names() == ["participant join"]
    assert rest.http.put("/conversations", json={**body, "conversation_arn": "arn:none"}).status_code == 400


@pytest.mark.parametrize("body", [{}, {"resolve_only": True}])
def test_a_start_without_anybody_is_400(rest: Rest, body: dict[str, object]) -> None:
    assert rest.http.put("/conversations", json=body).status_code == 400


def test_joining_and_leaving(
    sandbox: Sandbox, rest_as: RestAs, rest: Rest, webchat: Webchat, open_socket: OpenSocket
) -> None:
    uuid, _ = webchat
    socket = open_socket()
    colleague = sandbox.add_agent("Noor Aziz")
    other = rest_as(colleague.api_key)
    for _ in range(2):
        other.put(f"/conversations/{uuid}/join", {"participant_language_iso_code": "fr"})
    frames = socket.drain()
    assert [frame.get("event_type") for frame in frames] == ["participant join", None, "new message"]
    assert frames[0]["event_participant_join_participant"]["conversation_participant_name"] == "Noor Aziz"
    assert frames[1]["message"]["type"] == "notice"
    assert participant(rest.conversation(uuid), "Noor Aziz")["language_iso_code"] == "fr"
    for _ in range(2):
        other.delete(f"/conversations/{uuid}/leave")
    assert socket.names() == ["participant left", "message", "new message"]
    assert participant(rest.conversation(uuid), "Noor Aziz")["left_dts"]
    other.put(f"/conversations/{uuid}/join")
    assert "left_dts" not in participant(rest.conversation(uuid), "Noor Aziz")
    assert sandbox.effects["join_conversation"] == 2
    assert sandbox.effects["leave_conversation"] == 1


def test_joining_an_sms_conversation_is_silent(sandbox: Sandbox, rest: Rest, open_socket: OpenSocket) -> None:
    uuid = sandbox.text("hi").conversation_uuid
    socket = open_socket()
    rest.put(f"/conversations/{uuid}/join")
    assert socket.names() == ["participant join"]
    assert len(rest.messages(uuid)) == 1


def test_marking_read(sandbox: Sandbox, rest: Rest, webchat: Webchat, open_socket: OpenSocket) -> None:
    uuid, customer = webchat
    socket = open_socket()
    customer.write("news")
    before = rest.conversation(uuid)
    assert before["unread_messages"] is True
    assert participant(before, "Ada Park")["unread_messages"] == 2
    for _ in range(2):
        rest.put(f"/conversations/{uuid}/markread")
    after = rest.conversation(uuid)
    assert after["unread_messages"] is False
    assert participant(after, "Ada Park")["unread_messages"] == 0
    frames = socket.drain()
    assert [frame.get("event_type") for frame in frames] == [None, "new message", "read message"]
    assert frames[-1]["event_read_message"]["message_epoch"] == after["messages"][-1]["message_epoch"]
    assert sandbox.effects["mark_read_conversation"] == 1


def test_a_status_counts_in_its_queue_alone(sandbox: Sandbox, rest: Rest, open_socket: OpenSocket) -> None:
    socket = open_socket()
    before, sales = rest.queue("Support"), rest.queue("Sales")
    for _ in range(2):
        rest.put("/conversations/queues/Support/status", {"agent_status": "available"})
    after = rest.queue("Support")
    assert after["agent_available_count"] == before["agent_available_count"] + 1
    assert after["agent_unavailable_count"] == before["agent_unavailable_count"] - 1
    assert rest.queue("Sales") == sales
    frames = socket.drain()
    assert [frame["event_queue_status_update"] for frame in frames] == [after]
    assert sandbox.effects["update_conversation_webchat_queue_status"] == 1
    custom = {"agent_status": "busy", "custom_status_name": "Lunch", "custom_status_uuid": "u"}
    rest.put("/conversations/queues/Support/status", custom)
    assert rest.queue("Support")["agents"][0]["custom_status_name"] == "Lunch"


@pytest.mark.parametrize(("queue", "status"), [("Support", "asleep"), ("Support", None), ("Nowhere", "busy")])
def test_an_impossible_status_is_400(rest: Rest, queue: str, status: str | None) -> None:
    path = f"/conversations/queues/{queue}/status"
    assert rest.http.put(path, json={"agent_status": status}).status_code == 400


def test_keepalive_notes_that_the_agent_is_there(sandbox: Sandbox, rest: Rest, clock: Clock) -> None:
    before = sandbox.agent.last_alive_ms
    rest.get("/agent/keepalive")
    assert (before, sandbox.agent.last_alive_ms) == (None, clock.epoch_ms())
    assert sandbox.effects["get_agent_keep_alive"] == 1


def test_the_context_follows_the_customer(rest: Rest, webchat: Webchat, open_socket: OpenSocket) -> None:
    uuid, customer = webchat
    socket = open_socket()
    customer.browse("https://demo.ultracartstore.example/sale")
    customer.put_in_cart("TEA-EARL", quantity=3)
    context = rest.put(f"/conversations/{uuid}/context")
    assert context["current_url"] == "https://demo.ultracartstore.example/sale"
    assert context["page_view"][-1]["url"] == context["current_url"]
    assert "TEA-EARL" in {item["item_id"] for item in context["cart"]["items"]}
    total = sum(item["total_cost"]["value"] for item in context["cart"]["items"])
    assert context["cart"]["summary"]["total"]["value"] == pytest.approx(total)
    assert context["session_start"]["time_on_Site"] > 0
    assert context["session_utm"]["utm_source"] == "newsletter"
    events = [frame["event_webchat_context"] for frame in socket.drain()]
    assert [event["cart_id"] for event in events] == [context["cart"]["cart_id"]] * 2


def test_sms_has_no_context(sandbox: Sandbox, rest: Rest) -> None:
    uuid = sandbox.text("hi").conversation_uuid
    assert rest.http.put(f"/conversations/{uuid}/context").status_code == 400


def test_a_customer_who_gives_up_is_counted(
    sandbox: Sandbox, rest: Rest, open_socket: OpenSocket, clock: Clock
) -> None:
    socket = open_socket()
    before = rest.queue("Support")
    customer = sandbox.arrive()
    clock.advance(30)
    customer.leave()
    after = rest.queue("Support")
    assert after["customer_abandon_count"] == before["customer_abandon_count"] + 1
    assert after["queue_entries"] == []
    assert socket.names() == ["queue new member", "queue status update", "queue status update"]


def test_a_customer_who_leaves_closes_the_conversation(rest: Rest, webchat: Webchat, open_socket: OpenSocket) -> None:
    uuid, customer = webchat
    socket = open_socket()
    customer.leave()
    customer.leave()
    assert rest.conversation(uuid)["closed"] is True
    assert socket.names() == [
        "participant left", "message", "new message", "conversation closed", "queue status update",
    ]  # fmt: skip


def test_other_things_that_customers_do(
    sandbox: Sandbox, rest: Rest, webchat: Webchat, open_socket: OpenSocket
) -> None:
    uuid, customer = webchat
    socket = open_socket()
    customer.type("I wou")
    message_uuid = customer.write("I would")
    customer.edit(message_uuid, "I would like")
    customer.record("x" * 100, parts=3)
    waiting = sandbox.arrive()
    waiting.engage()
    frames = socket.drain()
    assert [frame.get("event_type") for frame in frames] == [
        "typing", None, "new message", "updated message", "rrweb", "rrweb", "rrweb",
        "queue new member", "queue status update", "engage customer",
    ]  # fmt: skip
    assert frames[0]["event_typing"]["value"] == "I wou"
    assert frames[3]["event_updated_message"]["body"] == rest.conversation(uuid)["messages"][-1]["body"]
    assert "".join(frame["event_rrweb"]["data"] for frame in frames[4:7]) == "x" * 100


def test_whole_messages_go_to_those_who_take_part(
    sandbox: Sandbox, rest_as: RestAs, webchat: Webchat, open_socket: OpenSocket
) -> None:
    _, customer = webchat
    bystander = open_socket(rest_as(sandbox.add_agent("Noor Aziz").api_key))
    customer.write("one")
    assert bystander.names() == ["new message"]
    sandbox.sockets.audience = "everyone"
    customer.write("two")
    assert bystander.names() == ["message", "new message"]
