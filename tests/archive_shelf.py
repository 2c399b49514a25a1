"""An archive with something in it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.virtual_clock import VirtualClock
from ultracart_conversation import ConversationMessage, ConversationSummary
from ultracart_conversation.archive import Archive
from ultracart_conversation.changes import Batch, Change, PollerCheckpoint

EPOCH = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""


def message(uuid: str, body: str | None = "", *, epoch: int = EPOCH, **fields: Any) -> ConversationMessage:
    return ConversationMessage(conversation_message_uuid=uuid, body=body, message_epoch=epoch, **fields)


def summary(uuid: str, **fields: Any) -> ConversationSummary:
    return ConversationSummary(conversation_uuid=uuid, **fields)


def new(conversation_uuid: str, *messages: ConversationMessage) -> Change:
    return Change(conversation_uuid=conversation_uuid, kind="news", new=messages)


def updated(conversation_uuid: str, *messages: ConversationMessage) -> Change:
    return Change(conversation_uuid=conversation_uuid, kind="audit", updated=messages)


def removed(conversation_uuid: str, *uuids: str) -> Change:
    return Change(conversation_uuid=conversation_uuid, kind="audit", removed=uuids)


def gone(conversation_uuid: str) -> Change:
    return Change(conversation_uuid=conversation_uuid, kind="gone")


async def keep(
    archive: Archive,
    *changes: Change,
    listed: tuple[ConversationSummary, ...] = (),
    head: Mapping[str, Any] | None = None,
) -> None:
    batch = Batch(read_at=datetime.now(UTC), conversations=listed, changes=changes)
    await archive.commit(batch, PollerCheckpoint(head=head or {}))


@asynccontextmanager
async def shelf(
    directory: Path, *changes: Change, listed: tuple[ConversationSummary, ...] = ()
) -> AsyncGenerator[Archive]:
    """An archive in the directory, which holds this and may be written to."""
    async with Archive(directory / "conversations.db", clock=VirtualClock()) as archive:
        await archive.claim()
        await keep(archive, *changes, listed=listed)
        yield archive
