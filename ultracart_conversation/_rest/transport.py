"""One exchange over HTTP. The only importer of httpx."""

import logging
import ssl
from collections.abc import AsyncIterable
from functools import cache
from math import inf

import anyio
import httpx
from anyio.lowlevel import current_token

from ultracart_conversation._rest.outcome import Lost, Outcome, Reply, Request, Stage
from ultracart_conversation._wire.redact import hidden_from_logs, watch
from ultracart_conversation.clock import Clock
from ultracart_conversation.config import Timeouts
from ultracart_conversation.errors import ConfigurationError

LARGEST_REPLY = 32 * 1024 * 1024
LARGEST_FAILURE = 64 * 1024
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)

# httpx names whole URLs at INFO, and the query of a presigned one is a secret.
watch(logging.getLogger("httpx"))


@cache
def shared_ssl_context() -> ssl.SSLContext:
    """What verifies UltraCart's certificates; building one costs some 20 ms and 0.5 MB, so the process shares it."""
    return httpx.create_ssl_context()


class HttpTransport:
    """Sends requests below one base URL, and presigned uploads anywhere; never follows a redirect."""

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        http2: bool = False,
    ) -> None:
        self._base = httpx.URL(base_url)
        self._timeouts = timeouts
        self._clock = clock
        self._event_loop: object = None
        # Other transports translate their errors into httpx's, and some call a lost reply a ConnectTimeout.
        foreign = transport is not None and not isinstance(transport, httpx.AsyncHTTPTransport)
        self._nothing_sent = (httpx.ConnectError,) if foreign else _NOTHING_SENT
        # A cancelled request that queues inside the pool can block it for ever, so nobody may queue there:
        # the pool is unlimited, and the budget above it limits.
        try:
            self._client = httpx.AsyncClient(
                transport=transport,
                verify=shared_ssl_context(),
                http2=http2,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            )
        except ImportError as error:
            # Of HTTP/2, or of a SOCKS proxy that the environment names.
            raise ConfigurationError(f"a package is missing: {str(error).partition('. ')[0]}") from None

    async def exchange(self, request: Request, *, deadline: float | None = None) -> Outcome:
        """Send `request` and read its reply to the end, or to the largest size that we read.

        `deadline` is a time of the clock by which the reply must be complete.
        """
        url = self._base.copy_with(raw_path=self._base.raw_path.rstrip(b"/") + request.path.encode("ascii"))
        message = httpx.Request(request.method, url, headers=request.headers, content=request.body)
        latest = self._clock.now() + self._timeouts.total
        return await self._send(message, latest if deadline is None else min(deadline, latest))

    async def put_presigned(
        self, url: str, content: AsyncIterable[bytes], *, size: int, content_type: str | None
    ) -> Outcome:
        """Stream `content` to a presigned URL, with no header of ours but its length and type."""
        headers = {"Content-Length": str(size)} | ({} if content_type is None else {"Content-Type": content_type})
        message = httpx.Request("PUT", url, headers=headers, content=content)
        with hidden_from_logs(message.url.query.decode()):
            return await self._send(message, None)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _send(self, message: httpx.Request, deadline: float | None) -> Outcome:
        if self._client.is_closed:
            raise ConfigurationError("this client is closed: make a new one")
        self._check_event_loop()
        # Time limits are httpx's own, never a cancel scope around the exchange: a cancelled one costs its connection.
        message.extensions["timeout"] = self._limits(deadline)
        try:
            response = await self._client.send(message, stream=True)
            try:
                return await self._read(response, deadline)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            nothing_sent = isinstance(error, self._nothing_sent)
            too_slow = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
            stage = Stage.CONNECTING if nothing_sent else Stage.SENT
            return Lost(stage, _detail(error), too_slow=too_slow, host=message.url.netloc.decode("ascii"))

    def _limits(self, deadline: float | None) -> dict[str, float | None]:
        """Seconds for each step of an exchange, of which none may take longer than is left."""
        left = inf if deadline is None else max(0.001, deadline - self._clock.now())
        connect, read, write = (
            min(limit, left) for limit in (self._timeouts.connect, self._timeouts.read, self._timeouts.write)
        )
        return {"connect": connect, "read": read, "write": write, "pool": connect}

    def _check_event_loop(self) -> None:
        loop = current_token().native_token
        if self._event_loop is None:
            self._event_loop = loop
        if self._event_loop is not loop:
            raise ConfigurationError("this client is in use on another event loop: make one client for each loop")

    async def _read(self, response: httpx.Response, deadline: float | None) -> Outcome:
        limit = LARGEST_REPLY if response.is_success else LARGEST_FAILURE
        body = bytearray()
        undecodable: str | None = None
        # Leaving the loop would leave httpx's generators behind, unfinished; cancelling ends them in order.
        with anyio.CancelScope() as reading:
            try:
                async for chunk in response.aiter_bytes():
                    if len(body) <= limit:
                        body += chunk
                    too_late = deadline is not None and self._clock.now() > deadline
                    if len(body) > limit or too_late:
                        reading.cancel()
            except httpx.DecodingError as error:
                undecodable = _detail(error)
        if reading.cancelled_caught and len(body) <= limit:
            return Lost(Stage.SENT, "the reply came too slowly", too_slow=True)
        return Reply(
            status_code=response.status_code,
            headers=response.headers,
            body=bytes(body[:limit]),
            cut=len(body) > limit,
            undecodable=undecodable,
        )


def _detail(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
