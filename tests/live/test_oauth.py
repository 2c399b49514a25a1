"""Logging in, staying logged in and logging out, at a sandbox that plays the OAuth server."""

import logging
from collections.abc import AsyncIterator, Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import anyio
import httpx
import pytest

from ultracart_conversation import (
    AuthenticationError,
    ConfigurationError,
    ConversationClient,
    Limits,
    LoginRequired,
    OAuth,
    OAuthApplication,
    OAuthError,
    TokenFile,
    Tokens,
)
from ultracart_conversation.login import login, logout, stored_credentials
from ultracart_conversation.sandbox import Fault, Sandbox
from ultracart_conversation.testing import ImpatientClock

pytestmark = pytest.mark.anyio
REDIRECT = "http://127.0.0.1:9/back"
Connect = Callable[..., ConversationClient]


class Form(HTMLParser):
    """The one form of a page: where it goes, and what it holds."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page.text)
        self.url = urljoin(str(page.url), self.action)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found["action"]
        elif tag == "input":
            self.fields[found["name"]] = found["value"]


async def decide(address: str, decision: str) -> httpx.Response:
    """What a user does in a browser: open the page, press the button."""
    async with httpx.AsyncClient() as browser:
        form = Form(await browser.get(address))
        return await browser.post(form.url, data={**form.fields, "decision": decision})


@pytest.fixture
async def connect(ultracart_sandbox: Sandbox, clock: ImpatientClock, anyio_backend: str) -> AsyncIterator[Connect]:
    """A client with a login of its own; the arguments are those of `OAuth`."""
    opened: list[ConversationClient] = []

    def open_one(**options: Any) -> ConversationClient:
        granted = ultracart_sandbox.oauth.grant("app")
        defaults = {name: granted[name] for name in ("access_token", "refresh_token")}
        client = ConversationClient(
            credentials=OAuth("app", clock=clock, **{**defaults, **options}),
            base_url=ultracart_sandbox.base_url,
            limits=Limits.unlimited(),
            clock=clock,
        )
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        await client.aclose()


@pytest.fixture
async def application(
    ultracart_sandbox: Sandbox, clock: ImpatientClock, anyio_backend: str
) -> AsyncIterator[OAuthApplication]:
    async with OAuthApplication("app", base_url=ultracart_sandbox.base_url, clock=clock) as application:
        yield application


async def test_every_operation_takes_a_token(ultracart_sandbox: Sandbox, connect: Connect) -> None:
    client = connect()
    reply = await client.get_agent_websocket_authorization()
    assert reply.agent_auth is not None
    assert reply.agent_auth.conversation_participant_arn == ultracart_sandbox.agent.arn
    assert "x-ultracart-simple-key" not in ultracart_sandbox.requests[-1].headers


@pytest.mark.parametrize("rotation", [False, True])
async def test_an_expired_token_is_refreshed_once_for_50_calls(
    ultracart_sandbox: Sandbox, connect: Connect, rotation: bool
) -> None:
    ultracart_sandbox.oauth.rotation = rotation
    stored: list[Tokens] = []
    client = connect(on_tokens=stored.append)
    for round_trip in (1, 2):
        ultracart_sandbox.clock.advance(3601)
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(client.get_conversations)
        assert ultracart_sandbox.oauth.refreshes == round_trip
    assert len(stored) == 2
    assert len({each.refresh_token for each in stored}) == (2 if rotation else 1)


@pytest.mark.parametrize("form", ["string", "integer"])
async def test_a_token_is_refreshed_before_it_expires(
    ultracart_sandbox: Sandbox, connect: Connect, clock: ImpatientClock, form: Any
) -> None:
    ultracart_sandbox.oauth.expires_in = form
    client = connect(access_token=None)
    await client.get_conversations()
    await clock.sleep(3500)
    await client.get_conversations()
    assert ultracart_sandbox.oauth.refreshes == 1
    await clock.sleep(50)
    await client.get_conversations()
    assert ultracart_sandbox.oauth.refreshes == 2
    assert {each.status for each in ultracart_sandbox.requests} == {200}


@pytest.mark.parametrize("status", [200, 400])
async def test_a_refused_refresh_asks_for_a_login_and_the_next_call_tries_again(
    ultracart_sandbox: Sandbox, connect: Connect, status: int
) -> None:
    ultracart_sandbox.oauth.error_status = status
    ultracart_sandbox.oauth.fail_refreshes()
    client = connect(access_token=None)
    with pytest.raises(LoginRequired) as caught:
        await client.get_conversations()
    assert (caught.value.status_code, caught.value.code) == (status, "invalid_grant")
    await client.get_conversations()


@pytest.mark.parametrize("kind", ["drop before", "drop after", "status", "truncated body"])
async def test_a_refresh_survives_a_bad_moment(ultracart_sandbox: Sandbox, connect: Connect, kind: Any) -> None:
    ultracart_sandbox.faults.add(Fault(kind=kind, operation="oauth_access_token", times=2))
    client = connect(access_token=None)
    await client.get_conversations()


async def test_the_authorization_code_flow(
    ultracart_sandbox: Sandbox, application: OAuthApplication, connect: Connect
) -> None:
    request = application.authorization_url(REDIRECT, state='"><script>')
    answer = await decide(request.url, "approve")
    brought = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert brought["state"] == request.state
    arguments = {"redirect_uri": REDIRECT, "state": brought["state"], "expected_state": request.state}
    tokens = await application.exchange_code(brought["code"], **arguments)
    await connect(access_token=tokens.access_token).get_conversations()
    with pytest.raises(LoginRequired):
        await application.exchange_code(brought["code"], **arguments)


async def test_a_user_may_say_no_in_the_browser(application: OAuthApplication) -> None:
    request = application.authorization_url(REDIRECT)
    answer = await decide(request.url, "deny")
    brought = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert brought == {"error": "access_denied", "state": request.state}


async def test_an_address_that_leads_nowhere_is_a_page(ultracart_sandbox: Sandbox) -> None:
    async with httpx.AsyncClient() as browser:
        page = f"{ultracart_sandbox.base_url}/oauth/authorize"
        for query in ({}, {"response_type": "code", "redirect_uri": "javascript:alert(1)"}):
            assert (await browser.get(page, params=query)).status_code == 400
        assert (await browser.post(page, data={"redirect_uri": "x"})).status_code == 400


async def test_the_device_flow(application: OAuthApplication, connect: Connect) -> None:
    device = await application.device_authorization()
    assert device.verification_uri_complete is not None
    assert (await decide(device.verification_uri_complete, "approve")).status_code == 200
    tokens = await application.device_tokens(device)
    await connect(access_token=tokens.access_token).get_conversations()
    with pytest.raises(LoginRequired):
        await application.device_tokens(device)


async def test_a_user_may_say_no_to_a_device(application: OAuthApplication) -> None:
    device = await application.device_authorization()
    await decide(device.verification_uri_complete or "", "deny")
    with pytest.raises(OAuthError, match="said no") as caught:
        await application.device_tokens(device)
    assert caught.value.code == "access_denied"


async def test_a_device_that_asks_too_often_slows_down_until_its_time_is_over(
    ultracart_sandbox: Sandbox, application: OAuthApplication
) -> None:
    device = await application.device_authorization()
    with pytest.raises(OAuthError) as caught:
        await application.device_tokens(device)
    assert caught.value.code == "expired_token"
    asked = [each for each in ultracart_sandbox.requests if each.operation == "oauth_access_token"]
    assert 5 < len(asked) < 20


async def test_a_wrong_code_finds_no_device(ultracart_sandbox: Sandbox, application: OAuthApplication) -> None:
    await application.device_authorization()
    page = f"{ultracart_sandbox.base_url}/oauth/device?user_code=<b>"
    assert (await decide(page, "approve")).status_code == 400
    assert len(ultracart_sandbox.oauth.user_codes) == 1


async def test_a_revoked_login_is_over(
    ultracart_sandbox: Sandbox, application: OAuthApplication, connect: Connect
) -> None:
    granted = ultracart_sandbox.oauth.grant("app")
    client = connect(access_token=granted["access_token"], refresh_token=granted["refresh_token"])
    await client.get_conversations()
    await application.revoke(granted["refresh_token"])
    with pytest.raises(LoginRequired):
        await client.get_conversations()
    await application.revoke("never heard of")


async def test_an_unknown_application_is_told_so(ultracart_sandbox: Sandbox, application: OAuthApplication) -> None:
    ultracart_sandbox.oauth.client_ids = frozenset({"another"})
    with pytest.raises(OAuthError, match="check the client id"):
        await application.device_authorization()


async def test_login_use_and_logout(ultracart_sandbox: Sandbox, clock: ImpatientClock, tmp_path: Path) -> None:
    ultracart_sandbox.oauth.rotation = True
    file, lines = TokenFile(tmp_path / "tokens.json", base_url=ultracart_sandbox.base_url), list[str]()

    def say(line: str) -> None:
        lines.append(line)
        if "enter the code" in line:
            ultracart_sandbox.oauth.approve(line.rsplit(maxsplit=1)[-1].lower())

    await login("app", file=file, say=say, clock=clock)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert lines[0].startswith(f"Open {ultracart_sandbox.base_url}/oauth/device")
    assert "Logged in" in lines[-1]
    before = file.load()
    ultracart_sandbox.oauth.expire()
    async with ConversationClient(
        credentials=stored_credentials(file, environment={}), base_url=ultracart_sandbox.base_url
    ) as client:
        await client.get_conversations()
    after = file.load()
    assert before is not None
    assert after is not None
    assert before.refresh_token != after.refresh_token
    await logout(file=file, say=say)
    assert file.load() is None
    with pytest.raises(ConfigurationError):
        stored_credentials(file, environment={})
    await logout(file=file, say=say)
    assert "Not logged in" in lines[-1]
    text = "\n".join(lines)
    assert not [each for each in (before.access_token, after.access_token) if each in text]


async def test_login_needs_a_client_id_and_a_file_that_it_may_use(
    ultracart_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ULTRACART_CLIENT_ID", raising=False)
    file = TokenFile(tmp_path / "tokens.json", base_url=ultracart_sandbox.base_url)
    with pytest.raises(ConfigurationError, match="--client-id"):
        await login(file=file, say=print)
    file.path.write_text("{}")
    file.path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        await login("app", file=file, say=print)
    assert ultracart_sandbox.requests == []


async def test_a_full_run_logs_no_secret(
    ultracart_sandbox: Sandbox, application: OAuthApplication, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ultracart_sandbox.oauth.rotation = True
    stored: list[Tokens] = []
    client = connect(on_tokens=stored.append)
    ultracart_sandbox.oauth.expire()
    await client.get_conversations()
    ultracart_sandbox.oauth.expire()
    ultracart_sandbox.oauth.fail_refreshes()
    with pytest.raises(AuthenticationError):
        await client.get_conversations()
    device = await application.device_authorization()
    ultracart_sandbox.oauth.approve(device.user_code or "")
    tokens = await application.device_tokens(device)
    await application.revoke(tokens.refresh_token or "")
    secrets = [
        device.device_code,
        *(each for pair in (*stored, tokens) for each in (pair.access_token, pair.refresh_token)),
    ]
    assert len(secrets) == 5
    assert not [secret for secret in secrets if secret is None or secret in caplog.text]
