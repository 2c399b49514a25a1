"""Sessions against the sandbox, over real sockets and in real time, with short waits."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ultracart_conversation import AgentSession, Backoff, ConversationClient, Limits, Retry, Sweeping
from ultracart_conversation.sandbox import Sandbox

NewSession = Callable[..., AgentSession]


@pytest.fixture
async def client(ultracart_sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[ConversationClient]:
    """A client of `ultracart_sandbox`, in real time."""
    async with ConversationClient(
        ultracart_sandbox.api_key,
        base_url=ultracart_sandbox.base_url,
        limits=Limits.unlimited(),
        retry=Retry(initial=0.01, ceiling=0.05),
    ) as client:
        yield client


@pytest.fixture
def new_session(client: ConversationClient) -> NewSession:
    """Makes sessions that wait for moments where others wait for seconds."""

    def make(**options: Any) -> AgentSession:
        defaults: dict[str, Any] = {
            "backoff": Backoff(initial=0.02, ceiling=0.1, stable=0.1, connections=1_000),
            "sweeping": Sweeping(interval=2.0, settle=0.5, grace=0.1),
        }
        return AgentSession(client, **(defaults | options))

    return make
