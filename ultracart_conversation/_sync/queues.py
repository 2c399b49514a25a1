"""What a poller has to read next, and what of it is still open. Pure."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from math import inf

from ultracart_conversation._sync.due import Due
from ultracart_conversation._sync.position import Position


class Queues:
    """The conversations that are to be read, each in the queue where it belongs and in the order of its turn.

    What is new comes first, then what is tried or read again, then the past: what was said last first, with
    `newest_first`. What is at rest waits for its audit. Whoever takes a conversation puts it back or closes it.
    """

    def __init__(self, *, newest_first: bool) -> None:
        self._sign = -1 if newest_first else 1
        self._news, self._later, self._history, self._audits = Due(), Due(), Due(), Due()
        self._open: set[str] = set()
        self._past: set[str] = set()
        self._settling: set[str] = set()

    # Whose turn it is

    @property
    def next_news(self) -> float:
        """When something must be read that is new; `inf` for never."""
        return _first(self._news)

    @property
    def next_again(self) -> float:
        """When something is to be tried or read again; `inf` for never."""
        return _first(self._later)

    @property
    def next_audit(self) -> float:
        """When the one was audited whose turn comes next; `inf` for none."""
        return _first(self._audits)

    def is_news(self, uuid: str) -> bool:
        """Whether something new waits in this conversation."""
        return uuid in self._news

    def news(self, *, now: float) -> str | None:
        """A conversation that must be read now; it is given once."""
        return self._news.pop(now) or self._later.pop(now)

    def history(self) -> str | None:
        """A conversation whose past is to be read when there is time; it is given once."""
        return self._history.pop(inf)

    def audits(self, *, until: float) -> Iterator[str]:
        """Those that were audited by then, the longest ago first; each is given once."""
        while (uuid := self._audits.pop(until)) is not None:
            yield uuid

    # Where it belongs

    def open(self, uuid: str, position: Position) -> None:
        """This conversation is to be read: until it is closed, nothing is proven beyond where it was complete."""
        self.hold(uuid, position)
        self._leave(uuid)
        self.put(uuid, position)

    def hold(self, uuid: str, position: Position) -> None:
        """Nothing is proven beyond where it was complete, as far as its position says so."""
        self.close(uuid)
        if position.is_settling:
            self._settling.add(uuid)
        elif position.owed is not None and not position.is_quarantined:
            self._open.add(uuid)
            if position.owed == "history":
                self._past.add(uuid)

    def put(self, uuid: str, position: Position) -> None:
        """It waits for its turn, as its position says."""
        if position.owed is None:
            self._audits.put(uuid, position.audited)
        elif position.failures or position.is_settling:
            self._later.put(uuid, position.due)
        elif position.owed == "history":
            self._history.put(uuid, self._sign * position.time)
        else:
            self._news.put(uuid, position.due)

    def close(self, uuid: str) -> None:
        """It was read, or cannot be: it holds up no proof any more."""
        for group in (self._open, self._past, self._settling):
            group.discard(uuid)

    def forget(self, uuid: str) -> None:
        """It is never to be read again."""
        self.close(uuid)
        self._news.drop(uuid)
        self._leave(uuid)

    def _leave(self, uuid: str) -> None:
        for queue in (self._later, self._history, self._audits):
            queue.drop(uuid)

    # What is open

    @property
    def opened(self) -> AbstractSet[str]:
        """Those that are still to be read for the first time, or again."""
        return self._open

    @property
    def settling(self) -> AbstractSet[str]:
        """Those that were read, and are read once more in case the service lagged behind."""
        return self._settling

    @property
    def past(self) -> AbstractSet[str]:
        """Of the open ones, those whose past waits until there is time."""
        return self._past


def _first(due: Due) -> float:
    first = due.next()
    return inf if first is None else first
