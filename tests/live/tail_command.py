"""Running `tail` in a process of its own, and reading what it prints."""

import json
import signal
import time
from collections.abc import Callable
from threading import Timer
from types import TracebackType
from typing import Any, Self

import anyio

from tests.live.command_line import PATIENCE, environment, start
from ultracart_conversation import ConversationClient, ConversationStartRequest
from ultracart_conversation.sandbox import Customer, Sandbox


def chat(sandbox: Sandbox, *, name: str = "Grace Holm", api_key: str | None = None) -> Customer:
    """A customer in a conversation with the sandbox's first agent, or with whom the key belongs to."""
    customer = sandbox.arrive(name=name)
    request = ConversationStartRequest(conversation_webchat_queue_uuid=customer.queue_entry_uuid)

    async def pick_up() -> None:
        async with ConversationClient(api_key or sandbox.api_key, base_url=sandbox.base_url) as client:
            await client.start_conversation(request)

    anyio.run(pick_up)
    return customer


class Tail:
    """A running `tail`, whose output is a pipe."""

    def __init__(self, sandbox: Sandbox, *arguments: str, **more: str) -> None:
        self.process = start("tail", *arguments, env=environment(sandbox, **more))
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

    def until_live(self) -> None:
        """Read on until it is online with nothing left to catch up with."""
        self.until("live")

    def event(self, name: str) -> dict[str, Any]:
        """Read on until this event; what it says."""
        event: dict[str, Any] = json.loads(self.until(f'{{"event": "{name}"'))
        return event

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


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
