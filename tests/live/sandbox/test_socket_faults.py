"""What can be made to go wrong with websockets."""

import json
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from tests.live.sandbox.strangers import OpenSocket, Rest, RestAs, Webchat
from ultracart_conversation.sandbox import Sandbox, SocketFault


def test_a_close_comes_after_what_was_pushed(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket) -> None:
    socket = open_socket()
    webchat[1].write("last words")
    sandbox.sockets.close(4001, "enough")
    assert socket.next()["message"]["body"] == "last words"
    assert socket.next()["event_type"] == "new message"
    with pytest.raises(ConnectionClosed) as raised:
        socket.next()
    assert raised.value.rcvd is not None
    assert (raised.value.rcvd.code, raised.value.rcvd.reason) == (4001, "enough")


def test_a_reset_has_no_closing_frame(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    socket = open_socket()
    sandbox.sockets.reset()
    with pytest.raises(ConnectionClosedError) as raised:
        socket.next()
    assert raised.value.rcvd is None


def test_only_the_sockets_of_one_agent_are_meant(sandbox: Sandbox, rest_as: RestAs, open_socket: OpenSocket) -> None:
    colleague = sandbox.add_agent("Noor Aziz")
    ours, theirs = open_socket(), open_socket(rest_as(colleague.api_key))
    sandbox.sockets.close(1001, agent=colleague.arn)
    with pytest.raises(ConnectionClosed):
        theirs.next()
    assert ours.drain() == []


def test_a_silent_socket_neither_reads_nor_writes(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket) -> None:
    socket = open_socket()
    assert socket.drain() == []
    sandbox.sockets.silence()
    webchat[1].write("unheard")
    socket.send({"type": "ping"})
    pong = socket.connection.ping()
    with pytest.raises(TimeoutError):
        socket.connection.recv(timeout=0.1)
    assert not pong.is_set()
    assert sandbox.sockets.count == 1


def test_any_frame_can_be_pushed(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    socket = open_socket()
    frame = {"message": "Forbidden", "connectionId": "x", "requestId": "y"}
    sandbox.sockets.send(frame)
    assert socket.next() == frame


@pytest.mark.parametrize(
    ("kind", "bodies"),
    [("drop", ["b", "c"]), ("duplicate", ["a", "a", "b", "c"]), ("reorder", ["b", "a", "c"])],
)
def test_frames_are_lost_doubled_or_swapped(
    sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket, kind: Any, bodies: list[str]
) -> None:
    socket = open_socket()
    sandbox.sockets.faults.add(SocketFault(kind=kind, frame="message"))
    for body in "abc":
        webchat[1].write(body)
    frames = [frame for frame in socket.drain() if frame["type"] == "message"]
    assert [frame["message"]["body"] for frame in frames] == bodies
    assert sandbox.sockets.faults.pending == ()


def test_a_frame_can_be_corrupt(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket) -> None:
    socket = open_socket()
    sandbox.sockets.faults.add(SocketFault(kind="corrupt", frame="message"))
    webchat[1].write("a")
    with pytest.raises(json.JSONDecodeError):
        socket.next()
    assert socket.next()["event_type"] == "new message"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 50])
def test_a_frame_can_be_cut(sandbox: Sandbox, webchat: Webchat, open_socket: OpenSocket, size: int) -> None:
    socket = open_socket()
    sandbox.sockets.faults.add(SocketFault(kind="cut", size=size))
    webchat[1].write("a")
    with pytest.raises(ConnectionClosedError):
        socket.next()


def test_frames_are_lost_at_a_seeded_rate() -> None:
    def lost(seed: int) -> list[int]:
        with Sandbox(seed=seed, conversations=1) as sandbox:
            plan = sandbox.sockets.faults
            plan.add(SocketFault(kind="drop", times=None, rate=0.3))
            return [at for at in range(200) if plan.take(frozenset({"frame"}))]

    assert lost(1) == lost(1) != lost(2)
    assert 40 < len(lost(1)) < 80


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_handshake_can_be_refused(sandbox: Sandbox, rest: Rest, open_socket: OpenSocket, status: int) -> None:
    sandbox.sockets.faults.add(SocketFault(kind="refuse", status=status, headers={"Retry-After": "2"}))
    with pytest.raises(InvalidStatus) as raised, connect(rest.websocket_url()):
        pass
    assert raised.value.response.status_code == status
    assert raised.value.response.headers["Retry-After"] == "2"
    assert open_socket().drain() == []
    assert [each.status for each in sandbox.sockets.handshakes] == [status, 101]


def test_a_handshake_can_stall(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.sockets.faults.add(SocketFault(kind="stall"))
    with pytest.raises(TimeoutError), connect(rest.websocket_url(), open_timeout=0.1):
        pass
    assert sandbox.sockets.count == 0
    assert [each.status for each in sandbox.sockets.handshakes] == [None]


def test_a_socket_lives_until_its_fault_is_due(sandbox: Sandbox, open_socket: OpenSocket) -> None:
    sandbox.sockets.faults.add(SocketFault(kind="close", code=1012, delay=0.1))
    sandbox.sockets.faults.add(SocketFault(kind="reset", delay=3600))
    began = time.monotonic()
    brief, lasting = open_socket(), open_socket()
    with pytest.raises(ConnectionClosed, match="1012"):
        brief.next()
    assert time.monotonic() - began >= 0.1
    assert lasting.drain() == []


def test_a_socket_can_open_and_close_or_fall_silent(sandbox: Sandbox, rest: Rest) -> None:
    for kind in ("close", "reset", "silent"):
        sandbox.sockets.faults.add(SocketFault(kind=kind, code=1011))
    with connect(rest.websocket_url()) as closing, pytest.raises(ConnectionClosed) as raised:
        closing.recv(timeout=5)
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1011
    with connect(rest.websocket_url()) as cut, pytest.raises(ConnectionClosedError):
        cut.recv(timeout=5)
    with connect(rest.websocket_url(), close_timeout=0.1) as silent:
        silent.send('{"type":"ping"}')
        with pytest.raises(TimeoutError):
            silent.recv(timeout=0.1)
