"""What a poller hands over, where to, and where it stands."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol, Self

import attrs

from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.models import ConversationMessage, ConversationSummary

ChangeKind = Literal["news", "history", "audit", "gone"]
_VERSION = 1


@attrs.frozen(kw_only=True)
class Change:
    """What was found in one conversation.

    Its `kind` is "news" for what changed while the poller follows, "history" for what was there before, "audit" for
    what only reading again showed, and "gone" when the service no longer has the conversation.
    """

    conversation_uuid: str
    kind: ChangeKind
    conversation: ConversationSummary | None = None
    """As the list showed it; None where it was not listed, or listed too long ago to be kept in memory."""
    new: tuple[ConversationMessage, ...] = ()
    """Messages that were not handed over before, in order."""
    updated: tuple[ConversationMessage, ...] = ()
    """Messages that say something else than they said before, or came further, in order."""
    removed: tuple[str, ...] = ()
    """UUIDs of messages that the service no longer has."""


@attrs.frozen(kw_only=True)
class PollerCheckpoint:
    """Where a poller stands, or what of that changed; `old | new` brings an old one up to date.

    `to_dict` gives JSON to keep, `from_dict` reads it again. It holds no message and no secret.
    """

    head: Mapping[str, Any]
    """Up to where the list was read, and what was learned of the service."""
    conversations: Mapping[str, Mapping[str, Any]] = attrs.field(
        factory=dict[str, Mapping[str, Any]], repr=lambda value: f"<{len(value)} conversations>"
    )
    """Where it stands in each conversation, by UUID."""

    def __or__(self, newer: Self) -> Self:
        return attrs.evolve(newer, conversations={**self.conversations, **newer.conversations})

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return {"version": _VERSION, "head": dict(self.head), "conversations": dict(self.conversations)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """What `to_dict` gave; raises `ConfigurationError` for anything else."""
        try:
            version, checkpoint = data["version"], cls(head=data["head"], conversations=data["conversations"])
        except (LookupError, TypeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConfigurationError(f"this is no checkpoint of a poller ({what}): begin without it") from None
        if version != _VERSION:
            raise ConfigurationError(
                f"the checkpoint has version {version!r} and this package reads version {_VERSION}: begin without it, "
                "or use the package that wrote it"
            )
        return checkpoint


@attrs.frozen(kw_only=True)
class Batch:
    """What belongs together: it is kept as a whole or not at all."""

    read_at: datetime
    conversations: tuple[ConversationSummary, ...] = ()
    """Rows of the list that are new or say something else than before; their messages may follow later."""
    changes: tuple[Change, ...] = ()


class Sink(Protocol):
    """Where a poller puts what it found."""

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        """Keep the batch and what of the checkpoint changed, in one transaction: both or neither.

        A batch may come again whose commit failed or was not seen to succeed, so messages are to be kept by their
        UUID. What this raises ends the poller.
        """
        ...
