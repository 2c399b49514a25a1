"""What an agent's session tells a poller."""

import logging
from typing import TYPE_CHECKING

from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import UltraCartError
from ultracart_conversation.events import (
    ConversationChanged,
    ConversationClosed,
    ConversationStarted,
    MessageAnnounced,
    MessageReceived,
    MessageUpdated,
    Occurrence,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
)
from ultracart_conversation.session import AgentSession
from ultracart_conversation.state import Phase

if TYPE_CHECKING:
    from ultracart_conversation._live.subscription import Subscription

_logger = logging.getLogger("ultracart_conversation.poller")
_TELLING = (
    ConversationChanged,
    ConversationClosed,
    ConversationStarted,
    MessageAnnounced,
    MessageReceived,
    MessageUpdated,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
)


class Hints:
    """The conversations in which something happens, while a session is attached."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: AgentSession | None = None
        self._events: Subscription | None = None

    def attach(self, session: AgentSession) -> None:
        """Hear what this session tells, and no other."""
        self.close()
        # What is lost here is found by the next look at the list.
        self._session, self._events = session, session.subscribe(overflow="drop_oldest")

    @property
    def is_live(self) -> bool:
        """Whether the session hears of everything now."""
        return self._events is not None and self._session is not None and self._session.state.phase is Phase.LIVE

    @property
    def is_open(self) -> bool:
        """Whether there may be more."""
        return self._events is not None

    async def next(self, *, timeout: float) -> str | None:  # noqa: ASYNC109 - by the client's clock
        """A conversation in which something happened; None when there is none within `timeout` seconds."""
        until = self._clock.now() + timeout
        while self._events is not None:
            try:
                event = await self._events.next(Occurrence, timeout=max(0.0, until - self._clock.now()))
            except TimeoutError:
                return None
            except UltraCartError as error:
                _logger.info("the attached session is over, and the list alone tells what happens: %s", error)
                self.close()
            else:
                if isinstance(event, _TELLING) and event.conversation_uuid is not None:
                    return event.conversation_uuid
        return None

    def close(self) -> None:
        """Hear no more."""
        if self._events is not None:
            self._events.close()
            self._events = None
