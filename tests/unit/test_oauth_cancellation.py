"""Whoever is cancelled while a refresh is under way takes nothing away from the others."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import httpx
import pytest

from tests.oauth_service import Service
from tests.virtual_clock import VirtualClock
from ultracart_conversation import Budget, ConversationClient, Limits, Retry, Timeouts
from ultracart_conversation._rest.pipeline import Pipeline
from ultracart_conversation._rest.transport import HttpTransport
from ultracart_conversation._wire.drift import Drift
from ultracart_conversation.auth import OAuthForm
from ultracart_conversation.oauth.tokens import OauthTokenResponse

ROTATION = [("refresh", "refresh-0"), ("stored", "access-1")]


@pytest.fixture
def service(clock: VirtualClock) -> Service:
    return Service(clock, rotation=True, latency=3)


async def ask(client: ConversationClient) -> None:
    await client.get_conversations()


@pytest.mark.anyio
async def test_the_others_get_the_token_when_the_refresher_is_cancelled(service: Service, clock: VirtualClock) -> None:
    async with service.client(service.oauth(access_token=None)) as client, anyio.create_task_group() as group:
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(ask, client)
            await anyio.wait_all_tasks_blocked()
            for _ in range(5):
                group.start_soon(ask, client)
            await clock.advance(1)
            impatient.cancel_scope.cancel()
        await clock.advance(10)
    assert service.events == ROTATION + [("sent", "access-1")] * 5


@pytest.mark.anyio
async def test_a_rotated_token_is_stored_although_everybody_left(service: Service, clock: VirtualClock) -> None:
    async with service.client(service.oauth(access_token=None)) as client:
        async with anyio.create_task_group() as impatient:
            for _ in range(5):
                impatient.start_soon(ask, client)
            await clock.advance(1)
            impatient.cancel_scope.cancel()
        assert service.events == [("refresh", "refresh-0")]
        await clock.advance(10)
        assert service.events == ROTATION
        service.latency = 0
        await ask(client)
    assert service.events == [*ROTATION, ("sent", "access-1")]


@pytest.mark.asyncio
async def test_asyncios_own_cancellation_loses_nothing_either(service: Service, clock: VirtualClock) -> None:
    async with service.client(service.oauth(access_token=None)) as client:
        tasks = [asyncio.create_task(ask(client)) for _ in range(3)]
        await clock.advance(1)
        for task in tasks[:2]:
            task.cancel()
        await clock.advance(10)
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError, type(None)]
    assert service.events == [*ROTATION, ("sent", "access-1")]


@pytest.mark.anyio
async def test_closing_waits_for_a_refresh_that_nobody_waits_for(clock: VirtualClock) -> None:
    """A client closes after its calls were cancelled, and the reply with the only good token is on its way."""
    answering, happened = anyio.Event(), list[str]()

    async def answer(_: httpx.Request) -> httpx.Response:
        await answering.wait()
        happened.append("answered")
        return httpx.Response(200, json={"access_token": "access-1"})

    pipe = pipeline(answer, clock)

    async def refresh() -> None:
        await pipe.post(OAuthForm(operation="oauth_access_token", path="/oauth/token", fields={}), OauthTokenResponse)

    async def close() -> None:
        await pipe.aclose()
        happened.append("closed")

    pipe.detach(refresh)
    await anyio.wait_all_tasks_blocked()
    async with anyio.create_task_group() as group:
        group.start_soon(close)
        await anyio.wait_all_tasks_blocked()
        answering.set()
    assert happened == ["answered", "closed"]


def pipeline(answer: Callable[[httpx.Request], Awaitable[httpx.Response]], clock: VirtualClock) -> Pipeline:
    transport = HttpTransport(
        "https://secure.ultracart.com/rest/v2",
        timeouts=Timeouts(),
        clock=clock,
        transport=httpx.MockTransport(answer),  # type: ignore[arg-type]
    )
    return Pipeline(
        transport,
        credentials=None,
        budget=Budget(Limits.unlimited(), clock=clock),
        retry=Retry(),
        clock=clock,
        drift=Drift(),
    )
