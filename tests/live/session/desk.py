"""What the session's tests share: somebody who reads, and a customer in a chat."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from ultracart_conversation import (
    AgentSession,
    ConversationClient,
    ConversationStartRequest,
    Event,
    MessageReceived,
    UltraCartError,
)
from ultracart_conversation.sandbox import Customer, Sandbox, Service


async def chat(client: ConversationClient, service: Service, *, name: str = "Grace Holm") -> Customer:
    """A customer in a webchat with the client's agent."""
    customer = service.arrive(name=name, question="Is anybody there?")
    await client.start_conversation(ConversationStartRequest(conversation_webchat_queue_uuid=customer.queue_entry_uuid))
    return customer


def written(sandbox: Sandbox, uuid: str) -> list[str]:
    """What was said in a conversation, as the service has it."""
    return [message["body"] for message in sandbox.snapshot(uuid)["messages"]]


class Reader:
    """Reads a session in the background, and keeps what it was given."""

    def __init__(self, session: AgentSession) -> None:
        self.events: list[Event] = []
        self.failure: UltraCartError | None = None
        self.session = session
        self._news = anyio.Event()

    async def run(self) -> None:
        try:
            async for event in self.session:
                self.events.append(event)
                self._tell()
        except UltraCartError as error:
            self.failure = error
            self._tell()

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]

    def bodies(self, uuid: str) -> list[str | None]:
        """What was said in a conversation, as it was handed over."""
        return [event.message.body for event in self.of(MessageReceived) if event.conversation_uuid == uuid]

    async def until(self, condition: Callable[[], object], *, seconds: float = 15) -> None:
        with anyio.fail_after(seconds):
            while not condition():
                await self._news.wait()

    def _tell(self) -> None:
        news, self._news = self._news, anyio.Event()
        news.set()


async def eventually(condition: Callable[[], object], *, seconds: float = 15) -> None:
    """Return as soon as something is true that nobody tells us of."""
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.005)


@asynccontextmanager
async def reading(session: AgentSession) -> AsyncIterator[Reader]:
    """A session that is live, with somebody who reads it."""
    async with session:
        reader = Reader(session)
        async with anyio.create_task_group() as group:
            group.start_soon(reader.run)
            with anyio.fail_after(15):
                await session.wait_live()
            yield reader
            group.cancel_scope.cancel()
