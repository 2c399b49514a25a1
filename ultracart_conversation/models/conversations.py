"""Conversations, their participants, and the requests that start and join them."""

from datetime import datetime
from typing import ClassVar

import attrs

from ultracart_conversation.models.enums import Medium, Sentiment
from ultracart_conversation.models.envelope import Response
from ultracart_conversation.models.messages import ConversationMessage
from ultracart_conversation.models.model import Model


@attrs.frozen(kw_only=True, repr=False)
class ConversationParticipant(Model):
    """A customer or an agent in a conversation; `unread_messages` is a count here."""

    conversation_participant_arn: str | None = None
    conversation_participant_name: str | None = None
    conversation_participant_uuid: str | None = None
    email: str | None = None
    joined_dts: datetime | None = None
    language_iso_code: str | None = None
    last_message_dts: datetime | None = None
    left_dts: datetime | None = None
    profile_image_url: str | None = None
    sms_phone_number: str | None = None
    status: str | None = None
    timezone: str | None = None
    unread_messages: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationSentiment(Model):
    """How the customer feels: the label, and a score from 0 to 1 for each."""

    last_detect_sentiment: str | None = None
    mixed: float | None = None
    negative: float | None = None
    neutral: float | None = None
    positive: float | None = None
    sentiment: Sentiment | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationSummary(Model):
    """A conversation as lists and events show it; `unread_messages` says whether there are any."""

    closed: bool | None = None
    conversation_arn: str | None = None
    conversation_uuid: str | None = None
    customer_first_message_unresponded_to_dts: datetime | None = None
    last_conversation_message_body: str | None = None
    last_conversation_participant_arn: str | None = None
    last_conversation_participant_name: str | None = None
    last_interactive_message_dts: datetime | None = None
    last_message_dts: datetime | None = None
    medium: Medium | None = None
    merchant_id: str | None = None
    message_count: int | None = None
    participants: tuple[ConversationParticipant, ...] = ()
    sentiment: ConversationSentiment | None = None
    start_dts: datetime | None = None
    unread_messages: bool | None = None
    visible: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class Conversation(ConversationSummary):
    """A conversation with its messages."""

    base_language_iso_code: str | None = None
    messages: tuple[ConversationMessage, ...] = ()
    virtual_agent: bool | None = None
    virtual_agent_cost: float | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationResponse(Response):
    """Reply to `get_conversation`."""

    wraps: ClassVar[str | None] = "conversation"

    conversation: Conversation | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationsResponse(Response):
    """Reply to `get_conversations`: summaries from newest to oldest (documented)."""

    conversations: tuple[ConversationSummary, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class ConversationStartRequest(Model):
    """What to start: a queue entry to pick up (inferred), or the people to write to."""

    add_conversation_participant_arns: tuple[str, ...] = ()
    conversation_arn: str | None = None
    conversation_webchat_queue_uuid: str | None = None
    resolve_only: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationStartResponse(Model):
    """Reply to `start_conversation`."""

    wraps: ClassVar[str | None] = "conversation"

    conversation: Conversation | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationJoinRequest(Model):
    """How to join: the language that the agent reads and writes."""

    participant_language_iso_code: str | None = None
