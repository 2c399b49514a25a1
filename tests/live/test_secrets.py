"""A whole working day with every logger at DEBUG: no secret in any log, exception, traceback or `repr`."""

import traceback
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest

from tests.live.listener import Listener
from ultracart_conversation import (
    ConfigurationError,
    ConversationClient,
    ConversationStartRequest,
    Limits,
    OAuth,
    Timeouts,
    Tokens,
    UltraCartError,
    http_info,
)
from ultracart_conversation.sandbox import Fault, FaultKind, Sandbox
from ultracart_conversation.testing import ImpatientClock

pytestmark = pytest.mark.anyio
KINDS: list[FaultKind] = [
    "drop before",
    "drop after",
    "half header",
    "truncated body",
    "html",
    "empty",
    "refused",
    "stall",
    "gzip bomb",
    "huge body",
]


class Day:
    """What was said, and what must not have been."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.secrets: set[str] = set()

    async def survive(self, call: Callable[[], Awaitable[object]]) -> None:
        """Make a call; keep whatever it says when it fails, with the locals of every frame."""
        with http_info() as info:
            try:
                self.said.append(repr(await call()))
            except UltraCartError as error:
                told = traceback.TracebackException.from_exception(error, capture_locals=True)
                self.said += [repr(error), str(error), *told.format(), repr(error.exchanges), repr(vars(error))]
        self.said.append(repr(info))

    def keep_secret(self, *texts: str | None) -> None:
        self.secrets |= {text for text in texts if text}

    def told(self, texts: list[str]) -> set[str]:
        everything = "\n".join([*self.said, *texts])
        return {
            secret
            for secret in self.secrets
            for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
            if form in everything
        }


async def work(day: Day, client: ConversationClient, sandbox: Sandbox) -> None:
    """Every kind of call, well and badly."""
    uuid = sandbox.conversation_uuids[0]
    entry = sandbox.arrive().queue_entry_uuid
    start = ConversationStartRequest(conversation_webchat_queue_uuid=entry)
    calls: list[Callable[[], Awaitable[object]]] = [
        client.get_conversations,
        client.get_agent_websocket_authorization,
        client.get_agent_keep_alive,
        lambda: client.get_conversation(uuid),
        lambda: client.get_conversation("no-such-conversation"),
        lambda: client.get_conversation(".."),
        lambda: client.start_conversation(start),
        lambda: client.uploads.put(b"picture", extension="png"),
        lambda: client.uploads.put(b"picture"),
    ]
    for call in calls:
        await day.survive(call)
        for status in (401, 403, 500):
            sandbox.faults.add(Fault(kind="status", status=status))
            await day.survive(call)
            sandbox.faults.clear()
    for kind in KINDS:
        for operation in (None, "put_upload", "oauth_access_token"):
            sandbox.faults.add(Fault(kind=kind, operation=operation, size=40 * 1024 * 1024, times=None))
            for call in (calls[1], calls[-2]):
                await day.survive(call)
            sandbox.faults.clear()


def learn(day: Day, sandbox: Sandbox) -> None:
    """The secrets that went over the wire in the meantime, in either direction."""
    for request in sandbox.requests:
        day.keep_secret(request.headers.get("x-ultracart-simple-key"))
        day.keep_secret(request.headers.get("authorization", "").removeprefix("Bearer "))
        day.keep_secret(request.query.get("X-Amz-Signature"))
        day.keep_secret(*(value for name, value in parse_qsl(request.body.decode(errors="replace")) if "token" in name))


@pytest.mark.parametrize("with_oauth", [False, True])
async def test_no_secret_is_ever_told(ultracart_sandbox: Sandbox, listener: Listener, with_oauth: bool) -> None:
    day = Day()
    tokens: list[Tokens] = []
    clock = ImpatientClock()
    granted = ultracart_sandbox.oauth.grant()
    day.keep_secret(granted["access_token"], granted["refresh_token"], ultracart_sandbox.api_key)
    oauth = OAuth(
        "sandbox-application",
        access_token=granted["access_token"],
        refresh_token=granted["refresh_token"],
        on_tokens=tokens.append,
        clock=clock,
    )
    client = ConversationClient(
        None if with_oauth else ultracart_sandbox.api_key,
        credentials=oauth if with_oauth else None,
        base_url=ultracart_sandbox.base_url,
        limits=Limits.unlimited(),
        timeouts=Timeouts(connect=5, read=0.5, write=5),
        clock=clock,
    )
    async with client:
        await work(day, client, ultracart_sandbox)
        ultracart_sandbox.oauth.expire()
        await work(day, client, ultracart_sandbox)
        authorization = (await client.get_agent_websocket_authorization()).agent_auth
        assert authorization is not None
        day.keep_secret(authorization.jwt, urlsplit(authorization.websocket_url or "").query.partition("=")[2])
        upload = (await client.get_conversation_multimedia_upload_url("png")).conversation_multimedia_upload_url
        assert upload is not None
        day.keep_secret(urlsplit(upload.url or "").query)
        day.said += [repr(authorization), repr(upload), repr(client), repr(oauth), repr(tokens)]
    learn(day, ultracart_sandbox)
    for each in tokens:
        day.keep_secret(each.access_token, each.refresh_token)
    assert bool(tokens) is with_oauth
    assert len(day.secrets) > 5
    assert len(listener.texts) > 100
    assert day.told(listener.texts) == set()


async def test_a_key_that_is_refused_is_not_told() -> None:
    for arguments in ({"api_key": "s3cret\n"}, {"api_key": "s3cret", "base_url": "http://shop.example"}):
        with pytest.raises(ConfigurationError) as caught:
            ConversationClient(**arguments)  # type: ignore[arg-type]
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        ours = [frame for frame in frames if "/tests/" not in frame.filename]
        assert ours
        assert not [frame for frame in ours if "s3cret" in str(frame.locals)]
