"""The state of a conversation: who takes part and what was said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Medium = Literal["sms", "websocket"]
MessageType = Literal["message", "notice", "engagement prompt", "tool call"]
Role = Literal["agent", "customer", "virtual agent"]


@dataclass(slots=True)
class Person:
    """Somebody who can take part in conversations."""

    arn: str
    name: str
    role: Role
    email: str | None = None
    phone: str | None = None
    language: str = "en"
    timezone: str | None = None
    profile_image_url: str | None = None


@dataclass(slots=True)
class Participant:
    """A person in one conversation; `left_ms` is None while they are in it."""

    uuid: str
    person: Person
    joined_ms: int
    left_ms: int | None = None
    last_message_ms: int | None = None
    language: str | None = None
    unread: int = 0

    @property
    def present(self) -> bool:
        return self.left_ms is None


@dataclass(slots=True)
class Message:
    """One message; `author` is None for what the system itself says."""

    uuid: str
    epoch: int
    body: str
    author: Person | None
    type: MessageType = "message"
    client_message_id: str | None = None
    delay_until_dts: str | None = None
    language: str | None = None
    upload_keys: tuple[str, ...] = ()
    translations: tuple[tuple[str, str], ...] = ()
    transport_statuses: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Conversation:
    """A webchat (`medium` "websocket") or SMS thread; messages are in ascending order of epoch."""

    uuid: str
    arn: str
    medium: Medium
    start_ms: int
    queue_name: str | None = None
    participants: list[Participant] = field(default_factory=list[Participant])
    messages: list[Message] = field(default_factory=list[Message])
    closed: bool = False
    hidden: bool = False
    """Not listed any more, but there for those who know its UUID."""
    unread: bool = False
    sentiment: tuple[float, float, float, float] | None = None
    virtual_agent_cost: float | None = None
    last_interactive_ms: int = 0
    unresponded_since_ms: int | None = None

    @property
    def last_epoch(self) -> int:
        return self.messages[-1].epoch if self.messages else 0

    @property
    def last_message_ms(self) -> int:
        return self.last_epoch or self.start_ms

    @property
    def customer(self) -> Person | None:
        return next((each.person for each in self.participants if each.person.role == "customer"), None)

    def participant(self, arn: str) -> Participant | None:
        return next((each for each in self.participants if each.person.arn == arn), None)

    def present_agents(self) -> frozenset[str]:
        """The ARNs of the agents who are in the conversation now."""
        return frozenset(p.person.arn for p in self.participants if p.person.role == "agent" and p.present)

    def append(self, message: Message) -> None:
        self.messages.append(message)
        if message.author is not None:
            self._heard(message.author, message.epoch)

    def position(self, message_uuid: str) -> int | None:
        """Where among the messages it is."""
        return next((at for at, said in enumerate(self.messages) if said.uuid == message_uuid), None)

    def take_back(self, position: int) -> None:
        """Remove a message, and the times that only it accounted for."""
        author = self.messages.pop(position).author
        if author is None:
            return
        self.last_interactive_ms = self._last(lambda said: said.author is not None) or 0
        for each in self.participants:
            if each.person is author:
                each.last_message_ms = self._last(lambda said: said.author is author)

    def mark_read(self, arn: str) -> bool:
        """Clear what is unread for the agents' side and for this agent; False when nothing was."""
        pending, self.unread = self.unread, False
        return self.mark_heard(arn) or pending

    def mark_heard(self, arn: str) -> bool:
        """Clear what is unread for this participant alone; False when nothing was."""
        reader = self.participant(arn)
        if reader is None or reader.unread == 0:
            return False
        reader.unread = 0
        return True

    def _last(self, wanted: Callable[[Message], bool]) -> int | None:
        """The epoch of the last such message."""
        return next((said.epoch for said in reversed(self.messages) if wanted(said)), None)

    def _heard(self, author: Person, epoch: int) -> None:
        self.last_interactive_ms = epoch
        for each in self.participants:
            if each.person is author:
                each.last_message_ms = epoch
            elif each.left_ms is None:
                each.unread += 1
        self._note_response(author, epoch)

    def _note_response(self, author: Person, epoch: int) -> None:
        if author.role != "customer":
            self.unresponded_since_ms = None
            return
        self.unread = True
        if self.unresponded_since_ms is None:
            self.unresponded_since_ms = epoch
