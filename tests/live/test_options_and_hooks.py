"""Calls with other deadlines and retries, hooks that hear of every exchange, and a cap on repetitions."""

import logging

import anyio
import pytest

from ultracart_conversation import ConversationClient, Exchange, Limits, Retry, ServerError, TimedOut, TransportError
from ultracart_conversation.sandbox import Fault, Sandbox
from ultracart_conversation.testing import ImpatientClock

pytestmark = pytest.mark.anyio


def client_of(sandbox: Sandbox, **options: object) -> ConversationClient:
    given = {"limits": Limits.unlimited(), "clock": ImpatientClock()} | options
    return ConversationClient(sandbox.api_key, base_url=sandbox.base_url, **given)  # type: ignore[arg-type]


async def test_options_share_everything_else(ultracart_sandbox: Sandbox) -> None:
    async with client_of(ultracart_sandbox) as client:
        once = client.with_options(retry=Retry(attempts=1))
        assert (once.budget, once.drift) == (client.budget, client.drift)
        ultracart_sandbox.faults.add(Fault(kind="status", status=503, times=1))
        with pytest.raises(ServerError):
            await once.get_conversations()
        ultracart_sandbox.faults.add(Fault(kind="status", status=503, times=1))
        assert (await client.get_conversations()).conversations
        assert client.budget.statistics().used == 3
        assert await once.uploads.put(b"bytes", extension="png")
    with pytest.raises(Exception, match="this client is closed"):
        await once.get_conversations()


async def test_a_deadline_covers_all_attempts(ultracart_sandbox: Sandbox) -> None:
    clock = ImpatientClock()
    ultracart_sandbox.faults.add(Fault(kind="status", status=503, headers={"Retry-After": "40"}, times=None))
    async with client_of(ultracart_sandbox, clock=clock) as client:
        started = clock.now()
        with pytest.raises(ServerError) as caught:
            await client.with_options(deadline=100).get_conversations()
    assert len(caught.value.exchanges) == 3
    assert clock.now() - started < 100


async def test_a_deadline_ends_a_silence(ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="stall", times=None))
    async with client_of(ultracart_sandbox, deadline=0.3) as client:
        with anyio.fail_after(10), pytest.raises(TimedOut, match="too slow"):
            await client.get_conversations()


async def test_a_deadline_ends_a_reply_that_trickles(ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="slow", interval=0.02, times=None))
    async with client_of(ultracart_sandbox, deadline=0.3, retry=Retry(attempts=1)) as client:
        with anyio.fail_after(5), pytest.raises(TimedOut, match="too slowly"):
            await client.get_conversations()


async def test_repetitions_are_a_tenth_of_the_requests(ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="drop before", times=None))
    async with client_of(ultracart_sandbox) as client:
        for _ in range(200):
            with pytest.raises(TransportError):
                await client.get_conversations()
    repeated = len(ultracart_sandbox.requests) - 200
    assert 20 <= repeated <= 30


async def test_a_hook_hears_of_every_exchange(ultracart_sandbox: Sandbox) -> None:
    heard: list[Exchange] = []
    ultracart_sandbox.faults.add(Fault(kind="status", status=503, times=1))
    async with client_of(ultracart_sandbox, on_exchange=heard.append) as client:
        await client.get_conversation(ultracart_sandbox.conversation_uuids[0])
        await client.uploads.put(b"bytes", extension="png")
    assert [(each.operation, each.method, each.path, each.attempt, each.status_code) for each in heard] == [
        ("get_conversation", "GET", "/conversation/conversations/{conversation_uuid}", 1, 503),
        ("get_conversation", "GET", "/conversation/conversations/{conversation_uuid}", 2, 200),
        ("get_conversation_multimedia_upload_url", "GET", "/conversation/upload_url/{extension}", 1, 200),
        ("uploads.put", "PUT", "/{presigned_url}", 1, 200),
    ]
    assert all(each.elapsed > 0 for each in heard)
    assert {each.request_id for each in heard[:3]} <= {request.request_id for request in ultracart_sandbox.requests}


async def test_a_hook_may_be_async_and_may_fail(ultracart_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Exchange] = []

    async def slowly(exchange: Exchange) -> None:
        await anyio.lowlevel.checkpoint()
        heard.append(exchange)
        raise RuntimeError("the hook's own trouble")

    async with client_of(ultracart_sandbox, on_exchange=slowly) as client:
        with caplog.at_level(logging.ERROR):
            assert (await client.get_conversations()).conversations
    assert len(heard) == 1
    assert "on_exchange failed for get_conversations" in caplog.text
    assert "the hook's own trouble" in caplog.text
