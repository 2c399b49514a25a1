"""What came in, in numbers."""

import attrs

from ultracart_conversation._live.frames import Frame, Garbage, Ping
from ultracart_conversation.events import UnknownEvent


@attrs.define
class IntakeCounts:
    """How much it was since the session began."""

    frames: int = 0
    pings: int = 0
    unknown: int = 0
    """Frames that fit no event, the gateway's error objects among them."""
    garbage: int = 0
    """Frames that were no JSON objects."""
    replayed: int = 0
    """Messages that were read instead of being pushed."""
    missed: int = 0
    """Messages that the open websocket should have brought."""
    duplicates: int = 0
    """Messages that were pushed and had been handed over already."""

    def came(self, frame: Frame) -> None:
        """Count what a websocket brought."""
        self.frames += 1
        self.pings += isinstance(frame, Ping)
        self.unknown += isinstance(frame, UnknownEvent)
        self.garbage += isinstance(frame, Garbage)
