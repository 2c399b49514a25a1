"""A small HTTP proxy: tunnels by CONNECT, and forwards plain requests in the absolute form."""

import base64
import select
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.live.raw_websocket import PATIENCE, Peer, RawServer

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "WS_PROXY", "WSS_PROXY", "SOCKS_PROXY")


def forget_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine that runs the tests has."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class ConnectProxy(RawServer):
    """Notes what it was asked for; `credentials` ("user:password") it then wants to see."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, credentials: str | None = None) -> None:
        super().__init__(self._forward, tls=tls)
        self.requests: list[str] = []
        """The first lines, in order."""
        self.heads: list[str] = []
        self._credentials = credentials

    def _forward(self, peer: Peer) -> None:
        head = peer.head()
        self.heads.append(head)
        self.requests.append(head.partition("\r\n")[0])
        if not self._admits(head):
            peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = self.requests[-1].split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        with socket.create_connection((parts.hostname or "", parts.port or 80), PATIENCE) as onward:
            if method == "CONNECT":
                peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                onward.sendall(_in_origin_form(head, parts.path + ("?" + parts.query if parts.query else "")))
            _join(peer.connection, onward)
            with suppress(OSError):
                peer.connection.shutdown(socket.SHUT_WR)

    def _admits(self, head: str) -> bool:
        if self._credentials is None:
            return True
        expected = base64.b64encode(self._credentials.encode()).decode()
        return f"\r\nproxy-authorization: basic {expected}".lower() in head.lower()


def _in_origin_form(head: str, target: str) -> bytes:
    """One request a connection, so that the next one comes through us again."""
    first, *headers = head.split("\r\n")
    kept = [line for line in headers if not line.lower().startswith(("connection:", "proxy-"))]
    return "\r\n".join([f"{first.split(' ')[0]} {target} HTTP/1.1", *kept, "Connection: close", "", ""]).encode()


def _join(client: socket.socket, server: socket.socket) -> None:
    """Carry bytes both ways until one side ends; in one thread, since TLS allows no two at one connection."""
    with suppress(OSError):
        while True:
            buffered = isinstance(client, ssl.SSLSocket) and client.pending() > 0
            for source in [client] if buffered else select.select([client, server], [], [], PATIENCE)[0]:
                data = source.recv(1 << 16)
                if not data:
                    return
                (server if source is client else client).sendall(data)
