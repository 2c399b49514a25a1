"""Many sockets, many conversations."""

import asyncio
import json
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import connect

from ultracart_conversation.sandbox import Agent, Clock, Sandbox, Simulation

NOON = 1_761_580_800.0
VERSION = {"X-UltraCart-Api-Version": "2017-03-01"}


@pytest.mark.asyncio
async def test_200_agents_are_online_at_once() -> None:
    async with Sandbox(clock=Clock(at=NOON), conversations=0) as sandbox, AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=sandbox.base_url, verify=False))

        async def hear(agent: Agent, count: int) -> list[str]:
            headers = {**VERSION, "x-ultracart-simple-key": agent.api_key}
            granted = (await http.put("/conversation/agent/auth", headers=headers)).json()["agent_auth"]
            connection = await stack.enter_async_context(connect(granted["websocket_url"], ping_interval=None))
            ready.release()
            frames = [json.loads(await connection.recv()) for _ in range(count)]
            return [frame["event_new_message"]["last_conversation_message_body"] for frame in frames]

        ready = asyncio.Semaphore(0)
        customer = sandbox.text("0")
        agents = [sandbox.add_agent(f"Agent{number}") for number in range(200)]
        listening = [asyncio.create_task(hear(agent, 5)) for agent in agents]
        for _ in agents:
            await ready.acquire()
        assert sandbox.sockets.count == 200
        for number in range(1, 6):
            customer.write(str(number))
        assert await asyncio.gather(*listening) == [["1", "2", "3", "4", "5"]] * 200
        assert sandbox.sockets.frames.pushed == {"new message": 1000}


@pytest.mark.anyio
@pytest.mark.parametrize("lag", [0.0, 1.0])
async def test_a_page_of_10_000_conversations_is_quick(lag: float) -> None:
    simulation = Simulation()
    customers = [simulation.text("hello") for _ in range(10_000)]
    simulation.lag = lag
    headers = {**VERSION, "x-ultracart-simple-key": simulation.api_key}

    async def seconds(number: int) -> float:
        customers[number].write("again")
        simulation.clock.advance(1)
        began = time.thread_time()
        reply = await simulation.request("GET", "/rest/v2/conversation/conversations?_limit=50", headers=headers)
        spent = time.thread_time() - began
        first = json.loads(reply.body)["conversations"][0]
        assert first["conversation_uuid"] == customers[number].conversation_uuid
        return spent

    # The best of some: a busy machine may spoil one, and not what is slow in itself.
    assert min([await seconds(number) for number in range(8)]) < 0.02


def test_10_000_conversations_are_made_and_changed_quickly() -> None:
    began = time.thread_time()
    simulation = Simulation(conversations=10_000)
    made = time.thread_time()
    assert len(set(simulation.burst(1000))) == 1000
    assert made - began < 6
    assert time.thread_time() - made < 0.6


@pytest.mark.asyncio
@pytest.mark.parametrize("list_lag", [0.0, 30.0])
async def test_a_page_costs_what_its_rows_cost(list_lag: float) -> None:
    """Ten times as many conversations make no page dear, whatever is asked for."""
    few = Simulation(conversations=1000, messages=(1, 3))
    many = Simulation(conversations=10_000, messages=(1, 3))
    few.list_lag = many.list_lag = list_lag

    async def seconds(simulation: Simulation, query: str) -> float:
        simulation.burst(50)
        simulation.clock.advance(1)
        headers = {**VERSION, "x-ultracart-simple-key": simulation.api_key}
        path = f"/rest/v2/conversation/conversations?_limit=100{query}"
        began = time.thread_time()
        assert (await simulation.request("GET", path, headers=headers)).status == 200
        return time.thread_time() - began

    for query in ("", "&_offset=200", "&medium=sms", "&before=2025-10-20T12:00:00-04:00"):
        least = [min([await seconds(simulation, query) for _ in range(8)]) for simulation in (few, many)]
        assert least[1] < 4 * least[0]
