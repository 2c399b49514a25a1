"""The sandbox as its users see it: a local UltraCart that starts, is steered, is asked what it saw, and stops."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from .clock import Clock
from .crowd import Crowd
from .limits import RateLimits
from .personality import Personality
from .population import MESSAGES, MessageCounts
from .server import Server
from .service import Service
from .websocket_server import WebsocketServer

T = TypeVar("T")

_EVERYWHERE = ("", "0.0.0.0")  # noqa: S104 - to recognise it, not to listen on it
_TICK = 0.1
"""Seconds between two looks at what is due, while the clock runs by itself."""


class Sandbox(Service):
    """A local UltraCart: REST under `/rest/v2` and the agents' websocket on one port, in a thread of its own.

    `with Sandbox() as sandbox:` and `async with Sandbox() as sandbox:` (asyncio or trio) both work; every method is
    synchronous, may be called from any thread, and has had its effect when it returns. `seed`, `customers` and
    `conversations` decide what there is at first, `messages` how many of them a conversation has at least and at most;
    `rate` is how many things a second the customers do by themselves; `control` opens the same switches over HTTP
    under `/_sandbox`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        seed: int = 7,
        customers: int = 3,
        conversations: int = 25,
        rate: float = 0.0,
        personality: Personality | None = None,
        limits: RateLimits | None = None,
        control: bool = False,
        clock: Clock | None = None,
        api_key: str | None = None,
        messages: MessageCounts = MESSAGES,
    ) -> None:
        super().__init__(
            clock=clock or Clock(),
            seed=seed,
            customers=customers,
            conversations=conversations,
            messages=messages,
            personality=personality,
            limits=limits,
            api_key=api_key,
            control=control,
        )
        self._websockets = WebsocketServer(self._switchboard)
        self._crowd = Crowd(self._world, self._storefront, size=customers, rate=rate)
        self._server = Server(self._serve, host=host, port=port, jobs=[self._crowd.live, self._keep_house])

    def __repr__(self) -> str:
        return f"<Sandbox {self._world.uploads.origin or 'not started'}>"

    def start(self) -> Self:
        """Serve; OSError when the port is taken. After `stop` it serves the same world on the same port again."""
        self._server.start()
        self._world.served_at(f"http://{_reachable(self._server.host)}:{self._server.port}")
        return self

    def stop(self) -> None:
        """Close every connection and end the thread, within a second or so."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._server.port

    def _call(self, function: Callable[[], T], /) -> T:
        return self._server.call(function)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websockets.serve(WebSocket(scope, receive, send))
        else:
            await self._app(scope, receive, send)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._timekeeper.run_due()


def _reachable(host: str) -> str:
    """How a client on this machine writes the host that we listen on."""
    if host in _EVERYWHERE:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
