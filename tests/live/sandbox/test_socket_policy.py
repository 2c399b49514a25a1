"""What is unknown of the service's websockets is a switch."""

import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.live.sandbox.strangers import AgentSocket, OpenSocket, Rest, RestAs, Webchat
from ultracart_conversation.sandbox import Clock, Sandbox


def say(socket: AgentSocket, uuid: str, **message: object) -> None:
    socket.send({"type": "message", "conversation_uuid": uuid, "message": {"body": "Hi", **message}})


def hang_up(sandbox: Sandbox, socket: AgentSocket) -> None:
    """Close, and wait until the service has noticed."""
    left = sandbox.sockets.count - 1
    socket.connection.close()
    deadline = time.monotonic() + 5
    while sandbox.sockets.count > left:
        assert time.monotonic() < deadline, "the service did not notice in 5 s"
        time.sleep(0.002)


def closing_code(socket: AgentSocket) -> int:
    with pytest.raises(ConnectionClosed) as raised:
        socket.next()
    assert raised.value.rcvd is not None
    return raised.value.rcvd.code


def test_only_the_newest_socket_of_an_agent_may_get_pushes(
    sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket, rest_as: RestAs
) -> None:
    colleague = open_socket(rest_as(sandbox.add_agent("Noor Aziz").api_key))
    older, newer = open_socket(), open_socket()
    sandbox.sockets.fan_out = "newest"
    webchat[1].write("a")
    assert [older.names(), newer.names(), colleague.names()] == [[], ["message", "new message"], ["new message"]]
    sandbox.sockets.close(agent=sandbox.agent.arn)
    assert closing_code(newer) == closing_code(older) == 1001
    again = open_socket()
    webchat[1].write("b")
    assert again.names() == ["message", "new message"]


def test_an_older_socket_takes_over_when_the_newest_is_gone(
    sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket
) -> None:
    sandbox.sockets.fan_out = "newest"
    older, newer = open_socket(), open_socket()
    newer.connection.send(b"\x00")
    assert closing_code(newer) == 1003
    webchat[1].write("a")
    assert older.names() == ["message", "new message"]


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("fan_out", ["all", "newest"])
def test_the_other_socket_hears_of_a_message_in_any_case(
    sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket, echo: bool, fan_out: Any
) -> None:
    sandbox.sockets.echo, sandbox.sockets.fan_out = echo, fan_out
    sender, other = open_socket(), open_socket()
    say(sender, webchat[0], client_message_id="c-1")
    echoed, heard = sender.drain(), other.drain()
    assert [frame["type"] for frame in heard] == ["message", "event"]
    assert heard[0]["message"]["client_message_id"] == "c-1"
    assert echoed == ([] if fan_out == "newest" else heard if echo else heard[1:])


def test_pushed_messages_may_lack_their_client_message_id(
    sandbox: Sandbox, rest: Rest, webchat: Webchat, open_socket: OpenSocket
) -> None:
    sandbox.sockets.echo_ids = False
    sender, other = open_socket(), open_socket()
    say(sender, webchat[0], client_message_id="c-1")
    stored = rest.messages(webchat[0])[-1]
    assert stored.pop("client_message_id") == "c-1"
    assert sender.next()["message"] == other.next()["message"] == stored


def test_the_server_may_send_pings(sandbox: Sandbox, clock: Clock, open_socket: OpenSocket) -> None:
    sandbox.sockets.answers_pings = False
    sandbox.sockets.ping_every = 30
    first = open_socket()
    clock.advance(29)
    second = open_socket()
    assert sandbox.sockets.frames.pushed["ping"] == 0
    clock.advance(1)
    assert sandbox.sockets.frames.pushed["ping"] == 1
    clock.advance(60)
    assert [first.next() for _ in range(3)] == [{"type": "ping"}] * 3
    assert [second.next() for _ in range(2)] == [{"type": "ping"}] * 2
    sandbox.sockets.ping_every = None
    clock.advance(60)
    assert sandbox.sockets.frames.pushed["ping"] == 5


def test_the_servers_pings_do_not_keep_a_socket_open(sandbox: Sandbox, clock: Clock, open_socket: OpenSocket) -> None:
    sandbox.sockets.ping_every = 200
    socket = open_socket()
    clock.advance(600)
    assert [socket.next(), socket.next()] == [{"type": "ping"}] * 2
    assert closing_code(socket) == 1001


def test_pings_may_go_unanswered(sandbox: Sandbox, clock: Clock, open_socket: OpenSocket) -> None:
    sandbox.sockets.answers_pings = False
    socket = open_socket()
    clock.advance(590)
    socket.send({"type": "ping"})
    socket.send({"type": "surprise"})
    assert socket.next()["message"] == "Internal server error"
    clock.advance(590)
    sandbox.sockets.send({"type": "event", "event_type": "still here"})
    assert socket.next()["event_type"] == "still here"


def test_the_limits_of_a_socket_can_be_moved(sandbox: Sandbox, clock: Clock, open_socket: OpenSocket) -> None:
    sandbox.sockets.idle_limit, sandbox.sockets.age_limit = 100, 250
    idle, busy = open_socket(), open_socket()
    for _ in range(2):
        clock.advance(99.5)
        assert busy.drain() == []
    assert closing_code(idle) == 1001
    clock.advance(50)
    assert busy.drain() == []
    clock.advance(1)
    assert closing_code(busy) == 1001


def test_limits_hold_for_sockets_that_are_open_already(sandbox: Sandbox, clock: Clock, open_socket: OpenSocket) -> None:
    socket = open_socket()
    clock.advance(50)
    sandbox.sockets.idle_limit = 60
    clock.advance(10)
    assert closing_code(socket) == 1001


def test_an_agent_without_a_socket_becomes_unavailable(
    sandbox: Sandbox, rest: Rest, rest_as: RestAs, clock: Clock, open_socket: OpenSocket
) -> None:
    colleague = open_socket(rest_as(sandbox.add_agent("Noor Aziz").api_key))
    first, second = open_socket(), open_socket()
    rest.put("/conversations/queues/Support/status", {"agent_status": "available"})
    colleague.drain()
    hang_up(sandbox, first)
    clock.advance(31)
    assert colleague.drain() == []
    hang_up(sandbox, second)
    clock.advance(29)
    assert colleague.drain() == []
    clock.advance(1)
    (pushed,) = colleague.drain()
    assert pushed["event_type"] == "queue status update"
    assert status(pushed["event_queue_status_update"], sandbox) == "unavailable"
    assert status(rest.queue("Support"), sandbox) == "unavailable"


def test_an_agent_who_returns_in_time_stays_available(
    sandbox: Sandbox, rest: Rest, clock: Clock, open_socket: OpenSocket
) -> None:
    rest.put("/conversations/queues/Support/status", {"agent_status": "available"})
    hang_up(sandbox, open_socket())
    clock.advance(29)
    open_socket()
    clock.advance(300)
    assert status(rest.queue("Support"), sandbox) == "available"


def test_statuses_can_outlive_sockets(sandbox: Sandbox, rest: Rest, clock: Clock, open_socket: OpenSocket) -> None:
    sandbox.sockets.disconnect_grace = None
    rest.put("/conversations/queues/Support/status", {"agent_status": "busy"})
    hang_up(sandbox, open_socket())
    clock.advance(3600)
    assert status(rest.queue("Support"), sandbox) == "busy"


def test_a_half_open_socket_is_given_up_without_a_word(
    sandbox: Sandbox, rest: Rest, clock: Clock, open_socket: OpenSocket
) -> None:
    rest.put("/conversations/queues/Support/status", {"agent_status": "available"})
    socket = open_socket()
    sandbox.sockets.silence()
    clock.advance(599)
    assert sandbox.sockets.count == 1
    clock.advance(1)
    assert sandbox.sockets.count == 0
    assert status(rest.queue("Support"), sandbox) == "available"
    clock.advance(30)
    assert status(rest.queue("Support"), sandbox) == "unavailable"
    with pytest.raises(TimeoutError):
        socket.connection.recv(timeout=0.05)


def test_frames_are_counted(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket) -> None:
    first, second = open_socket(), open_socket()
    webchat[1].write("a")
    first.connection.send("not json")
    first.send({"type": "event", "event_type": "typing", "conversation_uuid": webchat[0], "event_typing": {}})
    assert len(first.drain()) == 3
    assert second.names() == ["message", "new message", "typing"]
    frames = sandbox.sockets.frames
    assert frames.received == {"unreadable": 1, "typing": 1, "ping": 2}
    assert frames.pushed == {
        "message": 2, "new message": 2, "error": 1, "typing": 1, "ping": 2,
    }  # fmt: skip
    assert not frames.dropped


@pytest.mark.parametrize(
    ("switch", "value"),
    [("fan_out", "oldest"), ("audience", "nobody"), ("ping_every", 0), ("idle_limit", 0), ("disconnect_grace", -1)],
)
def test_a_value_that_no_switch_knows_is_refused(sandbox: Sandbox, switch: str, value: object) -> None:
    before = getattr(sandbox.sockets, switch)
    with pytest.raises(ValueError, match=switch):
        setattr(sandbox.sockets, switch, value)
    assert getattr(sandbox.sockets, switch) == before


def status(queue: dict[str, Any], sandbox: Sandbox) -> str:
    """Our agent's status in a queue."""
    agents = {each["conversation_participant_arn"]: each["agent_status"] for each in queue["agents"]}
    found: str = agents[sandbox.agent.arn]
    return found
