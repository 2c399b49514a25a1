"""What a session and its connection loop say to each other."""

from typing import Protocol

import attrs

from ultracart_conversation._live.outcome import Outcome
from ultracart_conversation.errors import SessionError
from ultracart_conversation.models import ConversationAgentAuth
from ultracart_conversation.state import SessionState


class Handler(Protocol):
    """What a session does about its connection; all of it synchronous and quick."""

    def opened(self, generation: int, auth: ConversationAgentAuth, /) -> None:
        """A websocket is open: catch up now, then say `caught_up`."""
        ...

    def received(self, generation: int, text: str, /) -> None:
        """A message came, on the websocket in use or on one that was replaced a moment ago."""
        ...

    def lost(self, generation: int, outcome: Outcome, /) -> None:
        """The websocket in use ended, and this side had not asked for it."""
        ...

    def changed(self, state: SessionState, /) -> None:
        """The session stands elsewhere now."""
        ...


class WriteLost(SessionError):
    """The websocket ended under a write: the text was sent, or it was not. (`NotConnected` says that it was not.)"""

    generation: int = 0


@attrs.frozen(kw_only=True)
class ConnectionStatistics:
    """What became of a session's connections so far."""

    attempts: int
    connections: int
    """Websockets that were opened."""
    rotations: int
    """How many of them replaced one that was still in use."""
    failures: int
    """In a row; 0 once a connection has lived for `Backoff.stable` seconds."""
    last_outcome: str
    """How the last failed attempt or lost connection ended, in words."""
    silence: float | None
    """Seconds since anything was received on the websocket in use."""
    pings: int
    """Application pings that were sent."""
    messages: int
    """Messages that were received."""
    size: int
    """Their bytes."""
