"""What keeps an agent's session online: it connects, replaces what ages, and tries again where that makes sense."""

import logging
import random
from collections.abc import Awaitable, Callable
from math import inf
from typing import cast

import anyio
from anyio.abc import TaskGroup

from ultracart_conversation._live.attempt import Attempts, Opened
from ultracart_conversation._live.backoff import Pace
from ultracart_conversation._live.connection import ConnectionStatistics, Handler
from ultracart_conversation._live.link import Link, Upkeep
from ultracart_conversation._live.links import Links
from ultracart_conversation._live.outcome import Closed, Outcome
from ultracart_conversation._live.rotation import Replacement
from ultracart_conversation._live.socket import Address, Connector
from ultracart_conversation._live.standing import Standing
from ultracart_conversation._live.timing import wait_at_most
from ultracart_conversation._live.verdict import Next, Verdict, judge
from ultracart_conversation._live.wording import discreet, fatal_error, told
from ultracart_conversation.clock import Clock
from ultracart_conversation.config import Backoff, Heartbeat, Rotation
from ultracart_conversation.models import ConversationAgentAuth
from ultracart_conversation.state import Phase, SessionState

_logger = logging.getLogger("ultracart_conversation.live")


class ConnectionLoop:
    """Holds one websocket open, or is on its way to the next; the only writer of the session's state.

    Wait until an attempt is due, make it, follow the verdict, again. One is due when there is no websocket and the
    pace allows one, or when the one in use is to be replaced; that one stays in use until the new one is open.
    """

    def __init__(
        self,
        *,
        authorize: Callable[[], Awaitable[ConversationAgentAuth]],
        address: Callable[[ConversationAgentAuth], Address],
        connector: Connector,
        handler: Handler,
        ping: str | None,
        ping_period: float,
        backoff: Backoff,
        heartbeat: Heartbeat,
        rotation: Rotation,
        clock: Clock,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._attempts = Attempts(authorize=authorize, address=address, connector=connector, clock=clock)
        self._pace = Pace(backoff, draw=draw)
        self._replacement = Replacement(rotation, draw=draw)
        upkeep = Upkeep(heartbeat=heartbeat, ping=ping, ping_period=ping_period)
        self._links = Links(received=handler.received, clock=clock, upkeep=upkeep)
        self._refused = False
        self._shed = False
        self._over = False
        self._fatal: Exception | None = None
        self._wake: anyio.Event | None = None
        self._last_outcome = ""
        self._standing = Standing(changed=handler.changed, clock=clock)

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._standing.state

    async def run(self) -> None:
        """Stay online until `stop`; raises the error that nothing can be done about."""
        try:
            async with anyio.create_task_group() as group:
                await self._stay_online(group)
                self._tell(Phase.CLOSING, "stopped" if self._fatal is None else self._last_outcome)
                self._part()
        except BaseExceptionGroup as errors:
            raise _only(errors) from None
        finally:
            self._over, self._links.in_use = True, None
            self._tell(Phase.CLOSED, None if self.state.phase is Phase.CLOSING else "broken off")
        if self._fatal is not None:
            raise self._fatal

    def caught_up(self, generation: int) -> None:
        """Nothing is left to catch up with on that websocket; it counts when it is the one in use."""
        link = self._links.in_use
        if link is None or link.generation != generation or self.state.phase is Phase.LIVE:
            return
        _logger.info("online with %s, after %.1f s", link, self._standing.offline_for)
        self._tell(Phase.LIVE, "caught up")

    async def send(self, text: str) -> int:
        """Write one message on the websocket in use, and tell its generation.

        Raises `NotConnected` when it was not written, and `WriteLost` when it may have been, as when this is cancelled.
        """
        return await self._links.send(text)

    def rotate(self, reason: str) -> None:
        """Replace the websocket in use as soon as the pace allows."""
        if self._links.in_use is not None:
            self._replacement.want(self._clock.now(), reason)
            self._rouse()

    def shed(self, reason: str) -> None:
        """Close the websocket, hand over nothing more of it, and stay away until `resume`."""
        if self._shed or self._over:
            return
        self._shed = True
        self._part(listening=False)
        self._attempts.call_off()
        self._rouse()
        _logger.info("offline until the session resumes: %s", reason)
        self._tell(self._standing.offline, reason)

    def resume(self) -> None:
        """Come back after `shed`."""
        if self._shed and not self._over:
            self._shed = False
            self._rouse()
            self._tell(self._standing.offline)

    def stop(self) -> None:
        """Let `run` end, after at most the 2 seconds of a closing handshake."""
        self._over = True
        self._attempts.call_off()
        self._rouse()

    def statistics(self) -> ConnectionStatistics:
        """What became of the connections so far."""
        link = self._links.in_use
        return ConnectionStatistics(
            attempts=self._attempts.count,
            connections=self._links.opened,
            rotations=self._links.replaced,
            failures=self._pace.failures(self._clock.now()),
            last_outcome=self._last_outcome,
            silence=None if link is None else link.silence,
            pings=self._links.traffic.pings,
            messages=self._links.traffic.messages,
            size=self._links.traffic.size,
        )

    async def _stay_online(self, group: TaskGroup) -> None:
        while await self._until_due():
            scope = self._attempts.begin()
            self._tell(self.state.phase)
            result = await self._attempts.make(scope)
            if isinstance(result, Opened):
                self._use(result, group)
            elif result is not None:
                self._follow(result)

    async def _until_due(self) -> bool:
        """Wait for the moment of the next attempt; False when there shall be none any more."""
        while not self._over:
            wait = self._due() - self._clock.now()
            if wait <= 0.0:
                return True
            self._wake = anyio.Event()
            await wait_at_most(self._clock, wait, self._wake)
        return False

    def _due(self) -> float:
        if self._shed:
            return inf
        return self._pace.earliest() if self._links.in_use is None else max(self._pace.earliest(), self._replacement.at)

    def _use(self, opened: Opened, group: TaskGroup) -> None:
        """Take a new websocket into use, and let go of the one that it replaces."""
        link = self._links.make(opened)
        self._pace.accepted(link.opened)
        group.start_soon(self._keep, link, name=str(link))
        if self._over or self._shed:
            link.leave(listening=False)
            return
        old, why, ticket = self._links.use(link), self._replacement.why, link.ticket
        if old is not None:
            _logger.info("%s replaces %s: %s", link, old, why)
        self._replacement.plan(link.opened, asked=ticket.asked, lifetime=ticket.lifetime)
        self._tell(self._standing.offline, None if old is None else why)
        self._handler.opened(link.generation, ticket.auth)

    async def _keep(self, link: Link) -> None:
        end = await link.run()
        if link is self._links.in_use:
            self._lost(link, discreet(end, secret=link.ticket.secret))

    def _lost(self, link: Link, outcome: Outcome) -> None:
        now = self._clock.now()
        self._links.in_use = None
        self._pace.ended(now)
        if isinstance(outcome, Closed):
            self._replacement.lost(now, asked=link.ticket.asked, lifetime=link.ticket.lifetime)
        self._handler.lost(link.generation, outcome)
        self._follow(outcome)
        self._rouse()

    def _follow(self, outcome: Outcome) -> None:
        """Do what the table says about a failed attempt or a lost connection."""
        if self._over:
            return
        now = self._clock.now()
        failures = self._pace.failed(now)
        verdict = judge(outcome, failures=failures, refused=self._refused and failures > 1)
        self._refused, self._last_outcome = verdict.refused, told(outcome)
        if verdict.next is Next.GIVE_UP:
            self._fatal = fatal_error(outcome)
            self.stop()
        elif verdict.next is Next.AFTER_WAIT:
            self._pace.wait(now, at_least=verdict.at_least)
        self._log(verdict)
        if self._links.in_use is None and not self._over:
            self._tell(self._standing.offline, self._last_outcome)

    def _log(self, verdict: Verdict) -> None:
        wait = max(0.0, self._due() - self._clock.now())
        what_next = "giving up" if self._over else f"connecting in {wait:.1f} s"
        _logger.log(verdict.level, "websocket %d: %s; %s", self._links.generation, self._last_outcome, what_next)

    def _part(self, *, listening: bool = True) -> None:
        if self._links.part(listening=listening):
            self._pace.ended(self._clock.now())

    def _rouse(self) -> None:
        if self._wake is not None:
            self._wake.set()

    def _tell(self, phase: Phase, reason: str | None = None) -> None:
        self._standing.tell(phase, reason, generation=self._links.generation, next_attempt=self._next_attempt())

    def _next_attempt(self) -> float | None:
        """When it connects again, while it waits for that."""
        waiting = self._links.in_use is None and not (self._shed or self._over or self._attempts.under_way)
        due = self._due()
        return due if waiting and due > self._clock.now() else None


def _only(error: BaseException) -> BaseException:
    """The one error in a group of one, else the error itself."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    return _only(group.exceptions[0]) if len(group.exceptions) == 1 else group
