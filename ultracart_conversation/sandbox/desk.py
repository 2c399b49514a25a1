"""What an agent can do. Each method says whether it changed anything, so that effects can be counted."""

from collections.abc import Sequence

from . import events
from .conversations import Conversation, Message, Participant, Person
from .envelope import Refusal, missing
from .queues import AGENT_STATUSES, Agent, AgentStatus, Queue, QueueEntry
from .world import World


class Desk:
    """The agents' side of the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def pick_up(self, agent: Agent, entry_uuid: str) -> Conversation:
        """Begin the webchat with a waiting customer; Refusal 400 when the entry is gone."""
        queue, entry = self._waiting(entry_uuid)
        world = self._world
        queue.pick_up(entry, agent.arn, world.clock.epoch_ms())
        opened = world.open_conversation("websocket", entry.person, agent.person, queue_name=queue.name)
        shopper = world.shoppers[entry.person.arn]
        shopper.entry, shopper.conversation = None, opened
        self._announce(opened)
        for said in shopper.unsent:
            said.epoch = world.next_epoch(opened)
            world.deliver(opened, said)
        shopper.unsent.clear()
        world.publish(events.queue_status_update(queue))
        return opened

    def open_sms(self, agent: Agent, arns: Sequence[str]) -> Conversation:
        """Begin an SMS conversation with these people."""
        people = [self._person(arn) for arn in arns]
        opened = self._world.open_conversation("sms", *people, agent.person)
        self._announce(opened)
        return opened

    def invite(self, conversation: Conversation, arns: Sequence[str]) -> bool:
        """Bring more people into a conversation."""
        newcomers = [arn for arn in arns if conversation.participant(arn) is None]
        for arn in newcomers:
            present = self._world.admit(conversation, self._person(arn))
            self._participant_changed("participant join", conversation, present)
        return bool(newcomers)

    def existing(self, arns: Sequence[str]) -> Conversation | None:
        """The newest SMS conversation with exactly these customers."""
        wanted = set(arns)
        return next((each for each in self._world.newest_first() if _customers(each) == wanted), None)

    def join(self, agent: Agent, conversation: Conversation, *, language: str | None = None) -> bool:
        present = conversation.participant(agent.arn)
        if present is not None and present.present:
            return False
        present = self._world.admit(conversation, agent.person, language=language)
        self._participant_changed("participant join", conversation, present)
        self._notice(conversation, f"{agent.person.name} has joined the conversation.")
        return True

    def leave(self, agent: Agent, conversation: Conversation) -> bool:
        present = conversation.participant(agent.arn)
        if present is None or not present.present:
            return False
        present.left_ms = self._world.clock.epoch_ms()
        self._participant_changed("participant left", conversation, present)
        self._notice(conversation, f"{agent.person.name} has left the conversation.")
        return True

    def mark_read(self, agent: Agent, conversation: Conversation, *, sender: object | None = None) -> bool:
        changed = conversation.mark_read(agent.arn)
        if changed and conversation.messages:
            frame = events.read_message(conversation, conversation.messages[-1])
            self._world.publish(frame, agents=conversation.present_agents() | {agent.arn}, sender=sender)
        return changed

    def set_status(
        self,
        agent: Agent,
        queue: Queue,
        status: AgentStatus,
        *,
        custom_name: str | None = None,
        custom_uuid: str | None = None,
    ) -> bool:
        standing = queue.standings[agent.arn]
        wanted = (status, custom_name, custom_uuid)
        if wanted == (standing.status, standing.custom_status_name, standing.custom_status_uuid):
            return False
        standing.status, standing.custom_status_name, standing.custom_status_uuid = wanted
        self._world.publish(events.queue_status_update(queue))
        return True

    def say(self, agent: Agent, conversation: Conversation, said: Message, *, sender: object) -> None:
        """Deliver an agent's message; an SMS is handed to the telephone network at once."""
        if conversation.medium == "sms":
            said.transport_statuses = tuple((arn, "SENT_TO_TWILIO") for arn in sorted(_customers(conversation)))
        if present := conversation.participant(agent.arn):
            present.unread = 0
        self._world.deliver(conversation, said, sender=sender)

    def _waiting(self, entry_uuid: str) -> tuple[Queue, QueueEntry]:
        for queue in self._world.queues.values():
            if entry := queue.entry(entry_uuid):
                return queue, entry
        raise missing("webchat queue entry", "started")

    def _person(self, arn: str) -> Person:
        """Whoever has this ARN; an unknown one is a telephone number that nobody wrote to yet."""
        for conversation in self._world.conversations.values():
            if known := conversation.participant(arn):
                return known.person
        if shopper := self._world.shoppers.get(arn):
            return shopper.person
        phone = arn if arn.startswith("+") else None
        return Person(arn, arn, "customer", phone=phone)

    def _announce(self, conversation: Conversation) -> None:
        self._world.publish(events.summarised("new conversation", self._world, conversation))

    def _participant_changed(self, event_type: str, conversation: Conversation, who: Participant) -> None:
        self._world.publish(events.participant_changed(event_type, self._world, conversation, who))

    def _notice(self, conversation: Conversation, body: str) -> None:
        """Joining and leaving an SMS conversation is silent (inferred from the agents' manual)."""
        if conversation.medium == "websocket":
            self._world.say(conversation, None, body)


def agent_status(text: object) -> AgentStatus:
    """Refusal 400 for anything but the three statuses."""
    for status in AGENT_STATUSES:
        if text == status:
            return status
    raise Refusal(400, f"agent_status must be one of {', '.join(AGENT_STATUSES)}.")


def _customers(conversation: Conversation) -> set[str]:
    return {each.person.arn for each in conversation.participants if each.person.role == "customer"}
