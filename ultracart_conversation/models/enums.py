"""The contract's enums, all of them open: a value that is not listed here is kept and says so."""

from ultracart_conversation._wire.open_enum import OpenEnum


class Medium(OpenEnum):
    """How the customer writes to the merchant."""

    SMS = "sms"
    WEBSOCKET = "websocket"
    """Webchat."""


class MessageType(OpenEnum):
    """What a message is."""

    MESSAGE = "message"
    NOTICE = "notice"
    """A line of the system, such as somebody joining (inferred)."""
    ENGAGEMENT_PROMPT = "engagement prompt"
    TOOL_CALL = "tool call"


class TransportStatus(OpenEnum):
    """How far a message came on its way to one participant."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    READ = "read"
    TWILIO_CREDENTIALS_MISSING = "TWILIO_CREDENTIALS_MISSING"
    SENT_TO_TWILIO = "SENT_TO_TWILIO"
    TWILIO_ERROR = "TWILIO_ERROR"
    SENT_TO_PINPOINT = "SENT_TO_PINPOINT"
    PINPOINT_ERROR = "PINPOINT_ERROR"


class Sentiment(OpenEnum):
    """How the customer feels, as a machine reads it."""

    POSITIVE = "POSITIVE"
    NEUTRAL = "NEUTRAL"
    NEGATIVE = "NEGATIVE"
    MIXED = "MIXED"


class AgentStatus(OpenEnum):
    """Whether an agent takes chats from a queue."""

    AVAILABLE = "available"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"


class FrameType(OpenEnum):
    """What a websocket frame is."""

    MESSAGE = "message"
    EVENT = "event"
    PING = "ping"
    CHECK_QUEUE_POSITION = "check queue position"


class EventType(OpenEnum):
    """What a websocket frame of type `event` tells."""

    QUEUE_POSITION = "queue position"
    WEBCHAT_START_CONVERSATION = "webchat start conversation"
    CONVERSATION_CLOSED = "conversation closed"
    NEW_CONVERSATION = "new conversation"
    NEW_MESSAGE = "new message"
    UPDATED_MESSAGE = "updated message"
    QUEUE_STATUS_UPDATE = "queue status update"
    RRWEB = "rrweb"
    PARTICIPANT_UPDATE = "participant update"
    PARTICIPANT_JOIN = "participant join"
    PARTICIPANT_LEFT = "participant left"
    READ_MESSAGE = "read message"
    TYPING = "typing"
    ADD_COUPON = "add coupon"
    ADD_ITEM = "add item"
    WEBCHAT_CONTEXT = "webchat context"
    ENGAGE_CUSTOMER = "engage customer"
    QUEUE_NEW_MEMBER = "queue new member"


class RRWebType(OpenEnum):
    """Whether a co-browsing part starts a recording or continues one."""

    INIT = "init"
    EVENTS = "events"
