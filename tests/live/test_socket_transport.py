"""An open websocket: what comes in, what goes out, and how it ends. Cancelling is in a file of its own."""

import json
import logging
import threading
from typing import Any

import anyio
import pytest

from tests.live.raw_websocket import BINARY, CLOSE, CONT, PING, PONG, TEXT, Peer, RawServer, close_frame, frame
from tests.live.sandbox.strangers import Rest
from tests.virtual_clock import VirtualClock
from ultracart_conversation import SystemClock
from ultracart_conversation._live.outcome import Closed, SocketEnded
from ultracart_conversation._live.protocol import LARGEST_FRAME, LARGEST_MESSAGE
from ultracart_conversation._live.socket import Address
from ultracart_conversation._live.transport import Websocket, WebsocketConnector
from ultracart_conversation.sandbox import Sandbox, SocketFault

pytestmark = pytest.mark.anyio
KIB = 1024


async def opened(url: str) -> Websocket:
    return await WebsocketConnector(clock=SystemClock())(Address(url=url))


async def online(sandbox: Sandbox) -> Websocket:
    rest = Rest(sandbox)
    with rest.http:
        return await opened(rest.websocket_url())


async def following(socket: Websocket) -> tuple[list[str | bytes | None], Closed]:
    """Everything up to the end, and the end."""
    received: list[str | bytes | None] = []
    with anyio.fail_after(10):
        while True:
            try:
                received.append(await socket.receive())
            except SocketEnded as ended:
                return received, ended.end


async def talking(socket: Websocket) -> None:
    while True:
        await socket.send("x" * 10_000)


async def test_a_message_comes_back(ultracart_sandbox: Sandbox) -> None:
    socket = await online(ultracart_sandbox)
    await socket.send('{"type":"ping"}')
    assert json.loads(str(await socket.receive())) == {"type": "ping"}
    await socket.close(1000, "bye")
    assert await following(socket) == ([], Closed(1000, "bye"))


async def test_a_long_message_goes_out_in_frames_of_32_kib(ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.sockets.frame_limit = 32 * KIB
    customer = ultracart_sandbox.arrive()
    rest = Rest(ultracart_sandbox)
    with rest.http:
        uuid = rest.pick_up(customer.queue_entry_uuid)
    socket = await online(ultracart_sandbox)
    body = "€" * (40 * KIB)
    message = {"type": "message", "conversation_uuid": uuid, "message": {"body": body}}
    await socket.send(json.dumps(message, ensure_ascii=False))
    assert json.loads(str(await socket.receive()))["message"]["body"] == body
    await socket.abort()


@pytest.mark.parametrize("size", [0, 1, LARGEST_FRAME - 8, LARGEST_FRAME - 7, LARGEST_FRAME, 5 * LARGEST_FRAME + 1])
async def test_a_frame_with_its_header_has_at_most_32_kib(size: int) -> None:
    frames: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        frames.append(peer.frame())
        while not frames[-1][1]:
            frames.append(peer.frame())
        peer.send(close_frame(1000))

    with RawServer(talk) as server:
        socket = await opened(server.url())
        await socket.send("x" * size)
        assert (await following(socket))[1].code == 1000
    assert b"".join(data for _, _, data in frames) == b"x" * size
    assert [opcode for opcode, _, _ in frames] == [TEXT] + [CONT] * (len(frames) - 1)
    assert all(len(data) + 8 <= LARGEST_FRAME for _, _, data in frames)
    assert len(frames) == max(1, -(-size // (LARGEST_FRAME - 8)))


async def test_messages_of_many_senders_do_not_mix() -> None:
    texts = sorted(letter * 100_000 for letter in "abcdefghijklmnopqrst")
    arrived: list[str] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        arrived.extend(peer.message() for _ in texts)
        peer.send(close_frame(1000))

    with RawServer(talk, buffer=4096) as server:
        socket = await opened(server.url())
        async with anyio.create_task_group() as tasks:
            for text in texts:
                tasks.start_soon(socket.send, text)
        await following(socket)
    assert sorted(arrived) == texts


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1008, 1009, 1011, 1012, 1013, 4001])
async def test_the_closing_code_and_reason_come_through(ultracart_sandbox: Sandbox, code: int) -> None:
    socket = await online(ultracart_sandbox)
    ultracart_sandbox.sockets.send({"last": "words"})
    ultracart_sandbox.sockets.close(code, "enough")
    assert await following(socket) == (['{"last":"words"}'], Closed(code, "enough"))
    for _ in range(2):
        with pytest.raises(SocketEnded) as ended:
            await socket.send("too late")
        assert ended.value.end == Closed(code, "enough")
    with pytest.raises(SocketEnded):
        await socket.ping()
    await socket.close()
    await socket.abort()
    assert (await following(socket))[1] == Closed(code, "enough")


async def test_a_reset_is_1006(ultracart_sandbox: Sandbox) -> None:
    socket = await online(ultracart_sandbox)
    ultracart_sandbox.sockets.reset()
    assert (await following(socket))[1] == Closed(1006, "connection reset by peer")


async def test_a_frame_may_be_cut_at_each_of_its_bytes(ultracart_sandbox: Sandbox) -> None:
    whole = frame(b'{"a":1}')
    for size in range(len(whole) + 1):
        socket = await online(ultracart_sandbox)
        ultracart_sandbox.sockets.faults.add(SocketFault(kind="cut", size=size))
        ultracart_sandbox.sockets.send({"a": 1})
        received, end = await following(socket)
        assert end.code == 1006
        assert received in ([], ['{"a":1}'] if size == len(whole) else [])


async def test_a_silent_server_is_left_by_abort(ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.sockets.faults.add(SocketFault(kind="silent"))
    socket = await online(ultracart_sandbox)
    ends: list[Closed] = []

    async def listen() -> None:
        ends.append((await following(socket))[1])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await socket.ping()
        await socket.close(1001)
        await anyio.wait_all_tasks_blocked()
        assert ends == []
        await socket.abort()
    assert ends == [Closed(1006)]


ENDINGS = {
    "masked": (frame(b"x", mask=b"abcd"), 1002),
    "reserved bits": (frame(b"x", reserved=4), 1002),
    "unknown opcode": (frame(b"x", opcode=3), 1002),
    "continuation of nothing": (frame(b"x", opcode=CONT), 1002),
    "message within a message": (frame(b"x", fin=False) + frame(b"y"), 1002),
    "control frame in parts": (frame(b"x", opcode=PING, fin=False), 1002),
    "long control frame": (frame(b"x" * 126, opcode=PING), 1002),
    "half a closing code": (frame(b"x", opcode=CLOSE), 1002),
    "impossible closing code": (close_frame(1006), 1002),
    "noise": (bytes(range(255, 155, -1)), 1002),
    "another answer": (b"HTTP/1.1 200 OK\r\n" + b"Content-Length: 0\r\n" * 9, 1002),
    "no text": (frame(b"\xff\xfe"), 1007),
    "text that ends too early": (frame("€".encode()[:2], fin=False) + frame(b"", opcode=CONT), 1007),
    "closing reason that is no text": (close_frame(1001, b"\xff"), 1007),
    "too long": (frame(b"x" * (LARGEST_MESSAGE + 1))[:20], 1009),
    "too long in parts": (
        frame(b"x" * LARGEST_MESSAGE, fin=False) + frame(b"x", opcode=CONT, fin=False),
        1009,
    ),
}


@pytest.mark.parametrize(("data", "code"), ENDINGS.values(), ids=ENDINGS)
async def test_a_server_that_breaks_the_protocol_is_told_and_left(data: bytes, code: int) -> None:
    said: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        peer.send(frame(b"before") + data)
        said.append(peer.frame())

    with RawServer(talk) as server:
        received, end = await following(await opened(server.url()))
        server.all_gone()
    assert (received, end.code) == (["before"], code)
    assert (said[0][0], said[0][2][:2]) == (CLOSE, code.to_bytes(2, "big"))


ODD = {
    "no code": (frame(opcode=CLOSE), [], 1005),
    "hung up": (b"", [], 1006),
    "empty": (frame(), [""], 1006),
    "binary": (frame(b"\xff\x00", opcode=BINARY), [b"\xff\x00"], 1006),
    "binary in parts": (frame(b"\xff", opcode=BINARY, fin=False) + frame(b"\x00", opcode=CONT), [b"\xff\x00"], 1006),
    "a letter in two parts": (frame(b"\xe2\x82", fin=False) + frame(b"\xac", opcode=CONT), ["€"], 1006),
    "pings in between": (
        frame(b"a", fin=False) + frame(b"1", opcode=PING) + frame(b"b", opcode=CONT) + frame(opcode=PONG),
        [None, "ab", None],
        1006,
    ),
    "many empty parts": (
        frame(fin=False) + frame(opcode=CONT, fin=False) * 999 + frame(b"x", opcode=CONT),
        ["x"],
        1006,
    ),
    "the longest": (frame(b"x" * LARGEST_MESSAGE), ["x" * LARGEST_MESSAGE], 1006),
    "words after the last": (close_frame(1001) + frame(b"x"), [], 1001),
    "noise after the last": (close_frame(1012) + b"\xff" * 50, [], 1012),
}


@pytest.mark.parametrize("pace", ["with the handshake", "at once", "byte by byte"])
@pytest.mark.parametrize(("data", "expected", "code"), ODD.values(), ids=ODD)
async def test_odd_but_lawful(data: bytes, expected: list[Any], code: int, pace: str) -> None:
    def talk(peer: Peer) -> None:
        peer.accept(data if pace == "with the handshake" else b"")
        if pace == "at once":
            peer.send(data)
        elif pace == "byte by byte":
            for byte in data[:2000]:
                peer.send(bytes([byte]))
            peer.send(data[2000:])
        peer.connection.shutdown(1)

    with RawServer(talk) as server:
        received, end = await following(await opened(server.url()))
    assert (received, end.code) == (expected, code)


async def test_a_ping_is_answered_with_what_it_carried() -> None:
    answers: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        for data in (b"", b"abc", b"x" * 125):
            peer.send(frame(data, opcode=PING))
            answers.append(peer.frame())
        answers.append(peer.frame())
        peer.send(frame(answers[-1][2], opcode=PONG) + close_frame(1000))

    with RawServer(talk) as server:
        socket = await opened(server.url())
        received = [await socket.receive() for _ in range(3)]
        await socket.ping()
        rest, end = await following(socket)
    assert (received, rest, end) == ([None, None, None], [None], Closed(1000))
    assert answers[:3] == [(PONG, True, b""), (PONG, True, b"abc"), (PONG, True, b"x" * 125)]
    assert answers[3][0] == PING


async def test_the_closing_frame_is_answered_and_the_connection_closed() -> None:
    answers: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        peer.send(close_frame(4001, b"enough"))
        answers.append(peer.frame())

    with RawServer(talk) as server:
        socket = await opened(server.url())
        assert await following(socket) == ([], Closed(4001, "enough"))
        server.all_gone()
    assert answers == [(CLOSE, True, (4001).to_bytes(2, "big") + b"enough")]


async def test_after_closing_nothing_more_is_sent_and_the_rest_is_read() -> None:
    said: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        said.append(peer.frame())
        peer.send(frame(b"late") + close_frame(1000))

    with RawServer(talk) as server:
        socket = await opened(server.url())
        await socket.close(1000, "ü" * 100)
        with pytest.raises(SocketEnded) as ended:
            await socket.send("more")
        assert ended.value.end.code == 1000
        await socket.close(1001)
        assert await following(socket) == (["late"], Closed(1000))
    assert said[0][2] == (1000).to_bytes(2, "big") + "ü".encode() * 61


async def test_closing_takes_at_most_its_time() -> None:
    clock = VirtualClock()
    ends: list[Closed] = []
    deaf = threading.Event()

    def talk(peer: Peer) -> None:
        peer.accept()
        deaf.wait(10)

    async def send(socket: Websocket) -> None:
        with pytest.raises(SocketEnded) as ended:
            await socket.send("x" * 16 * KIB * KIB)
        ends.append(ended.value.end)

    with RawServer(talk, buffer=4096) as server:
        socket = await WebsocketConnector(clock=clock)(Address(url=server.url()))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, socket)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(socket.close)
            await clock.advance(1.9)
            assert ends == []
            await clock.advance(0.2)
        deaf.set()
    assert ends == [Closed(1006)]


async def test_a_sender_learns_of_the_end() -> None:
    def talk(peer: Peer) -> None:
        peer.accept()
        peer.message()
        peer.reset()

    with RawServer(talk) as server:
        socket = await opened(server.url())
        with anyio.fail_after(10), pytest.raises(SocketEnded) as ended:
            await talking(socket)
        assert ended.value.end.code == 1006
        assert (await following(socket))[1].code == 1006


async def test_two_may_not_receive_at_once(ultracart_sandbox: Sandbox) -> None:
    socket = await online(ultracart_sandbox)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(socket.receive)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.BusyResourceError):
            await socket.receive()
        tasks.cancel_scope.cancel()
    await socket.abort()


async def test_no_log_tells_a_secret_or_a_message(ultracart_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "websockets", "websockets.client", "ultracart_conversation", "ultracart_conversation.websocket"):
        caplog.set_level(logging.DEBUG, name)
    rest = Rest(ultracart_sandbox)
    with rest.http:
        token = rest.put("/agent/auth")["agent_auth"]["jwt"]
        url = rest.websocket_url().partition("?")[0]
    caplog.clear()
    address = Address(url=f"{url}?token={token}", headers=(("Authorization", f"Bearer {token}"),))
    socket = await WebsocketConnector(clock=SystemClock())(address)
    ultracart_sandbox.sockets.send({"confidential": "to the agent"})
    await socket.send('{"type":"ping","confidential":"to the customer"}')
    await socket.ping()
    ultracart_sandbox.sockets.close(1001, "confidential")
    await following(socket)
    told = "\n".join(f"{record.getMessage()} {record.args!r}" for record in caplog.records)
    assert token not in told
    assert "confidential" not in told
    assert [record.name for record in caplog.records if record.name.startswith("websockets")] == []
