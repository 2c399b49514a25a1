"""A clock that is wrong, or put right while a poller works, costs a request or two and no message."""

import pytest

from tests.polling_desk import HOUR, MANY, MINUTE, Notebook, play, stored, taken
from tests.simulation.wires import SimulatedTransport
from ultracart_conversation import ConversationClient, MessagePoller
from ultracart_conversation.clock import Clock
from ultracart_conversation.sandbox import Personality, Simulation

pytestmark = pytest.mark.anyio
DAY = 24 * HOUR


class WrongClock:
    """The service's time, and so many seconds."""

    def __init__(self, right: Clock, seconds: float) -> None:
        self.seconds = seconds
        self._right = right

    def now(self) -> float:
        return self._right.now()

    def time(self) -> float:
        return self._right.time() + self.seconds

    async def sleep(self, seconds: float) -> None:
        await self._right.sleep(seconds)


def client_by(simulation: Simulation, clock: WrongClock) -> ConversationClient:
    transport = SimulatedTransport(simulation)
    return ConversationClient(
        simulation.api_key, base_url=simulation.base_url, transport=transport, clock=clock, limits=MANY
    )


@pytest.mark.parametrize("seconds", [0.0, 25.0, 60.0, -60.0])
async def test_messages_that_show_later_than_the_list_are_found_though_our_clock_is_wrong(seconds: float) -> None:
    simulation = Simulation(conversations=30, personality=Personality(counts_messages=False))
    simulation.lag = 10.0
    notebook = Notebook()

    async def traffic() -> None:
        await simulation.timeline.sleep(5 * MINUTE)
        for _ in range(30):
            simulation.burst(1)
            await simulation.timeline.sleep(7)
        await simulation.timeline.sleep(5 * MINUTE)

    async def run() -> None:
        clock = WrongClock(simulation.timeline, seconds)
        async with (
            client_by(simulation, clock) as client,
            MessagePoller(client, sink=notebook, interval=20, audit=None) as poller,
        ):
            await taken(poller, Notebook(), traffic)

    await play(simulation, run)
    assert notebook.bodies == stored(simulation)
    assert notebook.repeated == []


@pytest.mark.parametrize("seconds", [0.0, -5.0, -5 * MINUTE])
async def test_a_clock_that_is_behind_makes_no_more_new_than_what_was_said_since(seconds: float) -> None:
    simulation = Simulation(conversations=30)
    customer = simulation.customer(simulation.conversation_uuids[0])
    notebook = Notebook()

    async def run() -> None:
        for number in range(20, 0, -1):
            customer.write(f"{number} minutes before")
            await simulation.timeline.sleep(MINUTE)
        customer.write("a second before")
        await simulation.timeline.sleep(1)
        clock = WrongClock(simulation.timeline, seconds)
        async with (
            client_by(simulation, clock) as client,
            MessagePoller(client, interval=20, audit=None) as poller,
        ):
            await taken(poller, notebook, afterwards)

    async def afterwards() -> None:
        await simulation.timeline.sleep(MINUTE)
        customer.write("new")
        await simulation.timeline.sleep(2 * MINUTE)

    await play(simulation, run)
    assert notebook.new()[-1] == "new"
    assert len(notebook.new()) <= 1 + (seconds < 0) + abs(seconds) // MINUTE
    assert notebook.repeated == []


@pytest.mark.parametrize("seconds", [-DAY, -HOUR, HOUR, DAY])
async def test_a_clock_that_is_put_right_holds_nothing_up(seconds: float) -> None:
    simulation = Simulation(conversations=60, latency=1.0)
    clock = WrongClock(simulation.timeline, 0.0)
    notebook = Notebook()

    async def traffic() -> None:
        await simulation.timeline.sleep(10 * MINUTE)
        simulation.burst(30)
        while not notebook.new("news"):
            await simulation.timeline.sleep(1)
        assert notebook.bodies != stored(simulation), "some are still to be read"
        clock.seconds = seconds
        simulation.burst(30)
        await simulation.timeline.sleep(5 * MINUTE)
        assert notebook.bodies == stored(simulation)

    async def run() -> None:
        async with (
            client_by(simulation, clock) as client,
            MessagePoller(client, sink=notebook, interval=60, audit=None, settle=30) as poller,
        ):
            await poller.run_once()
            await taken(poller, Notebook(), traffic)
            assert poller.statistics().backlog == 0

    await play(simulation, run)
    assert notebook.repeated == []
