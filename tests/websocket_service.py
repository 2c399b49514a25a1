"""A service of websockets in memory, on a virtual clock."""

from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable
from json import dumps

import anyio
from anyio.lowlevel import checkpoint

from tests.virtual_clock import VirtualClock
from ultracart_conversation._live.outcome import CannotOpen, Closed, Denied, SocketEnded, Unreachable
from ultracart_conversation._live.socket import Address
from ultracart_conversation.errors import UltraCartError
from ultracart_conversation.models import ConversationAgentAuth


def jwt_of(**claims: object) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join([*(urlsafe_b64encode(dumps(part).encode()).rstrip(b"=").decode() for part in parts), "signature"])


class FakeSocket:
    """The client's end of one websocket, and the strings that the service pulls."""

    def __init__(self, service: "Service", address: Address) -> None:
        self.service = service
        self.address = address
        self.sent: list[str] = []
        self.pings = 0
        self.close_code: int | None = None
        self._inbox: deque[str | bytes | None] = deque()
        self._end: Closed | None = None
        self._news = anyio.Event()

    def push(self, message: str | bytes | None) -> None:
        self._inbox.append(message)
        self._rouse()

    def end(self, code: int = 1006, reason: str = "") -> None:
        """The service closes, or the line breaks."""
        self._end = self._end or Closed(code, reason)
        self._rouse()

    async def send(self, text: str, /) -> None:
        await self._pass()
        self.sent.append(text)

    async def receive(self) -> str | bytes | None:
        self.service.gate()
        await checkpoint()
        while not self._inbox:
            if self._end is not None:
                self._gone()
                raise SocketEnded(self._end)
            self._news = anyio.Event()
            await self._news.wait()
        self.service.gate()
        return self._inbox.popleft()

    async def ping(self) -> None:
        await self._pass()
        self.pings += 1
        if self.service.pongs:
            self.push(None)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._end is not None:
            return
        self.close_code = code
        await self._pass()
        if self.service.answers_close:
            self.end(code, reason)

    async def abort(self) -> None:
        self.end()
        self._gone()
        self.service.gate()
        await checkpoint()

    async def _pass(self) -> None:
        self.service.gate()
        await checkpoint()
        while self.service.stuck and self._end is None:
            self._news = anyio.Event()
            await self._news.wait()
        if self._end is not None:
            raise SocketEnded(self._end)
        self.service.gate()

    def _rouse(self) -> None:
        self._news.set()

    def _gone(self) -> None:
        self.service.open.discard(self)
        self.service.fewest_open = min(self.service.fewest_open, len(self.service.open))


class Service:
    """Authorizes, opens websockets, or does not."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.gate: Callable[[], None] = lambda: None
        """Called wherever somebody waits for this service, before and after."""
        self.refusals: deque[UltraCartError] = deque()
        """What the next authorizations raise."""
        self.failures: deque[Unreachable | Denied] = deque()
        """What the next handshakes end with."""
        self.unauthorized: UltraCartError | None = None
        self.down: Unreachable | Denied | None = None
        self.flap: int | None = None
        """The code that every websocket is closed with at once."""
        self.pongs = True
        self.answers_close = True
        self.stuck = False
        """Nothing can be written any more."""
        self.lifetime: float | None = None
        """Seconds that a token is good for."""
        self.slow = anyio.Event()
        """Handshakes are answered once it is set."""
        self.slow.set()
        self.slow_rest = anyio.Event()
        """Authorizations are answered once it is set."""
        self.slow_rest.set()
        self.tokens: list[str] = []
        self.attempts: list[float] = []
        self.accepted: list[float] = []
        self.sockets: list[FakeSocket] = []
        self.open: set[FakeSocket] = set()
        self.most_open = 0
        self.fewest_open = 99

    @property
    def latest(self) -> FakeSocket:
        return self.sockets[-1]

    async def authorize(self) -> ConversationAgentAuth:
        self.attempts.append(self.clock.now())
        self.gate()
        await checkpoint()
        await self.slow_rest.wait()
        self.gate()
        if self.refusals:
            raise self.refusals.popleft()
        if self.unauthorized is not None:
            raise self.unauthorized
        claims = {} if self.lifetime is None else {"exp": self.clock.time() + self.lifetime}
        self.tokens.append(jwt_of(**claims, n=len(self.tokens)))
        return ConversationAgentAuth(jwt=self.tokens[-1], websocket_url="wss://example.test/agent")

    def address(self, auth: ConversationAgentAuth) -> Address:
        return Address(url=f"{auth.websocket_url}?token={auth.jwt}", secret=auth.jwt or "")

    async def __call__(self, address: Address, /) -> FakeSocket:
        self.gate()
        await checkpoint()
        await self.slow.wait()
        self.gate()
        failure = self.failures.popleft() if self.failures else self.down
        if failure is not None:
            raise CannotOpen(failure)
        socket = FakeSocket(self, address)
        self.sockets.append(socket)
        self.open.add(socket)
        self.accepted.append(self.clock.now())
        self.most_open = max(self.most_open, len(self.open))
        if self.flap is not None:
            socket.end(self.flap)
        return socket

    def most_accepted_within(self, seconds: float) -> int:
        return max(
            (sum(start <= at < start + seconds for at in self.accepted) for start in self.accepted),
            default=0,
        )
