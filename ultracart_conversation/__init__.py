"""Async client for UltraCart's Conversation API.

The models `Error` and `Warning` are in `ultracart_conversation.models` only, as they would hide builtins here.
"""

from ultracart_conversation._rest.budget import (
    Budget,
    BudgetState,
    BudgetStatistics,
    BudgetStore,
    MemoryBudgetStore,
    WindowStatistics,
)
from ultracart_conversation._rest.http_info import (
    HttpInfo,
    http_info,
)
from ultracart_conversation._rest.oauth_application import (
    OAuthApplication,
)
from ultracart_conversation._rest.operation import (
    Operation,
)
from ultracart_conversation._wire.drift import (
    Drift,
)
from ultracart_conversation._wire.json_object import (
    JsonObject,
    JsonValue,
)
from ultracart_conversation._wire.open_enum import (
    OpenEnum,
)
from ultracart_conversation.auth import (
    ApiKey,
    Authorization,
    Credentials,
    OAuthForm,
    Pipe,
)
from ultracart_conversation.client import (
    ConversationClient,
)
from ultracart_conversation.clock import (
    Clock,
    SystemClock,
)
from ultracart_conversation.config import (
    Retry,
    Timeouts,
)
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    BadRequest,
    ConfigurationError,
    ConnectError,
    IncompleteRead,
    LoginRequired,
    NotFound,
    OAuthError,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    ReplyError,
    ServerError,
    TimedOut,
    TransportError,
    UltraCartError,
    Undecodable,
)
from ultracart_conversation.exchange import (
    Exchange,
    OnExchange,
)
from ultracart_conversation.limits import (
    Limits,
    Priority,
)
from ultracart_conversation.models import (
    AgentStatus,
    Conversation,
    ConversationAgentAuth,
    ConversationAgentAuthMerchant,
    ConversationAgentAuthResponse,
    ConversationEventAddCoupon,
    ConversationEventAddItem,
    ConversationEventQueuePosition,
    ConversationEventReadMessage,
    ConversationEventRRWeb,
    ConversationEventTyping,
    ConversationEventWebchatContext,
    ConversationJoinRequest,
    ConversationMessage,
    ConversationMessagesResponse,
    ConversationMessageTranslation,
    ConversationMessageTransportStatus,
    ConversationMultimediaUploadUrl,
    ConversationMultimediaUploadUrlResponse,
    ConversationParticipant,
    ConversationResponse,
    ConversationSentiment,
    ConversationsResponse,
    ConversationStartRequest,
    ConversationStartResponse,
    ConversationSummary,
    ConversationTwilioAccount,
    ConversationWebchatContext,
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusAgent,
    ConversationWebchatQueueStatusesResponse,
    ConversationWebchatQueueStatusQueueEntry,
    ConversationWebchatQueueStatusUpdateRequest,
    ConversationWebsocketMessage,
    EventType,
    FrameType,
    Medium,
    MessageType,
    Model,
    ResponseMetadata,
    ResultSet,
    RRWebType,
    Sentiment,
    TransportStatus,
)
from ultracart_conversation.oauth.authorization_url import (
    AuthorizationRequest,
    authorization_url,
)
from ultracart_conversation.oauth.credentials import (
    OAuth,
)
from ultracart_conversation.oauth.token_file import (
    TokenFile,
)
from ultracart_conversation.oauth.tokens import (
    OauthDeviceAuthorizationResponse,
    Tokens,
)
from ultracart_conversation.uploads import (
    Uploads,
)

__all__ = [
    "AgentStatus",
    "ApiKey",
    "ApplicationDisabled",
    "AuthenticationError",
    "Authorization",
    "AuthorizationRequest",
    "BadRequest",
    "Budget",
    "BudgetState",
    "BudgetStatistics",
    "BudgetStore",
    "Clock",
    "ConfigurationError",
    "ConnectError",
    "Conversation",
    "ConversationAgentAuth",
    "ConversationAgentAuthMerchant",
    "ConversationAgentAuthResponse",
    "ConversationClient",
    "ConversationEventAddCoupon",
    "ConversationEventAddItem",
    "ConversationEventQueuePosition",
    "ConversationEventRRWeb",
    "ConversationEventReadMessage",
    "ConversationEventTyping",
    "ConversationEventWebchatContext",
    "ConversationJoinRequest",
    "ConversationMessage",
    "ConversationMessageTranslation",
    "ConversationMessageTransportStatus",
    "ConversationMessagesResponse",
    "ConversationMultimediaUploadUrl",
    "ConversationMultimediaUploadUrlResponse",
    "ConversationParticipant",
    "ConversationResponse",
    "ConversationSentiment",
    "ConversationStartRequest",
    "ConversationStartResponse",
    "ConversationSummary",
    "ConversationTwilioAccount",
    "ConversationWebchatContext",
    "ConversationWebchatQueueStatus",
    "ConversationWebchatQueueStatusAgent",
    "ConversationWebchatQueueStatusQueueEntry",
    "ConversationWebchatQueueStatusUpdateRequest",
    "ConversationWebchatQueueStatusesResponse",
    "ConversationWebsocketMessage",
    "ConversationsResponse",
    "Credentials",
    "Drift",
    "EventType",
    "Exchange",
    "FrameType",
    "HttpInfo",
    "IncompleteRead",
    "JsonObject",
    "JsonValue",
    "Limits",
    "LoginRequired",
    "Medium",
    "MemoryBudgetStore",
    "MessageType",
    "Model",
    "NotFound",
    "OAuth",
    "OAuthApplication",
    "OAuthError",
    "OAuthForm",
    "OauthDeviceAuthorizationResponse",
    "OnExchange",
    "OpenEnum",
    "Operation",
    "OutcomeUnknown",
    "PermissionDenied",
    "Pipe",
    "Priority",
    "RRWebType",
    "RateLimited",
    "Refused",
    "ReplyError",
    "ResponseMetadata",
    "ResultSet",
    "Retry",
    "Sentiment",
    "ServerError",
    "SystemClock",
    "TimedOut",
    "Timeouts",
    "TokenFile",
    "Tokens",
    "TransportError",
    "TransportStatus",
    "UltraCartError",
    "Undecodable",
    "Uploads",
    "WindowStatistics",
    "authorization_url",
    "http_info",
]
