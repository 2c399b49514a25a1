"""Tells what happens, and not twice what happens all the time."""

from datetime import datetime, timedelta

import attrs

from ultracart_conversation._cli.event_words import Words, standing, words_of
from ultracart_conversation.events import Event, Gap, QueueStatusChanged, StateChanged, Typing
from ultracart_conversation.state import Phase, SessionState

_SILENCE = timedelta(seconds=10)
_OPENED = "connected, catching up"


class Narrator:
    """Puts events into words, one after the other.

    Somebody who types is told of once in ten seconds, a queue when its numbers change, a state when it is news.
    """

    def __init__(self) -> None:
        self._typing: dict[tuple[str | None, str | None], datetime] = {}
        self._queues: dict[str | None, Words] = {}
        self._state: SessionState | None = None
        self._reason = ""

    def words(self, event: Event) -> Words | None:
        """What to say of `event`, if anything."""
        words = words_of(event)
        if words is None:
            return None
        match event:
            case Typing():
                return None if self._typed_just_now(event) else words
            case QueueStatusChanged():
                known, self._queues[event.queue.queue_name] = self._queues.get(event.queue.queue_name), words
                return None if words == known else words
            case StateChanged():
                return self._changed(event, words)
            case Gap():
                self._reason = event.reason
            case _:
                pass
        return words

    def _typed_just_now(self, event: Typing) -> bool:
        now, key = event.received_at, (event.conversation_uuid, event.typing.author_conversation_participant_arn)
        self._typing = {known: at for known, at in self._typing.items() if now - at < _SILENCE}
        if key in self._typing:
            return True
        self._typing[key] = now
        return False

    def _changed(self, event: StateChanged, words: Words) -> Words | None:
        """A state that is news: a reason that was not told, a next attempt, or a websocket that is open again."""
        state, before, self._state = event.state, self._state, event.state
        if state.phase is Phase.CLOSING:
            # The error that ends it is told when it has ended.
            self._reason = state.reason
            return None
        generation = 0 if before is None else before.generation
        if state.next_attempt is None and state.generation > generation and state.phase is not Phase.LIVE:
            return attrs.evolve(words, text=_OPENED)
        if state.next_attempt is None and before is not None and _is_same(state, before):
            return None
        told, self._reason = self._reason, state.reason
        return attrs.evolve(words, text=standing(state, event.received_at, reason=state.reason != told))


def _is_same(state: SessionState, before: SessionState) -> bool:
    return (state.phase, state.reason) == (before.phase, before.reason)
