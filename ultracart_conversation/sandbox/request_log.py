"""What was asked of the service: the latest requests whole, and all of them in numbers."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .exchange import Received

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 20_000
"""So many requests are remembered at least; their bodies may be large, and a run may be long."""


@dataclass(slots=True)
class RequestLog:
    """Requests in the order in which they came in."""

    received: list[Received] = field(default_factory=list[Received])
    """The latest ones, at least `KEPT` of them where there were so many; it may be cleared."""
    counts: Counter[str] = field(default_factory=Counter[str])
    """How often each operation was asked for, whatever came of it; it may be cleared."""
    heard: "Callable[[Received], object] | None" = None
    """Told of every request before anything is done about it."""

    def note(self, received: Received) -> None:
        self.received.append(received)
        self.counts[received.operation] += 1
        if len(self.received) > 2 * KEPT:
            del self.received[:-KEPT]
        if self.heard is not None:
            self.heard(received)
