"""The sandbox as a program: serves until it is told to stop."""

import logging
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio

from .sandbox import Sandbox


async def serve(
    host: str,
    port: int,
    *,
    seed: int,
    customers: int,
    conversations: int,
    control: bool,
    ready: Callable[[dict[str, str]], None],
    rate: float = 0.5,
) -> None:
    """Serve until SIGTERM or SIGINT; must run in the main thread.

    `ready` gets `{"base_url": …, "api_key": …}` once requests are answered. Logs a line per request to stderr.
    OSError when the port is taken.
    """
    with _logging_to_stderr(), anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        sandbox = Sandbox(
            port,
            host=host,
            seed=seed,
            customers=customers,
            conversations=conversations,
            rate=rate,
            control=control,
        )
        async with sandbox:
            ready({"base_url": sandbox.base_url, "api_key": sandbox.api_key})
            async for _ in signals:
                break


@contextmanager
def _logging_to_stderr() -> Generator[None]:
    logger = logging.getLogger("ultracart_conversation.sandbox")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
