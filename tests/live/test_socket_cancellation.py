"""Whoever is cancelled, in opening, writing or reading: nothing stays open, and nothing half written is continued."""

import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

import anyio
import pytest

from tests.live.connect_proxy import ConnectProxy, forget_proxies
from tests.live.raw_websocket import PING, PONG, TEXT, Peer, RawServer, close_frame, frame
from tests.live.tls import client_context, server_context
from ultracart_conversation import SystemClock
from ultracart_conversation._live.outcome import Closed, SocketEnded
from ultracart_conversation._live.socket import Address
from ultracart_conversation._live.transport import Websocket, WebsocketConnector

pytestmark = pytest.mark.anyio
T = TypeVar("T")
TOO_MUCH = "x" * 16 * 1024 * 1024
"""More than the kernel buffers for a server that does not read."""


class CancelledAt(Generic[T]):
    """Awaits `work`, and cancels `scope` when it is about to wait for the n-th time."""

    def __init__(self, work: Coroutine[Any, Any, T], turn: int, scope: anyio.CancelScope) -> None:
        self._work, self._turn, self._scope = work, turn, scope

    def __await__(self) -> Generator[Any, Any, T]:
        act: Callable[[], Any] = partial(self._work.send, None)
        turn = 0
        while True:
            try:
                waiting = act()
            except StopIteration as done:
                result: T = done.value
                return result
            turn += 1
            if turn == self._turn:
                self._scope.cancel()
            try:
                act = partial(self._work.send, (yield waiting))
            except BaseException as error:  # noqa: BLE001 - it is passed on
                act = partial(self._work.throw, error)


async def opened(server: RawServer) -> Websocket:
    return await WebsocketConnector(clock=SystemClock())(Address(url=server.url()))


@pytest.mark.parametrize("route", ["direct", "TLS", "TLS through a proxy", "TLS through TLS"])
async def test_cancelling_at_any_await_leaves_nothing_open(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_proxies(monkeypatch)
    tls = server_context()
    with (
        RawServer(Peer.accept, tls=None if route == "direct" else tls) as server,
        ConnectProxy(tls=tls if route == "TLS through TLS" else None) as proxy,
    ):
        if "through" in route:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url(host="localhost").replace("ws", "http", 1))
        connector = WebsocketConnector(clock=SystemClock(), ssl_context=client_context())
        turn = 0
        while True:
            turn += 1
            with anyio.CancelScope() as scope:
                socket = await CancelledAt(connector(Address(url=server.url(host="localhost"))), turn, scope)
                await socket.abort()
            server.all_gone()
            proxy.all_gone()
            if not scope.cancel_called:
                break
    assert turn > 5
    assert server.connections > 1
    assert (proxy.connections > 1) is ("through" in route)


async def test_a_cancelled_write_ends_the_websocket() -> None:
    began = threading.Event()
    seen: list[bytes] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        began.wait(10)
        seen.append(peer.rest())

    with RawServer(talk, buffer=4096) as server:
        socket = await opened(server)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(socket.send, TOO_MUCH)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        for use in (lambda: socket.send("more"), socket.ping, socket.receive):
            with pytest.raises(SocketEnded) as ended:
                await use()
            assert ended.value.end == Closed(1006, "a write was cancelled")
        began.set()
        server.all_gone()
    assert len(seen[0]) < len(TOO_MUCH)


@pytest.mark.parametrize("tls", [False, True])
async def test_a_write_that_is_not_stuck_may_be_cancelled_at_any_await(tls: bool) -> None:
    messages: list[str] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        while not messages or messages[-1] != "last":
            messages.append(peer.message())
        peer.send(close_frame(1000))

    with RawServer(talk, tls=server_context() if tls else None) as server:
        connector = WebsocketConnector(clock=SystemClock(), ssl_context=client_context())
        socket = await connector(Address(url=server.url(host="localhost")))
        for turn in range(1, 10):
            with anyio.CancelScope() as scope:
                await CancelledAt(socket.send(f"{turn}"), turn, scope)
        await socket.send("last")
        with pytest.raises(SocketEnded) as ended:
            await socket.receive()
    assert ended.value.end == Closed(1000)
    assert messages[-5:] == ["6", "7", "8", "9", "last"]


async def test_whoever_only_waits_to_write_may_be_cancelled() -> None:
    began = threading.Event()
    messages: list[str] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        began.wait(10)
        messages.extend(peer.message() for _ in range(2))
        peer.send(close_frame(1000))

    with RawServer(talk, buffer=4096) as server:
        socket = await opened(server)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(socket.send, TOO_MUCH)
            await anyio.wait_all_tasks_blocked()
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(socket.send, "cancelled while it waits")
                await anyio.wait_all_tasks_blocked()
                waiting.cancel_scope.cancel()
            with anyio.CancelScope() as scope:
                scope.cancel()
                await socket.send("cancelled before it begins")
            began.set()
            await socket.send("after")
        with pytest.raises(SocketEnded) as ended:
            await socket.receive()
    assert ended.value.end == Closed(1000)
    assert messages == [TOO_MUCH, "after"]


async def test_reading_goes_on_while_a_writer_is_stuck() -> None:
    began = threading.Event()
    frames: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        began.wait(10)
        peer.send(frame(b"ping", opcode=PING) + frame(b"one"))
        peer.send(frame(b"two"))
        read.wait(10)
        assert peer.message() == TOO_MUCH
        frames.append(peer.frame())
        peer.send(close_frame(1000))

    read = threading.Event()
    with RawServer(talk, buffer=4096) as server:
        socket = await opened(server)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(socket.send, TOO_MUCH)
            await anyio.wait_all_tasks_blocked()
            began.set()
            with anyio.fail_after(5):
                assert [await socket.receive() for _ in range(3)] == [None, "one", "two"]
            read.set()
        with pytest.raises(SocketEnded):
            await socket.receive()
    assert frames == [(PONG, True, b"ping")]


async def test_pings_without_end_to_a_stuck_writer_fill_no_memory() -> None:
    began = threading.Event()
    pings = frame(b"x" * 125, opcode=PING) * 100
    sent: list[int] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        began.wait(10)
        peer.connection.settimeout(0.5)
        with suppress(TimeoutError):
            while sum(sent) < 24 * 1024 * 1024:
                sent.append(peer.connection.send(pings))
        peer.reset()

    async def listen() -> None:
        with suppress(SocketEnded):
            while True:
                await socket.receive()

    async def speak() -> None:
        with pytest.raises(SocketEnded):
            await socket.send(TOO_MUCH)

    with RawServer(talk, buffer=4096) as server:
        socket = await opened(server)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(speak)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(listen)
            began.set()
    assert sum(sent) < 24 * 1024 * 1024


async def test_a_cancelled_receive_loses_nothing() -> None:
    half = threading.Event()
    whole = frame(b"whole") + frame(b"x", opcode=PING) + close_frame(1000)

    def talk(peer: Peer) -> None:
        peer.accept(whole[:3])
        half.wait(10)
        peer.send(whole[3:])

    with RawServer(talk) as server:
        socket = await opened(server)
        for _ in range(3):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(socket.receive)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
        half.set()
        assert await socket.receive() == "whole"
        assert await socket.receive() is None
        with pytest.raises(SocketEnded) as ended:
            await socket.receive()
    assert ended.value.end == Closed(1000)


async def test_abort_works_while_cancelled() -> None:
    with RawServer(Peer.accept) as server:
        socket = await opened(server)
        aborted = 0
        with anyio.CancelScope() as scope:
            scope.cancel()
            for _ in range(2):
                await socket.abort()
                aborted += 1
        assert aborted == 2
        server.all_gone()


async def test_a_ping_that_is_cancelled_before_it_begins_does_no_harm() -> None:
    messages: list[tuple[int, bool, bytes]] = []

    def talk(peer: Peer) -> None:
        peer.accept()
        while not messages or messages[-1][0] != TEXT:
            messages.append(peer.frame())
        peer.send(close_frame(1000))

    with RawServer(talk) as server:
        socket = await opened(server)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await socket.ping()
        await socket.send("after")
        with pytest.raises(SocketEnded):
            await socket.receive()
    assert messages[-1] == (TEXT, True, b"after")
