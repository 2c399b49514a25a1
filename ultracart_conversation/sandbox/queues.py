"""Webchat queues: the agents who serve one, and the customers who wait in it."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from .conversations import Person

AgentStatus = Literal["available", "busy", "unavailable"]
AGENT_STATUSES: tuple[AgentStatus, ...] = get_args(AgentStatus)


@dataclass(slots=True)
class Agent:
    """A member of staff; whoever presents `api_key` acts as this agent."""

    person: Person
    user_id: int
    api_key: str = field(repr=False)
    last_alive_ms: int | None = None

    @property
    def arn(self) -> str:
        return self.person.arn


@dataclass(slots=True)
class Standing:
    """An agent's status in one queue."""

    agent: Agent
    status: AgentStatus = "unavailable"
    custom_status_name: str | None = None
    custom_status_uuid: str | None = None
    last_chat_ms: int | None = None


@dataclass(slots=True)
class QueueEntry:
    """A customer who waits to be picked up."""

    uuid: str
    queue_name: str
    person: Person
    question: str
    joined_ms: int


@dataclass(slots=True)
class Queue:
    """A queue; its name is free text and may hold any character."""

    name: str
    standings: dict[str, Standing] = field(default_factory=dict[str, Standing])
    entries: list[QueueEntry] = field(default_factory=list[QueueEntry])
    abandon_seconds: list[int] = field(default_factory=list[int])
    hold_seconds: list[int] = field(default_factory=list[int])
    chat_seconds: list[int] = field(default_factory=list[int])
    active_count: int = 0

    def count(self, status: AgentStatus) -> int:
        return sum(1 for standing in self.standings.values() if standing.status == status)

    def entry(self, uuid: str) -> QueueEntry | None:
        return next((entry for entry in self.entries if entry.uuid == uuid), None)

    def abandon(self, entry: QueueEntry, now_ms: int) -> None:
        self.entries.remove(entry)
        self.abandon_seconds.append(_elapsed(entry.joined_ms, now_ms))

    def pick_up(self, entry: QueueEntry, arn: str, now_ms: int) -> None:
        self.entries.remove(entry)
        self.hold_seconds.append(_elapsed(entry.joined_ms, now_ms))
        self.active_count += 1
        if standing := self.standings.get(arn):
            standing.last_chat_ms = now_ms

    def finish(self, started_ms: int, now_ms: int) -> None:
        self.active_count = max(0, self.active_count - 1)
        self.chat_seconds.append(_elapsed(started_ms, now_ms))

    def next_in_turn(self) -> str | None:
        """The ARN of the available agent whose last chat is longest ago."""
        waiting = [each for each in self.standings.values() if each.status == "available"]
        chosen = min(waiting, key=lambda each: (each.last_chat_ms or 0, each.agent.user_id), default=None)
        return None if chosen is None else chosen.agent.arn


def average(seconds: list[int]) -> int:
    return sum(seconds) // len(seconds) if seconds else 0


def _elapsed(start_ms: int, end_ms: int) -> int:
    return max(0, end_ms - start_ms) // 1000
