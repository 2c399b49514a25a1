"""Running `tail` in a process of its own, and reading what it prints."""

import json
import time
from collections.abc import Callable
from typing import Any

import anyio

from tests.live.command_line import PATIENCE, Running, environment
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


class Tail(Running):
    """A running `tail`."""

    def __init__(self, sandbox: Sandbox, *arguments: str, **more: str) -> None:
        super().__init__("tail", *arguments, env=environment(sandbox, **more))

    def until_live(self) -> None:
        """Read on until it is online with nothing left to catch up with."""
        self.until("live")

    def event(self, name: str) -> dict[str, Any]:
        """Read on until this event; what it says."""
        event: dict[str, Any] = json.loads(self.until(f'{{"event": "{name}"'))
        return event


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
