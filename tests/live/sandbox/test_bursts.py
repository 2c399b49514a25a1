"""Much is written at once, in many conversations."""

import pytest

from tests.live.sandbox.strangers import OpenSocket, Rest
from ultracart_conversation.sandbox import Sandbox, Simulation


def counts(simulation: Simulation) -> dict[str, int]:
    return {uuid: simulation.snapshot(uuid)["message_count"] for uuid in simulation.conversation_uuids}


def test_each_of_so_many_conversations_gets_as_many_messages() -> None:
    simulation = Simulation(conversations=50)
    before = counts(simulation)
    written = simulation.burst(10, each=3)
    after = counts(simulation)
    assert len(set(written)) == 10
    assert {uuid: after[uuid] - before[uuid] for uuid in before if after[uuid] != before[uuid]} == dict.fromkeys(
        written, 3
    )
    assert set(simulation.conversation_uuids[:10]) == set(written)


def test_the_seed_picks_them_anew_each_time() -> None:
    def bursts(seed: int) -> list[list[str]]:
        simulation = Simulation(seed=seed, conversations=50)
        return [simulation.burst(10) for _ in range(2)]

    assert bursts(7) == bursts(7) != bursts(8)
    assert bursts(7)[0] != bursts(7)[1]


def test_nobody_writes_where_nothing_is_listed() -> None:
    simulation = Simulation(conversations=3)
    gone, hidden, left = simulation.conversation_uuids
    simulation.records.remove(gone)
    simulation.records.hide(hidden)
    assert simulation.burst(1) == [left]
    with pytest.raises(ValueError, match="larger"):
        simulation.burst(2)


def test_agents_hear_of_it(sandbox: Sandbox, rest: Rest, open_socket: OpenSocket) -> None:
    socket = open_socket()
    written = sandbox.burst(4)
    frames = [frame for frame in socket.drain() if frame.get("event_type") == "new message"]
    assert [frame["conversation_uuid"] for frame in frames] == written
    assert {row["conversation_uuid"] for row in rest.summaries(_limit=4)} == set(written)


def test_the_history_may_be_short() -> None:
    simulation = Simulation(conversations=50, messages=(2, 3))
    assert set(counts(simulation).values()) == {2, 3, 4}
