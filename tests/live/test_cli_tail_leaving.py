"""How `tail` ends: by Ctrl-C, by whoever reads it, and by what nothing can mend."""

import fcntl
import json
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from tests.live.command_line import PATIENCE, environment, run
from tests.live.tail_command import Tail, chat, wait_for
from ultracart_conversation.sandbox import Fault, Sandbox, SocketFault

LEAVING = 4.0
"""Seconds that Ctrl-C may take: 3 where nothing else runs."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=0) as running:
        yield running


def live(sandbox: Sandbox, tail: Tail) -> None:
    tail.until_live()


def half_open(sandbox: Sandbox, tail: Tail) -> None:
    tail.until_live()
    sandbox.sockets.silence()


def away(sandbox: Sandbox, tail: Tail) -> None:
    tail.until_live()
    sandbox.stop()
    tail.until("recovering", "connecting in ")


def deaf_rest(sandbox: Sandbox, tail: Tail) -> None:
    tail.until_live()
    sandbox.faults.add(Fault(kind="stall", times=None))
    sandbox.requests.clear()
    sandbox.sockets.reset()
    wait_for(lambda: bool(sandbox.requests))


def deaf_websocket(sandbox: Sandbox, tail: Tail) -> None:
    tail.until_live()
    sandbox.sockets.faults.add(SocketFault(kind="stall", times=None))
    sandbox.requests.clear()
    sandbox.sockets.reset()
    wait_for(lambda: any(each.operation == "get_agent_websocket_authorization" for each in sandbox.requests))


@pytest.mark.parametrize("where", [live, half_open, away, deaf_rest, deaf_websocket], ids=lambda each: each.__name__)
def test_ctrl_c_leaves_soon(sandbox: Sandbox, where: Callable[[Sandbox, Tail], None]) -> None:
    with Tail(sandbox) as tail:
        where(sandbox, tail)
        assert tail.interrupt() < LEAVING


def test_ctrl_c_closes_the_websocket(sandbox: Sandbox) -> None:
    with Tail(sandbox) as tail:
        tail.until_live()
        assert sandbox.sockets.count == 1
        tail.interrupt()
    wait_for(lambda: sandbox.sockets.count == 0)


def test_a_second_ctrl_c_changes_nothing(sandbox: Sandbox) -> None:
    with Tail(sandbox) as tail:
        half_open(sandbox, tail)
        began = time.monotonic()
        tail.process.send_signal(signal.SIGINT)
        # The service does not answer the closing handshake, which may take two seconds.
        with pytest.raises(subprocess.TimeoutExpired):
            tail.process.wait(0.5)
        tail.interrupt()
        assert 1 < time.monotonic() - began < LEAVING


def test_ctrl_c_leaves_although_nobody_reads(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox, "--json") as tail:
        tail.until_live()
        for _ in range(5):
            customer.write("x" * 50_000)
        wait_for(lambda: _unread(tail) > 60_000)
        tail.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert tail.process.wait(PATIENCE) == 130
        assert time.monotonic() - began < LEAVING


def test_a_slow_reader_does_not_keep_the_session_from_living(sandbox: Sandbox) -> None:
    customer = chat(sandbox)
    with Tail(sandbox, "--json") as tail:
        tail.until_live()
        bodies = [f"{number} {'x' * 50_000}" for number in range(5)]
        for body in bodies:
            customer.write(body)
        wait_for(lambda: _unread(tail) > 60_000)
        sandbox.requests.clear()
        sandbox.sockets.reset()
        wait_for(lambda: any(each.operation == "get_agent_websocket_authorization" for each in sandbox.requests))
        tail.event("GapClosed")
    read = [json.loads(line) for line in tail.lines]
    assert [each["message"]["body"] for each in read if each["event"] == "MessageReceived"] == bodies


def _unread(tail: Tail) -> int:
    """Bytes that wait in the pipe."""
    assert tail.process.stdout is not None
    return int(struct.unpack("i", fcntl.ioctl(tail.process.stdout, termios.FIONREAD, b"\0" * 4))[0])


@pytest.mark.parametrize("happens", [True, False], ids=["busy", "quiet"])
def test_a_reader_who_has_enough_is_no_error(sandbox: Sandbox, happens: bool) -> None:
    customer = chat(sandbox)
    with Tail(sandbox) as tail:
        tail.until_live()
        assert tail.process.stdout is not None
        tail.process.stdout.close()
        if happens:
            customer.write("too late")
        assert tail.process.wait(PATIENCE) == 0
        assert tail.process.stderr is not None
        assert tail.process.stderr.read() == ""


def test_a_rejected_key_is_one_line(sandbox: Sandbox) -> None:
    done = run("tail", env=environment(sandbox, ULTRACART_API_KEY="wrong"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in ("ultracart-conversation: ", "401", "check the API key"))
    assert "wrong" not in done.stdout


def test_a_disabled_application_is_one_line(sandbox: Sandbox) -> None:
    with Tail(sandbox) as tail:
        tail.until_live()
        sandbox.faults.add(Fault(kind="status", status=410, times=None))
        sandbox.sockets.reset()
        code, errors = tail.finish()
    assert (code, errors.count("\n")) == (1, 1)
    assert "410" in errors
    assert "disabled" in errors
    assert "closed" in tail.lines[-1]
