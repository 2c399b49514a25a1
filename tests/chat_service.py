"""A service in memory: what it holds, how it cuts its pages, and what REST shows of it by now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import attrs

from ultracart_conversation._sync.requests import ListPage, ReadSince, ReadWhole, Reply, Request
from ultracart_conversation.models import (
    Conversation,
    ConversationMessage,
    ConversationParticipant,
    ConversationsResponse,
    ConversationSummary,
)

EPOCH = 1_700_000_000_000
ME = "arn:me"
CUSTOMER = "arn:customer"
Keeps = Literal["oldest", "newest ascending", "newest descending"]


def utc(epoch: int) -> datetime:
    """A summary's time of an epoch in milliseconds: to the second."""
    return datetime.fromtimestamp(epoch // 1000, UTC)


@attrs.frozen
class Habits:
    """What nobody outside UltraCart knows."""

    inclusive: bool = True
    keeps: Keeps = "oldest"
    counts: Literal["true", "no notices, at most 20", "inflated"] = "true"
    cap: int = 200
    shared_epochs: bool = False
    whole: int | None = None
    """The most messages that a whole conversation comes with."""


@attrs.define
class Said:
    """A message, and from when on REST shows it."""

    message: ConversationMessage
    visible: int

    @property
    def epoch(self) -> int:
        return self.message.message_epoch or 0


@attrs.define
class Service:
    """Conversations by UUID, all of them this agent's."""

    habits: Habits = attrs.field(factory=Habits)
    now: int = EPOCH
    chats: dict[str, list[Said]] = attrs.Factory(dict[str, list[Said]])
    asked: list[Request] = attrs.Factory(list[Request])
    _number: int = 0

    def write(
        self, uuid: str = "chat", body: str | None = None, *, back: int = 0, lag: int = 0, notice: bool = False
    ) -> ConversationMessage:
        """A new message, whose epoch lies `back` and which REST shows `lag` milliseconds from now."""
        self._number += 1
        epoch = self.now - back
        message = ConversationMessage(
            conversation_message_uuid=f"m{self._number:04}",
            message_epoch=epoch // 1000 * 1000 if self.habits.shared_epochs else epoch,
            body=f"body {self._number}" if body is None else body,
            author_conversation_participant_arn=CUSTOMER,
            type="notice" if notice else "message",  # type: ignore[arg-type]
        )
        self.chats.setdefault(uuid, []).append(Said(message, self.now + lag))
        return message

    def edit(self, uuid: str, index: int, body: str) -> ConversationMessage:
        said = self.chats[uuid][index]
        said.message = attrs.evolve(said.message, body=body)
        return said.message

    def remove(self, uuid: str, index: int) -> ConversationMessage:
        return self.chats[uuid].pop(index).message

    def visible(self, uuid: str) -> list[ConversationMessage]:
        """What REST shows now, in order."""
        shown = [said.message for said in self.chats.get(uuid, ()) if said.visible <= self.now]
        return sorted(shown, key=lambda each: (each.message_epoch or 0, each.conversation_message_uuid or ""))

    def row(self, uuid: str = "chat", **changes: Any) -> ConversationSummary:
        return ConversationSummary(**(self._summary(uuid) | changes))

    def rows(self) -> list[ConversationSummary]:
        """The list, newest first."""
        return sorted(map(self.row, self.chats), key=lambda row: row.last_message_dts or utc(0), reverse=True)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if isinstance(request, ReadSince):
            return self._page(request)
        if isinstance(request, ReadWhole):
            messages = self.visible(request.conversation_uuid)
            kept = messages if self.habits.whole is None else messages[-self.habits.whole :]
            return Conversation(**self._summary(request.conversation_uuid), messages=tuple(kept))
        assert isinstance(request, ListPage)
        rows = self.rows()[request.offset : request.offset + request.limit]
        return ConversationsResponse(conversations=tuple(rows))

    @property
    def whole_reads(self) -> int:
        return sum(isinstance(request, ReadWhole) for request in self.asked)

    def _summary(self, uuid: str) -> dict[str, Any]:
        messages = self.visible(uuid)
        last = messages[-1] if messages else None
        return {
            "conversation_uuid": uuid,
            "message_count": self._count(messages),
            "last_message_dts": last and utc(last.message_epoch or 0),
            "last_conversation_message_body": last and last.body,
            "last_conversation_participant_arn": last and last.author_conversation_participant_arn,
            "participants": (ConversationParticipant(conversation_participant_arn=ME),),
        }

    def _count(self, messages: Sequence[ConversationMessage]) -> int:
        if self.habits.counts == "true":
            return len(messages)
        spoken = sum(message.type != "notice" for message in messages)
        return min(20, spoken) if self.habits.counts.startswith("no") else 2 * len(messages)

    def _page(self, request: ReadSince) -> Reply:
        first = request.since if self.habits.inclusive else request.since + 1
        wanted = [each for each in self.visible(request.conversation_uuid) if (each.message_epoch or 0) >= first]
        size = min(request.limit, self.habits.cap)
        kept = wanted[:size] if self.habits.keeps == "oldest" else wanted[-size:]
        return tuple(kept[::-1] if self.habits.keeps == "newest descending" else kept)
