"""Logging in: the authorization-code flow, the device flow on a clock, and revocation."""

from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, parse_qsl, urlsplit

import anyio
import httpx
import pytest

from tests.oauth_service import failure
from tests.virtual_clock import VirtualClock
from ultracart_conversation import (
    ConfigurationError,
    Limits,
    OAuthApplication,
    OauthDeviceAuthorizationResponse,
    OAuthError,
    OutcomeUnknown,
    Refused,
    Retry,
    Tokens,
    Undecodable,
    authorization_url,
)

pytestmark = pytest.mark.anyio
REDIRECT = "https://shop.example/back?from=ultracart"
TOKENS = httpx.Response(200, json={"access_token": "a-1", "refresh_token": "r-1", "expires_in": "60", "scope": "crm"})
PENDING, SLOW_DOWN = failure("authorization_pending"), failure("slow_down")


class Server:
    """Gives the scripted answers and notes what it was asked, and when."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.answers: list[httpx.Response | Exception] = []
        self.asked: list[tuple[float, str, dict[str, str]]] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        form = dict(parse_qsl(request.content.decode(), strict_parsing=True))
        self.asked.append((self.clock.now() - 1_000, f"{request.method} {request.url.path}", form))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    @property
    def times(self) -> list[float]:
        return [at for at, _, _ in self.asked]


@pytest.fixture
def server(clock: VirtualClock) -> Server:
    return Server(clock)


@pytest.fixture
async def application(server: Server, clock: VirtualClock, anyio_backend: str) -> AsyncIterator[OAuthApplication]:
    async with OAuthApplication(
        "app",
        base_url="https://secure.ultracart.com/rest/v2",
        limits=Limits.unlimited(),
        retry=Retry(attempts=1),
        transport=httpx.MockTransport(server),
        clock=clock,
    ) as application:
        yield application


def test_the_url_carries_what_the_documents_say_and_a_new_state_each_time() -> None:
    one, other = (authorization_url("my app", REDIRECT, base_url="https://secure.ultracart.com/rest/v2/") for _ in "12")
    assert one.state != other.state
    assert len(one.state) >= 32
    parts = urlsplit(one.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://secure.ultracart.com/rest/v2/oauth/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["my app"],
        "redirect_uri": [REDIRECT],
        "state": [one.state],
    }
    assert authorization_url("app", REDIRECT, state="mine").state == "mine"
    with pytest.raises(ConfigurationError):
        authorization_url("app", REDIRECT, state="")


async def test_a_code_becomes_tokens(application: OAuthApplication, server: Server, clock: VirtualClock) -> None:
    server.answers = [TOKENS]
    tokens = await application.exchange_code("c/1", redirect_uri=REDIRECT, state="s", expected_state="s")
    assert tokens == Tokens(
        client_id="app",
        access_token="a-1",
        refresh_token="r-1",
        expires_at=clock.time() + 60,
        scope="crm",
    )
    form = {"client_id": "app", "grant_type": "authorization_code", "code": "c/1", "redirect_uri": REDIRECT}
    assert server.asked == [(0, "POST /rest/v2/oauth/token", form)]


@pytest.mark.parametrize(("state", "expected"), [("s", "t"), ("", ""), ("", "t"), ("ü", "u")])
async def test_a_strange_state_sends_nothing(
    application: OAuthApplication, server: Server, state: str, expected: str
) -> None:
    with pytest.raises(OAuthError, match="state") as caught:
        await application.exchange_code("c", redirect_uri=REDIRECT, state=state, expected_state=expected)
    assert caught.value.code == "state_mismatch"
    assert server.asked == []


async def test_a_code_is_not_sent_twice(application: OAuthApplication, server: Server) -> None:
    server.answers = [httpx.ReadError("gone")]
    with pytest.raises(OutcomeUnknown, match="begin the login again"):
        await application.exchange_code("c", redirect_uri=REDIRECT, state="s", expected_state="s")


def device(**fields: object) -> httpx.Response:
    reply = {"device_code": "d-1", "user_code": "BCDF-GHJK", "verification_uri": "https://u.example/device"}
    return httpx.Response(200, json={**reply, "expires_in": 60, "interval": 5, **fields})


async def test_a_device_login_begins_with_a_code_to_show(application: OAuthApplication, server: Server) -> None:
    server.answers = [device()]
    reply = await application.device_authorization(scope="crm")
    assert (reply.user_code, reply.verification_uri) == ("BCDF-GHJK", "https://u.example/device")
    assert server.asked == [(0, "POST /rest/v2/oauth/device/authorize", {"client_id": "app", "scope": "crm"})]
    assert "d-1" not in repr(reply)


@pytest.mark.parametrize("field", ["device_code", "user_code", "verification_uri"])
async def test_a_device_login_without_what_it_needs(application: OAuthApplication, server: Server, field: str) -> None:
    server.answers = [device(**{field: None})]
    with pytest.raises(Undecodable, match="lacks"):
        await application.device_authorization()


async def run(application: OAuthApplication, clock: VirtualClock, **fields: int | None) -> Tokens | OAuthError:
    """Wait for the tokens of a device login with these fields, however long that takes."""
    reply = OauthDeviceAuthorizationResponse(device_code="d-1", **{"expires_in": 60, "interval": 5, **fields})  # type: ignore[arg-type]
    results: list[Tokens | OAuthError] = []

    async def wait() -> None:
        try:
            results.append(await application.device_tokens(reply))
        except OAuthError as error:
            results.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await clock.advance(5_000)
    return results[0]


async def test_a_device_asks_at_the_interval(
    application: OAuthApplication, server: Server, clock: VirtualClock
) -> None:
    server.answers = [PENDING, PENDING, TOKENS]
    tokens = await run(application, clock)
    assert isinstance(tokens, Tokens)
    assert tokens.access_token == "a-1"
    assert server.times == [5, 10, 15]
    assert server.asked[0][2] == {
        "client_id": "app",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": "d-1",
    }


async def test_slow_down_adds_five_seconds_for_good(
    application: OAuthApplication, server: Server, clock: VirtualClock
) -> None:
    server.answers = [SLOW_DOWN, PENDING, SLOW_DOWN, TOKENS]
    assert isinstance(await run(application, clock), Tokens)
    assert server.times == [5, 15, 25, 40]


async def test_without_an_interval_it_is_five_seconds(
    application: OAuthApplication, server: Server, clock: VirtualClock
) -> None:
    server.answers = [PENDING, TOKENS]
    await run(application, clock, interval=None)
    assert server.times == [5, 10]


@pytest.mark.parametrize("trouble", [httpx.ReadError("x"), httpx.ConnectError("x"), httpx.Response(502)])
async def test_a_failing_network_is_asked_less_often(
    application: OAuthApplication, server: Server, clock: VirtualClock, trouble: httpx.Response | Exception
) -> None:
    server.answers = [trouble, trouble, TOKENS]
    assert isinstance(await run(application, clock), Tokens)
    assert server.times == [5, 15, 35]


async def test_a_device_stops_when_the_time_is_over(
    application: OAuthApplication, server: Server, clock: VirtualClock
) -> None:
    server.answers = [PENDING] * 20
    error = await run(application, clock, expires_in=12)
    assert isinstance(error, OAuthError)
    assert error.code == "expired_token"
    assert server.times == [5, 10]


@pytest.mark.parametrize("code", ["expired_token", "access_denied", "invalid_grant", "invented"])
async def test_any_other_answer_ends_it(
    application: OAuthApplication, server: Server, clock: VirtualClock, code: str
) -> None:
    server.answers = [PENDING, failure(code)]
    error = await run(application, clock)
    assert isinstance(error, OAuthError)
    assert error.code == code


async def test_revoke(application: OAuthApplication, server: Server) -> None:
    server.answers = [httpx.Response(200, json={"successful": True}), httpx.Response(200, json={"successful": False})]
    await application.revoke("r-1")
    assert server.asked == [(0, "POST /rest/v2/oauth/revoke", {"client_id": "app", "token": "r-1"})]
    with pytest.raises(Refused):
        await application.revoke("r-1")


@pytest.mark.parametrize(
    "make", [lambda: OAuthApplication(""), lambda: OAuthApplication("a", base_url="http://x.example")]
)
def test_an_application_that_cannot_work_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        make()
