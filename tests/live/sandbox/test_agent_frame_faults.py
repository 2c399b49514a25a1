"""What can go wrong with a frame that an agent sends, and with many pushed ones."""

from typing import Any

import pytest
from websockets.sync.client import connect

from tests.live.sandbox.strangers import AgentSocket, OpenSocket, Rest, Webchat
from ultracart_conversation.sandbox import Clock, Sandbox, SocketFault

ERROR = {"message", "connectionId", "requestId"}


def say(socket: AgentSocket, uuid: str, body: str) -> None:
    socket.send({"type": "message", "conversation_uuid": uuid, "message": {"body": body, "client_message_id": body}})


@pytest.mark.parametrize(
    ("kind", "done", "told"),
    [("ignore", False, False), ("fail before", False, True), ("fail after", True, True), ("unconfirmed", True, False)],
)
def test_a_message_is_lost_refused_or_not_confirmed(
    sandbox: Sandbox, rest: Rest, webchat: Webchat, open_socket: OpenSocket, kind: Any, done: bool, told: bool
) -> None:
    sandbox.sockets.faults.add(SocketFault(kind=kind, frame="message"))
    sender, other = open_socket(), open_socket()
    say(sender, webchat[0], "a")
    answers = sender.drain()
    assert [set(answer) for answer in answers] == ([ERROR] if told else [])
    assert other.names() == (["message", "new message"] if done else [])
    assert [said["body"] for said in rest.messages(webchat[0])][1:] == (["a"] if done else [])
    assert sandbox.effects["message"] == done
    say(sender, webchat[0], "b")
    assert sender.names() == ["message", "new message"]
    assert sandbox.sockets.frames.received["message"] == 2


def test_faults_of_one_direction_leave_the_other_alone(
    sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket
) -> None:
    socket = open_socket()
    sandbox.sockets.faults.add(SocketFault(kind="ignore", frame="message"))
    webchat[1].write("in")
    assert socket.names() == ["message", "new message"]
    sandbox.sockets.faults.clear()
    sandbox.sockets.faults.add(SocketFault(kind="drop", frame="message"))
    say(socket, webchat[0], "out")
    assert socket.names() == ["new message"]
    assert sandbox.sockets.frames.dropped == {"message": 1}


def test_even_what_is_not_json_can_be_ignored(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    sandbox.sockets.faults.add(SocketFault(kind="ignore"))
    socket = open_socket()
    socket.connection.send("not json")
    assert socket.drain() == []


def test_a_ping_can_be_lost(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    sandbox.sockets.faults.add(SocketFault(kind="ignore", frame="ping"))
    socket = open_socket()
    socket.send({"type": "ping"})
    assert socket.drain() == []
    assert sandbox.sockets.frames.pushed["ping"] == 1


def test_a_corrupt_frame_may_hold_any_text(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket) -> None:
    socket = open_socket()
    sandbox.sockets.faults.add(SocketFault(kind="corrupt", frame="message"))
    webchat[1].write("é" * 1000)
    assert isinstance(socket.connection.recv(timeout=5), str)
    assert socket.next()["event_type"] == "new message"


def arrivals(seed: int, clock: Clock, *faults: SocketFault) -> list[str]:
    """What an agent hears of 60 messages."""
    with Sandbox(seed=seed, clock=clock, customers=0, conversations=0) as sandbox:
        for fault in faults:
            sandbox.sockets.faults.add(fault)
        rest = Rest(sandbox)
        with rest.http, connect(rest.websocket_url(), ping_interval=None) as connection:
            socket = AgentSocket(connection)
            customer = sandbox.arrive()
            rest.pick_up(customer.queue_entry_uuid)
            socket.drain()
            for number in range(60):
                customer.write(str(number))
            return [_label(frame) for frame in socket.drain()]


def test_the_same_frames_are_lost_for_the_same_seed(clock: Clock) -> None:
    plan = [SocketFault(kind="drop", times=None, rate=0.3, frame=name) for name in ("message", "new message")]
    first = arrivals(1, clock, *plan)
    assert first == arrivals(1, clock, *plan) != arrivals(2, clock, *plan)
    assert 60 < len(first) < 110


def test_only_frames_of_one_name_may_be_lost(clock: Clock) -> None:
    heard = arrivals(1, clock, SocketFault(kind="drop", times=None, rate=0.5, frame="new message"))
    assert [label for label in heard if label.startswith("message")] == [f"message {number}" for number in range(60)]
    assert 15 < sum(label.startswith("new message") for label in heard) < 45


def _label(frame: dict[str, Any]) -> str:
    if frame["type"] == "message":
        return f"message {frame['message']['body']}"
    return f"{frame['event_type']} {frame['event_new_message']['last_conversation_message_body']}"
