"""Writing to whoever may be slow to read."""

import os
from threading import Thread
from typing import TextIO

import anyio
from anyio import from_thread
from anyio.lowlevel import EventLoopToken, current_token


class Writer:
    """Writes to the file under a stream from threads, so that a reader who takes nothing holds up nothing else.

    A thread that writes keeps the program from ending as little as it keeps the event loop from running: what a
    cancelled `write` did not get rid of is lost.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._descriptor = stream.fileno()
        self._encoding = stream.encoding
        self._errors = stream.errors or "strict"

    async def write(self, text: str) -> None:
        """Return when all of `text` is written; OSError when it cannot be, BrokenPipeError when nobody reads."""
        data, ending = text.encode(self._encoding, self._errors), _Ending()
        Thread(target=self._write, args=(data, ending), name="standard output", daemon=True).start()
        await ending.came.wait()
        if ending.error is not None:
            raise ending.error

    def _write(self, data: bytes, ending: "_Ending") -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            ending.error = error
        ending.tell()


class _Ending:
    """How a write ended."""

    def __init__(self) -> None:
        self.came: anyio.Event = anyio.Event()
        self.error: OSError | None = None
        self._token: EventLoopToken = current_token()

    def tell(self) -> None:
        try:
            from_thread.run_sync(self.came.set, token=self._token)
        except anyio.RunFinishedError:
            return
