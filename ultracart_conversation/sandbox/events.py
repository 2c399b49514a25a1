"""Frames that the service pushes: every one is a ConversationWebsocketMessage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from . import wire
from .dates import eastern

if TYPE_CHECKING:
    from .conversations import Conversation, Message, Participant, Person
    from .envelope import Json
    from .queues import Queue, QueueEntry
    from .world import World


class Publish(Protocol):
    """Hands a frame to sockets: those of `agents` (ARNs; None = everyone); `sender` is the socket it came from."""

    def __call__(self, frame: Json, *, agents: frozenset[str] | None = None, sender: object | None = None) -> None: ...


def unheard(frame: Json, *, agents: frozenset[str] | None = None, sender: object | None = None) -> None:
    """The `Publish` of a world that nobody listens to yet."""
    del frame, agents, sender


def message(world: World, conversation: Conversation, said: Message) -> Json:
    return {"type": "message", **_address(conversation), "message": wire.message(world, said)}


def summarised(event_type: str, world: World, conversation: Conversation) -> Json:
    """An event whose payload is the summary: new conversation, new message, conversation closed…"""
    return _event(event_type, conversation, {_property(event_type): wire.summary(world, conversation)})


def participant_changed(event_type: str, world: World, conversation: Conversation, who: Participant) -> Json:
    """`participant join` or `participant left`: the summary, and the participant beside it."""
    frame = summarised(event_type, world, conversation)
    frame[f"{_property(event_type)}_participant"] = wire.participant(who)
    return frame


def updated_message(world: World, conversation: Conversation, said: Message) -> Json:
    return _event("updated message", conversation, {"event_updated_message": wire.message(world, said)})


def read_message(conversation: Conversation, said: Message) -> Json:
    payload = {
        "conversation_message_uuid": said.uuid,
        "message_epoch": said.epoch,
        "message_dts": eastern(said.epoch),
    }
    return _event("read message", conversation, {"event_read_message": payload})


def typing(conversation: Conversation, author: Person, value: str) -> Json:
    payload = {
        "author_conversation_participant_arn": author.arn,
        "author_conversation_participant_name": author.name,
        "value": value,
    }
    return _event("typing", conversation, {"event_typing": payload})


def webchat_context(conversation: Conversation, *, cart_id: str, ucacid: str, url: str) -> Json:
    payload = {"cart_id": cart_id, "ucacid": ucacid, "url": url}
    return _event("webchat context", conversation, {"event_webchat_context": payload})


def rrweb(conversation: Conversation, part: Json) -> Json:
    return _event("rrweb", conversation, {"event_rrweb": part})


def queue_status_update(queue: Queue) -> Json:
    return _desk_event("queue status update", wire.queue_status(queue))


def queue_new_member(entry: QueueEntry) -> Json:
    return _desk_event("queue new member", wire.queue_entry(entry))


def engage_customer(entry: QueueEntry) -> Json:
    return _desk_event("engage customer", wire.queue_entry(entry))


def _event(event_type: str, conversation: Conversation, payload: Json) -> Json:
    return {"type": "event", "event_type": event_type, **_address(conversation), **payload}


def _desk_event(event_type: str, payload: Json) -> Json:
    return {"type": "event", "event_type": event_type, _property(event_type): payload}


def _address(conversation: Conversation) -> Json:
    return {"conversation_uuid": conversation.uuid, "conversation_arn": conversation.arn}


def _property(event_type: str) -> str:
    return "event_" + event_type.replace(" ", "_")
