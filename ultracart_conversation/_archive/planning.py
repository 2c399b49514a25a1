"""What a batch changes in an archive that has this already."""

from typing import Self

import attrs

from ultracart_conversation._archive.gathering import Gathered, MessageKey, Said
from ultracart_conversation._archive.rows import Row, attachment_rows, conversation_row, message_row, participant_rows
from ultracart_conversation._archive.values import ArchivedChangeKind


@attrs.frozen
class StoredConversation:
    """What decides whether a conversation changed."""

    digest: bytes
    is_gone: bool


@attrs.frozen
class StoredMessage:
    """What decides whether a message changed."""

    id: int
    digest: bytes
    removed_at: int | None


@attrs.frozen
class Stored:
    """What the archive has of all that a batch speaks of."""

    conversations: dict[str, StoredConversation]
    messages: dict[MessageKey, StoredMessage]


@attrs.define
class Plan:
    """Rows to write and rows to mark; nothing in it when the batch says nothing new."""

    at: int
    conversations: list[Row] = attrs.field(factory=list[Row])
    participants: list[Row] = attrs.field(factory=list[Row])
    gone: list[str] = attrs.field(factory=list[str])
    back: list[str] = attrs.field(factory=list[str])
    """Conversations that were gone."""
    inserted: list[Row] = attrs.field(factory=list[Row])
    updated: list[Row] = attrs.field(factory=list[Row])
    """Rows of messages with their `row_id`, without what an update leaves as it was."""
    replaced: list[int] = attrs.field(factory=list[int])
    """Messages whose row is kept as a revision first."""
    removed: list[int] = attrs.field(factory=list[int])
    attachments: list[Row] = attrs.field(factory=list[Row])
    """Of all messages that are inserted or updated."""
    outbox: list[Row] = attrs.field(factory=list[Row])

    @classmethod
    def of(cls, gathered: Gathered, stored: Stored, *, at: int) -> Self:
        plan = cls(at)
        for uuid in gathered.gone:
            plan._take_conversation(uuid, gathered, stored.conversations.get(uuid))
        for key, said in gathered.messages.items():
            plan._take_message(key, said, stored.messages.get(key))
        for uuid in plan.gone:
            plan._note("gone", uuid)
        return plan

    def _take_conversation(self, uuid: str, gathered: Gathered, stored: StoredConversation | None) -> None:
        shown = gathered.listed.get(uuid)
        if shown is None and stored is None:
            shown = gathered.mentioned[uuid]
        row = None if shown is None else conversation_row(uuid, shown, at=self.at)
        is_news = row is not None and (stored is None or stored.digest != row["digest"])
        if row is not None and shown is not None and is_news:
            self.conversations.append(row)
            self.participants += participant_rows(uuid, shown)
        was_gone = stored is not None and stored.is_gone
        is_back = was_gone and not gathered.gone[uuid]
        if is_back:
            self.back.append(uuid)
        if gathered.gone[uuid] and not was_gone:
            self.gone.append(uuid)
        if is_news or is_back:
            self._note("conversation", uuid)

    def _take_message(self, key: MessageKey, said: Said, stored: StoredMessage | None) -> None:
        row = None if said.message is None else message_row(*key, said.message, at=self.at)
        if stored is None:
            self._insert(key, said, row)
        else:
            self._update(key, said, row, stored)

    def _insert(self, key: MessageKey, said: Said, row: Row | None) -> None:
        if said.message is None or row is None:
            return
        self.inserted.append({**row, "removed_at": self.at if said.is_removed else None})
        self.attachments += attachment_rows(*key, said.message)
        self._note("message", *key)
        if said.is_removed:
            self._note("removal", *key)

    def _update(self, key: MessageKey, said: Said, row: Row | None, stored: StoredMessage) -> None:
        is_back = stored.removed_at is not None and not said.is_removed
        is_changed = row is not None and row["digest"] != stored.digest
        is_lost = stored.removed_at is None and said.is_removed
        if said.message is not None and row is not None and (is_changed or is_back):
            del row["first_seen_at"]
            self.updated.append({**row, "row_id": stored.id, "removed_at": None if is_back else stored.removed_at})
            self.attachments += attachment_rows(*key, said.message)
        if is_changed:
            self.replaced.append(stored.id)
        if is_lost:
            self.removed.append(stored.id)
        if is_back or is_changed:
            self._note("message" if is_back else "revision", *key)
        if is_lost:
            self._note("removal", *key)

    def _note(self, kind: ArchivedChangeKind, uuid: str, key: str | None = None) -> None:
        self.outbox.append({"kind": kind, "conversation_uuid": uuid, "conversation_message_uuid": key, "at": self.at})
