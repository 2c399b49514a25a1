"""The byte stream under a websocket: TCP, through a proxy where the environment says so, and TLS."""

import os
import socket
import ssl
from typing import cast

import anyio
from anyio.abc import AnyByteStream
from anyio.streams.tls import TLSStream

from ultracart_conversation._live.proxy import Proxy, proxy_for, tunnel

LOST = (
    anyio.BrokenResourceError,
    anyio.BusyResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    OSError,
)
"""What a stream raises when it carries nothing any more; a busy one is TLS that must write in order to read."""


class Line:
    """A connection from its first packet on: whoever made the `Line` can hang up, wherever `connect` was cancelled."""

    def __init__(self) -> None:
        self.towards = ""
        """Whom it is to reach right now, for whoever reports that it did not."""
        self._stream: AnyByteStream | None = None

    @property
    def stream(self) -> AnyByteStream:
        """What carries the bytes; there is one once `connect` has returned."""
        if self._stream is None:
            raise RuntimeError("nobody has called connect")
        return self._stream

    async def connect(self, host: str, port: int, *, ssl_context: ssl.SSLContext, secure: bool) -> None:
        """Reach `host`, with TLS when `secure`; raises `CannotOpen` for a proxy's refusal, and `LOST` or ValueError."""
        proxy = proxy_for(host, port, secure=secure)
        if proxy is None:
            self.towards = f"{host}:{port}"
            self._stream = await anyio.connect_tcp(host, port)
        else:
            await self._tunnel(host, port, proxy=proxy, ssl_context=ssl_context)
        if secure:
            await self._encrypt(host, ssl_context)

    async def hang_up(self) -> None:
        """Close the connection at once; works while cancelled, and may be repeated."""
        if self._stream is not None:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()

    async def _tunnel(self, host: str, port: int, *, proxy: Proxy, ssl_context: ssl.SSLContext) -> None:
        self.towards = f"the proxy {proxy.host}:{proxy.port}"
        self._stream = await anyio.connect_tcp(proxy.host, proxy.port)
        if proxy.scheme == "https":
            await self._encrypt(proxy.host, ssl_context)
        self.towards = f"{host}:{port} through the proxy {proxy.host}:{proxy.port}"
        await tunnel(self.stream, host, port, proxy=proxy)

    async def _encrypt(self, host: str, ssl_context: ssl.SSLContext) -> None:
        # REST shares the context and may offer HTTP/2 by it, in which there is no upgrade to a websocket.
        ssl_context.set_alpn_protocols(["http/1.1"])
        self._stream = await TLSStream.wrap(
            self.stream, hostname=host, ssl_context=ssl_context, standard_compatible=False
        )


def explain(error: BaseException) -> str:
    """What happened to a connection, in a few words and without a secret."""
    match _root(error):
        case ssl.SSLCertVerificationError() as root:
            return f"its TLS certificate is not accepted: {root.verify_message}"
        case ssl.SSLError() as root:
            return f"TLS failed: {(root.reason or 'unknown reason').replace('_', ' ').lower()}"
        case socket.gaierror() | ValueError():
            return "its name cannot be resolved"
        case anyio.EndOfStream():
            return "the connection was closed"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return "the connection was lost"


def _root(error: BaseException) -> BaseException:
    """The first of what led to `error`."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return _root(group.exceptions[0])
    return error if error.__cause__ is None else _root(error.__cause__)
