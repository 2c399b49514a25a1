"""What users' type checkers must see; this file is checked, never run."""

from collections.abc import AsyncGenerator
from datetime import datetime
from types import NoneType
from typing import assert_type

import attrs

from ultracart_conversation import (
    AgentStatus,
    Budget,
    Conversation,
    ConversationAgentAuth,
    ConversationAgentAuthResponse,
    ConversationClient,
    ConversationMessage,
    ConversationMessagesResponse,
    ConversationMultimediaUploadUrlResponse,
    ConversationResponse,
    ConversationsResponse,
    ConversationStartRequest,
    ConversationStartResponse,
    ConversationSummary,
    ConversationWebchatContext,
    ConversationWebchatQueueStatusesResponse,
    ConversationWebchatQueueStatusUpdateRequest,
    JsonObject,
    JsonValue,
    Limits,
    Medium,
    Operation,
    RateLimited,
    http_info,
)


async def operations(client: ConversationClient) -> None:
    assert_type(await client.get_agent_keep_alive(), None)
    assert_type(await client.get_agent_websocket_authorization(), ConversationAgentAuthResponse)
    assert_type(await client.get_conversation("uuid", limit=5), ConversationResponse)
    assert_type(await client.get_conversation_context("uuid"), ConversationWebchatContext)
    assert_type(await client.get_conversation_messages("uuid", 0), ConversationMessagesResponse)
    assert_type(await client.get_conversation_multimedia_upload_url("png"), ConversationMultimediaUploadUrlResponse)
    assert_type(await client.get_conversation_webchat_queue_statuses(), ConversationWebchatQueueStatusesResponse)
    assert_type(await client.get_conversations(medium=Medium.SMS, before="2026", offset=1), ConversationsResponse)
    assert_type(await client.join_conversation("uuid"), None)
    assert_type(await client.leave_conversation("uuid"), None)
    assert_type(await client.mark_read_conversation("uuid"), None)
    assert_type(await client.start_conversation(ConversationStartRequest()), ConversationStartResponse)
    update = ConversationWebchatQueueStatusUpdateRequest(agent_status=AgentStatus.BUSY)
    assert_type(await client.update_conversation_webchat_queue_status("Support", update), None)


async def beyond(client: ConversationClient) -> None:
    assert_type(client.iter_conversations(), AsyncGenerator[ConversationSummary, None])
    async for message in client.iter_messages("uuid", since=datetime.now().astimezone()):
        assert_type(message, ConversationMessage)
        assert_type(message.body, str | None)
        assert_type(message.message_dts, datetime | None)
        assert_type(message.upload_keys, tuple[str, ...])
    assert_type(await client.uploads.put("photo.png"), str)
    assert_type(await client.send(Operation("any", "GET", "/any", JsonObject)), JsonObject)
    assert_type(await client.send(Operation("any", "GET", "/any", NoneType)), None)
    assert_type(client.budget, Budget)
    with http_info() as info:
        assert_type(info.status_code, int | None)


def values(conversation: Conversation, auth: ConversationAgentAuth) -> None:
    assert_type(conversation.medium, Medium | None)
    assert_type(conversation.extra, JsonObject)
    assert_type(conversation.extra["new_field"], JsonValue)
    assert_type(attrs.evolve(conversation, closed=True), Conversation)
    assert_type(auth.group_ids, tuple[int, ...])
    assert_type(Conversation.from_dict({}), Conversation)
    assert_type(Limits.unlimited(), Limits)
    conversation.closed = True  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Conversation("uuid")  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]


def errors(error: RateLimited) -> None:
    assert_type(error.retry_after, float | None)
    assert_type(error.status_code, int)
