"""How an attempt to be online ended."""

import attrs

from ultracart_conversation.errors import UltraCartError


@attrs.frozen
class Unauthorized:
    """There is no JWT: the authorization by REST failed."""

    error: UltraCartError


@attrs.frozen
class Unreachable:
    """There was no connection, or no answer to the handshake."""

    detail: str


@attrs.frozen
class Denied:
    """The handshake was answered with something else than a websocket."""

    status: int
    detail: str = ""
    retry_after: float | None = None
    """Seconds, where the answer says so."""


@attrs.frozen
class Closed:
    """The websocket was open and is no longer; `code` is 1006 when it ended without a closing frame."""

    code: int
    reason: str = ""


@attrs.frozen
class Silent:
    """The websocket was open, and nothing came for too long, not even a pong."""

    seconds: float


Outcome = Unauthorized | Unreachable | Denied | Closed | Silent


class SocketEnded(Exception):
    """Raised by whoever reads or writes a websocket that is no longer open."""

    def __init__(self, end: Closed) -> None:
        super().__init__(end)
        self.end = end


class CannotOpen(Exception):
    """Raised instead of a websocket."""

    def __init__(self, outcome: Unreachable | Denied) -> None:
        super().__init__(outcome)
        self.outcome = outcome
