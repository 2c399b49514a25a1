"""How often others are told that we are typing."""

from math import inf

import attrs


@attrs.define
class _Told:
    """What was sent of one conversation, and what waits to be."""

    value: str
    at: float
    held: str | None = None


class TypingThrottle:
    """One frame per conversation in `interval` seconds; the latest value always goes out in the end.

    The first goes at once, and so does the change to "", which says that nobody types any more.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._told: dict[str, _Told] = {}

    def typed(self, conversation_uuid: str, value: str, *, now: float) -> bool:
        """Whether to send it now; otherwise `due` returns it in time unless a later value takes its place."""
        told = self._told.get(conversation_uuid)
        if told is None or now >= told.at + self._interval:
            self._forget(now)
            self._told[conversation_uuid] = _Told(value, now)
            return True
        told.held = None
        if value:
            told.held = value
        elif told.value:
            told.value, told.at = value, now
            return True
        return False

    def due(self, now: float) -> list[tuple[str, str]]:
        """The conversations and values to send now."""
        due: list[tuple[str, str]] = []
        for conversation_uuid, told in self._told.items():
            if told.held is not None and now >= told.at + self._interval:
                due.append((conversation_uuid, told.held))
                told.value, told.at, told.held = told.held, now, None
        return due

    def next_time(self) -> float:
        """When to call `due`; infinity while nothing is held back."""
        return min((told.at + self._interval for told in self._told.values() if told.held is not None), default=inf)

    def clear(self) -> None:
        """The connection is lost, and nobody shall hear later what was typed before."""
        self._told.clear()

    def _forget(self, now: float) -> None:
        over = [uuid for uuid, told in self._told.items() if told.held is None and now >= told.at + self._interval]
        for conversation_uuid in over:
            del self._told[conversation_uuid]
