"""Where a session stands, told once for each change."""

from collections.abc import Callable
from datetime import UTC, datetime

from ultracart_conversation.clock import Clock
from ultracart_conversation.state import Phase, SessionState


class Standing:
    """Keeps a session's state; the connection loop is its only writer."""

    def __init__(self, *, changed: Callable[[SessionState], None], clock: Clock) -> None:
        self._changed = changed
        self._clock = clock
        self._offline_since = clock.now()
        self.offline: Phase = Phase.CONNECTING
        """What not being live is called: `CONNECTING` until it was live, `RECOVERING` from then on."""
        self.state: SessionState = SessionState(phase=Phase.CONNECTING, since=self._utc(clock.now()))

    @property
    def offline_for(self) -> float:
        """Seconds since it was live, or since the beginning."""
        return self._clock.now() - self._offline_since

    def tell(self, phase: Phase, reason: str | None, *, generation: int, next_attempt: float | None) -> None:
        """Be in `phase`, for `reason` or for the one before; `next_attempt` is a time of the clock."""
        before, now = self.state, self._clock.now()
        state = SessionState(
            phase=phase,
            since=before.since if phase is before.phase else self._utc(now),
            reason=before.reason if reason is None else reason,
            generation=generation,
            next_attempt=None if next_attempt is None else self._utc(next_attempt),
        )
        if state == before:
            return
        self.state = state
        if phase is Phase.LIVE:
            self.offline = Phase.RECOVERING
        elif before.phase is Phase.LIVE:
            self._offline_since = now
        self._changed(state)

    def _utc(self, at: float) -> datetime:
        return datetime.fromtimestamp(self._clock.time() + (at - self._clock.now()), UTC)
