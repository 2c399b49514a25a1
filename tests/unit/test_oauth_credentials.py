"""OAuth credentials: when they refresh, and what becomes of the calls."""

from typing import Any

import anyio
import httpx
import pytest

from tests.oauth_service import Answer, Service, failure, lost
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import (
    AuthenticationError,
    ConfigurationError,
    ConversationClient,
    Exchange,
    LoginRequired,
    OAuth,
    OAuthError,
    OutcomeUnknown,
    ServerError,
    TimedOut,
    Tokens,
    TransportError,
    Undecodable,
    http_info,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def service(clock: VirtualClock) -> Service:
    return Service(clock)


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


async def test_tokens_that_could_not_be_stored_are_handed_over_again_and_never_used_before(clock: VirtualClock) -> None:
    service = Service(clock, rotation=True)
    stored: list[Tokens] = []
    full = True

    def store(tokens: Tokens) -> None:
        if full:
            raise OSError("the disk is full")
        stored.append(tokens)

    async with service.client(service.oauth(access_token=None, on_tokens=store)) as client:
        for _ in range(2):
            with pytest.raises(OSError, match="the disk is full"):
                await ask(client)
        full = False
        await ask(client)
    assert service.events == [("refresh", "refresh-0"), ("sent", "access-1")]
    assert [each.refresh_token for each in stored] == ["refresh-1"]


async def test_a_failed_refresh_fails_those_who_wait_and_the_next_call_tries_again(
    service: Service, clock: VirtualClock
) -> None:
    service.latency = 1
    errors: list[OAuthError] = []

    async def fail(client: ConversationClient) -> None:
        with pytest.raises(OAuthError) as caught:
            await ask(client)
        errors.append(caught.value)

    service.scripted = [lambda _: failure("invalid_request")]
    async with service.client(service.oauth(access_token=None)) as client:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(fail, client)
            await clock.advance(2)
        assert service.refreshes == ["refresh-0"]
        assert {error.code for error in errors} == {"invalid_request"}
        assert len({id(error) for error in errors}) == 10
        assert [each.status_code for each in errors[0].exchanges] == [400]
        service.latency = 0
        await ask(client)
    assert service.sent == ["access-1"]


async def test_a_refresh_token_that_is_no_longer_accepted_asks_for_a_login(service: Service) -> None:
    service.refresh_token = "another"
    service.end("access-0")
    async with service.client(service.oauth()) as client:
        with pytest.raises(LoginRequired, match="log in again") as caught:
            await ask(client)
    assert (caught.value.code, caught.value.description) == ("invalid_grant", "says the test")
    assert isinstance(caught.value, AuthenticationError)


async def test_a_lost_refresh_may_be_repeated(service: Service) -> None:
    service.scripted = [lost]
    async with service.client(service.oauth(access_token=None)) as client:
        with pytest.raises(TransportError) as caught:
            await ask(client)
        assert not isinstance(caught.value, OutcomeUnknown)
        await ask(client)
    assert service.refreshes == ["refresh-0", "refresh-0"]


@pytest.mark.parametrize("answer", [lost, lambda _: httpx.Response(503)])
async def test_a_token_that_still_has_time_outlives_a_passing_failure(
    service: Service, clock: VirtualClock, answer: Answer
) -> None:
    async with service.client(service.oauth(expires_at=clock.time() + 3600)) as client:
        await clock.advance(3550)
        service.scripted = [answer]
        await ask(client)
        assert service.sent == ["access-0"]
        await clock.advance(10)
        await ask(client)
    assert service.sent == ["access-0", "access-1"]


async def test_a_token_that_has_ended_does_not(service: Service, clock: VirtualClock) -> None:
    async with service.client(service.oauth(expires_at=clock.time() + 3600)) as client:
        await clock.advance(3601)
        service.scripted = [lambda _: httpx.Response(503)]
        with pytest.raises(ServerError):
            await ask(client)
    assert service.sent == []


async def test_without_a_refresh_token_a_401_is_the_end(service: Service) -> None:
    service.end("access-0")
    async with service.client(service.oauth(refresh_token=None)) as client:
        with pytest.raises(AuthenticationError, match="who are you"):
            await ask(client)
        with pytest.raises(LoginRequired, match="log in again"):
            await ask(client)
    assert service.sent == ["access-0"]


async def test_without_a_refresh_token_the_clock_alone_ends_nothing(service: Service, clock: VirtualClock) -> None:
    async with service.client(service.oauth(refresh_token=None, expires_at=clock.time() - 1)) as client:
        await ask(client)
    assert service.sent == ["access-0"]


@pytest.mark.parametrize("token", [None, "", "two words", "line\nfeed", "schlüssel"])
async def test_a_reply_without_a_usable_token_is_undecodable(service: Service, token: str | None) -> None:
    service.scripted = [lambda _: httpx.Response(200, json={"access_token": token, "refresh_token": "next"})]
    async with service.client(service.oauth(access_token=None)) as client:
        with pytest.raises(Undecodable, match="no usable access token"):
            await ask(client)


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


async def test_a_call_waits_for_a_refresh_no_longer_than_its_deadline(service: Service, clock: VirtualClock) -> None:
    service.latency = 1_000
    async with service.client(service.oauth(access_token=None), deadline=0.05) as client:
        with anyio.fail_after(5), pytest.raises(TimedOut, match="no authorization before the deadline"):
            await ask(client)
        await clock.advance(1_001)
    assert service.events == [("refresh", "refresh-0"), ("stored", "access-1")]


@pytest.mark.parametrize(
    "arguments",
    [{"client_id": "", "access_token": "a"}, {"client_id": "app"}, {"client_id": "app", "access_token": "a\nb"}],
)
async def test_credentials_that_cannot_work_are_refused_at_once(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        OAuth(**arguments)
