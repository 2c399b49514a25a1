"""How much is remembered of what was handed over, where no archive knows it. Pure."""

from collections.abc import Iterator, Mapping

from ultracart_conversation._sync.position import Position

_MOST = 200_000
"""Messages in all."""


class Memory:
    """Counts what positions remember; beyond a bound, those that changed the longest ago keep only what is recent."""

    def __init__(self, positions: Mapping[str, Position]) -> None:
        self._positions = positions
        self._sizes: dict[str, int] = {}
        self._total = 0

    def note(self, uuid: str, position: Position) -> Iterator[str]:
        """This position remembers more now; gives those that had to forget."""
        if position.known is None:
            return
        self._total += len(position.known) - self._sizes.pop(uuid, 0)
        self._sizes[uuid] = len(position.known)
        while self._total > _MOST and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            self._total -= self._sizes.pop(oldest)
            if oldest in self._positions:
                self._positions[oldest].forget()
                yield oldest
