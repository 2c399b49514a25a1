"""Presigned uploads: one PUT without credentials, served back, shown with the message."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.live.sandbox.strangers import OpenSocket, Rest, Webchat
from ultracart_conversation.sandbox import Clock, Sandbox


@pytest.fixture
def storage() -> Any:
    with httpx.Client(verify=False) as client:
        yield client


def issue(rest: Rest, extension: str = "png") -> tuple[str, str]:
    issued = rest.get(f"/upload_url/{extension}")["conversation_multimedia_upload_url"]
    return issued["key"], issued["url"]


def test_the_address_looks_presigned(rest: Rest, sandbox: Sandbox) -> None:
    key, url = issue(rest, "PNG")
    parts = urlsplit(url)
    assert parts.netloc == f"127.0.0.1:{sandbox.port}"
    assert not parts.path.startswith("/rest/v2")
    assert key.endswith(".png")
    query = parse_qs(parts.query)
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert query["X-Amz-Expires"] == ["900"]
    assert len(query["X-Amz-Signature"][0]) == 64


def test_the_bytes_come_back_with_the_message(
    rest: Rest, storage: Any, sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket
) -> None:
    key, url = issue(rest)
    assert storage.put(url, content=b"\x89PNG").status_code == 200
    socket = open_socket()
    message = {"body": "look", "upload_keys": [key]}
    socket.send({"type": "message", "conversation_uuid": webchat[0], "message": message})
    pushed = socket.next()["message"]
    stored = rest.messages(webchat[0])[-1]
    assert pushed == stored
    assert stored["upload_keys"] == [key]
    served = storage.get(stored["media_urls"][0])
    assert (served.content, served.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    assert sandbox.effects["put_upload"] == 1


def test_the_history_has_pictures_that_are_served(rest: Rest, storage: Any, sandbox: Sandbox) -> None:
    messages = [said for uuid in sandbox.conversation_uuids for said in rest.messages(uuid)]
    urls = [url for said in messages for url in said.get("media_urls", [])]
    assert storage.get(urls[0]).content.startswith(b"\x89PNG")


@pytest.mark.parametrize("headers", [{"x-ultracart-simple-key": "k"}, {"Authorization": "Bearer t"}])
def test_credentials_are_refused(rest: Rest, storage: Any, headers: dict[str, str]) -> None:
    _, url = issue(rest)
    assert storage.put(url, content=b"x", headers=headers).status_code == 403
    assert storage.put(url, content=b"x").status_code == 200


def test_a_wrong_signature_is_refused(rest: Rest, storage: Any) -> None:
    (_, first), (key, _) = issue(rest), issue(rest)
    query = urlsplit(first).query
    other = first.replace(urlsplit(first).path, f"/uploads/{key}")
    assert storage.put(other, content=b"x").status_code == 403
    assert storage.put(first.replace(query, ""), content=b"x").status_code == 403
    assert storage.put(first.replace("X-Amz-Expires=900", "X-Amz-Expires=9000"), content=b"x").status_code == 403


def test_an_address_works_once(rest: Rest, storage: Any) -> None:
    _, url = issue(rest)
    assert [storage.put(url, content=b"x").status_code for _ in range(2)] == [200, 403]


def test_an_address_expires(rest: Rest, storage: Any, clock: Clock) -> None:
    _, url = issue(rest)
    clock.advance(901)
    assert storage.put(url, content=b"x").status_code == 403


def test_the_length_must_be_known(rest: Rest, storage: Any) -> None:
    _, url = issue(rest)
    assert storage.put(url, content=iter([b"x"])).status_code == 411
    assert storage.put(url, content=b"").status_code == 200


def test_a_media_url_that_leads_nowhere_is_404(storage: Any, sandbox: Sandbox) -> None:
    assert storage.get(f"http://127.0.0.1:{sandbox.port}/media/none.png").status_code == 404


@pytest.mark.parametrize("extension", ["a.b", "%2E%2E", "%2F", "x" * 11])
def test_an_extension_is_letters_and_digits(rest: Rest, extension: str) -> None:
    request = rest.http.build_request("GET", "/upload_url/png")
    path = f"/rest/v2/conversation/upload_url/{extension}".encode()
    request.url = request.url.copy_with(raw_path=path)
    assert rest.http.send(request).status_code == 400
