"""Starting and stopping: from any kind of program, leaving nothing behind, bounded whatever clients do."""

import asyncio
import gc
import logging
import os
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.live.sandbox.strangers import OpenSocket, Rest
from ultracart_conversation.sandbox import Clock, Fault, Sandbox, SocketFault


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.anyio
async def test_it_runs_under_both_backends() -> None:
    async with Sandbox(conversations=3) as sandbox:
        headers = {"X-UltraCart-Api-Version": "2017-03-01", "x-ultracart-simple-key": sandbox.api_key}
        async with httpx.AsyncClient(headers=headers, verify=False) as client:
            response = await client.get(f"{sandbox.base_url}/conversation/conversations")
    assert len(response.json()["conversations"]) == 3


def test_it_leaves_nothing_behind() -> None:
    with Sandbox(conversations=1):
        pass
    gc.collect()
    threads, before = threading.active_count(), descriptors()
    for _ in range(10):
        with Sandbox(conversations=1) as sandbox:
            httpx.get(sandbox.base_url, verify=False)
    gc.collect()
    assert threading.active_count() == threads
    assert descriptors() == before


def test_starting_and_stopping_is_quick() -> None:
    def seconds() -> float:
        began = time.perf_counter()
        with Sandbox(conversations=1):
            pass
        return time.perf_counter() - began

    # The best of some: a busy machine may spoil one, and not what is slow in itself.
    assert min(seconds() for _ in range(5)) < 0.6


def test_stopping_is_bounded_whatever_clients_do(clock: Clock) -> None:
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(clock=clock, conversations=1))
        headers = {"X-UltraCart-Api-Version": "2017-03-01", "x-ultracart-simple-key": sandbox.api_key}
        http = stack.enter_context(httpx.Client(base_url=sandbox.base_url, headers=headers, verify=False))

        def open_socket() -> Any:
            url = http.put("/conversation/agent/auth").json()["agent_auth"]["websocket_url"]
            return stack.enter_context(connect(url, close_timeout=0.1))

        ordinary, silent = open_socket(), open_socket()
        sandbox.sockets.silence()
        half_sent = stack.enter_context(socket.create_connection(("127.0.0.1", sandbox.port)))
        half_sent.sendall(b"GET /rest/v2/conv")
        stalled = stack.enter_context(socket.create_connection(("127.0.0.1", sandbox.port)))
        sandbox.faults.add(Fault(kind="stall", operation="get_conversations"))
        request = "GET /rest/v2/conversation/conversations HTTP/1.1\r\nHost: x\r\n"
        request += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        stalled.sendall(f"{request}\r\n".encode())
        sandbox.sockets.faults.add(SocketFault(kind="stall"))
        url = http.put("/conversation/agent/auth").json()["agent_auth"]["websocket_url"]
        with pytest.raises(TimeoutError), connect(url, open_timeout=0.05):
            pass
        began = time.perf_counter()
        sandbox.stop()
        assert time.perf_counter() - began < 5
        assert stalled.recv(1) == b""
        assert sandbox.sockets.count == 0
        del ordinary, silent


def test_a_socket_is_told_that_the_service_restarts(open_socket: OpenSocket, sandbox: Sandbox) -> None:
    agent = open_socket()
    sandbox.stop()
    with pytest.raises(Exception, match="1012"):
        agent.next()


def test_it_can_be_stopped_twice_and_started_again(rest: Rest, sandbox: Sandbox) -> None:
    uuid = sandbox.text("before the outage").conversation_uuid
    base_url = sandbox.base_url
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(httpx.TransportError):
        rest.http.get("/conversations")
    sandbox.customer(uuid).write("during the outage")
    sandbox.start()
    assert sandbox.base_url == base_url
    assert len(rest.messages(uuid)) == 2


def test_it_cannot_be_started_twice(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="already"):
        sandbox.start()


def test_a_port_that_is_taken_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(sandbox.port).start()


def test_it_leaves_logging_and_signals_alone(caplog: pytest.LogCaptureFixture) -> None:
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
    before = [(logging.getLogger(name).level, logging.getLogger(name).handlers) for name in names]
    caplog.set_level(logging.DEBUG)
    with Sandbox(conversations=1) as sandbox:
        headers = {"X-UltraCart-Api-Version": "2017-03-01", "x-ultracart-simple-key": sandbox.api_key}
        with httpx.Client(base_url=sandbox.base_url, headers=headers, verify=False) as http:
            granted = http.put("/conversation/agent/auth").json()["agent_auth"]
        with connect(granted["websocket_url"], logger=logging.getLogger("the client's own")):
            pass
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("ultracart", "uvicorn"))]
    assert "PUT /rest/v2/conversation/agent/auth -> 200 (get_agent_websocket_authorization)" in ours
    assert granted["jwt"] not in "".join(ours)
    assert sandbox.api_key not in "".join(ours)
    assert before == [(logging.getLogger(name).level, logging.getLogger(name).handlers) for name in names]


def test_a_client_that_leaves_in_mid_request_is_no_error(
    sandbox: Sandbox, rest: Rest, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port)) as client:
        client.sendall(b"PUT /rest/v2/conversation/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
    assert rest.http.get("/conversations").status_code == 200
    assert [record.levelname for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_it_has_no_address_before_it_is_started() -> None:
    with pytest.raises(RuntimeError, match="before it is started"):
        Sandbox().base_url  # noqa: B018


def test_many_threads_may_steer_it(sandbox: Sandbox, rest: Rest) -> None:
    customer = sandbox.text("0")

    def write() -> None:
        for _ in range(50):
            customer.write("x")

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    epochs = [said["message_epoch"] for said in rest.conversation(customer.conversation_uuid)["messages"]]
    assert len(epochs) == 201
    assert epochs == sorted(set(epochs))


@pytest.mark.asyncio
async def test_a_running_loop_is_not_disturbed() -> None:
    before = asyncio.all_tasks()
    async with Sandbox(conversations=1):
        assert asyncio.all_tasks() == before
