"""Our budget against the service's own limiter, over months of a clock that both share."""

import pytest

from ultracart_conversation import ConversationClient, Limits
from ultracart_conversation.sandbox import RateLimits, Sandbox
from ultracart_conversation.testing import ImpatientClock

pytestmark = pytest.mark.anyio


class SharedClock(ImpatientClock):
    """Whoever sleeps on it moves the service's clock too."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    async def sleep(self, seconds: float) -> None:
        self._sandbox.clock.advance(seconds)
        await super().sleep(seconds)


async def rejections(sandbox: Sandbox, limits: Limits, *, requests: int) -> list[int]:
    """Send so many requests one after the other; which of all that were received got a 429."""
    clock = SharedClock(sandbox)
    async with ConversationClient(sandbox.api_key, base_url=sandbox.base_url, limits=limits, clock=clock) as client:
        for _ in range(requests):
            await client.get_agent_keep_alive()
    return [number for number, request in enumerate(sandbox.requests) if request.status == 429]


@pytest.mark.ultracart_sandbox(limits=RateLimits(per_hour=60, per_day=300, concurrency=1))
async def test_where_the_limits_agree_nothing_is_rejected(ultracart_sandbox: Sandbox) -> None:
    assert await rejections(ultracart_sandbox, Limits(per_hour=60, per_day=300), requests=700) == []


@pytest.mark.ultracart_sandbox(limits=RateLimits(per_hour=20, per_day=None, concurrency=1))
async def test_where_the_service_allows_less_the_pace_is_soon_found(ultracart_sandbox: Sandbox) -> None:
    rejected = await rejections(ultracart_sandbox, Limits(per_hour=60, per_day=None), requests=300)
    received = len(ultracart_sandbox.requests)
    assert rejected
    assert len(rejected) < 0.1 * received
    assert received - 300 == len(rejected)
