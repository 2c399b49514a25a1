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
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> float:
        with self._lock:
            return time.time() + self._offset if self._frozen_at is None else self._frozen_at

    def epoch_ms(self) -> int:
        return int(self.now() * 1000)

    def http_date(self, ahead: float = 0.0) -> str:
        """The time `ahead` seconds from now, rounded up, as HTTP headers write it."""
        return formatdate(math.ceil(self.now() + ahead), usegmt=True)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; what falls due on the way (tokens, old sockets) is done on return."""
        if seconds < 0:
            raise ValueError("a clock only moves forward")
        with self._lock:
            if self._frozen_at is None:
                self._offset += seconds
            else:
                self._frozen_at += seconds
        for watcher in tuple(self._watchers):
            watcher()

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

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after every `advance`, in the thread that advanced."""
        self._watchers.append(watcher)
