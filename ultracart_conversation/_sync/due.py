"""Keys in the order of their turn."""

from heapq import heappop, heappush


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

    def drop(self, key: str) -> None:
        """This key has no turn any more."""
        self._turns.pop(key, None)

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
