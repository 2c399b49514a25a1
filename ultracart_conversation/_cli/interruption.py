"""Ctrl-C and SIGTERM: the first of them ends the command in good order, those that follow change nothing."""

import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Interrupted(BaseException):
    """The command was ended by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(_WORDS[signal.Signals(number)])
        self.status: int = 128 + number


class Interruption:
    """What signals do to this process, in its main thread; `program` is how it calls itself.

    A good end has `patience` seconds; a signal that comes later ends the process there and then.
    """

    def __init__(self, program: str, *, patience: float = 5.0) -> None:
        self._program = program
        self._patience = patience
        self._came: int | None = None
        self._came_at = 0.0
        self._cancel: Callable[[], object] | None = None

    def listen(self) -> None:
        """From now on signals end nothing but in good order; one that whoever started us has switched off stays so."""
        for number in _WORDS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._signalled)

    @staticmethod
    def listen_no_more() -> None:
        """Nothing that comes now ends what is ending already."""
        for number in _WORDS:
            signal.signal(number, signal.SIG_IGN)

    def run(self, command: Callable[[], Coroutine[object, object, None]]) -> None:
        """Carry out `command` on asyncio; raises `Interrupted` when a signal has cancelled it."""
        from asyncio import CancelledError  # noqa: PLC0415

        import anyio  # noqa: PLC0415

        try:
            anyio.run(self._cancellable, command)
        except CancelledError:
            if self._came is None:
                raise
            raise Interrupted(self._came) from None

    async def _cancellable(self, command: Callable[[], Coroutine[object, object, None]]) -> None:
        from asyncio import current_task, get_running_loop  # noqa: PLC0415

        loop, task = get_running_loop(), current_task()
        assert task is not None
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            await command()
        finally:
            self._cancel = None
            # A command may have listened itself, which leaves Python's own handlers behind.
            self.listen()

    def _signalled(self, number: int, _: object) -> None:
        if self._came is None:
            self._came, self._came_at = number, time.monotonic()
            if self._cancel is not None:
                self._cancel()
                return
        elif time.monotonic() - self._came_at < self._patience:
            return
        self._leave(number)

    def _leave(self, number: int) -> None:
        """Leave at once: an exception might be raised where nobody can catch it, such as in the import system."""
        end = Interrupted(number)
        with suppress(AttributeError, OSError, ValueError):
            # Not by the stream, which may be in the middle of a write.
            os.write(sys.stderr.fileno(), f"{self._program}: {end}\n".encode())
        os._exit(end.status)
