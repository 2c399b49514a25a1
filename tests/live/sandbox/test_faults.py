"""What can be made to go wrong with requests, and whether the effect happened."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import Fault, FaultKind, Sandbox

JOIN = "/conversations/{}/join"


@pytest.fixture
def join(sandbox: Sandbox, rest: Rest) -> Iterator[Callable[[], httpx.Response]]:
    """Joins a conversation that our agent is not in; the effect is counted by the sandbox."""
    uuid = sandbox.text("hi").conversation_uuid
    yield lambda: rest.http.put(JOIN.format(uuid), timeout=0.5)
    assert sandbox.faults.pending == ()
    assert rest.http.get("/conversations").status_code == 200


def effect(sandbox: Sandbox) -> int:
    return sandbox.effects["join_conversation"]


@pytest.mark.parametrize(("kind", "effects"), [("drop before", 0), ("drop after", 1)])
@pytest.mark.parametrize("reset", [False, True])
def test_the_connection_drops(sandbox: Sandbox, join: Any, kind: FaultKind, effects: int, *, reset: bool) -> None:
    sandbox.faults.add(Fault(kind=kind, reset=reset))
    with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
        join()
    assert effect(sandbox) == effects
    assert sandbox.requests[-1].status is None


def test_the_header_stops_half_way(sandbox: Sandbox, join: Any) -> None:
    sandbox.faults.add(Fault(kind="half header"))
    with pytest.raises(httpx.RemoteProtocolError):
        join()
    assert effect(sandbox) == 1


def test_the_body_is_shorter_than_declared(sandbox: Sandbox, join: Any) -> None:
    sandbox.faults.add(Fault(kind="truncated body"))
    with pytest.raises(httpx.RemoteProtocolError):
        join()
    assert effect(sandbox) == 1


def test_a_stall_ends_with_the_client(sandbox: Sandbox, join: Any) -> None:
    sandbox.faults.add(Fault(kind="stall"))
    with pytest.raises(httpx.ReadTimeout):
        join()
    assert effect(sandbox) == 0


def test_a_stall_may_come_after_the_effect(sandbox: Sandbox, join: Any) -> None:
    sandbox.faults.add(Fault(kind="stall", effect=True))
    with pytest.raises(httpx.ReadTimeout):
        join()
    assert effect(sandbox) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", ["envelope", "html", "empty"])
def test_a_status_comes_with_any_body(sandbox: Sandbox, join: Any, status: int, body: Any) -> None:
    sandbox.faults.add(Fault(kind="status", status=status, body=body, text="No.", headers={"Retry-After": "3"}))
    response = join()
    assert response.status_code == status
    assert response.headers["Retry-After"] == "3"
    assert response.headers["UC-REST-ERROR"] == "No."
    content = response.text
    match body:
        case "envelope":
            assert json.loads(content)["error"]["user_message"] == "No."
        case "html":
            assert content.startswith("<!doctype html>")
        case _:
            assert content == ""
    assert effect(sandbox) == 0


@pytest.mark.parametrize(
    ("kind", "content_type", "start"),
    [
        ("html", "text/html; charset=utf-8", "<!doctype"),
        ("empty", "application/json", ""),
        ("refused", "application/json", '{"success":false'),
    ],
)
def test_a_200_may_be_no_success(sandbox: Sandbox, rest: Rest, kind: FaultKind, content_type: str, start: str) -> None:
    sandbox.faults.add(Fault(kind=kind, operation="get_conversations"))
    response = rest.http.get("/conversations")
    assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
    assert response.text.startswith(start)
    assert bool(response.text) is bool(start)


def test_the_content_type_is_wrong(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="wrong content type"))
    response = rest.http.get("/conversations")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert len(response.json()["conversations"]) == 12


def test_the_answer_comes_late(sandbox: Sandbox, join: Any) -> None:
    sandbox.faults.add(Fault(kind="delay", delay=0.05))
    began = time.monotonic()
    assert join().status_code == 204
    assert time.monotonic() - began >= 0.05
    assert effect(sandbox) == 1


def test_the_answer_comes_byte_by_byte(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="slow", interval=0.001))
    with rest.http.stream("GET", "/upload_url/png") as response:
        pieces = list(response.iter_raw())
    assert len(pieces) > 50
    assert json.loads(b"".join(pieces))["success"] is True


def test_an_error_of_many_megabytes(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="huge body", size=3_000_001))
    response = rest.http.get("/conversations")
    assert (response.status_code, len(response.content)) == (500, 3_000_001)


def test_a_gzip_bomb(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="gzip bomb", size=5_000_001))
    with rest.http.stream("GET", "/conversations") as response:
        packed = b"".join(response.iter_raw())
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 10_000
    assert gzip.decompress(packed) == b" " * 5_000_001


def test_a_fault_is_for_its_operation_a_number_of_times_after_some(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="status", operation="get_conversations", times=2, after=1))
    assert rest.http.get("/agent/keepalive").status_code == 204
    assert [rest.http.get("/conversations").status_code for _ in range(4)] == [200, 500, 500, 200]


def test_a_fault_can_stay_until_removed(sandbox: Sandbox, rest: Rest) -> None:
    fault = sandbox.faults.add(Fault(kind="status", times=None))
    other = sandbox.faults.add(Fault(kind="status", operation="start_conversation"))
    assert {rest.http.get("/conversations").status_code for _ in range(3)} == {500}
    sandbox.faults.remove(fault)
    assert rest.http.get("/conversations").status_code == 200
    assert list(sandbox.faults.pending) == [other]
    sandbox.faults.clear()
    assert list(sandbox.faults.pending) == []


def test_a_refused_request_uses_no_fault_up(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="status", status=503))
    assert rest.http.get("/conversations", headers={"x-ultracart-simple-key": "wrong"}).status_code == 401
    assert rest.http.get("/conversations").status_code == 503


@pytest.mark.parametrize("wrong", [{"kind": "drop"}, {"kind": "status", "body": "xml"}])
def test_a_misspelt_fault_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        Fault(**wrong)


def test_uploads_can_fail_too(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="drop before", operation="put_upload"))
    url = rest.get("/upload_url/png")["conversation_multimedia_upload_url"]["url"]
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.put(url, content=b"x", verify=False)
    assert httpx.put(url, content=b"x", verify=False).status_code == 200
