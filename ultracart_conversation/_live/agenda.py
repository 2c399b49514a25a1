"""Which conversations are to be read by REST, and when. Pure: times are those of any clock that never goes back."""

from math import inf

import attrs


@attrs.define
class _Entry:
    due: float
    latest: float


class Agenda:
    """One time for each conversation."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def settle(self, uuid: str, now: float, *, after: float, at_most: float) -> None:
        """Read this conversation after so many seconds of quiet, but no later than `at_most` from the first change."""
        entry = self._entries.get(uuid)
        if entry is None:
            self._entries[uuid] = _Entry(now + after, now + at_most)
        else:
            entry.due = min(now + after, entry.latest)

    def hasten(self, uuid: str, now: float, *, within: float) -> None:
        """Read this conversation within so many seconds, whatever else is planned or comes."""
        entry = self._entries.setdefault(uuid, _Entry(inf, inf))
        entry.latest = min(entry.latest, now + within)
        entry.due = min(entry.due, entry.latest)

    def pop(self, now: float) -> str | None:
        """What is to be read first of all that is due, which is taken off the agenda; None when nothing is due."""
        first = min(self._entries, key=self._due, default=None)
        if first is None or self._due(first) > now:
            return None
        del self._entries[first]
        return first

    def drop(self, uuid: str) -> None:
        """This conversation was read just now."""
        self._entries.pop(uuid, None)

    def next(self) -> float | None:
        """When something is due next."""
        return min((entry.due for entry in self._entries.values()), default=None)

    def _due(self, uuid: str) -> float:
        return self._entries[uuid].due
