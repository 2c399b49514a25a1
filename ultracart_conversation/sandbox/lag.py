"""Eventual consistency: what was written is pushed at once, but read over REST only a while later."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .clock import Clock
from .conversations import Conversation

_Change = tuple[float, Conversation]
"""When it changed, and the conversation as it was before."""


class Lag:
    """What REST shows of conversations while their latest changes are too young: of all of it, and of the list.

    That lists lag behind pushes is inferred (they are likely to come from a search index); by how much is unknown.
    A conversation is shown as it was just before the first message, edit or removal that is still too young. One
    that is itself too young is not listed, but can be read by its UUID; one that was removed is listed a while, but
    can no longer be read. What was there when the lag was switched on is visible.
    """

    def __init__(self, clock: Clock) -> None:
        self.seconds: float = 0.0
        """How old a change must be to be read over REST at all."""
        self.list_seconds: float = 0.0
        """How old a change must be to be listed, where that is more than `seconds`."""
        self._clock = clock
        self._past: dict[str, list[_Change]] = {}
        self._begun: dict[str, float] = {}

    @property
    def of_list(self) -> float:
        """How far the list lags, in seconds."""
        return max(self.seconds, self.list_seconds)

    def begins(self, conversation: Conversation) -> None:
        """It is being opened."""
        if self.of_list > 0:
            self._begun[conversation.uuid] = self._clock.now()

    def changes(self, conversation: Conversation) -> None:
        """Something of it is about to be added, edited or removed."""
        if self.of_list <= 0:
            return
        young = [each for each in self._past.get(conversation.uuid, ()) if self._hides(each[0], self.of_list)]
        self._past[conversation.uuid] = [*young, (self._clock.now(), _copy(conversation))]

    def unlike_now(self) -> Mapping[str, Conversation | None]:
        """Those that the list does not show as they are, by UUID, as it shows them; None = it does not."""
        seconds = self.of_list
        self._past = {uuid: past for uuid, past in self._past.items() if self._hides(past[-1][0], seconds)}
        self._begun = {uuid: at for uuid, at in self._begun.items() if self._hides(at, seconds)}
        shown = {uuid: self._before(past, seconds) for uuid, past in self._past.items()}
        return {**shown, **dict.fromkeys(self._begun)}

    def seen(self, conversation: Conversation) -> Conversation:
        """The conversation as REST shows it to those who ask for its UUID."""
        return self._before(self._past.get(conversation.uuid, ()), self.seconds) or conversation

    def _before(self, past: Iterable[_Change], seconds: float) -> Conversation | None:
        return next((before for at, before in past if self._hides(at, seconds)), None)

    def _hides(self, at: float, seconds: float) -> bool:
        return at + seconds > self._clock.now()


def _copy(conversation: Conversation) -> Conversation:
    participants = [replace(each) for each in conversation.participants]
    return replace(conversation, participants=participants, messages=conversation.messages.copy())
