"""The client against a living service: what each operation does there, and what is written on the wire."""

import anyio
import pytest

from ultracart_conversation import (
    AgentStatus,
    ConfigurationError,
    Conversation,
    ConversationClient,
    ConversationJoinRequest,
    ConversationStartRequest,
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusUpdateRequest,
    JsonObject,
    Limits,
    Medium,
    Operation,
    http_info,
)
from ultracart_conversation.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def read(client: ConversationClient, uuid: str) -> Conversation:
    conversation = (await client.get_conversation(uuid)).conversation
    assert conversation is not None
    return conversation


async def queue(client: ConversationClient, name: str) -> ConversationWebchatQueueStatus:
    statuses = (await client.get_conversation_webchat_queue_statuses()).queue_statuses
    return next(status for status in statuses if status.queue_name == name)


async def test_a_chat_from_the_queue_to_the_end(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    customer = ultracart_sandbox.arrive(name="Grace Holm", question="Is the kettle in stock?", queue="Support")
    entry = next(e for e in (await queue(client, "Support")).queue_entries if e.question == "Is the kettle in stock?")

    request = ConversationStartRequest(conversation_webchat_queue_uuid=entry.conversation_webchat_queue_uuid)
    started = (await client.start_conversation(request)).conversation
    assert started is not None
    assert started.conversation_uuid == customer.conversation_uuid
    uuid = str(started.conversation_uuid)
    assert entry not in (await queue(client, "Support")).queue_entries

    customer.write("Hello?")
    customer.browse("https://shop.example/kettles")
    conversation = await read(client, uuid)
    assert conversation.messages[-1].body == "Hello?"
    assert (conversation.medium, conversation.unread_messages) == (Medium.WEBSOCKET, True)
    context = await client.get_conversation_context(uuid)
    assert context.current_url == "https://shop.example/kettles"
    assert isinstance(context.cart, JsonObject)

    await client.mark_read_conversation(uuid)
    assert (await read(client, uuid)).unread_messages is False
    await client.leave_conversation(uuid)
    await client.join_conversation(uuid, ConversationJoinRequest(participant_language_iso_code="de"))
    mine = [p for p in (await read(client, uuid)).participants if p.conversation_participant_name == "Ada Park"]
    assert mine[-1].left_dts is None
    assert mine[-1].language_iso_code == "de"


async def test_the_agents_status_in_one_queue(client: ConversationClient) -> None:
    update = ConversationWebchatQueueStatusUpdateRequest(agent_status=AgentStatus.BUSY)
    await client.update_conversation_webchat_queue_status("Support", update)
    agents = (await queue(client, "Support")).agents
    assert [a.agent_status for a in agents if a.agent_user_id == "1001"] == [AgentStatus.BUSY]


async def test_the_websocket_authorization_and_the_keepalive(client: ConversationClient) -> None:
    authorization = (await client.get_agent_websocket_authorization()).agent_auth
    assert authorization is not None
    assert authorization.jwt
    assert authorization.websocket_url
    assert authorization.jwt not in repr(authorization)
    await client.get_agent_keep_alive()


@pytest.mark.parametrize("name", ["R&D / 50% #1?", "日本 ☕", "a+b c", "%2F", "..x", "~-._"])
async def test_any_name_survives_the_path(client: ConversationClient, ultracart_sandbox: Sandbox, name: str) -> None:
    ultracart_sandbox.add_queue(name)
    update = ConversationWebchatQueueStatusUpdateRequest(agent_status=AgentStatus.AVAILABLE)
    await client.update_conversation_webchat_queue_status(name, update)
    assert (await queue(client, name)).agent_available_count == 1
    segment = ultracart_sandbox.requests[-2].raw_path.removeprefix(b"/rest/v2/conversation/conversations/queues/")
    assert segment.count(b"/") == 1
    assert segment.isascii()


@pytest.mark.parametrize("uuid", ["", ".", ".."])
async def test_a_step_in_the_path_is_refused(client: ConversationClient, ultracart_sandbox: Sandbox, uuid: str) -> None:
    with pytest.raises(ConfigurationError, match="get_conversation: conversation_uuid must not be"):
        await client.get_conversation(uuid)
    assert ultracart_sandbox.requests == []


@pytest.mark.parametrize("body", [{"when": object()}, {"text": "\ud800"}])
async def test_what_cannot_be_sent_is_refused_before_anything_is_sent(
    client: ConversationClient, ultracart_sandbox: Sandbox, body: dict[str, object]
) -> None:
    operation = Operation("raw", "PUT", "/conversation/conversations", JsonObject)
    with pytest.raises(ConfigurationError, match=r"^raw: the body cannot be written as JSON: "):
        await client.send(operation, body=body)
    with pytest.raises(ConfigurationError, match="is not text that UTF-8 can carry"):
        await client.get_conversation("\ud800")
    with pytest.raises(ConfigurationError, match="is not text that UTF-8 can carry"):
        await client.get_conversations(before="\ud800")
    assert ultracart_sandbox.requests == []


async def test_any_other_operation_can_be_sent(client: ConversationClient, ultracart_sandbox: Sandbox) -> None:
    (uuid, *_) = ultracart_sandbox.conversation_uuids
    operation = Operation("raw", "GET", "/conversation/conversations/{uuid}", JsonObject, repeatable=True)
    reply = await client.send(operation, path={"uuid": uuid}, query={"limit": 1, "nothing": None})
    assert isinstance(reply["conversation"], JsonObject)
    assert reply["conversation"]["conversation_uuid"] == uuid
    assert ultracart_sandbox.requests[-1].query == {"limit": "1"}
    with pytest.raises(ConfigurationError, match="raw takes the path parameters uuid; given: none"):
        await client.send(operation)


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example", "relative", "/a?b=c"])
def test_an_operation_stays_below_the_base_url(path: str) -> None:
    with pytest.raises(ConfigurationError, match="starts with one slash"):
        Operation("escape", "GET", path, JsonObject)


async def test_http_info_shows_every_exchange_of_its_own_block(
    client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    (uuid, *_) = ultracart_sandbox.conversation_uuids

    async def one_call(count: int) -> None:
        with http_info() as info:
            for _ in range(count):
                await client.mark_read_conversation(uuid)
        assert [exchange.operation for exchange in info.exchanges] == ["mark_read_conversation"] * count
        assert info.status_code == 204
        assert info.request_id in {request.request_id for request in ultracart_sandbox.requests}
        assert info.headers["x-ultracart-request-id"] == info.request_id

    with http_info() as everything:
        async with anyio.create_task_group() as tasks:
            for count in (1, 2, 3):
                tasks.start_soon(one_call, count)
    assert len(everything.exchanges) == 6
    with http_info() as nothing:
        pass
    assert (nothing.status_code, nothing.request_id, dict(nothing.headers)) == (None, None, {})


async def test_drift_of_the_service_is_counted(client: ConversationClient) -> None:
    operation = Operation("shape", "GET", "/conversation/conversations/queues/statuses", Conversation)
    await client.send(operation)
    assert client.drift.unknown_fields == {
        "Conversation.metadata": 1,
        "Conversation.queue_statuses": 1,
        "Conversation.success": 1,
    }
    assert bool(client.drift)


async def test_the_environment_names_the_service(ultracart_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULTRACART_API_KEY", ultracart_sandbox.api_key)
    monkeypatch.setenv("ULTRACART_BASE_URL", ultracart_sandbox.base_url + "/")
    async with ConversationClient(limits=Limits.unlimited()) as client:
        assert client.base_url == ultracart_sandbox.base_url
        assert (await client.get_conversations(limit=1)).conversations
