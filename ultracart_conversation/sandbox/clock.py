"""One clock for the whole sandbox, so that a test can move every deadline at once."""

import math
import threading
import time
from collections.abc import Callable
from email.utils import formatdate


class Clock:
    """Real time plus an offset, or, when `at` is given, a clock that moves only by `advance`.

    Times are seconds since 1970, as `time.time()` has them. Every method may be called from any thread.
    """

    def __init__(self, *, at: float | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = 0.0
        self._frozen_at = at
        self._watchers: list[tuple[Callable[[], None], Callable[[], float | None]]] = []

    def now(self) -> float:
        with self._lock:
            return time.time() + self._offset if self._frozen_at is None else self._frozen_at

    def epoch_ms(self) -> int:
        return int(self.now() * 1000)

    def http_date(self, ahead: float = 0.0) -> str:
        """The time `ahead` seconds from now, rounded up, as HTTP headers write it."""
        return formatdate(math.ceil(self.now() + ahead), usegmt=True)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; what falls due on the way is done on return, each at its own time."""
        if seconds < 0:
            raise ValueError("a clock only moves forward")
        self.advance_to(self.now() + seconds)

    def advance_to(self, until: float) -> None:
        """Move forward to `until`, as `advance` does; a time that is past already changes nothing."""
        while (due := self.next_due()) is not None and due <= until:
            self._move_to(due)
            self._tell()
        self._move_to(until)
        self._tell()

    def next_due(self) -> float | None:
        """When something will happen by the passing of time alone; None = nothing is planned."""
        planned = (next_due() for _, next_due in tuple(self._watchers))
        return min((due for due in planned if due is not None), default=None)

    def freeze(self) -> None:
        """Stand still until `resume`, moving only by `advance`."""
        now = self.now()
        with self._lock:
            self._frozen_at = now

    def resume(self) -> None:
        """Run again, from the time shown now."""
        now = self.now()
        with self._lock:
            self._frozen_at, self._offset = None, now - time.time()

    def watch(self, watcher: Callable[[], None], *, next_due: Callable[[], float | None] = lambda: None) -> None:
        """Call `watcher` after every step of `advance`, in the thread that advanced.

        `next_due` says when it next has something to do: `advance` stops there, and the watcher must then do it.
        """
        self._watchers.append((watcher, next_due))

    def _tell(self) -> None:
        for watcher, _ in tuple(self._watchers):
            watcher()

    def _move_to(self, moment: float) -> None:
        now = self.now()
        with self._lock:
            if self._frozen_at is None:
                self._offset += max(0.0, moment - now)
            else:
                self._frozen_at = max(now, moment)
