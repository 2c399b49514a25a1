"""Faults of one conversation leave the others alone."""

import json

import httpx
import pytest

from tests.live.sandbox.simulated import Stranger
from tests.live.sandbox.strangers import Rest
from ultracart_conversation.sandbox import Dropped, Fault, Sandbox, Simulation


def test_it_fails_for_ever(sandbox: Sandbox, rest: Rest) -> None:
    poisoned, sound = sandbox.conversation_uuids[:2]
    fault = sandbox.faults.add(Fault(kind="status", conversation_uuid=poisoned, times=None))
    for _ in range(3):
        assert rest.http.get(f"/conversations/{poisoned}/messages/0").status_code == 500
        assert rest.http.get(f"/conversations/{poisoned}").status_code == 500
        assert rest.http.put(f"/conversations/{poisoned}/join").status_code == 500
        assert rest.http.get(f"/conversations/{sound}/messages/0").status_code == 200
        assert len(rest.summaries()) == 12
    sandbox.faults.remove(fault)
    assert rest.http.get(f"/conversations/{poisoned}").status_code == 200


def test_one_operation_of_it_fails(sandbox: Sandbox, rest: Rest) -> None:
    poisoned, sound = sandbox.conversation_uuids[:2]
    sandbox.faults.add(Fault(kind="status", operation="get_conversation", conversation_uuid=poisoned, after=1))
    assert rest.messages(poisoned)
    assert rest.conversation(sound)
    assert [rest.http.get(f"/conversations/{poisoned}").status_code for _ in range(3)] == [200, 500, 200]


@pytest.mark.parametrize("kind", ["html", "empty"])
def test_it_cannot_be_decoded(sandbox: Sandbox, rest: Rest, kind: str) -> None:
    poisoned, sound = sandbox.conversation_uuids[:2]
    sandbox.faults.add(Fault(kind=kind, conversation_uuid=poisoned, times=None))  # type: ignore[arg-type]
    for _ in range(2):
        response = rest.http.get(f"/conversations/{poisoned}/messages/0")
        assert response.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            response.json()
        assert rest.messages(sound)


def test_it_is_cut_off(sandbox: Sandbox, rest: Rest) -> None:
    poisoned, sound = sandbox.conversation_uuids[:2]
    sandbox.faults.add(Fault(kind="truncated body", conversation_uuid=poisoned, times=None))
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            rest.http.get(f"/conversations/{poisoned}")
        assert rest.conversation(sound)


@pytest.mark.anyio
async def test_it_is_the_same_in_a_simulation() -> None:
    simulation = Simulation(conversations=3)
    stranger = Stranger(simulation)
    broken, cut, sound = simulation.conversation_uuids
    simulation.faults.add(Fault(kind="status", conversation_uuid=broken, times=None))
    simulation.faults.add(Fault(kind="truncated body", conversation_uuid=cut, times=None))
    for _ in range(2):
        assert (await stranger.ask("GET", f"/conversations/{broken}")).status == 500
        with pytest.raises(Dropped):
            await stranger.ask("GET", f"/conversations/{cut}")
        assert (await stranger.ask("GET", f"/conversations/{sound}")).status == 200


def test_it_can_be_planned_from_outside() -> None:
    with Sandbox(conversations=2, control=True) as sandbox:
        wanted = {"kind": "status", "conversation_uuid": sandbox.conversation_uuids[0]}
        httpx.post(f"http://127.0.0.1:{sandbox.port}/_sandbox/faults", json=wanted, verify=False).raise_for_status()
        assert sandbox.faults.pending == (Fault(kind="status", conversation_uuid=sandbox.conversation_uuids[0]),)
