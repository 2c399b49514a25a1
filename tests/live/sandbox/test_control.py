"""The switches over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live.sandbox.strangers import OpenSocket, Rest
from ultracart_conversation.sandbox import Clock, Fault, Personality, RateLimits, Sandbox, SocketFault


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, customers=1, conversations=2, control=True) as running:
        yield running


@pytest.fixture
def switch(sandbox: Sandbox) -> Iterator[Any]:
    with httpx.Client(base_url=f"http://127.0.0.1:{sandbox.port}/_sandbox", verify=False) as client:
        yield lambda switch, /, **wanted: client.post(f"/{switch}", json=wanted)


def test_it_is_off_unless_asked_for() -> None:
    with Sandbox(conversations=1) as sandbox:
        url = f"http://127.0.0.1:{sandbox.port}/_sandbox/state"
        assert httpx.get(url, verify=False).status_code == 404


def test_the_state_is_told(sandbox: Sandbox) -> None:
    state = httpx.get(f"http://127.0.0.1:{sandbox.port}/_sandbox/state", verify=False).json()
    assert state["conversations"] == 2
    assert state["queue_statuses"][0]["customer_waiting_count"] == 1
    assert state["frames"] == {"pushed": {}, "dropped": {}, "received": {}}
    assert sandbox.requests == []


def test_every_switch_turns(sandbox: Sandbox, switch: Any, clock: Clock) -> None:
    switch("personality", since="exclusive", keeps="newest descending", page_cap=10)
    assert sandbox.personality == Personality(since="exclusive", keeps="newest descending", page_cap=10)
    limits = [switch("limits", **wanted) and sandbox.limits for wanted in ({"per_hour": 5}, {})]
    assert limits == [RateLimits(per_hour=5), None]
    wrong = {"kind": "status", "status": 502}
    faults = [switch("faults", **wanted) and sandbox.faults.pending for wanted in (wrong, {})]
    assert faults == [(Fault(kind="status", status=502),), ()]
    switch("sockets", fault={"kind": "drop", "times": 3})
    assert sandbox.sockets.faults.pending == (SocketFault(kind="drop", times=3),)
    switch("sockets", echo=False)
    assert not sandbox.sockets.echo
    switch("sockets", fan_out="newest", ping_every=30)
    assert (sandbox.sockets.fan_out, sandbox.sockets.ping_every) == ("newest", 30)
    switch("tokens", in_url=False, lifetime=60)
    assert (sandbox.tokens.in_url, sandbox.tokens.lifetime) == (False, 60)
    switch("lag", seconds=2.5)
    assert (sandbox.lag, sandbox.list_lag) == (2.5, 0)
    switch("lag", list_seconds=30)
    assert (sandbox.lag, sandbox.list_lag) == (2.5, 30)
    now = clock.now()
    assert switch("clock", advance=60).json() == {"now": now + 60}
    switch("queues", name="Returns")
    assert "Returns" in str(sandbox.state()["queue_statuses"])


def test_sockets_can_be_closed(sandbox: Sandbox, switch: Any, open_socket: OpenSocket) -> None:
    socket = open_socket()
    switch("sockets", action="send", frame={"type": "ping"})
    assert socket.next() == {"type": "ping"}
    switch("sockets", action="close", code=4000)
    with pytest.raises(Exception, match="4000"):
        socket.next()


def test_a_customer_can_be_steered(sandbox: Sandbox, rest: Rest, switch: Any) -> None:
    customer = switch("customers", name="Hugo", question="Hi?").json()
    uuid = rest.pick_up(customer["queue_entry_uuid"])
    after = switch("customers", arn=customer["arn"], do="write", body="Still there?").json()
    assert after["conversation_uuid"] == uuid
    assert rest.messages(uuid)[-1]["body"] == "Still there?"
    switch("customers", arn=customer["arn"], do="leave")
    assert rest.conversation(uuid)["closed"] is True


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("personality", {"mood": "bad"}),
        ("faults", {"kind": 5, "nonsense": True}),
        ("sockets", {"action": "explode"}),
        ("sockets", {"count": 5}),
        ("sockets", {"fan_out": "oldest"}),
        ("tokens", {"clock": 0}),
        ("lag", {"minutes": 1}),
        ("clock", {"advance": -1}),
        ("customers", {"arn": "nobody", "do": "write"}),
    ],
)
def test_a_wrong_switch_is_400(switch: Any, name: str, wanted: dict[str, object]) -> None:
    response = switch(name, **wanted)
    assert response.status_code == 400
    assert response.json()["error"]


def test_an_unknown_switch_is_404(switch: Any) -> None:
    assert switch("weather").status_code == 404
