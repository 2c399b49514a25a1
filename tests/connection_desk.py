"""A connection loop at work: a session that writes down what it is told, and the situations it can be in."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from tests.virtual_clock import VirtualClock, settle
from tests.websocket_service import Service
from ultracart_conversation._live.connection_loop import ConnectionLoop
from ultracart_conversation._live.outcome import Outcome
from ultracart_conversation.config import Backoff, Heartbeat, Rotation
from ultracart_conversation.models import ConversationAgentAuth
from ultracart_conversation.state import Phase, SessionState

PING = '{"type":"ping"}'
CONNECTING, LIVE, RECOVERING, CLOSING, CLOSED = Phase


class Desk:
    """A connection loop at work, with a session that catches up at once unless told otherwise."""

    def __init__(
        self,
        clock: VirtualClock,
        *,
        ping: str | None = PING,
        ping_period: float = 240.0,
        backoff: Backoff | None = None,
        heartbeat: Heartbeat | None = None,
        rotation: Rotation | None = None,
        draw: Callable[[], float] = lambda: 1.0,
        catches_up: bool = True,
    ) -> None:
        self.clock = clock
        self.service = Service(clock)
        self.catches_up = catches_up
        self.told: list[tuple[object, ...]] = []
        self.states: list[SessionState] = []
        self.error: BaseException | None = None
        self.ended = False
        self.scope = anyio.CancelScope()
        self.loop = ConnectionLoop(
            authorize=self.service.authorize,
            address=self.service.address,
            connector=self.service,
            handler=self,
            ping=ping,
            ping_period=ping_period,
            backoff=backoff or Backoff(),
            heartbeat=heartbeat or Heartbeat(),
            rotation=rotation or Rotation(),
            clock=clock,
            draw=draw,
        )

    def opened(self, generation: int, auth: ConversationAgentAuth, /) -> None:
        assert auth.jwt == self.service.tokens[-1]
        self.told.append(("opened", generation))
        if self.catches_up:
            self.loop.caught_up(generation)

    def received(self, generation: int, text: str, /) -> None:
        self.told.append(("received", generation, text))

    def lost(self, generation: int, outcome: Outcome, /) -> None:
        self.told.append(("lost", generation, outcome))

    def changed(self, state: SessionState, /) -> None:
        assert state == self.loop.state
        self.states.append(state)

    def of(self, kind: str) -> list[tuple[object, ...]]:
        return [what[1:] for what in self.told if what[0] == kind]

    @property
    def phase(self) -> Phase:
        return self.loop.state.phase

    @property
    def phases(self) -> list[Phase]:
        """Each phase once for every time it was entered."""
        phases = [state.phase for state in self.states]
        return [phase for before, phase in zip([None, *phases], phases, strict=False) if phase is not before]

    async def start(self, group: TaskGroup) -> None:
        group.start_soon(self._run, name="the loop")
        await self.clock.advance(0.0)

    async def stop(self) -> None:
        """Stop, and see that nothing is left."""
        self.loop.stop()
        await self.clock.advance(2.0)
        self.check_left()

    def check_left(self) -> None:
        assert self.ended
        assert self.service.open == set()
        assert self.phase is Phase.CLOSED

    async def _run(self) -> None:
        with self.scope:
            try:
                await self.loop.run()
            except Exception as error:  # noqa: BLE001 - tests look at it
                self.error = error
            finally:
                self.ended = True


async def _first(desk: Desk, group: TaskGroup) -> None:
    desk.service.slow_rest = anyio.Event()
    await desk.start(group)


async def _catching_up(desk: Desk, group: TaskGroup) -> None:
    desk.catches_up = False
    await desk.start(group)


async def _live(desk: Desk, group: TaskGroup) -> None:
    await desk.start(group)
    await desk.clock.advance(40.0)


async def _recovering(desk: Desk, group: TaskGroup) -> None:
    await _live(desk, group)
    desk.service.slow_rest = anyio.Event()
    desk.service.latest.end(1001)
    await settle()


async def _catching_up_again(desk: Desk, group: TaskGroup) -> None:
    await _live(desk, group)
    desk.catches_up = False
    desk.service.latest.end(1001)
    await desk.clock.advance(40.0)


async def _replacing(desk: Desk, group: TaskGroup) -> None:
    await _live(desk, group)
    desk.service.slow_rest = anyio.Event()
    desk.loop.rotate("deaf")
    await settle()


OFFLINE = {"first": (_first, CONNECTING), "recovering": (_recovering, RECOVERING)}
"""Phases in which an attempt is under way and no websocket is in use."""
ONLINE = {
    "catching up": (_catching_up, CONNECTING),
    "live": (_live, LIVE),
    "catching up again": (_catching_up_again, RECOVERING),
}
REPLACING = {"replacing": (_replacing, LIVE)}
SITUATIONS = {**OFFLINE, **ONLINE, **REPLACING}


@asynccontextmanager
async def nothing_left() -> AsyncGenerator[None]:
    before = {task.id for task in anyio.get_running_tasks()}
    yield
    await settle()
    assert {task.id for task in anyio.get_running_tasks()} == before


async def reach(situation: str, desk: Desk, group: TaskGroup) -> Phase:
    """Begin, and get there."""
    enter, phase = SITUATIONS[situation]
    await enter(desk, group)
    assert desk.phase is phase
    return phase
