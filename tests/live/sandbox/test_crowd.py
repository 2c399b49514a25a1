"""Customers who act by themselves."""

import time
from typing import Any

from ultracart_conversation.sandbox import Clock, Sandbox

NOON = 1_761_580_800.0


def wait_for(what: Any) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline, "nothing happened in 5 s"
        time.sleep(0.005)


def test_a_crowd_writes_and_comes_and_goes() -> None:
    with Sandbox(clock=Clock(at=NOON), customers=5, conversations=10, rate=2000.0) as sandbox:
        before = sandbox.state()["messages"]
        wait_for(lambda: sandbox.state()["messages"] > before + 50)
        wait_for(lambda: sandbox.state()["queue_statuses"][0]["customer_abandon_count"] > 1)


def test_without_a_rate_nobody_moves(sandbox: Sandbox) -> None:
    before = sandbox.state()
    time.sleep(0.05)
    assert sandbox.state() == before
