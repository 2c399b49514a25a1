"""Where an agent's session stands."""

from datetime import datetime
from enum import StrEnum

import attrs


class Phase(StrEnum):
    """What a session is doing."""

    CONNECTING = "connecting"
    """On its way online for the first time."""
    LIVE = "live"
    """Online, with nothing left to catch up with."""
    RECOVERING = "recovering"
    """It was online; on its way back, or catching up."""
    CLOSING = "closing"
    CLOSED = "closed"


@attrs.frozen(kw_only=True)
class SessionState:
    """Where a session stands, since when, and why."""

    phase: Phase
    since: datetime
    """In UTC, by this machine's clock."""
    reason: str = ""
    """Why it left the phase before, in words, such as `1001 Going away`."""
    generation: int = 0
    """The number of the websocket in use; 0 before the first."""
    next_attempt: datetime | None = None
    """When it connects again, while it waits for that."""
