"""The HTTP proxy that the environment names, as it does for REST, and the tunnel through it."""

import base64
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs
from anyio.abc import AnyByteStream

from ultracart_conversation._live.outcome import CannotOpen, Unreachable

_LONGEST_REPLY = 64 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}


@attrs.frozen(kw_only=True)
class Proxy:
    """Whom to ask for a tunnel; `https` means TLS to the proxy itself."""

    scheme: str
    host: str
    port: int
    authorization: str | None = attrs.field(default=None, repr=False)


def proxy_for(host: str, port: int, *, secure: bool) -> Proxy | None:
    """The proxy on the way to `host`; raises `CannotOpen` for one that cannot tunnel.

    `HTTPS_PROXY` is for wss, `HTTP_PROXY` for ws, `ALL_PROXY` for both, and `NO_PROXY` exempts hosts.
    """
    named = getproxies()
    url = named.get("https" if secure else "http") or named.get("all")
    if not url or proxy_bypass(f"{host}:{port}"):
        return None
    try:
        return _read(urlsplit(url if "://" in url else f"http://{url}"))
    except ValueError:
        _refuse("a proxy by something that is no URL")


async def tunnel(stream: AnyByteStream, host: str, port: int, *, proxy: Proxy) -> None:
    """Make of the connection to the proxy one to `host`; raises `CannotOpen` when the proxy refuses."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    await stream.send("\r\n".join([*lines, "", ""]).encode())
    reply = bytearray()
    while b"\r\n\r\n" not in reply:
        reply += await stream.receive()
        if len(reply) > _LONGEST_REPLY:
            raise CannotOpen(Unreachable(f"the proxy {proxy.host}:{proxy.port} does not answer in HTTP"))
    _check(bytes(reply), proxy)


def _check(reply: bytes, proxy: Proxy) -> None:
    head, _, rest = reply.partition(b"\r\n\r\n")
    version, _, said = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if not version.startswith("HTTP/1.") or rest:
        raise CannotOpen(Unreachable(f"the proxy {proxy.host}:{proxy.port} does not answer in HTTP"))
    if not said.startswith("2"):
        shown = "".join(character for character in said[:100] if character.isprintable())
        raise CannotOpen(Unreachable(f"the proxy {proxy.host}:{proxy.port} refused the tunnel: {shown}"))


def _read(parts: SplitResult) -> Proxy:
    if parts.scheme.startswith("socks"):
        _refuse(f"a {parts.scheme} proxy, which can carry no websocket here: name an HTTP proxy, or exempt the host")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        _refuse("a proxy by something other than http://host:port or https://host:port")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return Proxy(scheme=parts.scheme, host=parts.hostname, port=port, authorization=_authorization(parts))


def _authorization(parts: SplitResult) -> str | None:
    if not parts.username:
        return None
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(user.encode()).decode()}"


def _refuse(what: str) -> NoReturn:
    raise CannotOpen(Unreachable(f"the environment names {what}"))
