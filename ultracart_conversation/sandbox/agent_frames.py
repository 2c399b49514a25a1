"""Frames that agents send, and what each of them does."""

import json
from collections.abc import Callable
from typing import Any

from . import events
from .connection import Connection
from .conversations import Conversation
from .desk import Desk
from .envelope import Json, Refusal
from .socket_policy import SocketPolicy
from .storefront import Storefront
from .world import World

_Act = Callable[[Connection, Conversation, Json], bool]
"""Carries a frame out and says whether it changed anything or reached anybody."""


class AgentFrames:
    """Carries out what comes in on an agent's socket.

    That agents send these frames, and that a frame which leads nowhere is answered with the gateway's error object,
    is inferred; nothing of it is published.
    """

    def __init__(self, world: World, desk: Desk, storefront: Storefront, policy: SocketPolicy) -> None:
        self._world = world
        self._policy = policy
        self._desk = desk
        self._storefront = storefront
        self._acts: dict[str, _Act] = {
            "message": self._message,
            "typing": self._typing,
            "read message": self._read,
            "add coupon": self._add_coupon,
            "add item": self._add_item,
        }

    def receive(self, connection: Connection, text: str) -> None:
        try:
            self._carry_out(connection, json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, Refusal):
            self.fail(connection)

    def fail(self, connection: Connection) -> None:
        """Answer with the gateway's error object."""
        error = {"message": "Internal server error", "connectionId": connection.identifier}
        connection.push({**error, "requestId": self._world.identity.request_id()})

    def _carry_out(self, connection: Connection, frame: Json) -> None:
        if frame["type"] == "ping":
            if self._policy.answers_pings:
                connection.push({"type": "ping"})
            return
        name = frame["event_type"] if frame["type"] == "event" else frame["type"]
        act = self._acts[name]
        conversation = self._world.conversation(frame["conversation_uuid"])
        if act(connection, conversation, frame):
            self._world.effects[name] += 1

    def _message(self, connection: Connection, conversation: Conversation, frame: Json) -> bool:
        wanted: Json = frame["message"]
        keys = tuple(_text(key) for key in wanted.get("upload_keys") or ())
        body = _text(wanted.get("body") or "") if keys else _text(wanted["body"])
        said = self._world.new_message(conversation, connection.agent.person, body)
        said.upload_keys = keys
        said.client_message_id = _text_or_none(wanted.get("client_message_id"))
        said.delay_until_dts = _text_or_none(wanted.get("delay_until_dts"))
        said.language = _text_or_none(wanted.get("language_iso_code"))
        self._desk.say(connection.agent, conversation, said, sender=connection)
        return True

    def _typing(self, connection: Connection, conversation: Conversation, frame: Json) -> bool:
        value = _text(frame["event_typing"].get("value") or "")
        pushed = events.typing(conversation, connection.agent.person, value)
        self._world.publish(pushed, agents=conversation.present_agents(), sender=connection)
        return True

    def _read(self, connection: Connection, conversation: Conversation, frame: Json) -> bool:
        del frame
        return self._desk.mark_read(connection.agent, conversation, sender=connection)

    def _add_coupon(self, connection: Connection, conversation: Conversation, frame: Json) -> bool:
        del connection
        code = _text(frame["event_add_coupon"]["coupon_code"])
        self._storefront.use_coupon(self._storefront.shopper_of(conversation), code)
        return True

    def _add_item(self, connection: Connection, conversation: Conversation, frame: Json) -> bool:
        del connection
        shopper = self._storefront.shopper_of(conversation)
        items: list[dict[str, Any]] = frame["event_add_item"]["items"]
        for item in items:
            self._storefront.put_in_cart(shopper, _text(item["item_id"]), float(item.get("quantity") or 1))
        return bool(items)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
