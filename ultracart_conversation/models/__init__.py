"""UltraCart's objects: class name = schema name, field name = wire name."""

from ultracart_conversation.models.agents import (
    ConversationAgentAuth,
    ConversationAgentAuthMerchant,
    ConversationAgentAuthResponse,
    ConversationTwilioAccount,
)
from ultracart_conversation.models.conversations import (
    Conversation,
    ConversationJoinRequest,
    ConversationParticipant,
    ConversationResponse,
    ConversationSentiment,
    ConversationsResponse,
    ConversationStartRequest,
    ConversationStartResponse,
    ConversationSummary,
)
from ultracart_conversation.models.enums import (
    AgentStatus,
    EventType,
    FrameType,
    Medium,
    MessageType,
    RRWebType,
    Sentiment,
    TransportStatus,
)
from ultracart_conversation.models.envelope import (
    Error,
    ResponseMetadata,
    ResultSet,
    Warning,
)
from ultracart_conversation.models.frames import (
    ConversationEventAddCoupon,
    ConversationEventAddItem,
    ConversationEventQueuePosition,
    ConversationEventReadMessage,
    ConversationEventRRWeb,
    ConversationEventTyping,
    ConversationEventWebchatContext,
    ConversationWebsocketMessage,
)
from ultracart_conversation.models.messages import (
    ConversationMessage,
    ConversationMessagesResponse,
    ConversationMessageTranslation,
    ConversationMessageTransportStatus,
)
from ultracart_conversation.models.model import Model
from ultracart_conversation.models.queues import (
    ConversationWebchatQueueStatus,
    ConversationWebchatQueueStatusAgent,
    ConversationWebchatQueueStatusesResponse,
    ConversationWebchatQueueStatusQueueEntry,
    ConversationWebchatQueueStatusUpdateRequest,
)
from ultracart_conversation.models.uploads import (
    ConversationMultimediaUploadUrl,
    ConversationMultimediaUploadUrlResponse,
)
from ultracart_conversation.models.webchat import ConversationWebchatContext

__all__ = [
    "AgentStatus",
    "Conversation",
    "ConversationAgentAuth",
    "ConversationAgentAuthMerchant",
    "ConversationAgentAuthResponse",
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
    "Error",
    "EventType",
    "FrameType",
    "Medium",
    "MessageType",
    "Model",
    "RRWebType",
    "ResponseMetadata",
    "ResultSet",
    "Sentiment",
    "TransportStatus",
    "Warning",
]
