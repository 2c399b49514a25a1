"""The way to the server: TLS, proxies, and both."""

import ssl
from collections.abc import Callable, Iterator

import anyio
import pytest
import trustme

from tests.live.connect_proxy import ConnectProxy, forget_proxies
from tests.live.raw_websocket import CLOSE, Peer, RawServer, frame
from tests.live.tls import client_context, server_context
from ultracart_conversation import ConversationClient, Limits, SystemClock
from ultracart_conversation._live.outcome import CannotOpen, Closed, SocketEnded, Unreachable
from ultracart_conversation._live.proxy import Proxy, proxy_for
from ultracart_conversation._live.socket import Address
from ultracart_conversation._live.transport import WebsocketConnector
from ultracart_conversation._rest.transport import shared_ssl_context
from ultracart_conversation.dialect import Dialect
from ultracart_conversation.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_proxies(monkeypatch)


class EchoServer(RawServer):
    """Repeats what it hears over TLS, and keeps what the TLS handshakes asked for."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(self._echo, tls=context)
        self.names: list[str | None] = []
        self.protocols: list[str | None] = []
        context.sni_callback = lambda _, name, __: self.names.append(name)

    def _echo(self, peer: Peer) -> None:
        assert isinstance(peer.connection, ssl.SSLSocket)
        self.protocols.append(peer.connection.selected_alpn_protocol())
        peer.accept()
        message = b""
        while (received := peer.frame())[0] != CLOSE:
            message += received[2]
            if received[1]:
                peer.send(frame(message))
                message = b""
        peer.send(frame(received[2], opcode=CLOSE))


@pytest.fixture
def echo_server() -> Iterator[EchoServer]:
    with EchoServer(server_context()) as server:
        yield server


async def echoes(url: str, *, context: ssl.SSLContext | None = None) -> None:
    """A message goes to `url` and comes back."""
    connector = WebsocketConnector(clock=SystemClock(), ssl_context=context or client_context())
    socket = await connector(Address(url=url))
    for message in ("hello", "x" * 200_000):
        await socket.send(message)
        assert await socket.receive() == message
    await socket.close()
    with anyio.fail_after(10), pytest.raises(SocketEnded) as ended:
        await socket.receive()
    assert ended.value.end == Closed(1000)


def hanging_up(first: Callable[[Peer], object]) -> Callable[[Peer], None]:
    def talk(peer: Peer) -> None:
        first(peer)
        peer.connection.close()

    return talk


async def unreachable(url: str, *, context: ssl.SSLContext | None = None) -> str:
    with anyio.fail_after(10), pytest.raises(CannotOpen) as caught:
        await WebsocketConnector(clock=SystemClock(), ssl_context=context)(Address(url=url))
    assert isinstance(caught.value.outcome, Unreachable)
    return caught.value.outcome.detail


async def test_tls_with_the_name_of_the_host(echo_server: EchoServer) -> None:
    await echoes(echo_server.url(host="localhost"))
    assert echo_server.names == ["localhost"]


async def test_an_unknown_authority_is_not_trusted(echo_server: EchoServer) -> None:
    where, why = f"localhost:{echo_server.port}", "unable to get local issuer certificate"
    for context in (None, client_context(trustme.CA())):
        told = await unreachable(echo_server.url(host="localhost"), context=context)
        assert told == f"{where}: its TLS certificate is not accepted: {why}"


async def test_another_hosts_certificate_is_not_accepted() -> None:
    with EchoServer(server_context("chat.example", "127.0.0.1")) as server:
        told = await unreachable(server.url(host="localhost"), context=client_context())
        await echoes(server.url())
    assert "certificate is not accepted: Hostname mismatch" in told


async def test_a_server_without_tls_is_no_secure_one() -> None:
    with RawServer(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        told = await unreachable(server.url().replace("ws:", "wss:"))
    assert told.startswith(f"127.0.0.1:{server.port}: TLS failed: ")


async def test_a_secure_server_that_ends_without_goodbye_is_1006() -> None:
    with RawServer(hanging_up(Peer.accept), tls=server_context()) as server:
        connector = WebsocketConnector(clock=SystemClock(), ssl_context=client_context())
        socket = await connector(Address(url=server.url(host="localhost")))
        with pytest.raises(SocketEnded) as ended:
            await socket.receive()
    assert ended.value.end.code == 1006


async def test_http_2_is_never_negotiated() -> None:
    offering_both = server_context()
    offering_both.set_alpn_protocols(["h2", "http/1.1"])
    context = client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with EchoServer(offering_both) as server:
        await echoes(server.url(host="localhost"), context=context)
    assert server.protocols == ["http/1.1"]


def test_the_process_has_one_context() -> None:
    assert shared_ssl_context() is shared_ssl_context()
    assert shared_ssl_context().verify_mode is ssl.CERT_REQUIRED
    assert shared_ssl_context().check_hostname


async def come_online(sandbox: Sandbox) -> None:
    async with ConversationClient(sandbox.api_key, base_url=sandbox.base_url, limits=Limits.unlimited()) as client:
        granted = (await client.get_agent_websocket_authorization()).agent_auth
    assert granted is not None
    socket = await WebsocketConnector(clock=SystemClock())(Dialect().address(granted))
    await socket.send('{"type":"ping"}')
    assert await socket.receive() == '{"type":"ping"}'
    await socket.abort()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_rest_and_websocket_take_the_same_proxy(
    ultracart_sandbox: Sandbox, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(credentials="agent:pässword") as proxy:
        monkeypatch.setenv(variable, f"http://agent:p%C3%A4ssword@127.0.0.1:{proxy.port}")
        await come_online(ultracart_sandbox)
    here = f"127.0.0.1:{ultracart_sandbox.port}"
    assert proxy.requests == [
        f"PUT http://{here}/rest/v2/conversation/agent/auth HTTP/1.1",
        f"CONNECT {here} HTTP/1.1",
    ]
    assert "token" not in proxy.heads[1]


@pytest.mark.parametrize("exempt", ["127.0.0.1", "example.com,127.0.0.1", "*"])
async def test_rest_and_websocket_leave_out_the_same_hosts(
    ultracart_sandbox: Sandbox, exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy() as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", exempt)
        await come_online(ultracart_sandbox)
    assert proxy.requests == []


@pytest.mark.parametrize("to_the_proxy", ["http", "https"])
async def test_tls_goes_through_a_proxy(
    echo_server: EchoServer, to_the_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(tls=server_context() if to_the_proxy == "https" else None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{to_the_proxy}://localhost:{proxy.port}")
        monkeypatch.setenv("HTTP_PROXY", "http://localhost:1")
        await echoes(echo_server.url(host="localhost"))
    assert proxy.requests == [f"CONNECT localhost:{echo_server.port} HTTP/1.1"]
    assert echo_server.names == ["localhost"]


async def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with ConnectProxy(credentials="agent:password") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://agent:wrong@127.0.0.1:{proxy.port}")
        told = await unreachable("wss://chat.example/")
    assert told == f"the proxy 127.0.0.1:{proxy.port} refused the tunnel: 407 Proxy Authentication Required"


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"\x00" * 70_000, b"HTTP/1.1 200 OK\r\n\r\nand something more"]
)
async def test_a_proxy_that_speaks_something_else(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(lambda peer: peer.send(answer)) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
        told = await unreachable("wss://chat.example/")
    assert told == f"the proxy 127.0.0.1:{server.port} does not answer in HTTP"


async def test_a_proxy_that_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(hanging_up(Peer.head)) as server:
        where = f"the proxy 127.0.0.1:{server.port}"
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
        assert (
            await unreachable("wss://chat.example/") == f"chat.example:443 through {where}: the connection was closed"
        )
    assert await unreachable("wss://chat.example/") == f"{where}: connection refused"


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("socks5://127.0.0.1:1080", "a socks5 proxy, which can carry no websocket here: "),
        ("socks5h://agent:secret@127.0.0.1", "a socks5h proxy, which can carry no websocket here: "),
        ("ftp://agent:secret@127.0.0.1", "a proxy by something other than http://host:port or https://host:port"),
        ("http://", "a proxy by something other than http://host:port"),
        ("http://agent:secret@127.0.0.1:99999", "a proxy by something that is no URL"),
        ("http://[agent:secret@127.0.0.1", "a proxy by something that is no URL"),
    ],
)
async def test_a_proxy_that_is_none(proxy: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    told = await unreachable("wss://chat.example/")
    assert told.startswith(f"the environment names {why}")
    assert "secret" not in told


@pytest.mark.parametrize(
    ("named", "exempt", "host", "expected"),
    [
        ("127.0.0.1:3128", "", "chat.example", Proxy(scheme="http", host="127.0.0.1", port=3128)),
        ("http://proxy", "", "chat.example", Proxy(scheme="http", host="proxy", port=80)),
        ("https://proxy/", "", "chat.example", Proxy(scheme="https", host="proxy", port=443)),
        ("http://[::1]:3128", "", "chat.example", Proxy(scheme="http", host="::1", port=3128)),
        ("http://u@proxy", "", "chat.example", Proxy(scheme="http", host="proxy", port=80, authorization="Basic dTo=")),
        ("http://proxy", "example", "chat.example", None),
        ("http://proxy", ".example", "chat.example", None),
        ("http://proxy", "chat.example:443", "chat.example", None),
        ("http://proxy", "::1", "::1", None),
        ("http://proxy", "ample", "chat.example", Proxy(scheme="http", host="proxy", port=80)),
        ("http://proxy", "chat.example:8443", "chat.example", Proxy(scheme="http", host="proxy", port=80)),
    ],
)
def test_what_the_environment_says(
    named: str, exempt: str, host: str, expected: Proxy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    monkeypatch.setenv("NO_PROXY", exempt)
    assert proxy_for(host, 443, secure=True) == expected
    assert proxy_for(host, 80, secure=False) is None


def test_a_proxys_password_is_not_told() -> None:
    assert "dTo=" not in repr(Proxy(scheme="http", host="proxy", port=80, authorization="Basic dTo="))


async def test_an_address_of_ipv6_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    with RawServer(hanging_up(lambda peer: lines.append(peer.head().partition("\r\n")[0]))) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
        await unreachable("ws://[2001:db8::1]:8080/")
    assert lines == ["CONNECT [2001:db8::1]:8080 HTTP/1.1"]
