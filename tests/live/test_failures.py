"""What a broken service makes of a call: one clear typed error, and the client works afterwards."""

import pickle
from collections.abc import AsyncIterator
from typing import Any

import anyio.lowlevel
import httpx
import pytest

from ultracart_conversation import (
    ApplicationDisabled,
    AuthenticationError,
    BadRequest,
    ConnectError,
    ConversationClient,
    ConversationStartRequest,
    Limits,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    ReplyError,
    Retry,
    ServerError,
    TransportError,
    UltraCartError,
    Undecodable,
)
from ultracart_conversation.sandbox import Fault, RateLimits, Sandbox
from ultracart_conversation.testing import ImpatientClock

pytestmark = pytest.mark.anyio


async def failure(client: ConversationClient, sandbox: Sandbox, fault: Fault) -> UltraCartError:
    """The error that reading a conversation raises under `fault`; another reading works right after."""
    (uuid, *_) = sandbox.conversation_uuids
    sandbox.faults.add(fault)
    with pytest.raises(UltraCartError) as caught:
        await client.get_conversation(uuid)
    sandbox.faults.clear()
    assert (await client.get_conversation(uuid)).conversation
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("get_conversation: ")
    assert caught.value.operation == "get_conversation"
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.exchanges) == (type(caught.value), message, caught.value.exchanges)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, AuthenticationError),
        (403, PermissionDenied),
        (404, NotFound),
        (409, ReplyError),
        (410, ApplicationDisabled),
        (429, RateLimited),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
    ],
)
@pytest.mark.parametrize("body", ["envelope", "html", "empty"])
async def test_a_status_becomes_its_error(
    client: ConversationClient, ultracart_sandbox: Sandbox, status: int, kind: type[ReplyError], body: Any
) -> None:
    fault = Fault(kind="status", status=status, body=body, text="No such luck.", times=None)
    error = await failure(client, ultracart_sandbox, fault)
    assert type(error) is kind
    assert isinstance(error, ReplyError)
    assert error.status_code == status
    assert error.request_id in {request.request_id for request in ultracart_sandbox.requests}
    assert f"[request {error.request_id}]" in str(error)
    assert error.exchanges[-1].request_id == error.request_id
    if body == "envelope":
        assert "No such luck" in str(error)
        assert error.error["user_message"] == "No such luck."


async def test_a_missing_object_is_a_400_that_says_so(client: ConversationClient) -> None:
    with pytest.raises(NotFound, match="does not exist") as caught:
        await client.get_conversation("no-such-conversation")
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (Fault(kind="html"), Undecodable, "answered 200 with something other than a JSON object (text/html"),
        (Fault(kind="empty"), Undecodable, "an empty body"),
        (Fault(kind="refused", text="Not today."), Refused, "Not today."),
        (Fault(kind="wrong content type"), None, ""),
        (Fault(kind="truncated body", times=None), TransportError, "the reply was lost"),
        (Fault(kind="half header", times=None), TransportError, "the reply was lost"),
        (Fault(kind="drop before", times=None), TransportError, "the reply was lost"),
        (Fault(kind="drop after", times=None), TransportError, "the reply was lost"),
        (Fault(kind="drop after", times=None, reset=True), TransportError, "the reply was lost"),
        (Fault(kind="huge body", status=500, times=None), ServerError, "answered 500"),
        (Fault(kind="gzip bomb", size=40 * 1024 * 1024), Undecodable, "more bytes than we read"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_a_broken_reply_is_one_clear_error(
    client: ConversationClient, ultracart_sandbox: Sandbox, fault: Fault, kind: type[UltraCartError] | None, said: str
) -> None:
    if kind is None:
        # JSON under another name is still JSON.
        ultracart_sandbox.faults.add(fault)
        assert (await client.get_conversations(limit=1)).conversations
        return
    error = await failure(client, ultracart_sandbox, fault)
    assert type(error) is kind
    assert said in str(error)
    if isinstance(error, ReplyError):
        assert len(error.body) <= 64 * 1024


async def test_a_lost_reply_to_a_write_is_not_repeated(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    customer = ultracart_sandbox.arrive(queue="Support")
    ultracart_sandbox.faults.add(Fault(kind="drop after", operation="start_conversation", times=None))
    with pytest.raises(OutcomeUnknown, match="may have been carried out: look for the new conversation") as caught:
        await client.start_conversation(
            ConversationStartRequest(conversation_webchat_queue_uuid=customer.queue_entry_uuid)
        )
    assert caught.value.check
    assert ultracart_sandbox.effects["start_conversation"] == 1
    assert len(caught.value.exchanges) == 1


async def test_a_lost_reply_to_a_read_is_repeated(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="drop after", times=3))
    assert (await client.get_conversations()).conversations
    assert [request.operation for request in ultracart_sandbox.requests] == ["get_conversations"] * 4


async def test_429_is_repeated_after_the_wait_that_the_service_asks_for(
    client: ConversationClient, ultracart_sandbox: Sandbox, clock: ImpatientClock
) -> None:
    ultracart_sandbox.faults.add(Fault(kind="status", status=429, headers={"Retry-After": "3000"}))
    started = clock.now()
    await client.join_conversation(ultracart_sandbox.text("hello").conversation_uuid or "")
    assert clock.now() - started >= 3000
    assert ultracart_sandbox.effects["join_conversation"] == 1
    assert client.budget.statistics().throttled == 1


async def test_nobody_listens(anyio_backend: str) -> None:
    with Sandbox(conversations=0) as sandbox:
        url, key = sandbox.base_url, sandbox.api_key
    async with ConversationClient(key, base_url=url, retry=Retry(attempts=2, initial=0.001)) as client:
        with pytest.raises(ConnectError, match=r"no connection to UltraCart .*; nothing was sent") as caught:
            await client.start_conversation(ConversationStartRequest())
        assert [exchange.status_code for exchange in caught.value.exchanges] == [None, None]
        assert client.budget.statistics().used == 0


@pytest.mark.ultracart_sandbox(limits=RateLimits(per_hour=3, per_day=100, concurrency=1))
async def test_a_wait_past_the_deadline_is_refused_at_once(ultracart_sandbox: Sandbox, anyio_backend: str) -> None:
    limits = Limits(per_hour=3, per_day=100)
    async with ConversationClient(
        ultracart_sandbox.api_key, base_url=ultracart_sandbox.base_url, limits=limits, deadline=5
    ) as client:
        await client.get_conversations(limit=1)
        with pytest.raises(RateLimited, match="nothing was sent") as caught:
            await client.get_conversations(limit=1)
    assert not caught.value.by_server
    assert 200 in {request.status for request in ultracart_sandbox.requests}
    assert 429 not in {request.status for request in ultracart_sandbox.requests}


@pytest.mark.parametrize(("status", "kind", "most"), [(200, Undecodable, 600), (500, ServerError, 10)])
async def test_an_endless_reply_is_not_read_to_its_end(
    anyio_backend: str, status: int, kind: type[ReplyError], most: int
) -> None:
    parts = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal parts
        while True:
            parts += 1
            await anyio.lowlevel.checkpoint()
            yield bytes(64 * 1024)

    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=endless()))
    async with ConversationClient("key", transport=transport, retry=Retry(attempts=1)) as client:
        with anyio.fail_after(20), pytest.raises(kind):
            await client.get_conversations()
    assert parts < most
