"""Services, lists and clocks of odd shapes: what can be read is read, for a bounded number of requests."""

import json
from datetime import UTC, datetime
from typing import Any

import attrs
import httpx
import pytest

from tests.polling_desk import HOUR, MANY, MINUTE, Desk, Notebook, pages, play, play_polled, stored, taken
from tests.simulation.wires import SimulatedTransport
from ultracart_conversation import ConversationClient, Limits, MessagePoller
from ultracart_conversation.clock import Clock
from ultracart_conversation.sandbox import Personality, Simulation
from ultracart_conversation.sandbox.exchange import Received

pytestmark = pytest.mark.anyio


@attrs.frozen
class Behind:
    """A clock whose time of day is hours behind."""

    clock: Clock
    hours: float

    def now(self) -> float:
        return self.clock.now()

    def time(self) -> float:
        return self.clock.time() - self.hours * HOUR

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


class Nameless(SimulatedTransport):
    """Rows of the list come without UUIDs."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if not request.url.path.endswith("/conversations"):
            return response
        found = json.loads(await response.aread())
        for row in found["conversations"]:
            del row["conversation_uuid"]
        return httpx.Response(response.status_code, json=found)


async def test_since_may_lie_within_a_second() -> None:
    simulation = Simulation()
    since = datetime.fromtimestamp(simulation.timeline.time() + MINUTE + 0.3, UTC)

    async def scenario(desk: Desk) -> None:
        await simulation.timeline.sleep(MINUTE + 0.5)
        simulation.text("a moment after", name="Ann Lee")
        await desk.look()
        assert desk.notebook.new() == ["a moment after"]

    await play_polled(simulation, scenario, caught_up=False, since=since)


async def test_a_message_that_is_removed_before_it_is_read_does_not_hide_late_ones() -> None:
    simulation = Simulation(conversations=5)

    async def scenario(desk: Desk) -> None:
        first, other = simulation.conversation_uuids[:2]

        def remove(received: Received) -> None:
            if received.conversation_uuid == first:
                simulation.on_request = None
                simulation.records.remove_message(first, removed)

        simulation.customer(first).write("stays")
        simulation.customer(first).write("goes")
        removed = simulation.snapshot(first)["messages"][-1]["conversation_message_uuid"]
        simulation.on_request = remove
        await desk.look()
        assert desk.notebook.new("news") == ["stays"]
        for late in (other, first):
            epoch = int((simulation.timeline.time() - 10 * MINUTE) * 1000)
            simulation.customer(late).write(f"late in {late}", epoch=epoch)
            await desk.look()
            assert desk.notebook.new("news")[-1] == f"late in {late}"
        desk.check()

    await play_polled(simulation, scenario, audit=None)


@pytest.mark.parametrize("before", ["time", "ignored"])
async def test_pages_of_one_row_are_listed_to_the_end(before: Any) -> None:
    simulation = Simulation(conversations=30, personality=Personality(list_page_cap=1, before=before))
    notebook = await followed(simulation, SimulatedTransport(simulation))
    assert notebook.bodies == stored(simulation)
    assert pages(simulation) <= 2 * 30 + 30, "each row once, and a look a minute"


async def test_rows_without_uuids_end_the_listing_like_others() -> None:
    simulation = Simulation(conversations=300, personality=Personality(before="ignored"))
    notebook = await followed(simulation, Nameless(simulation))
    assert notebook.bodies == {}
    assert pages(simulation) <= 3 + 31


async def followed(simulation: Simulation, transport: httpx.AsyncBaseTransport) -> Notebook:
    """What half an hour of looking every minute hands over."""
    notebook = Notebook()

    async def run() -> None:
        async with (
            client_of(simulation, transport, limits=Limits()) as client,
            MessagePoller(client, sink=notebook, interval=MINUTE, audit=None) as poller,
        ):
            await taken(poller, Notebook(), lambda: simulation.timeline.sleep(HOUR / 2))

    await play(simulation, run)
    return notebook


async def test_an_idle_look_is_cheap_with_a_clock_that_is_behind_everything() -> None:
    simulation, notebook = Simulation(conversations=1_000, messages=(1, 1)), Notebook()

    async def run() -> None:
        simulation.burst(250)
        await simulation.timeline.sleep(5 * HOUR)
        clock = Behind(simulation.timeline, hours=8)
        async with (
            client_of(simulation, SimulatedTransport(simulation), clock=clock) as client,
            MessagePoller(client, sink=notebook, audit=None) as poller,
        ):
            for _ in range(3):
                await poller.run_once()
            await simulation.timeline.sleep(MINUTE)
            simulation.request_counts.clear()
            await poller.run_once()
            assert pages(simulation) <= 2

    await play(simulation, run)


def client_of(
    simulation: Simulation,
    transport: httpx.AsyncBaseTransport,
    *,
    clock: Clock | None = None,
    limits: Limits = MANY,
) -> ConversationClient:
    return ConversationClient(
        simulation.api_key,
        base_url=simulation.base_url,
        transport=transport,
        clock=clock or simulation.timeline,
        limits=limits,
    )
