"""OAuth credentials: when they refresh, and what becomes of the calls."""

import anyio
import httpx
import pytest

from tests.oauth_service import Service
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import (
    AuthenticationError,
    ConfigurationError,
    ConversationClient,
    Exchange,
    OAuthError,
    Tokens,
    TransportError,
    http_info,
)

pytestmark = pytest.mark.anyio


async def ask(client: ConversationClient) -> None:
    await client.get_conversations()


async def test_a_valid_token_is_sent_as_bearer(service: Service) -> None:
    async with service.client(service.oauth()) as client:
        await ask(client)
    assert service.events == [("sent", "access-0")]


async def test_without_an_access_token_the_first_call_gets_one(service: Service) -> None:
    async with service.client(service.oauth(access_token=None)) as client:
        await ask(client)
        await ask(client)
    assert service.events == [
        ("refresh", "refresh-0"),
        ("stored", "access-1"),
        ("sent", "access-1"),
        ("sent", "access-1"),
    ]


@pytest.mark.parametrize(("left", "refreshes"), [(3600.0, 0), (61.0, 0), (1.0, 0), (0.0, 1), (-5.0, 1)])
async def test_a_token_is_refreshed_before_it_ends(
    service: Service, clock: VirtualClock, left: float, refreshes: int
) -> None:
    async with service.client(service.oauth(expires_at=clock.time() + left)) as client:
        await ask(client)
    assert len(service.refreshes) == refreshes


@pytest.mark.parametrize("lifetime", ["3600", 3600])
async def test_the_margin_is_a_minute_for_an_hour(service: Service, clock: VirtualClock, lifetime: object) -> None:
    service.lifetime = lifetime
    async with service.client(service.oauth(access_token=None)) as client:
        await ask(client)
        await clock.advance(3539)
        await ask(client)
        assert len(service.refreshes) == 1
        await clock.advance(2)
        await ask(client)
    assert service.sent == ["access-1", "access-1", "access-2"]


async def test_the_margin_of_a_short_life_is_a_tenth(service: Service, clock: VirtualClock) -> None:
    service.lifetime = "30"
    async with service.client(service.oauth(access_token=None)) as client:
        await ask(client)
        await clock.advance(26)
        await ask(client)
        assert len(service.refreshes) == 1
        await clock.advance(2)
        await ask(client)
    assert len(service.refreshes) == 2


@pytest.mark.parametrize("lifetime", [None, "soon", "0", -1, "inf", "nan", 1e300, [], {}])
async def test_a_lifetime_that_is_none_is_unknown(service: Service, clock: VirtualClock, lifetime: object) -> None:
    service.lifetime = lifetime
    async with service.client(service.oauth(access_token=None)) as client:
        await ask(client)
        await clock.advance(1_000_000)
        await ask(client)
    assert service.sent == ["access-1", "access-1"]


async def test_a_401_is_answered_by_one_refresh_and_one_more_try(service: Service) -> None:
    service.end("access-0")
    async with service.client(service.oauth()) as client:
        with http_info() as info:
            await ask(client)
    assert service.sent == ["access-0", "access-1"]
    assert [each.operation for each in info.exchanges] == [
        "get_conversations",
        "oauth_access_token",
        "get_conversations",
    ]


async def test_a_second_401_is_the_callers_and_that_token_is_never_sent_again(service: Service) -> None:
    service.end("access-0")
    async with service.client(service.oauth()) as client:

        def issue_a_dead_one(_: dict[str, str]) -> httpx.Response:
            reply = service.issue()
            service.end("access-1")
            return reply

        service.scripted = [issue_a_dead_one]
        with pytest.raises(AuthenticationError) as caught:
            await ask(client)
        assert not isinstance(caught.value, OAuthError)
        await ask(client)
    assert service.sent == ["access-0", "access-1", "access-2"]


async def test_50_parallel_401s_are_one_refresh(service: Service, clock: VirtualClock) -> None:
    service.latency = 1
    service.end("access-0")
    async with service.client(service.oauth()) as client, anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(ask, client)
        await clock.advance(10)
    assert service.refreshes == ["refresh-0"]
    assert service.sent == ["access-0"] * 50 + ["access-1"] * 50


async def test_with_a_concurrency_of_one_no_slot_is_held_and_nobody_sends_what_was_rejected(
    service: Service, clock: VirtualClock
) -> None:
    service.latency = 1
    service.end("access-0")
    async with service.client(service.oauth(), limits=None) as client, anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(ask, client)
        await clock.advance(100)
    assert service.sent == ["access-0"] + ["access-1"] * 50
    assert service.refreshes == ["refresh-0"]
    assert client.budget.statistics().used == 52


async def test_a_rejection_counts_before_a_hook_has_heard_of_it(service: Service, clock: VirtualClock) -> None:
    async def listen(_: Exchange) -> None:
        await clock.sleep(5)

    service.end("access-0")
    client = service.client(service.oauth(), on_exchange=listen)
    async with client, anyio.create_task_group() as group:
        group.start_soon(ask, client)
        await clock.advance(1)
        group.start_soon(ask, client)
        await clock.advance(30)
    assert service.sent == ["access-0", "access-1", "access-1"]


async def test_a_late_401_for_an_old_token_does_not_refresh_again(service: Service, clock: VirtualClock) -> None:
    service.end("access-0")
    async with service.client(service.oauth()) as client, anyio.create_task_group() as group:
        service.latency = 5
        group.start_soon(ask, client)
        await clock.advance(1)
        service.latency = 0
        await ask(client)
        assert service.refreshes == ["refresh-0"]
        await clock.advance(10)
    assert service.refreshes == ["refresh-0"]
    assert service.sent == ["access-0", "access-0", "access-1", "access-1"]


async def test_a_reply_without_a_refresh_token_keeps_the_old_one(service: Service, clock: VirtualClock) -> None:
    async with service.client(service.oauth(access_token=None)) as client:
        for _ in range(3):
            await ask(client)
            await clock.advance(4000)
    assert service.refreshes == ["refresh-0"] * 3


async def test_rotated_tokens_are_stored_once_before_they_are_used(clock: VirtualClock) -> None:
    service = Service(clock, rotation=True)
    stored: list[Tokens] = []

    async def store(tokens: Tokens) -> None:
        await clock.sleep(7)
        assert tokens.access_token not in service.sent
        stored.append(tokens)

    async with (
        service.client(service.oauth(access_token=None, on_tokens=store)) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(5):
            group.start_soon(ask, client)
        await clock.advance(6)
        assert service.sent == []
        await clock.advance(2)
        assert service.sent == ["access-1"] * 5
        await clock.advance(4000)
        group.start_soon(ask, client)
        await clock.advance(10)
    assert service.refreshes == ["refresh-0", "refresh-1"]
    assert [each.refresh_token for each in stored] == ["refresh-1", "refresh-2"]
    assert stored[0].expires_at == pytest.approx(1_700_003_600)
    assert stored[0].client_id == "app"


async def test_one_login_serves_several_clients(service: Service, clock: VirtualClock) -> None:
    service.latency = 1
    service.end("access-0")
    oauth = service.oauth()
    async with service.client(oauth) as one, service.client(oauth) as other, anyio.create_task_group() as group:
        for client in (one, other) * 5:
            group.start_soon(ask, client)
        await clock.advance(5)
    assert service.refreshes == ["refresh-0"]


@pytest.mark.parametrize("error", [httpx.ReadError("gone"), ConfigurationError("this client is closed")])
async def test_what_befalls_one_client_is_not_held_against_another(
    service: Service, clock: VirtualClock, error: Exception
) -> None:
    async def break_off(_: httpx.Request) -> httpx.Response:
        await clock.sleep(1)
        raise error

    oauth = service.oauth(access_token=None)
    broken = service.client(oauth, transport=httpx.MockTransport(break_off))
    async with broken, service.client(oauth) as other, anyio.create_task_group() as group:
        group.start_soon(lose, broken)
        await settle()
        group.start_soon(ask, other)
        await clock.advance(20)
    assert service.sent == ["access-1"]


async def lose(client: ConversationClient) -> None:
    with pytest.raises((TransportError, ConfigurationError)):
        await ask(client)
