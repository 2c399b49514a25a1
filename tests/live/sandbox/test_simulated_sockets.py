"""Websockets in a simulation."""

import json
from typing import Any

import pytest

from tests.live.sandbox.simulated import Ear, Stranger, meanwhile, say
from ultracart_conversation.sandbox import Denied, Listener, Simulation, SocketFault

pytestmark = pytest.mark.anyio


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()


@pytest.fixture
def stranger(simulation: Simulation) -> Stranger:
    return Stranger(simulation)


@pytest.fixture
def ear() -> Ear:
    return Ear()


async def test_frames_come_and_go(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    socket = await stranger.open(ear)
    customer = simulation.arrive()
    uuid = await stranger.pick_up(customer)
    ear.names()
    customer.write("a")
    assert ear.bodies() == ["a"]
    say(socket, uuid, "b")
    assert ear.bodies() == ["a", "b"]
    assert await stranger.bodies(uuid) == ["Is anybody there?", "a", "b"]
    socket.send('{"type": "ping"}')
    socket.send("not json")
    socket.ping()
    assert ear.names() == ["message", "new message", "message", "new message", "ping", "error", "pong"]
    assert simulation.sockets.frames.received == {"message": 1, "ping": 1, "unreadable": 1}


async def test_a_callback_may_send_and_nothing_is_nested(stranger: Stranger, simulation: Simulation) -> None:
    uuid = simulation.text("hello").conversation_uuid
    await stranger.ask("PUT", f"/conversations/{uuid}/join")
    log: list[str] = []

    def answer(text: str) -> None:
        frame = json.loads(text)
        log.append("in")
        if frame["type"] == "message" and len(frame["message"]["body"]) < 3:
            say(first, uuid, frame["message"]["body"] + "!")
        log.append("out")

    other = Ear()
    url = (await stranger.authorize())["websocket_url"]
    first = await simulation.connect(url, Listener(on_text=answer, on_end=lambda code, reason: None))
    await stranger.open(other)
    simulation.customer(uuid).write("a")
    assert log == ["in", "out"] * (len(log) // 2)
    assert other.bodies() == ["a", "a!", "a!!"]
    assert other.names() == ["message", "new message"] * 3


async def test_a_handshake_can_be_denied(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    bare, _, token = (await stranger.authorize())["websocket_url"].partition("?")
    simulation.sockets.faults.add(SocketFault(kind="refuse", status=503, headers={"Retry-After": "2"}))
    for url, status in ((bare, 503), (bare, 401), (f"{bare}?{token}x", 403), (f"{bare}/x?{token}", 404)):
        with pytest.raises(Denied) as raised:
            await simulation.connect(url, ear.listener)
        assert raised.value.status == status
    assert [each.status for each in simulation.sockets.handshakes] == [503, 401, 403, 404]
    assert json.loads(raised.value.body)["message"]
    assert ear.heard == []


async def test_the_token_may_come_in_a_header_or_a_subprotocol(
    stranger: Stranger, simulation: Simulation, ear: Ear
) -> None:
    simulation.tokens.in_url = False
    granted = await stranger.authorize()
    headers = {"Authorization": f"Bearer {granted['jwt']}"}
    assert (await simulation.connect(granted["websocket_url"], ear.listener, headers=headers)).subprotocol is None
    granted = await stranger.authorize()
    offered = ["jwt", granted["jwt"]]
    socket = await simulation.connect(granted["websocket_url"], ear.listener, subprotocols=offered)
    assert socket.subprotocol == "jwt"
    assert simulation.sockets.count == 2


async def test_a_handshake_can_stall(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    simulation.sockets.faults.add(SocketFault(kind="stall"))
    url = (await stranger.authorize())["websocket_url"]
    began = simulation.timeline.now()

    async def connect() -> float:
        with pytest.raises(TimeoutError):
            await simulation.connect(url, ear.listener, within=10)
        return simulation.timeline.now() - began

    assert await meanwhile(simulation, 60, connect) == [10]
    assert (simulation.sockets.count, ear.heard) == (0, [])


async def test_a_cancelled_handshake_leaves_nothing_open(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    url = (await stranger.authorize())["websocket_url"]
    simulation.latency = 2
    await meanwhile(simulation, 3, lambda: simulation.connect(url, ear.listener))
    assert simulation.sockets.count == 1
    await simulation.timeline.advance(2)
    assert simulation.sockets.count == 0
    assert ear.heard == []


async def test_closing_is_a_handshake(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    socket = await stranger.open(ear)
    socket.close(1000, "bye")
    assert ear.heard == [(1000, "bye")]
    assert (socket.ended, simulation.sockets.count) == (True, 0)
    socket.close()
    socket.reset()
    with pytest.raises(ConnectionError):
        socket.send("x")
    with pytest.raises(ConnectionError):
        socket.ping()
    assert len(ear.heard) == 1


async def test_the_service_may_close_reset_or_fall_silent(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    socket = await stranger.open(ear)
    simulation.sockets.close(1012, "restart")
    assert (ear.names(), socket.ended) == ([(1012, "restart")], True)
    await stranger.open(ear)
    simulation.sockets.reset()
    assert ear.names() == [(None, "")]
    assert simulation.sockets.count == 0
    socket = await stranger.open(ear)
    simulation.sockets.silence()
    socket.send('{"type": "ping"}')
    socket.ping()
    simulation.sockets.close()
    assert (ear.heard, socket.ended, simulation.sockets.count) == ([], False, 0)


async def test_a_lost_network_is_noticed_by_nobody(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    socket = await stranger.open(ear)
    socket.silence()
    socket.send('{"type": "ping"}')
    socket.ping()
    simulation.text("unheard")
    socket.close()
    assert (ear.heard, socket.ended, simulation.sockets.count) == ([], False, 1)
    assert simulation.sockets.frames.received == {}
    socket.reset()
    assert (ear.names(), simulation.sockets.count) == ([(None, "")], 1)
    simulation.clock.advance(600)
    assert simulation.sockets.count == 0


@pytest.mark.parametrize(
    ("fault", "names"),
    [
        (SocketFault(kind="close", code=1011), [(1011, "")]),
        (SocketFault(kind="reset"), [(None, "")]),
        (SocketFault(kind="silent"), []),
        (SocketFault(kind="cut"), [(None, "")]),
        (SocketFault(kind="drop"), ["new message"]),
        (SocketFault(kind="duplicate"), ["new conversation", "new conversation", "new message"]),
        (SocketFault(kind="reorder", frame="event"), ["new message", "new conversation"]),
    ],
    ids=lambda value: value.kind if isinstance(value, SocketFault) else "",
)
async def test_faults_are_those_of_the_sandbox(
    stranger: Stranger, simulation: Simulation, ear: Ear, fault: SocketFault, names: list[Any]
) -> None:
    simulation.sockets.faults.add(fault)
    await stranger.open(ear)
    simulation.text("hello")
    assert ear.names() == names


async def test_a_delayed_fault_strikes_at_its_simulated_time(
    stranger: Stranger, simulation: Simulation, ear: Ear
) -> None:
    simulation.sockets.faults.add(SocketFault(kind="close", code=1012, delay=50))
    await stranger.open(ear)
    await simulation.timeline.advance(49)
    assert ear.names() == []
    await simulation.timeline.advance(1)
    assert ear.names() == [(1012, "")]


async def test_everything_falls_due_at_its_own_time(stranger: Stranger, simulation: Simulation) -> None:
    began = simulation.timeline.now()
    heard: list[tuple[float, str]] = []

    def note(what: str) -> None:
        heard.append((simulation.timeline.now() - began, what))

    simulation.sockets.ping_every = 250
    simulation.sockets.age_limit = 560.5
    listener = Listener(on_text=lambda _: note("ping"), on_end=lambda code, _: note(f"end {code}"))
    await simulation.connect((await stranger.authorize())["websocket_url"], listener)
    simulation.clock.advance(10_000)
    assert heard == [(250, "ping"), (500, "ping"), (560.5, "end 1001")]


async def test_a_push_takes_its_time_and_keeps_its_place(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    await stranger.open(ear)
    simulation.latency = (0.1, 3.0)
    customer = simulation.text("0")
    for number in range(1, 20):
        customer.write(str(number))
    assert ear.names() == []
    simulation.clock.advance(3)
    shown = [frame["event_new_message"]["last_conversation_message_body"] for frame in ear.heard[1:]]
    assert shown == [str(number) for number in range(20)]


async def test_a_reset_loses_what_is_on_its_way(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    await stranger.open(ear)
    simulation.latency = 1
    simulation.text("lost")
    simulation.sockets.reset()
    assert simulation.sockets.count == 0
    simulation.clock.advance(5)
    assert ear.heard == [(None, "")]


async def test_a_close_comes_after_what_was_pushed(stranger: Stranger, simulation: Simulation, ear: Ear) -> None:
    socket = await stranger.open(ear)
    simulation.latency = 1
    simulation.text("heard")
    simulation.sockets.close(1001)
    simulation.clock.advance(1)
    assert ear.names() == ["new conversation", "new message", (1001, "")]
    assert (socket.ended, simulation.sockets.count) == (True, 1)
    simulation.clock.advance(1)
    assert simulation.sockets.count == 0


async def test_a_seed_is_a_run() -> None:
    async def run(seed: int) -> list[Any]:
        simulation = Simulation(seed=seed, latency=(0.01, 0.5))
        stranger, ear = Stranger(simulation), Ear()
        simulation.sockets.faults.add(SocketFault(kind="drop", rate=0.2, times=None))
        simulation.sockets.faults.add(SocketFault(kind="duplicate", rate=0.2, times=None))
        (socket,) = await meanwhile(simulation, 5, lambda: stranger.open(ear))
        customer = simulation.text("0")
        for number in range(50):
            customer.write(str(number))
            socket.send('{"type": "ping"}')
            simulation.clock.advance(0.1)
        return ear.heard

    assert await run(1) == await run(1) != await run(2)


async def test_an_error_of_a_callback_reaches_whoever_caused_it(stranger: Stranger, simulation: Simulation) -> None:
    def fail(text: str) -> None:
        raise LookupError(text)

    url = (await stranger.authorize())["websocket_url"]
    await simulation.connect(url, Listener(on_text=fail, on_end=lambda code, reason: None))
    with pytest.raises(LookupError):
        simulation.text("hello")
    simulation.sockets.reset()
    simulation.text("hello")


async def test_an_unreachable_service_refuses_only_newcomers(
    stranger: Stranger, simulation: Simulation, ear: Ear
) -> None:
    url = (await stranger.authorize())["websocket_url"]
    await stranger.open(ear)
    simulation.reachable = False
    with pytest.raises(ConnectionRefusedError):
        await stranger.authorize()
    with pytest.raises(ConnectionRefusedError):
        await simulation.connect(url, Ear().listener)
    simulation.text("hello")
    assert ear.names() == ["new conversation", "new message"]
    simulation.reachable = True
    await simulation.connect(url, Ear().listener)
    assert simulation.sockets.count == 2


async def test_a_socket_that_is_closing_hears_and_says_nothing_more(
    stranger: Stranger, simulation: Simulation, ear: Ear
) -> None:
    uuid = await stranger.pick_up(simulation.arrive())
    older = Ear()
    await stranger.open(older)
    newer = await stranger.open(ear)
    simulation.sockets.fan_out = "newest"
    simulation.latency = 1
    newer.send(b"not text")
    say(newer, uuid, "too late")
    simulation.clock.advance(1)
    simulation.text("hello")
    simulation.clock.advance(5)
    assert ear.names() == [(1003, "Binary messages are not supported")]
    assert older.names() == ["new conversation", "new message"]
    assert simulation.effects["message"] == 0
