"""Noticing that nobody reads a pipe any more."""

import os
import select
import stat
from typing import TextIO

import anyio


async def notice_hangup(stream: TextIO) -> None:
    """Raise BrokenPipeError as soon as nobody reads our pipe any more, although there may be nothing to write."""
    if os.name != "posix" or not stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode):
        return
    await anyio.wait_readable(stream.fileno())
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    if poll.poll(0):
        raise BrokenPipeError
