"""Doing something to a process while it waits for an answer of the service."""

from collections.abc import Callable
from itertools import count
from queue import SimpleQueue

from tests.live.kills.victims import PATIENCE
from ultracart_conversation.sandbox import Sandbox


def at_request(sandbox: Sandbox, number: int, *, operation: str | None = None) -> SimpleQueue[Callable[[], None]]:
    """Where to put what is to be done when the request of this number comes in, before it is answered.

    They are counted from now on, from 1: all of them, or those for an operation.
    """
    actions: SimpleQueue[Callable[[], None]] = SimpleQueue()
    numbers = count(1)

    def heard(asked: str) -> None:
        if operation in {None, asked} and next(numbers) == number:
            actions.get(timeout=PATIENCE)()

    sandbox.on_request = lambda request: heard(request.operation)
    return actions
