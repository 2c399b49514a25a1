"""Everything that the sandbox knows; plain synchronous state that one thread touches at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from . import events
from .conversations import Conversation, Medium, Message, Participant, Person
from .dice import Dice, dice
from .envelope import missing
from .identity import Identity
from .lag import Lag
from .listing import Listing, Rows
from .oauth import OAuthServer
from .queues import Agent, Queue, Standing
from .tokens import Tokens
from .uploads import Uploads

if TYPE_CHECKING:
    from .clock import Clock
    from .personality import Personality
    from .shoppers import Shopper

WEBSOCKET_PATH = "/agent/websocket"


class World:
    """Conversations, queues, agents and shoppers, and the one place where a message is added."""

    def __init__(self, *, seed: int, clock: Clock, personality: Personality) -> None:
        self.seed = seed
        self.clock = clock
        self.personality = personality
        self.chance: Dice = dice(seed, "world")
        self.identity: Identity = Identity(seed)
        self.tokens: Tokens = Tokens(clock, self.identity)
        self.uploads: Uploads = Uploads(clock, self.identity)
        self._websocket_origin = ""
        self.conversations: dict[str, Conversation] = {}
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        self.oauth: OAuthServer = OAuthServer(clock, seed, self.agents)
        self.shoppers: dict[str, Shopper] = {}
        self.effects: Counter[str] = Counter()
        self.publish: events.Publish = events.unheard
        self.lag: Lag = Lag(clock)
        self.listing: Listing = Listing(self.conversations)

    def served_at(self, origin: str) -> None:
        """The scheme, host and port (`http://127.0.0.1:80`) that uploads, media and websocket URLs point to."""
        self.uploads.origin = origin
        self._websocket_origin = origin.replace("http", "ws", 1)

    def websocket_address(self, token: str) -> str:
        return self.tokens.address(f"{self._websocket_origin}{WEBSOCKET_PATH}", token)

    def conversation(self, uuid: str, verb: str = "retrieved") -> Conversation:
        found = self.conversations.get(uuid)
        if found is None:
            raise missing("conversation", verb)
        return found

    def queue(self, name: str) -> Queue:
        found = self.queues.get(name)
        if found is None:
            raise missing("webchat queue", "updated")
        return found

    def add_agent(self, name: str, *, api_key: str | None = None) -> Agent:
        """A new agent, who serves every queue and is unavailable in each."""
        email = f"{name.split(maxsplit=1)[0].lower()}@demo.example"
        person = Person(self.identity.arn("agent"), name, "agent", email=email, timezone="America/New_York")
        agent = Agent(person, 1001 + len(self.agents), api_key or self.identity.secret())
        self.agents[agent.api_key] = agent
        for queue in self.queues.values():
            queue.standings[agent.arn] = Standing(agent)
        return agent

    def agent_of(self, arn: str) -> Agent:
        return next(agent for agent in self.agents.values() if agent.arn == arn)

    def add_queue(self, name: str) -> Queue:
        """A new queue, served by every agent; the existing one when the name is taken."""
        standings = {agent.arn: Standing(agent) for agent in self.agents.values()}
        return self.queues.setdefault(name, Queue(name, standings))

    def open_conversation(self, medium: Medium, *people: Person, queue_name: str | None = None) -> Conversation:
        """A new conversation with these people in it, not yet announced."""
        now = self.clock.epoch_ms()
        opened = Conversation(self.identity.uuid(), self.identity.arn("conversation"), medium, now, queue_name)
        for person in people:
            self.admit(opened, person)
        self.lag.begins(opened)
        self.conversations[opened.uuid] = opened
        self.listing.changes(opened)
        return opened

    def admit(self, conversation: Conversation, person: Person, *, language: str | None = None) -> Participant:
        """Stamp `person` as having joined now, whether for the first time or again."""
        present = conversation.participant(person.arn)
        now = self.clock.epoch_ms()
        if present is None:
            present = Participant(self.identity.uuid(), person, now)
            conversation.participants.append(present)
        elif not present.present:
            present.joined_ms, present.left_ms = now, None
        present.language = language or present.language
        return present

    def new_message(self, conversation: Conversation | None, author: Person | None, body: str) -> Message:
        """A message with its own UUID and the next epoch, not yet in the conversation."""
        epoch = self.next_epoch(conversation)
        return Message(self.identity.uuid(), epoch, body, author, "message" if author else "notice")

    def next_epoch(self, conversation: Conversation | None) -> int:
        """The epoch (milliseconds) of the next message, by the clock and the personality."""
        last = 0 if conversation is None else conversation.last_epoch
        return self.personality.next_epoch(last, self.clock.epoch_ms())

    def deliver(self, conversation: Conversation, said: Message, *, sender: object | None = None) -> Message:
        """Add the message and push it: whole to the agents in the conversation, as a summary to every agent."""
        self.conversation(conversation.uuid, "updated")
        self.lag.changes(conversation)
        conversation.append(said)
        self.listing.changes(conversation)
        audience = conversation.present_agents()
        if said.author is not None and said.author.role == "agent":
            audience |= {said.author.arn}
        self.publish(events.message(self, conversation, said), agents=audience, sender=sender)
        self.publish(events.summarised("new message", self, conversation))
        return said

    def say(self, conversation: Conversation, author: Person | None, body: str) -> Message:
        return self.deliver(conversation, self.new_message(conversation, author, body))

    def edit(self, conversation: Conversation, message_uuid: str, body: str) -> Message:
        """Another text for a message of the conversation; Refusal 400 when there is no such message."""
        position = self._position(conversation, message_uuid)
        self.lag.changes(conversation)
        conversation.messages[position] = edited = replace(conversation.messages[position], body=body)
        return edited

    def remove_message(self, conversation: Conversation, message_uuid: str) -> None:
        """As if it had never been said; Refusal 400 when there is no such message."""
        position = self._position(conversation, message_uuid)
        self.lag.changes(conversation)
        conversation.take_back(position)
        self.listing.changes(conversation)

    def hide(self, conversation: Conversation, *, hidden: bool) -> None:
        """List it no more, or again."""
        self.lag.changes(conversation)
        conversation.hidden = hidden
        self.listing.changes(conversation)

    def remove(self, conversation: Conversation) -> None:
        """From now on it does not exist; for those who still are in it, it is over."""
        self.lag.changes(conversation)
        conversation.closed = True
        del self.conversations[conversation.uuid]
        self.listing.changes(conversation)
        self.shoppers = {arn: each for arn, each in self.shoppers.items() if each.conversation is not conversation}

    def newest_first(self) -> list[Conversation]:
        """By the personality's time, newest first; equal times in the order of their UUIDs."""
        rows = self.listing.rows(self.personality)
        return rows.page(0, len(rows))

    def listed(self) -> Rows:
        """The conversations as REST lists them now."""
        return self.listing.shown(self.personality, self.lag)

    def _position(self, conversation: Conversation, message_uuid: str) -> int:
        self.conversation(conversation.uuid, "updated")
        position = conversation.position(message_uuid)
        if position is None:
            raise missing("message", "updated")
        return position
