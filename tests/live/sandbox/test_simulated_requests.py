"""REST in a simulation: the same application, without a network and without real time."""

import json
from typing import Any

import anyio
import pytest
from anyio import to_thread

from tests.live.sandbox.simulated import Stranger, meanwhile
from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import (
    PERSONALITIES,
    Dropped,
    Fault,
    RateLimits,
    Sandbox,
    Simulation,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(conversations=3)


@pytest.fixture
def stranger(simulation: Simulation) -> Stranger:
    return Stranger(simulation)


async def test_it_answers_as_the_sandbox_does(stranger: Stranger, simulation: Simulation) -> None:
    with Sandbox(clock=simulation.clock, customers=0, conversations=3) as sandbox:
        rest = Rest(sandbox)
        for path in ("/conversations", f"/conversations/{simulation.conversation_uuids[0]}", "/conversations/nobody"):
            expected = await to_thread.run_sync(rest.http.get, path)
            reply = await stranger.ask("GET", path)
            same_place = expected.text.replace(sandbox.base_url[:-8], simulation.base_url[:-8])
            assert (reply.status, reply.body.decode()) == (expected.status_code, same_place)
            assert dict(reply.headers) == {**expected.headers, "content-length": str(len(reply.body))}
        rest.http.close()


async def test_the_path_alone_will_do(simulation: Simulation, stranger: Stranger) -> None:
    path = "/rest/v2/conversation/conversations/queues/statuses"
    reply = await simulation.request("GET", path, headers=stranger.headers)
    assert {status["queue_name"] for status in json.loads(reply.body)["queue_statuses"]} == {"Support", "Sales"}
    assert (await simulation.request("GET", "/rest/v2/nowhere", headers=stranger.headers)).status == 404
    assert (await simulation.request("GET", path)).status == 400


async def test_an_encoded_slash_stays_in_its_segment(stranger: Stranger, simulation: Simulation) -> None:
    simulation.add_queue("A/B & C")
    reply = await stranger.ask("PUT", "/conversations/queues/A%2FB%20%26%20C/status", {"agent_status": "busy"})
    assert reply.status == 204


async def test_customers_are_scripted(stranger: Stranger, simulation: Simulation) -> None:
    customer = simulation.arrive(question="Hello?")
    uuid = await stranger.pick_up(customer)
    customer.write("Still there?")
    assert await stranger.bodies(uuid) == ["Hello?", "Still there?"]
    assert [said["body"] for said in simulation.snapshot(uuid)["messages"]] == ["Hello?", "Still there?"]
    assert simulation.effects["start_conversation"] == 1


@pytest.mark.parametrize("personality", PERSONALITIES)
async def test_every_personality_answers(personality: Any) -> None:
    simulation = Simulation(personality=personality)
    customer = simulation.text("0")
    epoch = simulation.snapshot(customer.conversation_uuid)["messages"][0]["message_epoch"]
    for number in range(1, 4):
        customer.write(str(number))
    page = await Stranger(simulation).get(f"/conversations/{customer.conversation_uuid}/messages/{epoch}?limit=2")
    first = 0 if personality.since == "inclusive" else 1
    expected = ["2", "3"] if personality.keeps.startswith("newest") else [str(first), str(first + 1)]
    shown = [said["body"] for said in page["conversation_messages"]]
    assert shown == (expected[::-1] if personality.keeps == "newest descending" else expected)


async def test_a_delay_takes_simulated_time(stranger: Stranger, simulation: Simulation) -> None:
    simulation.faults.add(Fault(kind="delay", delay=20, operation="get_conversations"))
    began = simulation.timeline.now()

    async def ask() -> float:
        await stranger.get("/conversations")
        return simulation.timeline.now() - began

    assert await meanwhile(simulation, 60, ask) == [20]


@pytest.mark.parametrize(
    ("fault", "reset", "begun"),
    [
        (Fault(kind="drop before"), False, None),
        (Fault(kind="drop after", reset=True), True, None),
        (Fault(kind="half header"), False, None),
        (Fault(kind="truncated body"), False, 200),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_a_connection_can_end_early(
    stranger: Stranger, simulation: Simulation, fault: Fault, reset: bool, begun: int | None
) -> None:
    simulation.faults.add(fault)
    with pytest.raises(Dropped) as raised:
        await stranger.ask("GET", "/agent/keepalive" if fault.kind == "drop after" else "/conversations")
    assert raised.value.reset is reset
    assert (raised.value.begun and raised.value.begun.status) == begun
    assert simulation.effects["get_agent_keep_alive"] == (fault.kind == "drop after")


async def test_a_stalled_request_ends_with_its_time_limit(stranger: Stranger, simulation: Simulation) -> None:
    simulation.faults.add(Fault(kind="stall"))
    began = simulation.timeline.now()

    async def ask() -> float:
        with pytest.raises(TimeoutError):
            await stranger.ask("GET", "/conversations", within=15)
        return simulation.timeline.now() - began

    assert await meanwhile(simulation, 60, ask) == [15]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(kind="status", status=502, body="html"), 502, b"<!doctype"),
        (Fault(kind="refused"), 200, b'{"success":false'),
        (Fault(kind="empty"), 200, b""),
        (Fault(kind="huge body", size=100_000), 500, b" " * 100_000),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_an_answer_can_be_wrong(
    stranger: Stranger, simulation: Simulation, fault: Fault, status: int, body: bytes
) -> None:
    simulation.faults.add(fault)
    reply = await stranger.ask("GET", "/conversations")
    assert reply.status == status
    assert reply.body.startswith(body)


async def test_a_slow_answer_arrives_in_the_end(stranger: Stranger, simulation: Simulation) -> None:
    simulation.faults.add(Fault(kind="slow", interval=0.5))

    async def ask() -> int:
        return len((await stranger.ask("GET", "/conversations/queues/statuses")).body)

    (length,) = await meanwhile(simulation, 3600, ask)
    assert length == len((await stranger.ask("GET", "/conversations/queues/statuses")).body)


async def test_rate_limits_count_what_is_under_way(stranger: Stranger, simulation: Simulation) -> None:
    simulation.limits = RateLimits(concurrency=1, per_hour=3)
    simulation.faults.add(Fault(kind="delay", delay=1))

    async def ask() -> int:
        return (await stranger.ask("GET", "/agent/keepalive")).status

    assert sorted(await meanwhile(simulation, 5, ask, ask)) == [204, 429]
    assert [await ask() for _ in range(3)] == [204, 204, 429]
    simulation.clock.advance(1200)
    assert await ask() == 204


async def test_what_was_given_up_in_a_delay_has_no_effect(stranger: Stranger, simulation: Simulation) -> None:
    simulation.faults.add(Fault(kind="delay", delay=10))
    assert await meanwhile(simulation, 5, lambda: stranger.ask("GET", "/agent/keepalive")) == [None]
    await simulation.timeline.advance(60)
    assert simulation.effects["get_agent_keep_alive"] == 0
    assert (await stranger.ask("GET", "/agent/keepalive")).status == 204


async def test_what_was_given_up_is_no_longer_in_flight(stranger: Stranger, simulation: Simulation) -> None:
    simulation.limits = RateLimits(concurrency=1)
    simulation.faults.add(Fault(kind="stall"))
    assert await meanwhile(simulation, 5, lambda: stranger.ask("GET", "/agent/keepalive")) == [None]
    assert (await stranger.ask("GET", "/agent/keepalive")).status == 204


async def test_a_delay_finds_out_that_its_client_had_gone(stranger: Stranger, simulation: Simulation) -> None:
    simulation.latency = 2
    simulation.faults.add(Fault(kind="delay", delay=10))
    assert await meanwhile(simulation, 1, lambda: stranger.ask("GET", "/agent/keepalive")) == [None]
    await simulation.timeline.advance(60)
    assert simulation.effects["get_agent_keep_alive"] == 0


async def test_what_was_given_up_on_its_way_has_its_effect(stranger: Stranger, simulation: Simulation) -> None:
    simulation.latency = 2
    assert await meanwhile(simulation, 1, lambda: stranger.ask("GET", "/agent/keepalive")) == [None]
    assert simulation.effects["get_agent_keep_alive"] == 0
    await simulation.timeline.advance(1)
    assert simulation.effects["get_agent_keep_alive"] == 1


async def test_latency_delays_both_ways(stranger: Stranger, simulation: Simulation) -> None:
    customer = simulation.text("a")
    simulation.latency = 2

    async def read() -> tuple[list[str], float]:
        return await stranger.bodies(customer.conversation_uuid), simulation.timeline.now()

    async def write() -> None:
        await simulation.timeline.sleep(1)
        customer.write("b")
        await simulation.timeline.sleep(2)
        customer.write("c")

    began = simulation.timeline.now()
    (read_bodies, at), _ = await meanwhile(simulation, 10, read, write)
    assert (read_bodies, at - began) == (["a", "b"], 4)


async def test_a_seed_decides_how_long_things_take() -> None:
    async def duration(seed: int) -> float:
        simulation = Simulation(seed=seed, latency=(0.1, 1.0))
        began = simulation.timeline.now()

        async def ask() -> float:
            await Stranger(simulation).ask("GET", "/agent/keepalive")
            return simulation.timeline.now() - began

        (seconds,) = await meanwhile(simulation, 5, ask)
        return float(seconds)

    seconds = [await duration(seed) for seed in (1, 1, 2)]
    assert seconds[0] == seconds[1] != seconds[2]
    assert all(0.2 <= each <= 2 for each in seconds)


async def test_lag_follows_simulated_time(stranger: Stranger, simulation: Simulation) -> None:
    customer = simulation.text("a")
    simulation.lag = 30
    customer.write("b")
    assert await stranger.bodies(customer.conversation_uuid) == ["a"]
    await simulation.timeline.advance(30)
    assert await stranger.bodies(customer.conversation_uuid) == ["a", "b"]


async def test_files_go_to_their_addresses(stranger: Stranger, simulation: Simulation) -> None:
    granted = (await stranger.get("/upload_url/png"))["conversation_multimedia_upload_url"]
    assert (await simulation.request("PUT", granted["url"], body=b"png")).status == 200
    assert (await simulation.request("GET", f"/media/{granted['key']}")).body == b"png"


async def test_sleeping_ends_early_when_cancelled(simulation: Simulation) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await simulation.timeline.sleep(10)
    assert simulation.clock.next_due() is None
    await simulation.timeline.sleep(0)


async def test_sleepers_wake_in_order(simulation: Simulation) -> None:
    woken: list[float] = []

    def sleeping(seconds: float) -> Any:
        async def sleep() -> None:
            await simulation.timeline.sleep(seconds)
            woken.append(simulation.timeline.time() - began)

        return sleep

    began = simulation.timeline.time()
    await meanwhile(simulation, 10, *(sleeping(seconds) for seconds in (3, 1, 2.5, 9.75, 11)))
    assert woken == [1, 2.5, 3, 9.75]
    assert simulation.timeline.now() == began + 10
