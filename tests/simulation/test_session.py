"""The real session on a simulated service, for hours of virtual time and many seeds: what it promises, it holds."""

import random

import anyio
import pytest

from tests.live.session.desk import chat
from tests.simulation.desk import Desk, online, play_watched
from tests.simulation.wires import play
from ultracart_conversation import AgentStatus, Gap, GapClosed, MessageReceived, Phase, Sent, Unknown
from ultracart_conversation.sandbox import PERSONALITIES, Customer, Fault, Personality, Simulation, SocketFault

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize(("anyio_backend", "seed"), [("asyncio", 0), ("asyncio", 1), ("trio", 2)])
@pytest.mark.parametrize("personality", PERSONALITIES, ids=str)
async def test_an_hour_of_trouble(personality: Personality, seed: int) -> None:
    dice = random.Random(f"{personality}{seed}")
    simulation = Simulation(seed=seed, personality=personality, conversations=10, latency=(0.01, 0.2))

    async def scenario(desk: Desk) -> None:
        sleep, watch = simulation.timeline.sleep, desk.watch
        customers = [await chat(desk.client, simulation, name=name) for name in ("Ann Lee", "Bo Ek", "Cy Dorn")]
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
        assert desk.session.state.phase is Phase.LIVE
        assert not desk.session.statistics().unresolved
        assert len(watch.of(Gap)) == len([each for each in watch.of(GapClosed) if not each.conversation_uuid])

    await play_watched(simulation, scenario)
    assert simulation.sockets.count == 0
    assert len(simulation.requests) <= 1_000


async def test_what_is_pushed_while_it_catches_up_comes_after_what_was_missed() -> None:
    simulation = Simulation(conversations=10, latency=0.2)

    async def scenario(desk: Desk) -> None:
        sleep, watch = simulation.timeline.sleep, desk.watch
        customer = await chat(desk.client, simulation, name="Ann Lee")
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

    await play_watched(simulation, scenario)


async def test_leaving_waits_for_what_is_to_be_sent() -> None:
    simulation = Simulation(conversations=10, latency=0.5)
    outcomes: list[Sent | Unknown] = []

    async def scenario() -> None:
        async with anyio.create_task_group() as group, online(simulation) as desk:
            uuid = simulation.conversation_uuids[0]

            async def send() -> None:
                outcomes.append(await desk.session.send_message(uuid, "One moment, please"))

            group.start_soon(send)
            await simulation.timeline.sleep(0.1)

    await play(simulation, scenario)
    assert [type(outcome) for outcome in outcomes] == [Sent]


async def test_leaving_is_quick() -> None:
    simulation = Simulation(conversations=10, latency=0.05)
    now = simulation.timeline.now
    left: list[float] = []

    async def scenario() -> None:
        async with online(simulation) as desk:
            await desk.session.wait_live()
            await desk.session.set_status("Support", AgentStatus.AVAILABLE)
            left.append(now())
        left.append(now())

    await play(simulation, scenario)
    assert left[1] - left[0] < 1


async def test_others_messages_come_soon_although_they_share_a_second() -> None:
    simulation = Simulation(conversations=10, latency=0.05)

    async def scenario(desk: Desk) -> None:
        sleep, watch = simulation.timeline.sleep, desk.watch
        customer = simulation.text("one")
        uuid = customer.conversation_uuid
        await sleep(5)
        assert watch.bodies[uuid] == ["one"]
        (first,) = simulation.snapshot(uuid)["messages"]
        customer.write("two", epoch=first["message_epoch"] + 1)
        await sleep(5)
        assert watch.bodies[uuid] == ["one", "two"]

    await play_watched(simulation, scenario, follow="all")
