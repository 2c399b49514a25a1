"""Where a poller stands, and how that is kept. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.position import Position
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation._sync.walk import Place
from ultracart_conversation.changes import PollerCheckpoint
from ultracart_conversation.errors import ConfigurationError

Since = int | Literal["now"] | None
_GONE = "gone"
_MOST_GONE = 10_000
"""Conversations of which it is known that the service has them no more."""


class Standing(ABC):
    """All that a poller knows from one process to the next; whoever changes a position says so in `_changed`."""

    def __init__(self, *, since: Since, medium: str | None) -> None:
        self.mark: int | None = None
        """Up to where the list was read."""
        self.start: int | None = None
        """The mark of the very first sweep."""
        self.shape: PageShape = PageShape()
        self.place: Place = Place(is_end=since == "now")
        self.positions: dict[str, Position] = {}
        self._since: Since = since
        self._medium = medium
        self._gone: Recent[str, bytes | None] = Recent(_MOST_GONE)
        self._changed: set[str] = set()
        self._lost: set[str] = set()
        self._kept_head: dict[str, Any] = {}

    @property
    @abstractmethod
    def complete_through(self) -> int | None:
        """Every message up to this epoch was handed over, but for conversations in quarantine; None until it is so."""

    def checkpoint(self) -> PollerCheckpoint:
        """Where it stands: what changed since `kept`."""
        changed = {uuid: self.positions[uuid].to_dict() for uuid in self._changed}
        rows = {uuid: self._gone.get(uuid) for uuid in self._lost}
        lost = {uuid: {_GONE: None if row is None else row.hex()} for uuid, row in rows.items()}
        return PollerCheckpoint(head=self._head(), conversations=changed | lost)

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self._changed or self._lost) or self._head() != self._kept_head

    def kept(self) -> None:
        """All that changed so far was kept."""
        self._kept_head = self._head()
        self._changed.clear()
        self._lost.clear()

    def _lose(self, uuid: str) -> None:
        """The service has this conversation no more; as it was listed, it is not to be believed again."""
        position = self.positions.pop(uuid, None)
        self._gone.set(uuid, None if position is None else position.row)
        self._changed.discard(uuid)
        self._lost.add(uuid)

    def _find(self, uuid: str, position: Position) -> Position:
        """The service has this conversation after all, or now."""
        self.positions[uuid] = position
        self._lost.discard(uuid)
        self._gone.drop(uuid)
        return position

    def _head(self) -> dict[str, Any]:
        return {
            "mark": self.mark,
            "start": self.start,
            "since": self._since,
            "medium": self._medium,
            "shape": self.shape.to_dict(),
            "place": self.place.to_dict(),
            "complete_through": self.complete_through,
        }

    def _restore(self, checkpoint: PollerCheckpoint) -> None:
        """Go on from there; raises `ConfigurationError` where that cannot be."""
        try:
            head = checkpoint.head
            self.mark, self.start, self._since = head["mark"], head["start"], head["since"]
            self.shape, self.place = PageShape.from_dict(head["shape"]), Place.from_dict(head["place"])
            for uuid, data in checkpoint.conversations.items():
                self._recall(uuid, data)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ConfigurationError(f"this is no checkpoint of a poller ({what}): begin without it") from None
        if head.get("medium") != self._medium:
            raise ConfigurationError(
                f"what was kept so far follows medium={head.get('medium')!r} and cannot go on with {self._medium!r}: "
                "pass the same one, or keep the other in another place"
            )

    def _recall(self, uuid: str, data: Mapping[str, Any]) -> None:
        if _GONE not in data:
            self.positions[uuid] = Position.from_dict(data)
        else:
            row = data[_GONE]
            self._gone.set(uuid, None if row is None else bytes.fromhex(row))
