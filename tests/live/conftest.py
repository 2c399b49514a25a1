"""A sandbox and a client that talks to it over a real socket."""

from collections.abc import AsyncIterator

import pytest

from ultracart_conversation import ConversationClient, Limits, Retry, Timeouts
from ultracart_conversation.sandbox import Sandbox


@pytest.fixture
async def client(ultracart_sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[ConversationClient]:
    """A client of `ultracart_sandbox` that neither waits for a budget nor long for a retry."""
    async with ConversationClient(
        ultracart_sandbox.api_key,
        base_url=ultracart_sandbox.base_url,
        limits=Limits.unlimited(),
        retry=Retry(initial=0.001),
        timeouts=Timeouts(connect=2, read=2, write=2),
    ) as client:
        yield client
