"""A session on a simulated service, and somebody who reads it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs

from tests.simulation.wires import SimulatedConnector, client_of, play
from ultracart_conversation import (
    AgentSession,
    ConversationClient,
    Event,
    GapClosed,
    Limits,
    MessageReceived,
    Phase,
    StateChanged,
)
from ultracart_conversation.sandbox import Simulation


class Watch:
    """Reads a session, and checks on the way what must hold at any moment."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.bodies: dict[str, list[str | None]] = defaultdict(list)
        self._keys: set[str | None] = set()
        self._closed = False

    async def read(self, session: AgentSession) -> None:
        async for event in session:
            self.events.append(event)
            if isinstance(event, StateChanged):
                assert event.state.phase is Phase.LIVE or not self._closed, "a gap is closed while offline"
                self._closed = False
            if isinstance(event, GapClosed) and event.conversation_uuid is None:
                self._closed = True
            if isinstance(event, MessageReceived):
                key = event.message.conversation_message_uuid
                assert key not in self._keys, "handed over twice"
                self._keys.add(key)
                self.bodies[event.conversation_uuid or ""].append(event.message.body)

    @property
    def keys(self) -> set[str | None]:
        return self._keys

    def of(self, *kinds: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]


@attrs.frozen
class Desk:
    """An agent at work."""

    client: ConversationClient
    session: AgentSession
    watch: Watch = attrs.field(factory=Watch)
    """Who reads the session, in `play_watched`."""


@asynccontextmanager
async def online(simulation: Simulation, *, limits: Limits | None = None, **options: Any) -> AsyncIterator[Desk]:
    """A session with these options, which nobody reads and which may not be live yet."""
    connector = SimulatedConnector(simulation)
    async with client_of(simulation, limits=limits) as client:
        async with AgentSession(client, connector=connector, **options) as session:
            yield Desk(client, session)


async def play_watched(simulation: Simulation, scenario: Callable[[Desk], Awaitable[None]], **options: Any) -> None:
    """Run a scenario from when a session is live and read, and let time pass whenever everybody waits for it."""

    async def run() -> None:
        async with online(simulation, **options) as desk, anyio.create_task_group() as group:
            group.start_soon(desk.watch.read, desk.session)
            await desk.session.wait_live()
            await scenario(desk)
            group.cancel_scope.cancel()

    await play(simulation, run)
