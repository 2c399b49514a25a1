"""Opening a websocket: what is sent, and what becomes of every answer that is none."""

import socket as sockets
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from tests.live.raw_websocket import Peer, RawServer
from tests.live.sandbox.strangers import Rest
from tests.virtual_clock import VirtualClock
from ultracart_conversation import ConversationAgentAuth, ConversationClient, Limits, SystemClock
from ultracart_conversation._live.outcome import CannotOpen, Denied, Unreachable
from ultracart_conversation._live.socket import Address, Connector
from ultracart_conversation._live.transport import WebsocketConnector
from ultracart_conversation.dialect import Dialect
from ultracart_conversation.sandbox import Sandbox, SocketFault

pytestmark = pytest.mark.anyio
SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl+/=="
REPEATED = f"<p>No {SECRET} and no eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl%2B%2F%3D%3D here\x00</p>"


def connector() -> Connector:
    return WebsocketConnector(clock=SystemClock())


def authorization(sandbox: Sandbox, *, with_token: bool = True) -> ConversationAgentAuth:
    rest = Rest(sandbox)
    with rest.http:
        granted = rest.put("/agent/auth")["agent_auth"]
    url = granted["websocket_url"] if with_token else granted["websocket_url"].partition("?")[0]
    return ConversationAgentAuth(jwt=granted["jwt"], websocket_url=url)


async def refusal(address: Address) -> Unreachable | Denied:
    with anyio.fail_after(15), pytest.raises(CannotOpen) as caught:
        await connector()(address)
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    ours = told.partition("_live/transport.py")[2]
    assert ours
    assert SECRET not in ours
    assert quote(SECRET, safe="") not in ours
    return caught.value.outcome


def answering(*parts: bytes, then: Callable[[Peer], object] = Peer.rest) -> Callable[[Peer], None]:
    def talk(peer: Peer) -> None:
        peer.head()
        for part in parts:
            peer.send(part)
        then(peer)

    return talk


@pytest.mark.parametrize("token", ["query", "header", "subprotocol"])
@pytest.mark.parametrize("with_token", [True, False])
async def test_every_dialect_opens(ultracart_sandbox: Sandbox, token: Any, with_token: bool) -> None:
    address = Dialect(token=token).address(authorization(ultracart_sandbox, with_token=with_token))
    socket = await connector()(address)
    await socket.send(Dialect().ping_frame or "")
    assert await socket.receive() == '{"type":"ping"}'
    await socket.abort()
    assert [each.status for each in ultracart_sandbox.sockets.handshakes] == [101]


async def test_the_request_asks_for_no_extension_and_names_us_as_rest_does(ultracart_sandbox: Sandbox) -> None:
    async with ConversationClient(
        ultracart_sandbox.api_key, base_url=ultracart_sandbox.base_url, limits=Limits.unlimited()
    ) as client:
        await client.get_agent_keep_alive()
    heads: list[str] = []
    with RawServer(lambda peer: heads.append(peer.accept())) as server:
        socket = await connector()(Address(url=server.url("/prod?a=b%20c"), headers=(("X-Ours", "1"),)))
        await socket.abort()
    first, *lines = heads[0].split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert first == "GET /prod?a=b%20c HTTP/1.1"
    assert headers["user-agent"] == ultracart_sandbox.requests[-1].headers["user-agent"]
    assert headers["x-ours"] == "1"
    assert len(headers) == len(lines)
    assert not {"sec-websocket-extensions", "sec-websocket-protocol", "origin", "authorization"} & set(headers)


@pytest.mark.parametrize(
    ("status", "detail"),
    [(401, "Unauthorized"), (403, "Forbidden"), (429, "Internal server error"), (503, "Internal server error")],
)
async def test_a_denial_keeps_its_status(ultracart_sandbox: Sandbox, status: int, detail: str) -> None:
    for headers, wait in (({}, None), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None)):
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="refuse", status=status, headers=headers))
        address = Dialect().address(authorization(ultracart_sandbox))
        assert await refusal(address) == Denied(status, detail, wait)
    assert ultracart_sandbox.sockets.count == 0


def http(status: str, body: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


HTML = f"<html>{'x' * 5000}</html>"
TEXT = "Content-Type: text/plain"
DENIALS = {
    "text": (http("401 No", "not\r\n you", TEXT), Denied(401, "not you")),
    "long text": (http("403 No", HTML, TEXT), Denied(403, f"<html>{'x' * 193}…")),
    "html": (http("502 Bad Gateway", HTML, "Content-Type: text/html"), Denied(502, "Bad Gateway")),
    "no body": (http("410 Gone"), Denied(410, "Gone")),
    "nothing but a status": (b"HTTP/1.1 204 \r\n\r\n", Denied(204, "")),
    "redirect": (http("302 Found", "", "Location: wss://evil.example"), Denied(302, "Found")),
    "success": (http("200 OK", "{}"), Denied(200, "OK")),
    "text that is JSON": (http("403 No", "451", TEXT), Denied(403, "451")),
    "odd JSON": (http("500 No", '{"message": ["x"]}'), Denied(500, "No")),
    "chunked": (b"HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Denied(429, "No")),
    "a rate": (http("429 No", '{"message": "rate of 1000 per 3600 s"}'), Denied(429, "rate of 1000 per 3600 s")),
    "a bucket": (
        http("429 No", '{"message": "Limit is a rate of 1000 per 3600 seconds"}'),
        Denied(429, "Limit is a rate of 1000 per 3600 seconds", 3.6),
    ),
    "two waits": (http("429 No", "", "Retry-After: 3", "retry-after: 9"), Denied(429, "No", 3.0)),
    "our secret": (http("404 No", REPEATED, TEXT), Denied(404, "<p>No *** and no *** here </p>")),
    "our secret in JSON": (http("503 No", f'{{"message": "busy {SECRET}"}}'), Denied(503, "busy ***")),
}


@pytest.mark.parametrize(("answer", "expected"), DENIALS.values(), ids=DENIALS)
async def test_what_a_denial_tells(answer: bytes, expected: Denied) -> None:
    with RawServer(answering(answer)) as server:
        url = server.url(f"/?token={quote(SECRET, safe='')}")
        assert await refusal(Address(url=url, secret=SECRET)) == expected
        server.all_gone()


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    ends = lambda peer: peer.connection.shutdown(sockets.SHUT_WR)  # noqa: E731
    with RawServer(answering(b'HTTP/1.1 403 No\r\n\r\n{"message": "Forb', b'idden"}', then=ends)) as server:
        assert await refusal(Address(url=server.url())) == Denied(403, "Forbidden")


UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
MISUNDERSTANDINGS = {
    "SMTP": (b"220 mail.example ESMTP\r\n\r\n", "did not receive a valid HTTP response"),
    "noise": (b"\xff" * 20 + b"\r\n", "did not receive a valid HTTP response"),
    "no key": (UPGRADE + b"\r\n", "missing Sec-WebSocket-Accept header"),
    "a wrong key": (UPGRADE + b"Sec-WebSocket-Accept: AAAA\r\n\r\n", "invalid Sec-WebSocket-Accept header: AAAA"),
    "no upgrade": (b"HTTP/1.1 101 Fine\r\n\r\n", "missing Connection header"),
    "a long header": (b"HTTP/1.1 101 Fine\r\nX: " + b"x" * 9000 + b"\r\n", "did not receive a valid HTTP response"),
    "a long body": (b"HTTP/1.1 403 No\r\nContent-Length: 99999999\r\n\r\n", "did not receive a valid HTTP response"),
}


@pytest.mark.parametrize(("answer", "why"), MISUNDERSTANDINGS.values(), ids=MISUNDERSTANDINGS)
async def test_an_answer_that_is_no_websocket(answer: bytes, why: str) -> None:
    with RawServer(answering(answer)) as server:
        outcome = await refusal(Address(url=server.url()))
        server.all_gone()
    assert outcome == Unreachable(f"the answer to the handshake is no websocket's: {why}")


@pytest.mark.parametrize(
    "extra",
    ["Sec-WebSocket-Extensions: permessage-deflate\r\n", f"Sec-WebSocket-Protocol: jwt, {SECRET}\r\n"],
)
async def test_what_was_not_offered_is_not_accepted_nor_told(extra: str) -> None:
    with RawServer(lambda peer: peer.accept(extra=extra)) as server:
        outcome = await refusal(Address(url=server.url(), secret=SECRET, subprotocols=("jwt",)))
    assert isinstance(outcome, Unreachable)
    assert outcome.detail.startswith("the answer to the handshake is no websocket's: ")
    assert SECRET not in outcome.detail


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 101 Swi", UPGRADE])
async def test_a_server_that_hangs_up(first: bytes) -> None:
    with RawServer(answering(first, then=lambda peer: peer.connection.close())) as server:
        outcome = await refusal(Address(url=server.url()))
    assert outcome == Unreachable("the connection was closed before the handshake was answered")
    with RawServer(answering(first, then=Peer.reset)) as server:
        outcome = await refusal(Address(url=server.url()))
    assert outcome == Unreachable(f"127.0.0.1:{server.port}: connection reset by peer")


async def test_a_port_where_nobody_listens() -> None:
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert await refusal(Address(url=f"ws://127.0.0.1:{port}")) == Unreachable(f"127.0.0.1:{port}: connection refused")


async def test_a_name_that_nobody_has() -> None:
    host = f"{'x' * 64}.example"
    assert await refusal(Address(url=f"wss://{host}")) == Unreachable(f"{host}:443: its name cannot be resolved")


@pytest.mark.parametrize("url", ["", "https://localhost", "ws://", "ws://localhost:port", "ws://[::1", "ws://a#b"])
async def test_what_is_no_address(url: str) -> None:
    assert await refusal(Address(url=url)) == Unreachable("the address is no websocket's URL")


async def test_a_handshake_that_is_never_answered(ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="stall"))
    address = Dialect().address(authorization(ultracart_sandbox))
    outcomes = await outcomes_at_10_s(address, asked=lambda: ultracart_sandbox.sockets.handshakes != [])
    port = ultracart_sandbox.port
    assert outcomes == [Unreachable(f"127.0.0.1:{port}: no answer to the handshake within 10 s")]


async def test_a_proxy_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[str] = []
    with RawServer(lambda peer: heads.append(peer.head())) as server:
        monkeypatch.setenv("http_proxy", server.url().replace("ws", "http", 1))
        monkeypatch.setenv("no_proxy", "nowhere")
        address = Address(url="ws://chat.example:1234/")
        outcomes = await outcomes_at_10_s(address, asked=lambda: heads != [])
        server.all_gone()
    assert outcomes == [
        Unreachable(f"chat.example:1234 through the proxy 127.0.0.1:{server.port}: no connection within 10 s")
    ]


async def outcomes_at_10_s(address: Address, *, asked: Callable[[], bool]) -> list[Unreachable | Denied]:
    """What comes of an attempt at 10 s, and nothing before."""
    clock = VirtualClock()
    outcomes: list[Unreachable | Denied] = []

    async def attempt() -> None:
        with pytest.raises(CannotOpen) as caught:
            await WebsocketConnector(clock=clock)(address)
        outcomes.append(caught.value.outcome)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(attempt)
            while not asked():
                await anyio.sleep(0.001)
            await clock.advance(9.9)
            assert outcomes == []
            await clock.advance(0.2)
    return outcomes
