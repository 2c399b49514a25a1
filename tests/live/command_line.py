"""Running the command line in processes of its own, in pipes and in pseudo-terminals."""

import errno
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Self

from ultracart_conversation.sandbox import Sandbox

CLI = (sys.executable, "-m", "ultracart_conversation")
PATIENCE = 30.0


_OF_A_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def environment(sandbox: Sandbox | None = None, **more: str) -> dict[str, str]:
    """The tests' own, without a terminal's and without a key, or with the key and the address of `sandbox`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ULTRACART_", *_OF_A_TERMINAL))}
    if sandbox is not None:
        kept |= {"ULTRACART_API_KEY": sandbox.api_key, "ULTRACART_BASE_URL": sandbox.base_url}
    nobody = str(Path(tempfile.gettempdir()) / "ultracart-conversation-nobody")
    return kept | {"PYTHONIOENCODING": "utf-8", "XDG_CONFIG_HOME": nobody} | more


def run(
    *arguments: str, env: dict[str, str], command: Sequence[str] = CLI, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*command, *arguments],
        env=env,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def start(*arguments: str, env: dict[str, str]) -> subprocess.Popen[str]:
    """One command, while it runs."""
    return subprocess.Popen(
        [*CLI, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )


class Running:
    """A running command, whose output is a pipe."""

    def __init__(self, *arguments: str, env: dict[str, str]) -> None:
        self.process: subprocess.Popen[str] = start(*arguments, env=env)
        self.lines: list[str] = []
        self._watchdog = Timer(PATIENCE, self.process.kill)

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.communicate()

    def until(self, *words: str) -> str:
        """Read on until a line has all these words; that line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.removesuffix("\n"))
            if all(word in line for word in words):
                return self.lines[-1]
        raise AssertionError(f"{words} did not come: {self.lines}")

    def finish(self) -> tuple[int, str]:
        """Read to the end; the exit code, and what it said of errors."""
        output, errors = self.process.communicate()
        self.lines += output.splitlines()
        return self.process.returncode, errors

    def interrupt(self) -> float:
        """One Ctrl-C, and how many seconds leaving took."""
        self.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert self.finish() == (130, "ultracart-conversation: interrupted\n")
        return time.monotonic() - began


def assert_one_line(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """It failed, and said why in one line."""
    assert done.returncode == code, done.stderr
    assert not done.stdout
    assert done.stderr.startswith("ultracart-conversation: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


class Terminal:
    """A command in a pseudo-terminal of so many columns."""

    def __init__(self, *arguments: str, env: dict[str, str], columns: int, kind: str = "xterm-256color") -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.process = subprocess.Popen(
            [*CLI, *arguments], env=env | {"TERM": kind}, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.text = ""

    def read_until(self, words: str) -> None:
        """Read on until `words` were written."""
        while words not in self.text:
            assert self._read(), f"{words!r} did not come: {self.text}"

    def finish(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        readable = select.select([self._master], [], [], PATIENCE)[0]
        assert readable, f"nothing came for {PATIENCE} s: {self.text}"
        try:
            self.text += os.read(self._master, 65_536).decode(errors="replace")
        except OSError as error:
            # What Linux says when the last writer has closed a pseudo-terminal.
            if error.errno != errno.EIO:
                raise
            return False
        return True
