"""OAuth credentials: what becomes of the calls when a refresh fails."""

from typing import Any

import anyio
import httpx
import pytest

from tests.oauth_service import Answer, Service, failure, lost
from tests.virtual_clock import VirtualClock
from ultracart_conversation import (
    AuthenticationError,
    ConfigurationError,
    ConversationClient,
    LoginRequired,
    OAuth,
    OAuthError,
    OutcomeUnknown,
    ServerError,
    TimedOut,
    Tokens,
    TransportError,
    Undecodable,
)

pytestmark = pytest.mark.anyio


async def ask(client: ConversationClient) -> None:
    await client.get_conversations()


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
