"""Messages that were read although they should have been pushed. Pure: time is passed in."""

from collections.abc import Iterable

import attrs

BELATED = 5.0
"""Seconds that a push may come later than the read that finds its message first."""


@attrs.frozen
class Suspect:
    """A message that was read before it was pushed."""

    conversation_uuid: str
    key: str
    since: float


class Suspects:
    """Those of which it is not known yet whether they were only late."""

    def __init__(self) -> None:
        self._suspects: dict[str, Suspect] = {}

    def __len__(self) -> int:
        return len(self._suspects)

    def add(self, conversation_uuid: str, keys: Iterable[str], *, now: float) -> None:
        """These messages were read first."""
        self._suspects |= {key: Suspect(conversation_uuid, key, now) for key in keys}

    def clear(self, key: str) -> None:
        """This one was pushed after all."""
        self._suspects.pop(key, None)

    def convicted(self, *, now: float) -> list[Suspect]:
        """Those that were not pushed in time; each once."""
        convicted = [each for each in self._suspects.values() if now - each.since >= BELATED]
        for each in convicted:
            del self._suspects[each.key]
        return convicted

    def next(self) -> float | None:
        """When the next one has waited for too long."""
        return min((each.since + BELATED for each in self._suspects.values()), default=None)
