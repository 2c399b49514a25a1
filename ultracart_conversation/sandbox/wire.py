"""The state of the world as the plain dicts that travel: field names are those of UltraCart's schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dates import eastern, eastern_or_none
from .envelope import Json, without_nulls
from .identity import MERCHANT_ID
from .queues import Queue, QueueEntry, Standing, average

if TYPE_CHECKING:
    from .conversations import Conversation, Message, Participant
    from .world import World


def message(world: World, said: Message) -> Json:
    """A ConversationMessage."""
    author = said.author
    return without_nulls(
        {
            "conversation_message_uuid": said.uuid,
            "merchant_id": MERCHANT_ID,
            "type": said.type,
            "body": said.body,
            "message_epoch": said.epoch,
            "message_dts": eastern(said.epoch),
            "author_conversation_participant_arn": author and author.arn,
            "author_conversation_participant_name": author and author.name,
            "client_message_id": said.client_message_id,
            "delay_until_dts": said.delay_until_dts,
            "language_iso_code": said.language,
            "upload_keys": list(said.upload_keys) or None,
            "media_urls": world.uploads.urls(said.upload_keys) or None,
            "translations": [_translation(*each) for each in said.translations] or None,
            "transport_statuses": [_transport(*each) for each in said.transport_statuses] or None,
        }
    )


def participant(present: Participant) -> Json:
    """A ConversationParticipant."""
    person = present.person
    return without_nulls(
        {
            "conversation_participant_uuid": present.uuid,
            "conversation_participant_arn": person.arn,
            "conversation_participant_name": person.name,
            "email": person.email,
            "sms_phone_number": person.phone,
            "language_iso_code": present.language or person.language,
            "profile_image_url": person.profile_image_url,
            "timezone": person.timezone,
            "status": "joined" if present.present else "left",
            "joined_dts": eastern(present.joined_ms),
            "left_dts": eastern_or_none(present.left_ms),
            "last_message_dts": eastern_or_none(present.last_message_ms),
            "unread_messages": present.unread,
        }
    )


def summary(world: World, conversation: Conversation) -> Json:
    """A ConversationSummary."""
    last = conversation.messages[-1] if conversation.messages else None
    author = last and last.author
    return without_nulls(
        {
            "conversation_uuid": conversation.uuid,
            "conversation_arn": conversation.arn,
            "merchant_id": MERCHANT_ID,
            "medium": conversation.medium,
            "closed": conversation.closed,
            "visible": not (conversation.closed or conversation.hidden),
            "start_dts": eastern(conversation.start_ms),
            "last_message_dts": eastern(conversation.last_message_ms),
            "last_interactive_message_dts": eastern_or_none(conversation.last_interactive_ms or None),
            "customer_first_message_unresponded_to_dts": eastern_or_none(conversation.unresponded_since_ms),
            "last_conversation_message_body": last and last.body,
            "last_conversation_participant_arn": author and author.arn,
            "last_conversation_participant_name": author and author.name,
            "message_count": world.personality.message_count(conversation),
            "unread_messages": conversation.unread,
            "participants": [participant(each) for each in conversation.participants],
            "sentiment": conversation.sentiment and _sentiment(*conversation.sentiment),
        }
    )


def row(world: World, conversation: Conversation) -> Json:
    """A ConversationSummary as the list has it."""
    whole = summary(world, conversation)
    for name in world.personality.dates_left_out(conversation):
        whole.pop(name, None)
    return whole


def conversation(world: World, whole: Conversation, *, limit: int | None = None) -> Json:
    """A Conversation; `limit` keeps the most recent messages."""
    kept = whole.messages if limit is None else whole.messages[-limit:]
    rendered = summary(world, whole)
    rendered["base_language_iso_code"] = "en"
    rendered["messages"] = [message(world, said) for said in kept]
    if whole.virtual_agent_cost is not None:
        rendered |= {"virtual_agent": True, "virtual_agent_cost": whole.virtual_agent_cost}
    return rendered


def queue_entry(entry: QueueEntry) -> Json:
    """A ConversationWebchatQueueStatusQueueEntry."""
    return without_nulls(
        {
            "conversation_webchat_queue_uuid": entry.uuid,
            "queue_name": entry.queue_name,
            "conversation_participant_arn": entry.person.arn,
            "conversation_participant_name": entry.person.name,
            "participant_language_iso_code": entry.person.language,
            "email": entry.person.email,
            "question": entry.question,
            "join_dts": eastern(entry.joined_ms),
        }
    )


def queue_status(queue: Queue) -> Json:
    """A ConversationWebchatQueueStatus."""
    turn = queue.next_in_turn()
    joined = [entry.joined_ms for entry in queue.entries]
    return without_nulls(
        {
            "queue_name": queue.name,
            "agent_count": len(queue.standings),
            "agent_available_count": queue.count("available"),
            "agent_busy_count": queue.count("busy"),
            "agent_unavailable_count": queue.count("unavailable"),
            "agents": [_standing(each, turn) for each in queue.standings.values()],
            "customer_abandon_count": len(queue.abandon_seconds),
            "customer_active_count": queue.active_count,
            "customer_average_abandon_time_seconds": average(queue.abandon_seconds),
            "customer_average_chat_time_seconds": average(queue.chat_seconds),
            "customer_average_hold_time_seconds": average(queue.hold_seconds),
            "customer_chat_count": len(queue.hold_seconds),
            "customer_waiting_count": len(queue.entries),
            "customer_waiting_join_dts": eastern_or_none(min(joined, default=None)),
            "queue_entries": [queue_entry(entry) for entry in queue.entries],
        }
    )


def _standing(standing: Standing, turn: str | None) -> Json:
    person = standing.agent.person
    return without_nulls(
        {
            "conversation_participant_arn": person.arn,
            "conversation_participant_name": person.name,
            "agent_user_id": str(standing.agent.user_id),
            "agent_status": standing.status,
            "custom_status_name": standing.custom_status_name,
            "custom_status_uuid": standing.custom_status_uuid,
            "last_chat_dts": eastern_or_none(standing.last_chat_ms),
            "next_round_robin": person.arn == turn,
            "profile_image_url": person.profile_image_url,
        }
    )


def _translation(language: str, body: str) -> Json:
    return {"language_iso_code": language, "body": body}


def _transport(arn: str, status: str) -> Json:
    return {"conversation_participant_arn": arn, "status": status}


def _sentiment(positive: float, neutral: float, negative: float, mixed: float) -> Json:
    scores = {"positive": positive, "neutral": neutral, "negative": negative, "mixed": mixed}
    return {"sentiment": max(scores, key=lambda name: scores[name]).upper(), **scores}
