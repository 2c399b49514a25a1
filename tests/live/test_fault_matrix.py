"""Every fault of the wire, times every operation: the documented outcome, no write done twice, and life goes on."""

import socket
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Literal

import attrs
import pytest

from tests.contract.contract import OPERATIONS
from ultracart_conversation import (
    AgentStatus,
    ApplicationDisabled,
    AuthenticationError,
    BadRequest,
    ConnectError,
    ConversationClient,
    ConversationStartRequest,
    ConversationWebchatQueueStatusUpdateRequest,
    Limits,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    ReplyError,
    Retry,
    ServerError,
    TimedOut,
    Timeouts,
    TransportError,
    UltraCartError,
    Undecodable,
)
from ultracart_conversation.sandbox import Fault, Sandbox
from ultracart_conversation.testing import ImpatientClock

pytestmark = pytest.mark.anyio

ONCE = {"join_conversation", "leave_conversation", "start_conversation"}
"""Operations that must not be sent twice."""
VOID = {name for name, operation in OPERATIONS.items() if operation["returns"] is None}
Outcome = type[UltraCartError] | None


PATIENT = Timeouts(connect=10, read=10, write=10)
HASTY = Timeouts(connect=0.3, read=0.4, total=0.4)


@attrs.frozen
class Case:
    """A fault, and what comes of it: in general, for an operation that must not be sent twice, for a void one."""

    fault: Fault
    general: Outcome
    once: Outcome | Literal["general"] = attrs.field(default="general", kw_only=True)
    void: Outcome | Literal["general"] = attrs.field(default="general", kw_only=True)
    timeouts: Timeouts = attrs.field(default=PATIENT, kw_only=True)

    def outcome(self, operation: str) -> Outcome:
        if operation in VOID and self.void != "general":
            return self.void
        return self.once if operation in ONCE and self.once != "general" else self.general


CASES = {
    "drop before effect": Case(Fault(kind="drop before", times=None), TransportError, once=OutcomeUnknown),
    "drop after effect": Case(Fault(kind="drop after", times=None), TransportError, once=OutcomeUnknown),
    "reset after effect": Case(Fault(kind="drop after", reset=True, times=None), TransportError, once=OutcomeUnknown),
    "half a header": Case(Fault(kind="half header", times=None), TransportError, once=OutcomeUnknown),
    "truncated body": Case(Fault(kind="truncated body", times=None), TransportError, once=OutcomeUnknown),
    "a byte at a time": Case(
        Fault(kind="slow", interval=0.02, times=None), TimedOut, once=OutcomeUnknown, void=None, timeouts=HASTY
    ),
    "stall": Case(Fault(kind="stall", times=None), TimedOut, once=OutcomeUnknown, timeouts=HASTY),
    "400": Case(Fault(kind="status", status=400, times=None), BadRequest),
    "401": Case(Fault(kind="status", status=401, times=None), AuthenticationError),
    "403": Case(Fault(kind="status", status=403, times=None), PermissionDenied),
    "404": Case(Fault(kind="status", status=404, times=None), NotFound),
    "409": Case(Fault(kind="status", status=409, times=None), ReplyError),
    "410": Case(Fault(kind="status", status=410, times=None), ApplicationDisabled),
    "429 with Retry-After": Case(
        Fault(kind="status", status=429, headers={"Retry-After": "9"}, times=None), RateLimited
    ),
    "429 without Retry-After": Case(Fault(kind="status", status=429, times=None), RateLimited),
    "500": Case(Fault(kind="status", status=500, times=None), ServerError),
    "502 HTML": Case(Fault(kind="status", status=502, body="html", times=None), ServerError),
    "503": Case(Fault(kind="status", status=503, times=None), ServerError),
    "10 MB error": Case(Fault(kind="huge body", status=500, times=None), ServerError),
    "200 success: false": Case(Fault(kind="refused", times=None), Refused),
    "200 HTML": Case(Fault(kind="html", times=None), Undecodable),
    "200 empty": Case(Fault(kind="empty", times=None), Undecodable, void=None),
    "wrong content type": Case(Fault(kind="wrong content type", times=None), None),
    "gzip bomb": Case(Fault(kind="gzip bomb", size=40 * 1024 * 1024, times=None), Undecodable),
}


def client_of(base_url: str, key: str, timeouts: Timeouts) -> ConversationClient:
    """A client that tries twice and waits for nothing in between."""
    return ConversationClient(
        key,
        base_url=base_url,
        limits=Limits.unlimited(),
        retry=Retry(attempts=2),
        timeouts=timeouts,
        clock=ImpatientClock(),
    )


def calls(client: ConversationClient, sandbox: Sandbox) -> dict[str, Callable[[], Awaitable[object]]]:
    """One call of each operation that would have an effect if it has one at all."""
    entry = sandbox.arrive().queue_entry_uuid
    uuid = sandbox.text("Hello").conversation_uuid or ""
    webchat = next(u for u in sandbox.conversation_uuids if sandbox.snapshot(u)["medium"] == "websocket")
    start = ConversationStartRequest(conversation_webchat_queue_uuid=entry)
    status = ConversationWebchatQueueStatusUpdateRequest(agent_status=AgentStatus.BUSY)
    return {
        "get_agent_keep_alive": client.get_agent_keep_alive,
        "get_agent_websocket_authorization": client.get_agent_websocket_authorization,
        "get_conversation": lambda: client.get_conversation(uuid),
        "get_conversation_context": lambda: client.get_conversation_context(webchat),
        "get_conversation_messages": lambda: client.get_conversation_messages(uuid, 0),
        "get_conversation_multimedia_upload_url": lambda: client.get_conversation_multimedia_upload_url("png"),
        "get_conversation_webchat_queue_statuses": client.get_conversation_webchat_queue_statuses,
        "get_conversations": client.get_conversations,
        "join_conversation": lambda: client.join_conversation(uuid),
        "leave_conversation": lambda: client.leave_conversation(uuid),
        "mark_read_conversation": lambda: client.mark_read_conversation(uuid),
        "start_conversation": lambda: client.start_conversation(start),
        "update_conversation_webchat_queue_status": lambda: client.update_conversation_webchat_queue_status(
            "Support", status
        ),
    }


async def outcome_of(call: Callable[[], Awaitable[object]]) -> Outcome:
    try:
        await call()
    except UltraCartError as error:
        return type(error)
    return None


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", CASES)
async def test_a_fault_of_the_service(ultracart_sandbox: Sandbox, name: str, operation: str) -> None:
    case = CASES[name]
    async with client_of(ultracart_sandbox.base_url, ultracart_sandbox.api_key, case.timeouts) as client:
        call = calls(client, ultracart_sandbox)[operation]
        if operation == "leave_conversation":
            await calls(client, ultracart_sandbox)["join_conversation"]()
        ultracart_sandbox.effects.clear()
        ultracart_sandbox.faults.add(case.fault)
        assert await outcome_of(call) is case.outcome(operation)
        if operation in ONCE:
            assert ultracart_sandbox.effects[operation] <= 1
        ultracart_sandbox.faults.clear()
        assert await outcome_of(client.get_conversations) is None


@contextmanager
def deaf_address() -> Generator[str]:
    """An address that takes no more connections: whoever connects waits."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for each in crowd:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/rest/v2"
        finally:
            for each in crowd:
                each.close()


@contextmanager
def closed_address() -> Generator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/rest/v2"


@contextmanager
def address_without_tls() -> Generator[str]:
    with Sandbox(conversations=0, customers=0) as sandbox:
        yield sandbox.base_url.replace("http:", "https:")


ADDRESSES = [deaf_address, closed_address, address_without_tls]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_no_connection(ultracart_sandbox: Sandbox, operation: str, address: Callable[[], Any]) -> None:
    with address() as base_url:
        async with client_of(base_url, "key", HASTY) as client:
            call = calls(client, ultracart_sandbox)[operation]
            assert await outcome_of(call) is ConnectError
            assert client.budget.statistics().used == 0
