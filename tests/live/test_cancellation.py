"""Calls that are cancelled, clients that are closed, loops that are mixed up: nothing hangs, nothing stays behind."""

import random
import threading
from collections.abc import Awaitable, Callable

import anyio
import pytest

from ultracart_conversation import (
    ConfigurationError,
    ConversationClient,
    ConversationStartRequest,
    Limits,
    OutcomeUnknown,
    UltraCartError,
)
from ultracart_conversation.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("concurrency", [1, 2, 10])
async def test_a_storm_of_cancellations_leaves_the_client_whole(ultracart_sandbox: Sandbox, concurrency: int) -> None:
    limits = Limits(per_hour=None, per_day=None, concurrency=concurrency)
    dice = random.Random(concurrency)
    succeeded = 0

    async def worker(client: ConversationClient, until: float) -> None:
        while anyio.current_time() < until:
            with anyio.move_on_after(dice.random() * 0.03):
                await client.get_conversations(limit=1)

    async def one(client: ConversationClient) -> None:
        nonlocal succeeded
        await client.get_conversations(limit=1)
        succeeded += 1

    async with ConversationClient(
        ultracart_sandbox.api_key, base_url=ultracart_sandbox.base_url, limits=limits
    ) as client:
        async with anyio.create_task_group() as storm:
            for _ in range(20):
                storm.start_soon(worker, client, anyio.current_time() + 3)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as calm:
                for _ in range(20):
                    calm.start_soon(one, client)
        statistics = client.budget.statistics()
    assert succeeded == 20
    assert (statistics.in_flight, sum(statistics.waiting.values())) == (0, 0)


async def test_closing_ends_the_calls_under_way(ultracart_sandbox: Sandbox) -> None:
    entry = ultracart_sandbox.arrive().queue_entry_uuid
    ultracart_sandbox.faults.add(Fault(kind="stall", times=None))
    outcomes: dict[str, type[UltraCartError]] = {}
    client = ConversationClient(
        ultracart_sandbox.api_key,
        base_url=ultracart_sandbox.base_url,
        limits=Limits(per_hour=None, per_day=None, concurrency=2),
    )

    async def outcome(name: str, call: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(UltraCartError) as caught:
            await call()
        outcomes[name] = type(caught.value)

    async def received(count: int) -> None:
        while len(ultracart_sandbox.requests) < count:
            await anyio.sleep(0.01)

    start = ConversationStartRequest(conversation_webchat_queue_uuid=entry)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outcome, "write", lambda: client.start_conversation(start))
            tasks.start_soon(outcome, "read", client.get_conversations)
            await received(2)
            tasks.start_soon(outcome, "waiting", client.get_conversations)
            await anyio.wait_all_tasks_blocked()
            await client.aclose()
    assert outcomes == {"write": OutcomeUnknown, "read": ConfigurationError, "waiting": ConfigurationError}
    with pytest.raises(ConfigurationError, match=r"^this client is closed: make a new one$"):
        await client.get_conversations()


async def test_a_client_belongs_to_one_event_loop(client: ConversationClient) -> None:
    await client.get_conversations()
    errors: list[str] = []

    def elsewhere() -> None:
        try:
            anyio.run(client.get_conversations)
        except ConfigurationError as error:
            errors.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await anyio.to_thread.run_sync(thread.join)
    assert errors == ["this client is in use on another event loop: make one client for each loop"]
    await client.get_conversations()
