"""What the OAuth server says no with, and that nothing secret is ever said."""

import logging
import pickle
import traceback
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from ultracart_conversation import (
    ApplicationDisabled,
    AuthenticationError,
    Limits,
    LoginRequired,
    OAuth,
    OAuthApplication,
    OAuthError,
    RateLimited,
    Refused,
    Retry,
    ServerError,
    Tokens,
    UltraCartError,
    Undecodable,
)

pytestmark = pytest.mark.anyio
CODE = "the+code/is s3cret"
SECRETS = (CODE, quote(CODE, safe=""), "n3w-access", "n3w-refresh")
GRANTED = '{"access_token": "n3w-access", "refresh_token": "n3w-refresh", "expires_in": "60"'


@pytest.fixture
def reply() -> list[httpx.Response]:
    return []


@pytest.fixture
async def application(reply: list[httpx.Response], anyio_backend: str) -> AsyncIterator[OAuthApplication]:
    async with OAuthApplication(
        "app", limits=Limits.unlimited(), retry=Retry(attempts=1), transport=httpx.MockTransport(lambda _: reply[0])
    ) as application:
        yield application


async def exchange(application: OAuthApplication) -> Tokens:
    # The test's own variables are in the traceback too.
    return await application.exchange_code(
        globals()["CODE"], redirect_uri="https://x.example", state="s", expected_state="s"
    )


ECHO = f"you sent {CODE} or {quote(CODE, safe='')}"
CASES = [
    (httpx.Response(400, json={"error": "invalid_grant", "error_description": ECHO}), LoginRequired, "log in again"),
    (httpx.Response(200, json={"error": "invalid_grant", "access_token": "n3w-access"}), LoginRequired, "answered 200"),
    (httpx.Response(400, json={"error": "access_denied"}), OAuthError, "said no"),
    (httpx.Response(401, json={"error": "invalid_client", "error_uri": "x"}), OAuthError, "check the client id"),
    (httpx.Response(400, json={"error": "made up", "error_description": "a\nb\x1b[2J" * 90}), OAuthError, "made up"),
    (httpx.Response(401, json={"error": {"user_message": ECHO}}), AuthenticationError, "you sent"),
    (httpx.Response(410, json={"error": {"user_message": ECHO}}), ApplicationDisabled, "disabled"),
    (httpx.Response(429, json={"error": "slow_down"}), RateLimited, "slow down"),
    (httpx.Response(500, json={"error": "server_error"}), ServerError, "try again later"),
    (httpx.Response(502, html=f"<h1>{ECHO}</h1>"), ServerError, "you sent"),
    (httpx.Response(400, json={}, headers={"UC-REST-ERROR": f"you sent {CODE}"}), UltraCartError, "you sent"),
    (httpx.Response(200, text=GRANTED), Undecodable, "not shown"),
    (httpx.Response(200, text=f"[{GRANTED}}}]"), Undecodable, "not shown"),
    (httpx.Response(200, text=""), Undecodable, "empty"),
    (httpx.Response(200, json={"refresh_token": "n3w-refresh"}), Undecodable, "no usable access token"),
    (httpx.Response(200, json={"access_token": "n3w-access\n"}), Undecodable, "no usable access token"),
    (httpx.Response(200, json={"success": False, "error": {"user_message": ECHO}}), Refused, "you sent"),
]


@pytest.mark.parametrize(("answer", "kind", "text"), CASES)
async def test_every_failure_is_one_typed_line_without_a_secret(
    application: OAuthApplication,
    reply: list[httpx.Response],
    answer: httpx.Response,
    kind: type[UltraCartError],
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    reply.append(answer)
    with pytest.raises(kind) as caught:
        await exchange(application)
    error = caught.value
    assert type(error) is kind or kind is UltraCartError
    assert text in str(error)
    assert str(error).isprintable()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in shown.stack if "ultracart_conversation" in frame.filename]
    texts = [str(error), repr(error), repr(getattr(error, "body", b"")), repr(error.exchanges), caplog.text]
    texts += [str(frame.locals) for frame in frames]
    assert frames
    assert not [(secret, each) for secret in SECRETS for each in texts if secret in each]


async def test_a_code_says_why(application: OAuthApplication, reply: list[httpx.Response]) -> None:
    reply.append(
        httpx.Response(
            400,
            json={"error": "invalid_scope", "error_description": "no such thing"},
            headers={"X-UltraCart-Request-Id": "R1"},
        )
    )
    with pytest.raises(OAuthError) as caught:
        await exchange(application)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.code, error.description, error.status_code) == ("invalid_scope", "no such thing", 400)
    assert (error.request_id, error.operation, len(error.exchanges)) == ("R1", "oauth_access_token", 1)


def test_no_repr_shows_a_token() -> None:
    tokens = Tokens(client_id="app", access_token="n3w-access", refresh_token="n3w-refresh")
    for thing in (tokens, OAuth.from_tokens(tokens), OAuth.from_tokens(tokens).current()):
        assert "n3w" not in repr(thing)
    assert "None" in repr(Tokens(client_id="app", access_token="a"))
