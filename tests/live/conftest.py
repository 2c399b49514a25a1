"""A sandbox and a client that talks to it over a real socket."""

from collections.abc import AsyncIterator

import pytest

from ultracart_conversation import ConversationClient, Limits, Timeouts
from ultracart_conversation.sandbox import Sandbox
from ultracart_conversation.testing import ImpatientClock


@pytest.fixture
def clock() -> ImpatientClock:
    return ImpatientClock()


@pytest.fixture
async def client(
    ultracart_sandbox: Sandbox, clock: ImpatientClock, anyio_backend: str
) -> AsyncIterator[ConversationClient]:
    """A client of `ultracart_sandbox` that waits for nothing but the service."""
    async with ConversationClient(
        ultracart_sandbox.api_key,
        base_url=ultracart_sandbox.base_url,
        limits=Limits.unlimited(),
        timeouts=Timeouts(connect=2, read=2, write=2),
        clock=clock,
    ) as client:
        yield client
