"""One attempt to come online: a new JWT, its address, a websocket."""

from collections.abc import Awaitable, Callable

import anyio
import attrs

from ultracart_conversation._live.outcome import CannotOpen, Outcome, Unauthorized
from ultracart_conversation._live.rotation import lifetime_of
from ultracart_conversation._live.socket import Address, Connector, Socket
from ultracart_conversation._live.wording import discreet
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import UltraCartError
from ultracart_conversation.models import ConversationAgentAuth


@attrs.frozen(kw_only=True)
class Ticket:
    """What a websocket was opened with."""

    auth: ConversationAgentAuth
    asked: float
    """When, on the clock."""
    lifetime: float | None
    """Seconds from then on that the JWT says it is good for."""
    secret: str = attrs.field(repr=False)


@attrs.frozen
class Opened:
    """A new websocket."""

    socket: Socket
    ticket: Ticket


class Attempts:
    """Makes one attempt at a time, each with a JWT of its own, as each may open one connection only (inferred)."""

    def __init__(
        self,
        *,
        authorize: Callable[[], Awaitable[ConversationAgentAuth]],
        address: Callable[[ConversationAgentAuth], Address],
        connector: Connector,
        clock: Clock,
    ) -> None:
        self._authorize = authorize
        self._address = address
        self._connector = connector
        self._clock = clock
        self._scope: anyio.CancelScope | None = None
        self.count: int = 0

    @property
    def under_way(self) -> bool:
        """Whether one is being made."""
        return self._scope is not None

    def begin(self) -> anyio.CancelScope:
        """Count the next attempt, which `call_off` may end from now on."""
        self.count += 1
        self._scope = anyio.CancelScope()
        return self._scope

    def call_off(self) -> None:
        """End the attempt under way, if there is one."""
        if self._scope is not None:
            self._scope.cancel()

    async def make(self, scope: anyio.CancelScope) -> Opened | Outcome | None:
        """A new websocket, or why there is none; None when it was called off in time."""
        try:
            with scope:
                return await self._open()
            return None
        finally:
            self._scope = None

    async def _open(self) -> Opened | Outcome:
        asked, time = self._clock.now(), self._clock.time()
        try:
            auth = await self._authorize()
            address = self._address(auth)
        except UltraCartError as error:
            return Unauthorized(error)
        try:
            socket = await self._connector(address)
        except CannotOpen as failed:
            return discreet(failed.outcome, secret=address.secret)
        lifetime = lifetime_of(auth.jwt, time=time)
        return Opened(socket, Ticket(auth=auth, asked=asked, lifetime=lifetime, secret=address.secret))
