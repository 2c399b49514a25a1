"""When a silent websocket is pinged, and when it is given up. Pure: the time comes in as a number."""

from enum import StrEnum

from ultracart_conversation.config import Heartbeat


class Step(StrEnum):
    """What to do about a silence."""

    WAIT = "look again when it is due"
    PING = "ask for a sign of life"
    GIVE_UP = "nobody is there"


class Pulse:
    """The signs of life of one websocket; only what is received counts, as writing into a dead one may succeed."""

    __slots__ = ("_asked", "_heartbeat", "last")

    def __init__(self, heartbeat: Heartbeat, *, now: float) -> None:
        self._heartbeat = heartbeat
        self._asked: float | None = None
        self.last: float = now
        """When anything was received, or when it was opened."""

    def received(self, now: float) -> None:
        """Something came, whatever it was."""
        self.last = now
        self._asked = None

    @property
    def due(self) -> float:
        """When to look next, unless something is received before."""
        if self._asked is None:
            return self.last + self._heartbeat.interval
        return self._asked + self._heartbeat.timeout

    def look(self, now: float) -> Step:
        """What to do now; a ping is taken as sent."""
        if now < self.due:
            return Step.WAIT
        # Whoever looks this late was held up himself, and the answer may be waiting unread.
        late = now >= self.due + self._heartbeat.timeout
        if self._asked is None or late:
            self._asked = now
            return Step.PING
        return Step.GIVE_UP
