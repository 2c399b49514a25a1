"""Work that a cancellation must not break off in the middle, on asyncio.

It runs in a task of its own, which is in none of the caller's cancel scopes: a cancel scope cancels again whatever
waits while it cleans up, and a connection to a database does not survive that.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def completed(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; a cancellation of the caller is raised once `work` has come to its own end."""
    return await _ended(work, cancel=False)


async def wound_up(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; a cancellation of the caller reaches `work` once, and is raised when it has cleaned up."""
    return await _ended(work, cancel=True)


async def _ended(work: Coroutine[Any, Any, T], *, cancel: bool) -> T:
    task = asyncio.get_running_loop().create_task(work)
    cancellation: asyncio.CancelledError | None = None
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError as error:
        cancellation = error
        if cancel:
            task.cancel()
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError as error:
                cancellation = error
    if cancellation is None:
        return task.result()
    if not task.cancelled():
        # An error that nobody asked for would be logged.
        task.exception()
    try:
        raise cancellation
    finally:
        # It refers to this frame, and so to all that the frame refers to.
        del cancellation
