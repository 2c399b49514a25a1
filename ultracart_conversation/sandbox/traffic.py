"""How many frames went which way."""

import json
from collections import Counter
from dataclasses import dataclass, field

from .envelope import Json


@dataclass(slots=True)
class Traffic:
    """Frames by their `event_type`, or `type`; the gateway's error objects, which have neither, count as "error".

    A frame to two sockets counts twice.
    """

    pushed: Counter[str] = field(default_factory=Counter[str])
    """Frames handed to a socket, duplicates included."""
    dropped: Counter[str] = field(default_factory=Counter[str])
    """Frames that a fault or a silent socket swallowed."""
    received: Counter[str] = field(default_factory=Counter[str])
    """Frames of agents, whatever became of them; those that are not JSON objects count as "unreadable"."""

    def counts(self) -> Json:
        """The same as plain values."""
        return {"pushed": dict(self.pushed), "dropped": dict(self.dropped), "received": dict(self.received)}


def names(frame: Json) -> list[str]:
    """The `type` and the `event_type` of a frame, as far as it has them."""
    return [str(frame[name]) for name in ("type", "event_type") if name in frame]


def name(frame: Json) -> str:
    """The most telling of the names of a pushed frame."""
    return names(frame)[-1] if "type" in frame or "event_type" in frame else "error"


def names_received(text: str) -> list[str]:
    """The names of a frame that an agent sent; none when it is not a JSON object with any."""
    try:
        frame: Json | list[object] | str | float | None = json.loads(text)
    except ValueError:
        return []
    return names(frame) if isinstance(frame, dict) else []
