"""Keys in the order of their turn."""

from heapq import heapify, heappop, heappush

_FEW = 16
"""So many entries of turns that moved are never worth clearing away."""


class Due:
    """Each key has one turn, which may be put off or forward at any time; a turn is any number."""

    def __init__(self) -> None:
        self._turns: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._turns)

    def __contains__(self, key: str) -> bool:
        return key in self._turns

    def put(self, key: str, turn: float) -> None:
        """It is this key's turn then, and no longer when it was before."""
        if self._turns.get(key) != turn:
            self._turns[key] = turn
            heappush(self._heap, (turn, key))
            self._clear_away()

    def drop(self, key: str) -> None:
        """This key has no turn any more."""
        self._turns.pop(key, None)
        self._clear_away()

    def next(self) -> float | None:
        """Whose turn comes first: when that is; None when nobody has one."""
        while self._heap and self._turns.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self, now: float) -> str | None:
        """The key whose turn comes first, if it has come by `now`; it has no turn any more."""
        first = self.next()
        if first is None or first > now:
            return None
        _, key = heappop(self._heap)
        del self._turns[key]
        return key

    def _clear_away(self) -> None:
        """Forget where turns were before they moved, once these are the most of all."""
        if len(self._heap) > 2 * len(self._turns) + _FEW:
            self._heap = [(turn, key) for key, turn in self._turns.items()]
            heapify(self._heap)
