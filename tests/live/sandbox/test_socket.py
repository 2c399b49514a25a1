"""The agents' websocket: handshake, frames, limits."""

import base64
import hmac
import json
from typing import Any

import pytest
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.live.sandbox.strangers import OpenSocket, Rest, Webchat
from ultracart_conversation.sandbox import Clock, Sandbox

KIB = 1024


def refusal(url: str, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as raised, connect(url, **options):
        pass
    return raised.value.response.status_code


def closing_code(socket: Any) -> int:
    with pytest.raises(ConnectionClosed) as raised:
        socket.connection.recv(timeout=5)
    received = raised.value.rcvd
    assert received is not None
    return int(received.code)


def test_the_url_carries_the_token(rest: Rest, sandbox: Sandbox) -> None:
    granted = rest.put("/agent/auth")["agent_auth"]
    assert granted["websocket_url"].startswith(f"ws://127.0.0.1:{sandbox.port}/")
    assert granted["jwt"] in granted["websocket_url"]


def test_the_token_is_a_jwt(rest: Rest, clock: Clock, sandbox: Sandbox) -> None:
    header, claims, _ = rest.put("/agent/auth")["agent_auth"]["jwt"].split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    assert decoded[0] == {"alg": "HS256", "typ": "JWT"}
    assert decoded[1]["sub"] == sandbox.agent.arn
    assert decoded[1]["exp"] == int(clock.now()) + 300


def test_a_token_opens_one_socket(rest: Rest, sandbox: Sandbox) -> None:
    url = rest.websocket_url()
    with connect(url):
        assert refusal(url) == 403
    sandbox.tokens.single_use = False
    with connect(url), connect(url):
        assert sandbox.sockets.count == 2


def test_a_token_expires(rest: Rest, clock: Clock) -> None:
    url = rest.websocket_url()
    clock.advance(301)
    assert refusal(url) == 403


def test_a_forged_or_absent_token_is_refused(rest: Rest) -> None:
    url = rest.websocket_url()
    bare, _, token = url.partition("?token=")
    signed = token.rpartition(".")[0]
    forged = base64.urlsafe_b64encode(hmac.digest(b"guess", signed.encode(), "sha256")).rstrip(b"=").decode()
    assert refusal(bare) == 401
    assert refusal(f"{bare}?token={signed}.{forged}") == 403
    assert refusal(f"{bare}?token=nonsense") == 403
    assert refusal(f"{bare}/elsewhere?token={token}") == 404


def test_the_token_may_come_in_a_header_or_a_subprotocol(rest: Rest) -> None:
    bare, _, token = rest.websocket_url().partition("?token=")
    with connect(bare, additional_headers={"Authorization": f"Bearer {token}"}):
        pass
    token = rest.websocket_url().partition("?token=")[2]
    with connect(bare, subprotocols=[Subprotocol("jwt"), Subprotocol(token)]) as connection:
        assert connection.subprotocol == "jwt"


def test_a_message_is_stored_pushed_and_echoed(
    rest: Rest, sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket
) -> None:
    uuid, _ = webchat
    sender, other = open_socket(), open_socket()
    said = {"body": "Hi Grace", "client_message_id": "c-1", "language_iso_code": "en"}
    sender.send({"type": "message", "conversation_uuid": uuid, "message": said})
    echo, summary = sender.drain()
    stored = rest.messages(uuid)[-1]
    assert echo == {
        "type": "message",
        "conversation_uuid": uuid,
        "conversation_arn": rest.conversation(uuid)["conversation_arn"],
        "message": stored,
    }
    assert said.items() <= stored.items()
    assert stored["author_conversation_participant_arn"] == sandbox.agent.arn
    assert summary["event_new_message"]["last_conversation_message_body"] == "Hi Grace"
    assert other.drain() == [echo, summary]
    assert sandbox.effects["message"] == 1


def test_the_echo_can_be_switched_off(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket) -> None:
    sandbox.sockets.echo = False
    sender, other = open_socket(), open_socket()
    sender.send({"type": "message", "conversation_uuid": webchat[0], "message": {"body": "Hi"}})
    assert sender.names() == ["new message"]
    assert other.names() == ["message", "new message"]


def test_an_agents_other_frames_have_their_effects(
    rest: Rest, sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket
) -> None:
    uuid, _ = webchat
    sender, other = open_socket(), open_socket()

    def send(event_type: str, **payload: object) -> None:
        sender.send({"type": "event", "event_type": event_type, "conversation_uuid": uuid, **payload})

    send("typing", event_typing={"value": "Let me"})
    send("read message", event_read_message={})
    send("add coupon", event_add_coupon={"coupon_code": "TEA10"})
    send("add item", event_add_item={"items": [{"item_id": "FILTER-100", "quantity": 4}]})
    assert sender.names() == ["webchat context", "webchat context"]
    typing, read, *_ = other.drain()
    assert typing["event_typing"]["author_conversation_participant_arn"] == sandbox.agent.arn
    assert read["event_type"] == "read message"
    assert rest.conversation(uuid)["unread_messages"] is False
    cart = rest.put(f"/conversations/{uuid}/context")["cart"]
    assert cart["coupons"] == [{"coupon_code": "TEA10"}]
    assert {item["item_id"]: item["quantity"] for item in cart["items"]}["FILTER-100"] >= 4
    assert [sandbox.effects[name] for name in ("typing", "read message", "add coupon", "add item")] == [1] * 4


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "null",
        "{}",
        '{"type":"surprise"}',
        '{"type":"event","event_type":"surprise"}',
        '{"type":"message","conversation_uuid":"nobody","message":{"body":"x"}}',
        '{"type":"message","conversation_uuid":{},"message":{"body":"x"}}',
        '{"type":"message","message":{"body":"x"}}',
        '{"type":["message"]}',
    ],
)
def test_a_frame_that_leads_nowhere_gets_the_gateways_error(text: str, open_socket: OpenSocket) -> None:
    socket = open_socket()
    socket.connection.send(text)
    answer = socket.next()
    assert set(answer) == {"message", "connectionId", "requestId"}
    assert answer["message"] == "Internal server error"
    assert socket.drain() == []


def test_a_message_body_must_be_text(webchat: Webchat, open_socket: OpenSocket) -> None:
    socket = open_socket()
    for message in ({"body": 5}, {}, {"body": "x", "upload_keys": [5]}, "text"):
        socket.send({"type": "message", "conversation_uuid": webchat[0], "message": message})
        assert socket.next()["message"] == "Internal server error"


def test_an_sms_has_a_transport_status(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    customer = sandbox.text("hi")
    socket = open_socket()
    socket.send({"type": "message", "conversation_uuid": customer.conversation_uuid, "message": {"body": "yes?"}})
    assert socket.next()["message"]["transport_statuses"] == [
        {"conversation_participant_arn": customer.arn, "status": "SENT_TO_TWILIO"}
    ]


def test_messages_up_to_128_kib_pass(webchat: Webchat, open_socket: OpenSocket) -> None:
    socket = open_socket()
    frame = json.dumps({"type": "message", "conversation_uuid": webchat[0], "message": {"body": "@"}})
    socket.connection.send(frame.replace("@", "x" * (128 * KIB - len(frame) + 1)))
    assert socket.next()["type"] == "message"
    assert socket.next()["event_type"] == "new message"
    socket.connection.send("x" * (128 * KIB + 1))
    assert closing_code(socket) == 1009


def test_single_frames_can_be_limited(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    sandbox.sockets.frame_limit = 32 * KIB
    socket = open_socket()
    socket.connection.send(iter(["x" * 32 * KIB] * 3))
    assert socket.next()["message"] == "Internal server error"
    socket.connection.send("x" * (32 * KIB + 1))
    assert closing_code(socket) == 1009


def test_binary_is_1003(open_socket: OpenSocket) -> None:
    socket = open_socket()
    socket.connection.send(b"\x00\x01")
    assert closing_code(socket) == 1003


def test_an_idle_socket_is_closed_with_1001(clock: Clock, open_socket: OpenSocket) -> None:
    socket = open_socket()
    clock.advance(599)
    assert socket.drain() == []
    clock.advance(600)
    assert closing_code(socket) == 1001


def test_a_socket_lives_two_hours(clock: Clock, open_socket: OpenSocket) -> None:
    socket = open_socket()
    for _ in range(23):
        clock.advance(300)
        assert socket.drain() == []
    clock.advance(300)
    assert closing_code(socket) == 1001
