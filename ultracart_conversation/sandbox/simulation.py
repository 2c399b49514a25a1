"""The sandbox without a network, without threads and without real time: one process, one seed, one outcome."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TypeVar

import anyio
from anyio.lowlevel import checkpoint

from .clock import Clock
from .dice import dice
from .flight import Flight, Reply, http_scope
from .handshake import opening
from .limits import RateLimits
from .local_socket import Listener, LocalSocket
from .network import Latency, Network
from .personality import Personality
from .population import MESSAGES, MessageCounts
from .service import Service
from .timeline import Timeline

T = TypeVar("T")

_ORIGIN = "https://simulation.example"
_NOON = 1_761_580_800.0
"""27 October 2025, 16:00 UTC: noon in New York, still in summer time."""


class Simulation(Service):
    """A `Sandbox` in the task that uses it: the same service, faults and limits, on a clock that only `advance` moves.

    `request` and `connect` work on asyncio and on trio. Every delay, of a fault too, is in the seconds of `timeline`;
    what has none happens at once. `latency` is the time in seconds that anything takes one way, or the two bounds
    between which the seed decides; `messages` how many a conversation has at first, at least and at most. Nothing here
    is safe to use from a second thread.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        at: float = _NOON,
        customers: int = 0,
        conversations: int = 0,
        personality: Personality | None = None,
        limits: RateLimits | None = None,
        api_key: str | None = None,
        latency: Latency = 0.0,
        messages: MessageCounts = MESSAGES,
    ) -> None:
        super().__init__(
            clock=Clock(at=at),
            seed=seed,
            customers=customers,
            conversations=conversations,
            messages=messages,
            personality=personality,
            limits=limits,
            api_key=api_key,
        )
        self._world.served_at(_ORIGIN)
        self._network = Network(self.clock, dice(seed, "network"), latency)
        self.timeline: Timeline = Timeline(self.clock, self._network.agenda)
        """The time of this simulation, for those who tell it, sleep in it or let it pass."""
        self.reachable: bool = True
        """Whether new requests and websockets get through; those that have begun go on in any case."""

    def __repr__(self) -> str:
        return f"<Simulation at {self.clock.now()}>"

    @property
    def latency(self) -> Latency:
        """Seconds one way; may be changed at any time."""
        return self._network.latency

    @latency.setter
    def latency(self, latency: Latency) -> None:
        self._network.latency = latency

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        within: float | None = None,
    ) -> Reply:
        """One HTTP request; `url` may be whole or begin with its path.

        Raises ConnectionRefusedError while the service is not `reachable`, `Dropped` when the connection ended without
        a whole answer, and TimeoutError when that took more than `within` simulated seconds. A request that its caller
        gave up is carried out all the same when it arrives, unless a fault delays that.
        """
        await self._reach()
        scope = http_scope(method, url, headers or {}, length=len(body))
        flight = Flight(self._app, self._network, scope, body)
        landed = anyio.Event()
        flight.depart(landed.set)
        try:
            await self._wait(landed, within)
        finally:
            flight.abandon()
        return flight.result()

    async def connect(
        self,
        url: str,
        listener: Listener,
        *,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        within: float | None = None,
    ) -> LocalSocket:
        """One websocket; what it hears goes to `listener`, even before this returns.

        Raises ConnectionRefusedError while the service is not `reachable`, `Denied` when the handshake is answered
        with a status, and TimeoutError when it is not answered within so many simulated seconds. Cancelling it leaves
        nothing open.
        """
        await self._reach()
        socket = LocalSocket(self._switchboard, self._network, listener)
        landed = anyio.Event()
        socket.dial(opening(url, headers or {}, subprotocols), landed.set)
        try:
            await self._wait(landed, within)
            socket.check_opened()
        except BaseException:
            socket.give_up()
            raise
        return socket

    async def _reach(self) -> None:
        await checkpoint()
        if not self.reachable:
            raise ConnectionRefusedError("the simulation is not reachable")

    async def _wait(self, landed: anyio.Event, within: float | None) -> None:
        """Return when it has landed, or after so long."""
        self._network.deliver()
        waking = self._network.agenda.after(inf if within is None else within, landed.set)
        try:
            await landed.wait()
        finally:
            waking.cancel()

    def _call(self, function: Callable[[], T], /) -> T:
        result = function()
        self._network.deliver()
        return result

    def _next_due(self) -> float | None:
        return self._timekeeper.next_due()
