"""The real client and session on a simulated UltraCart: no socket, no thread, no real time."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
from anyio.lowlevel import checkpoint

from ultracart_conversation import Address, ConversationClient, Limits
from ultracart_conversation._live.outcome import CannotOpen, Closed, Denied, SocketEnded, Unreachable
from ultracart_conversation.sandbox import Simulation
from ultracart_conversation.sandbox.flight import Dropped
from ultracart_conversation.sandbox.handshake import Denied as Refusal
from ultracart_conversation.sandbox.local_socket import Listener, LocalSocket


class SimulatedTransport(httpx.AsyncBaseTransport):
    """Carries requests to the simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        within: float | None = request.extensions["timeout"]["read"]
        try:
            reply = await self._simulation.request(
                request.method,
                str(request.url),
                headers=dict(request.headers),
                body=await request.aread(),
                within=within,
            )
        except ConnectionRefusedError as error:
            raise httpx.ConnectError(str(error)) from error
        except Dropped as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


class SimulatedSocket:
    """One websocket of the simulation, as the session wants it."""

    def __init__(self) -> None:
        self.local: LocalSocket | None = None
        self._heard: deque[str | None] = deque()
        self._end: Closed | None = None
        self._news = anyio.Event()

    @property
    def listener(self) -> Listener:
        return Listener(on_text=self._hear, on_end=self._ended, on_pong=lambda: self._hear(None))

    async def send(self, text: str, /) -> None:
        await checkpoint()
        try:
            self._check().send(text)
        except ConnectionError:
            raise SocketEnded(Closed(1006)) from None

    async def receive(self) -> str | bytes | None:
        while not self._heard:
            if self._end is not None:
                raise SocketEnded(self._end)
            self._news = anyio.Event()
            await self._news.wait()
        return self._heard.popleft()

    async def ping(self) -> None:
        await checkpoint()
        try:
            self._check().ping()
        except ConnectionError:
            raise SocketEnded(Closed(1006)) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await checkpoint()
        if self.local is not None:
            self.local.close(code, reason)

    async def abort(self) -> None:
        if self.local is not None:
            self.local.reset()

    def _check(self) -> LocalSocket:
        if self._end is not None or self.local is None:
            raise SocketEnded(self._end or Closed(1006))
        return self.local

    def _hear(self, text: str | None) -> None:
        self._heard.append(text)
        self._news.set()

    def _ended(self, code: int | None, reason: str) -> None:
        self._end = Closed(1006 if code is None else code, reason)
        self._news.set()


class SimulatedConnector:
    """Opens websockets to the simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    async def __call__(self, address: Address, /) -> SimulatedSocket:
        socket = SimulatedSocket()
        try:
            socket.local = await self._simulation.connect(
                address.url,
                socket.listener,
                headers=dict(address.headers),
                subprotocols=address.subprotocols,
                within=10,
            )
        except Refusal as refusal:
            raise CannotOpen(Denied(refusal.status)) from None
        except (ConnectionRefusedError, TimeoutError) as error:
            raise CannotOpen(Unreachable(str(error))) from None
        return socket


def client_of(simulation: Simulation, *, limits: Limits | None = None, **options: Any) -> ConversationClient:
    """A client of the simulation, on its time and with the service's own limits."""
    return ConversationClient(
        simulation.api_key,
        base_url=simulation.base_url,
        transport=SimulatedTransport(simulation),
        clock=simulation.timeline,
        limits=limits,
        **options,
    )


async def play(simulation: Simulation, scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario, and let time pass whenever everybody waits for it."""
    done = anyio.Event()

    async def run() -> None:
        try:
            await scenario()
        finally:
            done.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        while not done.is_set():
            await simulation.timeline.advance(1.0)
