"""UltraCart's conversation operations (documented), a line each; `repeatable` is inferred."""

from types import NoneType

from ultracart_conversation import models
from ultracart_conversation._rest.operation import Operation
from ultracart_conversation.limits import Priority

_CONVERSATIONS = "/conversation/conversations"
_CONVERSATION = "/conversation/conversations/{conversation_uuid}"
_PARTICIPANTS = "read `participants` of get_conversation before you repeat it"

GET_AGENT_KEEP_ALIVE = Operation(
    "get_agent_keep_alive",
    "GET",
    "/conversation/agent/keepalive",
    NoneType,
    repeatable=True,
    priority=Priority.CRITICAL,
)
GET_AGENT_WEBSOCKET_AUTHORIZATION = Operation(
    "get_agent_websocket_authorization",
    "PUT",
    "/conversation/agent/auth",
    models.ConversationAgentAuthResponse,
    repeatable=True,
    priority=Priority.CRITICAL,
)
GET_CONVERSATION = Operation("get_conversation", "GET", _CONVERSATION, models.ConversationResponse, repeatable=True)
GET_CONVERSATION_CONTEXT = Operation(
    "get_conversation_context",
    "PUT",
    _CONVERSATION + "/context",
    models.ConversationWebchatContext,
    repeatable=True,
)
GET_CONVERSATION_MESSAGES = Operation(
    "get_conversation_messages",
    "GET",
    _CONVERSATION + "/messages/{since}",
    models.ConversationMessagesResponse,
    repeatable=True,
)
GET_CONVERSATION_MULTIMEDIA_UPLOAD_URL = Operation(
    "get_conversation_multimedia_upload_url",
    "GET",
    "/conversation/upload_url/{extension}",
    models.ConversationMultimediaUploadUrlResponse,
    repeatable=True,
)
GET_CONVERSATION_WEBCHAT_QUEUE_STATUSES = Operation(
    "get_conversation_webchat_queue_statuses",
    "GET",
    _CONVERSATIONS + "/queues/statuses",
    models.ConversationWebchatQueueStatusesResponse,
    repeatable=True,
)
GET_CONVERSATIONS = Operation(
    "get_conversations",
    "GET",
    _CONVERSATIONS,
    models.ConversationsResponse,
    repeatable=True,
)
JOIN_CONVERSATION = Operation("join_conversation", "PUT", _CONVERSATION + "/join", NoneType, check=_PARTICIPANTS)
LEAVE_CONVERSATION = Operation("leave_conversation", "DELETE", _CONVERSATION + "/leave", NoneType, check=_PARTICIPANTS)
MARK_READ_CONVERSATION = Operation(
    "mark_read_conversation", "PUT", _CONVERSATION + "/markread", NoneType, repeatable=True
)
START_CONVERSATION = Operation(
    "start_conversation",
    "PUT",
    _CONVERSATIONS,
    models.ConversationStartResponse,
    check="look for the new conversation in get_conversations before you repeat it",
)
UPDATE_CONVERSATION_WEBCHAT_QUEUE_STATUS = Operation(
    "update_conversation_webchat_queue_status",
    "PUT",
    _CONVERSATIONS + "/queues/{queue_name}/status",
    NoneType,
    repeatable=True,
    priority=Priority.CRITICAL,
)
