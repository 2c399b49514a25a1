"""Webchat queues: who waits, who serves."""

from datetime import datetime

import attrs

from ultracart_conversation.models.enums import AgentStatus
from ultracart_conversation.models.envelope import Response
from ultracart_conversation.models.model import Model


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebchatQueueStatusAgent(Model):
    """An agent of a queue."""

    agent_status: AgentStatus | None = None
    agent_user_id: str | None = None
    conversation_participant_arn: str | None = None
    conversation_participant_name: str | None = None
    custom_status_name: str | None = None
    custom_status_uuid: str | None = None
    last_chat_dts: datetime | None = None
    next_round_robin: bool | None = None
    profile_image_url: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebchatQueueStatusQueueEntry(Model):
    """A customer who waits; `conversation_webchat_queue_uuid` picks them up."""

    conversation_participant_arn: str | None = None
    conversation_participant_name: str | None = None
    conversation_webchat_queue_uuid: str | None = None
    email: str | None = None
    join_dts: datetime | None = None
    participant_language_iso_code: str | None = None
    question: str | None = None
    queue_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebchatQueueStatus(Model):
    """One queue now; the averages are in seconds."""

    agent_available_count: int | None = None
    agent_busy_count: int | None = None
    agent_count: int | None = None
    agent_unavailable_count: int | None = None
    agents: tuple[ConversationWebchatQueueStatusAgent, ...] = ()
    customer_abandon_count: int | None = None
    customer_active_count: int | None = None
    customer_average_abandon_time_seconds: int | None = None
    customer_average_chat_time_seconds: int | None = None
    customer_average_hold_time_seconds: int | None = None
    customer_chat_count: int | None = None
    customer_waiting_count: int | None = None
    customer_waiting_join_dts: datetime | None = None
    queue_entries: tuple[ConversationWebchatQueueStatusQueueEntry, ...] = ()
    queue_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebchatQueueStatusesResponse(Response):
    """Reply to `get_conversation_webchat_queue_statuses`."""

    queue_statuses: tuple[ConversationWebchatQueueStatus, ...] = ()


@attrs.frozen(kw_only=True, repr=False)
class ConversationWebchatQueueStatusUpdateRequest(Model):
    """The agent's new status in one queue."""

    agent_status: AgentStatus | None = None
    custom_status_name: str | None = None
    custom_status_uuid: str | None = None
