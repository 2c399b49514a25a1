"""The rules that hold for every operation: headers, credentials, the error envelope, paths, empty answers."""

import json
import re
from datetime import datetime

import httpx
import pytest

from tests.live.sandbox.strangers import Rest, RestAs
from ultracart_conversation.sandbox import Clock, Sandbox

VERSION = {"X-UltraCart-Api-Version": "2017-03-01"}


def test_the_version_header_is_required(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/conversation/agent/keepalive"
    for version in ({}, {"X-UltraCart-Api-Version": "2018-01-01"}):
        response = httpx.get(url, headers={"x-ultracart-simple-key": sandbox.api_key, **version})
        assert response.status_code == 400
        assert "X-UltraCart-Api-Version" in response.json()["error"]["user_message"]


def test_an_unknown_key_is_401(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/conversation/agent/keepalive"
    for key in ({}, {"x-ultracart-simple-key": "wrong"}):
        assert httpx.get(url, headers={**VERSION, **key}).status_code == 401


def test_an_error_has_the_envelope_and_the_headers(rest: Rest) -> None:
    response = rest.http.get("/conversations/nobody")
    text = "Server side object 'conversation' could not be retrieved. It does not exist."
    assert response.status_code == 400
    assert response.json() == {"error": {"developer_message": text, "user_message": text}, "metadata": {}}
    assert response.headers["UC-REST-ERROR"] == text
    assert response.headers["Connection"] == "close"


def test_every_answer_has_its_own_request_id(rest: Rest, sandbox: Sandbox) -> None:
    answers = [rest.http.get("/conversations"), rest.http.get("/nowhere"), rest.http.put("/agent/auth")]
    ids = [answer.headers["X-UltraCart-Request-Id"] for answer in answers]
    assert ids == [request.request_id for request in sandbox.requests]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(("method", "path"), [("GET", "/agent/keepalive"), ("PUT", "/conversations/{}/join")])
def test_an_operation_without_a_result_is_204(rest: Rest, sandbox: Sandbox, method: str, path: str) -> None:
    response = rest.http.request(method, path.format(sandbox.conversation_uuids[0]))
    assert (response.status_code, response.content, response.headers["Content-Length"]) == (204, b"", "0")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations/{}"),
        ("GET", "/conversations/{}/messages/0"),
        ("PUT", "/conversations/{}/context"),
        ("PUT", "/conversations/{}/join"),
        ("PUT", "/conversations/{}/markread"),
        ("DELETE", "/conversations/{}/leave"),
    ],
)
def test_a_missing_object_is_400(rest: Rest, method: str, path: str) -> None:
    response = rest.http.request(method, path.format("00000000-0000-4000-8000-000000000000"))
    assert response.status_code == 400
    assert "It does not exist." in response.json()["error"]["user_message"]


def test_an_unknown_path_is_404_and_a_wrong_method_405(rest: Rest) -> None:
    assert rest.http.get("/elsewhere").status_code == 404
    response = rest.http.post("/conversations")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, PUT"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_a_body_that_is_no_object_is_400(rest: Rest, body: bytes) -> None:
    assert rest.http.put("/conversations", content=body).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"add_conversation_participant_arns": "+1555"},
        {"add_conversation_participant_arns": [5]},
        {"conversation_webchat_queue_uuid": {}},
        {"conversation_arn": 5},
    ],
)
def test_a_field_of_the_wrong_type_is_400(rest: Rest, body: dict[str, object]) -> None:
    response = rest.http.put("/conversations", json=body)
    assert response.status_code == 400
    assert "must be a" in response.json()["error"]["user_message"]


@pytest.mark.parametrize("name", ["R&D / 50% #1", "a?b=c", "Größe", "日本 \U0001f375", "..", "+ +", "%2F"])
def test_a_queue_name_may_hold_any_character(rest: Rest, sandbox: Sandbox, name: str) -> None:
    sandbox.add_queue(name)
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    request = rest.http.build_request("PUT", "/conversations", json={"agent_status": "busy"})
    path = f"/rest/v2/conversation/conversations/queues/{encoded}/status"
    request.url = request.url.copy_with(raw_path=path.encode())
    assert rest.http.send(request).status_code == 204
    assert sandbox.requests[-1].raw_path == path.encode()
    assert rest.queue(name)["agent_busy_count"] == 1


def test_requests_are_recorded(rest: Rest, sandbox: Sandbox) -> None:
    rest.http.get("/conversations", params={"_limit": 2})
    rest.http.put("/conversations", json={"resolve_only": True})
    listing, starting = sandbox.requests
    assert (listing.operation, listing.method, listing.status) == ("get_conversations", "GET", 200)
    assert listing.query == {"_limit": "2"}
    assert listing.headers["x-ultracart-simple-key"] == sandbox.api_key
    assert (starting.operation, starting.status) == ("start_conversation", 400)
    assert json.loads(starting.body) == {"resolve_only": True}
    assert sandbox.api_key not in repr(listing)


def test_dates_are_eastern_to_the_second(rest: Rest, clock: Clock, sandbox: Sandbox) -> None:
    summer = sandbox.text("in October")
    clock.advance(30 * 86400)
    winter = sandbox.text("in November")
    assert rest.conversation(summer.conversation_uuid)["start_dts"] == "2025-10-27T12:00:00-04:00"
    assert rest.conversation(winter.conversation_uuid)["start_dts"] == "2025-11-26T11:00:00-05:00"


def test_dates_follow_the_clocks_that_change(rest: Rest, sandbox: Sandbox) -> None:
    moments = ["2025-03-09T01:59:59-05:00", "2025-03-09T03:00:00-04:00", "2025-11-02T01:59:59-04:00"]
    moments += ["2025-11-02T01:00:00-05:00", "2025-11-02T01:59:59-05:00", "2026-01-01T00:00:00-05:00"]
    customer = sandbox.text("now")
    for moment in moments:
        customer.write(moment, epoch=int(datetime.fromisoformat(moment).timestamp() * 1000) + 999)
    said = rest.conversation(customer.conversation_uuid)["messages"][1:]
    assert [each["message_dts"] for each in said] == [each["body"] for each in said] == moments


def test_nulls_are_never_sent(rest: Rest, sandbox: Sandbox) -> None:
    for uuid in sandbox.conversation_uuids:
        assert "null" not in re.sub(r'"[^"]*"', "", rest.http.get(f"/conversations/{uuid}").text)
    assert "null" not in rest.http.get("/conversations/queues/statuses").text


def test_each_agent_acts_with_their_own_key(sandbox: Sandbox, rest_as: RestAs) -> None:
    newcomer = sandbox.add_agent("Noor Aziz")
    granted = rest_as(newcomer.api_key).put("/agent/auth")["agent_auth"]
    assert granted["conversation_participant_name"] == "Noor Aziz"
    assert granted["conversation_participant_arn"] == newcomer.arn != sandbox.agent.arn
