"""Starting `sync` processes that are to be killed, stopped and waited for."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs

from tests.live.command_line import environment, start
from tests.live.kills.marks import Mark
from ultracart_conversation.sandbox import Sandbox

PATIENCE = 120.0
"""Seconds after which something that must happen counts as not happening."""
_ROOT = Path(__file__).parents[3]
_POLL = 0.002
TAKEN_OVER = "another sync has taken over"


def until(is_so: Callable[[], bool], what: str, *, tell: Callable[[], object] = lambda: "") -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"{what} did not happen within {PATIENCE:.0f} s: {tell()}"
        time.sleep(_POLL)


class Victim:
    """A forked `sync`."""

    def __init__(self, server: "ForkServer", number: int, pid: int) -> None:
        self.number = number
        self.pid = pid
        self._server = server
        self._code: int | None = None
        self._is_stopped = False

    @property
    def output(self) -> str:
        return self._text("out")

    @property
    def notes(self) -> str:
        """Its statements, a line for each: part, turn, number and first words, with tabs between them."""
        return self._text("notes")

    @property
    def errors(self) -> str:
        return self._text("err")

    def code(self) -> int | None:
        """How it ended, negative for a signal; None while it lives."""
        self._look()
        return self._code

    def is_stopped(self) -> bool:
        """Whether it stands still; or it has ended, so that nobody waits for what will never be."""
        self._look()
        return self._is_stopped or self._code is not None

    def ended(self) -> int:
        """Wait for its end; how that was."""
        until(lambda: self.code() is not None, f"the end of sync {self.number}", tell=lambda: self.output + self.errors)
        assert self._code is not None
        return self._code

    def kill(self) -> None:
        """End it where it is, unless it has ended by itself."""
        self.signal(signal.SIGKILL)

    def stop(self) -> None:
        """Have it stand still where it is, unless it has ended."""
        self.signal(signal.SIGSTOP)
        until(self.is_stopped, f"the standstill of sync {self.number}")

    def resume(self) -> None:
        """Let it go on."""
        self._is_stopped = False
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Send it a signal, unless it was seen to have ended; from any thread."""
        # What has ended keeps its process id until the server was asked for its status.
        if self._code is None:
            os.kill(self.pid, number)

    def _look(self) -> None:
        if self._code is None:
            status = self._server.status_of(self.pid)
            self._is_stopped = self._is_stopped or status == "stopped"
            self._code = status if isinstance(status, int) else None

    def _text(self, kind: str) -> str:
        path = self._server.directory / f"{self.number}.{kind}"
        return path.read_text(errors="replace") if path.exists() else ""


class ForkServer:
    """A process from which victims are forked within milliseconds; see `fork_server`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._number = 0
        self._process: subprocess.Popen[str] | None = None
        self._victims: list[Victim] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.kills.fork_server"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()

    def sync(
        self, sandbox: Sandbox, archive: Path, *arguments: str, mark: Mark | None = None, notes: bool = False
    ) -> Victim:
        """A new `sync`, which ends itself at `mark`, and notes its statements where that is asked for."""
        self._number += 1
        begin = self.directory / f"{self._number}"
        order = {
            "number": self._number,
            "arguments": ["sync", "--archive", str(archive), *arguments],
            "environment": environment(sandbox),
            "mark": None if mark is None else attrs.asdict(mark),
            "out": f"{begin}.out",
            "err": f"{begin}.err",
            "notes": f"{begin}.notes" if notes else None,
            "log": f"{archive}-wal",
        }
        victim = Victim(self, self._number, self._ask(order))
        self._victims.append(victim)
        return victim

    def finish(self, sandbox: Sandbox, archive: Path) -> Victim:
        """One more `sync`, to its good end."""
        last = self.sync(sandbox, archive, "--once")
        assert (last.ended(), last.errors) == (0, ""), last.output
        return last

    def end_all(self) -> None:
        """Nobody is left, whatever became of a test."""
        for victim in self._victims:
            victim.kill()
            victim.ended()
        self._victims.clear()

    def status_of(self, pid: int) -> int | str | None:
        """See `fork_server`."""
        status: int | str | None = self._ask({"status of": pid})
        return status

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], PATIENCE)[0], f"no answer to {order}"
        answer = self._process.stdout.readline()
        assert answer, "the fork server has ended"
        return json.loads(answer)


class FreshVictim:
    """A `sync` in an interpreter of its own."""

    def __init__(self, sandbox: Sandbox, archive: Path, *arguments: str) -> None:
        self._process = start("sync", "--archive", str(archive), *arguments, env=environment(sandbox))

    def kill(self) -> None:
        """End it where it is; from any thread."""
        self._process.send_signal(signal.SIGKILL)

    def ended(self) -> int:
        """Wait for its end; how that was."""
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()
        return self._process.returncode
