"""Whoever listens to requests can change the world between two of them; and all requests are counted."""

from collections import Counter
from typing import Any

import pytest

from tests.live.sandbox.simulated import Stranger
from tests.live.sandbox.strangers import Rest, Webchat
from ultracart_conversation.sandbox import Fault, Received, Sandbox, Simulation
from ultracart_conversation.sandbox.request_log import KEPT, RequestLog


def uuids(page: Any) -> list[str]:
    return [row["conversation_uuid"] for row in page["conversations"]]


def test_what_is_done_on_a_request_is_in_its_answer(sandbox: Sandbox, rest: Rest, webchat: Webchat) -> None:
    uuid, customer = webchat
    sandbox.on_request = lambda received: customer.write(received.operation)
    assert rest.messages(uuid)[-1]["body"] == "get_conversation_messages"
    sandbox.on_request = None
    assert len(rest.messages(uuid)) == 2


@pytest.mark.anyio
async def test_rows_move_while_somebody_pages() -> None:
    simulation = Simulation(conversations=9)
    stranger = Stranger(simulation)
    order = simulation.conversation_uuids

    def disturb(received: Received) -> None:
        if received.query["_offset"] == "3":
            simulation.customer(order[8]).write("up")
        elif received.query["_offset"] == "6":
            simulation.records.remove(order[0])

    simulation.on_request = disturb
    pages = [uuids(await stranger.get(f"/conversations?_limit=3&_offset={offset}")) for offset in (0, 3, 6)]
    assert pages == [order[0:3], order[2:5], order[6:8]]


@pytest.mark.anyio
async def test_a_fault_can_be_planned_for_the_very_request() -> None:
    simulation = Simulation(conversations=1)
    simulation.on_request = lambda _: simulation.faults.add(Fault(kind="status", status=503))
    assert (await Stranger(simulation).ask("GET", "/conversations")).status == 503


def test_it_hears_of_what_is_refused_too(sandbox: Sandbox, rest: Rest) -> None:
    heard: list[Received] = []
    sandbox.on_request = heard.append
    uuid = sandbox.conversation_uuids[0]
    rest.http.get(f"/conversations/{uuid}/messages/5", params={"limit": 2})
    rest.http.get("/conversations", headers={"x-ultracart-simple-key": "wrong"})
    rest.http.get("/nowhere")
    assert [(each.operation, each.conversation_uuid, each.query, each.status) for each in heard] == [
        ("get_conversation_messages", uuid, {"limit": "2"}, 200),
        ("get_conversations", None, {}, 401),
        ("unknown", None, {}, 404),
    ]
    assert sandbox.requests == heard


def test_requests_are_counted_by_operation(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.faults.add(Fault(kind="drop before", operation="get_agent_keep_alive"))
    for _ in range(3):
        rest.summaries()
    rest.http.get("/conversations/nobody")
    with pytest.raises(Exception, match="disconnected"):
        rest.http.get("/agent/keepalive")
    assert sandbox.request_counts == {"get_conversations": 3, "get_conversation": 1, "get_agent_keep_alive": 1}
    sandbox.request_counts.clear()
    rest.summaries()
    assert sandbox.request_counts == Counter(get_conversations=1)


def test_of_very_many_requests_only_the_latest_are_kept() -> None:
    log = RequestLog()
    for number in range(2 * KEPT + 1):
        log.note(Received("get_conversations", "GET", str(number).encode(), {}, {}, b"", "id", 0.0))
    assert log.counts == {"get_conversations": 40_001}
    assert (len(log.received), log.received[0].raw_path, log.received[-1].raw_path) == (20_000, b"20001", b"40000")
