"""The REST operations: a request in, a payload out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import shoppers, wire
from .call import Call, as_integer
from .conversation_list import ConversationList
from .conversations import Conversation
from .desk import Desk, agent_status
from .envelope import Json, Refusal, envelope, missing
from .storefront import Storefront
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer (None = 204), and whether the world changed."""

    content: Json | None
    changed: bool = False


class Operations:
    """The 13 operations, by their names in UltraCart's documents."""

    def __init__(self, world: World, desk: Desk, storefront: Storefront) -> None:
        self._world = world
        self._desk = desk
        self._storefront = storefront
        self._list = ConversationList(world)

    def perform(self, operation: str, call: Call) -> Outcome:
        handler: Callable[[Call], Outcome] = getattr(self, operation)
        outcome = handler(call)
        if outcome.changed:
            self._world.effects[operation] += 1
        return outcome

    def get_agent_keep_alive(self, call: Call) -> Outcome:
        call.agent.last_alive_ms = self._world.clock.epoch_ms()
        return Outcome(None, changed=True)

    def get_agent_websocket_authorization(self, call: Call) -> Outcome:
        agent = call.agent
        token = self._world.tokens.issue(agent.arn)
        account = {"merchant_id": "DEMO", "twilio_phone_numbers": ["+17705550100"]}
        granted: Json = {
            "conversation_participant_arn": agent.arn,
            "conversation_participant_name": agent.person.name,
            "merchant_id": "DEMO",
            "user_id": agent.user_id,
            "group_ids": [1],
            "chat_user": True,
            "chat_admin": False,
            "customer_profile": False,
            "default_phone_number": "+17705550100",
            "twilio_accounts": [account],
            "merchants": [{"merchant_id": "DEMO", "company": "Demo Teas", "is_parent": True}],
            "parent_merchant_id": "DEMO",
            "jwt": token,
            "websocket_url": self._world.websocket_address(token),
        }
        return Outcome(envelope("agent_auth", granted), changed=True)

    def get_conversation(self, call: Call) -> Outcome:
        found = self._seen(call)
        limit = call.positive("limit")
        return Outcome(envelope("conversation", wire.conversation(self._world, found, limit=limit)))

    def get_conversation_context(self, call: Call) -> Outcome:
        found = self._world.conversation(call.conversation_uuid)
        if found.medium == "sms":
            raise Refusal(400, "An SMS conversation has no webchat context.")
        return Outcome(shoppers.context(self._storefront.shopper_of(found).browsing))

    def get_conversation_messages(self, call: Call) -> Outcome:
        found = self._seen(call)
        since = as_integer("since", call.arguments["since"])
        limit = call.positive("limit")
        page = self._world.personality.page(found.messages, since=since, limit=limit)
        rendered = [wire.message(self._world, said) for said in page]
        return Outcome(envelope("conversation_messages", rendered))

    def get_conversation_multimedia_upload_url(self, call: Call) -> Outcome:
        issued = self._world.uploads.issue(call.arguments["extension"])
        if issued is None:
            raise Refusal(400, "extension must be a file extension of letters and digits.")
        key, url = issued
        return Outcome(envelope("conversation_multimedia_upload_url", {"key": key, "url": url}), changed=True)

    def get_conversation_webchat_queue_statuses(self, call: Call) -> Outcome:
        del call
        statuses = [wire.queue_status(queue) for queue in self._world.queues.values()]
        return Outcome(envelope("queue_statuses", statuses))

    def get_conversations(self, call: Call) -> Outcome:
        return Outcome(self._list.answer(call))

    def join_conversation(self, call: Call) -> Outcome:
        found = self._world.conversation(call.conversation_uuid, "joined")
        language = call.text("participant_language_iso_code")
        return Outcome(None, self._desk.join(call.agent, found, language=language))

    def leave_conversation(self, call: Call) -> Outcome:
        found = self._world.conversation(call.conversation_uuid, "left")
        return Outcome(None, self._desk.leave(call.agent, found))

    def mark_read_conversation(self, call: Call) -> Outcome:
        found = self._world.conversation(call.conversation_uuid, "updated")
        return Outcome(None, self._desk.mark_read(call.agent, found))

    def start_conversation(self, call: Call) -> Outcome:
        arns = call.texts("add_conversation_participant_arns")
        if entry_uuid := call.text("conversation_webchat_queue_uuid"):
            return self._started(self._desk.pick_up(call.agent, entry_uuid))
        if arn := call.text("conversation_arn"):
            return self._invited(arn, arns)
        if not arns:
            raise Refusal(400, "Specify conversation_webchat_queue_uuid or add_conversation_participant_arns.")
        if call.json().get("resolve_only"):
            return self._resolved(arns)
        return self._started(self._desk.open_sms(call.agent, arns))

    def update_conversation_webchat_queue_status(self, call: Call) -> Outcome:
        queue = self._world.queue(call.arguments["queue_name"])
        changed = self._desk.set_status(
            call.agent,
            queue,
            agent_status(call.text("agent_status")),
            custom_name=call.text("custom_status_name"),
            custom_uuid=call.text("custom_status_uuid"),
        )
        return Outcome(None, changed)

    def _seen(self, call: Call) -> Conversation:
        return self._world.lag.seen(self._world.conversation(call.conversation_uuid))

    def _started(self, opened: Conversation, *, changed: bool = True) -> Outcome:
        return Outcome({"conversation": wire.conversation(self._world, opened)}, changed)

    def _resolved(self, arns: list[str]) -> Outcome:
        """What `resolve_only` does is not documented; here it looks for a conversation and begins none."""
        known = self._desk.existing(arns)
        return Outcome({}) if known is None else self._started(known, changed=False)

    def _invited(self, arn: str, arns: list[str]) -> Outcome:
        found = next((each for each in self._world.conversations.values() if each.arn == arn), None)
        if found is None:
            raise missing("conversation", "started")
        return self._started(found, changed=self._desk.invite(found, arns))
