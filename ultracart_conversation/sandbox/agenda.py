"""What is to happen at which moment of a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import inf

from .clock import Clock


@dataclass(slots=True)
class Item:
    """One thing to do, unless it is cancelled."""

    act: Callable[[], None] | None

    def cancel(self) -> None:
        self.act = None


class Agenda:
    """Things happen in the order of their moments, those of one moment in the order of planning, never nested."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = count()
        self._items: list[tuple[float, int, Item]] = []
        self._running = False
        clock.watch(self.run_due, next_due=self.next_due)

    def at(self, moment: float, act: Callable[[], None]) -> Item:
        """Plan `act`, even when `moment` is now: it waits for `run_due` in any case."""
        item = Item(act)
        if moment < inf:
            heappush(self._items, (moment, next(self._order), item))
        return item

    def after(self, seconds: float, act: Callable[[], None]) -> Item:
        return self.at(self._clock.now() + seconds, act)

    def next_due(self) -> float | None:
        while self._items and self._items[0][2].act is None:
            heappop(self._items)
        return self._items[0][0] if self._items else None

    def run_due(self) -> None:
        """Do all that is due, including what that plans for now; inside of it, leave the rest to the outer call."""
        if self._running:
            return
        self._running = True
        try:
            while (due := self.next_due()) is not None and due <= self._clock.now():
                act = heappop(self._items)[2].act
                if act is not None:
                    act()
        finally:
            self._running = False
