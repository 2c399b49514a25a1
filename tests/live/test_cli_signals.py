"""Ctrl-C and SIGTERM: wherever they come and however many, a command ends in good order and in one line."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.command_line import PATIENCE, Running, environment, run
from tests.live.sync_command import Sync, stalled
from tests.live.tail_command import Tail
from ultracart_conversation.sandbox import Sandbox

SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
AT_IMPORT = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{number})
sys.meta_path.insert(0, Interrupting())
signal.signal(signal.{number}, {before})
from ultracart_conversation.cli import main
sys.exit(main())
"""
STUBBORN = """
import asyncio
from ultracart_conversation._cli.interruption import Interruption
async def stubborn():
    print("begun", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("no", flush=True)
interruption = Interruption("stubborn", patience=0)
interruption.listen()
interruption.run(stubborn)
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(customers=0, conversations=12) as running:
        yield running


def storm(running: Running, number: signal.Signals) -> None:
    """Send signals until it has ended."""
    until = time.monotonic() + PATIENCE
    while running.process.poll() is None:
        assert time.monotonic() < until
        running.process.send_signal(number)
        time.sleep(0.002)


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS, ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_storm_ends_sync_in_good_order(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals, code: int, said: str, after: int
) -> None:
    sync, _ = stalled(sandbox, tmp_path / "a.db", "--json", after=after)
    with sync:
        storm(sync, number)
        assert sync.finish() == (code, f"ultracart-conversation: {said}\n")
    assert [json.loads(line)["event"] for line in sync.lines] == ["begin", "end"]


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS, ids=["SIGINT", "SIGTERM"])
def test_a_storm_ends_tail_in_good_order(sandbox: Sandbox, number: signal.Signals, code: int, said: str) -> None:
    with Tail(sandbox) as tail:
        tail.until_live()
        storm(tail, number)
        assert tail.finish() == (code, f"ultracart-conversation: {said}\n")


def test_a_storm_while_an_archive_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    with Sync(sandbox, tmp_path / "a.db") as sync:
        sync.until("is empty")
        storm(sync, signal.SIGINT)
        assert sync.finish() == (130, "ultracart-conversation: interrupted\n")
    assert "stopped" in sync.lines[-1]


@pytest.mark.parametrize(("number", "code", "said"), SIGNALS, ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("module", ["argparse", "ultracart_conversation._cli.commands"])
def test_a_signal_while_it_imports_is_one_line(module: str, number: signal.Signals, code: int, said: str) -> None:
    program = AT_IMPORT.format(module=module, number=number.name, before="signal.default_int_handler")
    done = run("queues", env=environment(), command=(sys.executable, "-c", program))
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == f"ultracart-conversation: {said}\n"


def test_a_signal_that_was_switched_off_stays_so() -> None:
    program = AT_IMPORT.format(module="argparse", number="SIGINT", before="signal.SIG_IGN")
    done = run("queues", env=environment(), command=(sys.executable, "-c", program))
    assert done.returncode == 1
    assert "ULTRACART_API_KEY" in done.stderr


def test_what_does_not_end_can_be_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in ("begun\n", "no\n"):
            assert process.stdout.readline() == line
            process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest, errors) == (143, "", "stubborn: terminated\n")
