"""The real session on a simulated service, for hours of virtual time and many seeds: what it promises, it holds."""

import random
from collections import defaultdict

import anyio
import pytest

from tests.simulation.wires import SimulatedConnector, client_of, play
from ultracart_conversation import (
    AgentSession,
    AgentStatus,
    ConversationClient,
    ConversationStartRequest,
    Event,
    Gap,
    GapClosed,
    MessageReceived,
    Phase,
    Sent,
    StateChanged,
    Unknown,
)
from ultracart_conversation.sandbox import PERSONALITIES, Customer, Fault, Personality, Simulation, SocketFault

pytestmark = pytest.mark.anyio


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


def trouble(simulation: Simulation, dice: random.Random) -> None:
    kind = dice.choice(["reset", "close", "silence", "handshake", "frames", "rest", "away", "lag"])
    sockets = simulation.sockets
    if kind == "reset":
        sockets.reset()
    elif kind == "close":
        sockets.close(dice.choice([1000, 1001, 1011, 1012, 4001]))
    elif kind == "silence":
        sockets.silence()
    elif kind == "handshake":
        sockets.faults.add(
            SocketFault(kind=dice.choice(["refuse", "stall", "silent", "reset"]), times=dice.randint(1, 3))
        )
    elif kind == "frames":
        spoilt = dice.choice(["drop", "duplicate", "reorder", "corrupt"])
        sockets.faults.add(SocketFault(kind=spoilt, times=dice.randint(1, 10), rate=0.5))  # type: ignore[arg-type]
    elif kind == "rest":
        simulation.faults.add(Fault(kind="status", status=dice.choice([500, 503]), times=dice.randint(1, 6)))
    elif kind == "away":
        simulation.reachable = not simulation.reachable
    else:
        simulation.lag = dice.choice([0.0, 5.0, 20.0])


def sent(simulation: Simulation, customers: list[Customer]) -> set[str]:
    return {
        message["conversation_message_uuid"]
        for customer in customers
        for message in simulation.snapshot(customer.conversation_uuid)["messages"]
    }


async def chat(simulation: Simulation, client: ConversationClient, name: str) -> Customer:
    customer = simulation.arrive(name=name, question="Is anybody there?")
    await client.start_conversation(ConversationStartRequest(conversation_webchat_queue_uuid=customer.queue_entry_uuid))
    return customer


@pytest.mark.parametrize(("anyio_backend", "seed"), [("asyncio", 0), ("asyncio", 1), ("trio", 2)])
@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
async def test_an_hour_of_trouble(personality: Personality, seed: int) -> None:
    dice = random.Random(f"{personality}{seed}")
    simulation = Simulation(seed=seed, personality=personality, conversations=10, latency=(0.01, 0.2))

    async def scenario() -> None:
        sleep, watch = simulation.timeline.sleep, Watch()
        connector = SimulatedConnector(simulation)
        async with client_of(simulation) as client, AgentSession(client, connector=connector) as session:
            async with anyio.create_task_group() as group:
                group.start_soon(watch.read, session)
                await session.wait_live()
                customers = [await chat(simulation, client, name) for name in ("Ann Lee", "Bo Ek", "Cy Dorn")]
                for _ in range(60):
                    for _ in range(dice.randint(0, 5)):
                        dice.choice(customers).write(str(dice.random()))
                        await sleep(dice.random() * 3)
                    if dice.random() < 0.5:
                        trouble(simulation, dice)
                    await sleep(dice.random() * 60)
                simulation.reachable, simulation.lag = True, 0.0
                simulation.sockets.faults.clear()
                simulation.faults.clear()
                await sleep(1_200)
                assert sent(simulation, customers) <= watch.keys
                assert session.state.phase is Phase.LIVE
                assert not session.statistics().unresolved
                assert len(watch.of(Gap)) == len([each for each in watch.of(GapClosed) if not each.conversation_uuid])
                group.cancel_scope.cancel()

    await play(simulation, scenario)
    assert simulation.sockets.count == 0
    assert len(simulation.requests) <= 1_000


async def test_what_is_pushed_while_it_catches_up_comes_after_what_was_missed() -> None:
    simulation = Simulation(conversations=10, latency=0.2)

    async def scenario() -> None:
        sleep, watch = simulation.timeline.sleep, Watch()
        connector = SimulatedConnector(simulation)
        async with client_of(simulation) as client, AgentSession(client, connector=connector) as session:
            async with anyio.create_task_group() as group:
                group.start_soon(watch.read, session)
                await session.wait_live()
                customer = await chat(simulation, client, "Ann Lee")
                await sleep(5)
                simulation.sockets.reset()
                customer.write("missed")
                while not simulation.sockets.count:
                    await sleep(0.05)
                customer.write("pushed")
                await sleep(60)
                assert watch.bodies[customer.conversation_uuid] == ["Is anybody there?", "missed", "pushed"]
                received = [event for event in watch.events if isinstance(event, MessageReceived)]
                assert not any(event.late for event in received)
                group.cancel_scope.cancel()

    await play(simulation, scenario)


async def test_leaving_waits_for_what_is_to_be_sent() -> None:
    simulation = Simulation(conversations=10, latency=0.5)
    outcomes: list[Sent | Unknown] = []

    async def scenario() -> None:
        connector = SimulatedConnector(simulation)
        async with client_of(simulation) as client, anyio.create_task_group() as group:
            async with AgentSession(client, connector=connector) as session:
                uuid = simulation.conversation_uuids[0]

                async def send() -> None:
                    outcomes.append(await session.send_message(uuid, "One moment, please"))

                group.start_soon(send)
                await simulation.timeline.sleep(0.1)

    await play(simulation, scenario)
    assert [type(outcome) for outcome in outcomes] == [Sent]


async def test_leaving_is_quick() -> None:
    simulation = Simulation(conversations=10, latency=0.05)
    now = simulation.timeline.now
    left: list[float] = []

    async def scenario() -> None:
        connector = SimulatedConnector(simulation)
        async with client_of(simulation) as client:
            async with AgentSession(client, connector=connector) as session:
                await session.wait_live()
                await session.set_status("Support", AgentStatus.AVAILABLE)
                left.append(now())
            left.append(now())

    await play(simulation, scenario)
    assert left[1] - left[0] < 1


async def test_others_messages_come_soon_although_they_share_a_second() -> None:
    simulation = Simulation(conversations=10, latency=0.05)

    async def scenario() -> None:
        sleep, watch = simulation.timeline.sleep, Watch()
        connector = SimulatedConnector(simulation)
        async with client_of(simulation) as client, AgentSession(client, connector=connector, follow="all") as session:
            async with anyio.create_task_group() as group:
                group.start_soon(watch.read, session)
                await session.wait_live()
                customer = simulation.text("one")
                uuid = customer.conversation_uuid
                await sleep(5)
                assert watch.bodies[uuid] == ["one"]
                (first,) = simulation.snapshot(uuid)["messages"]
                customer.write("two", epoch=first["message_epoch"] + 1)
                await sleep(5)
                assert watch.bodies[uuid] == ["one", "two"]
                group.cancel_scope.cancel()

    await play(simulation, scenario)
