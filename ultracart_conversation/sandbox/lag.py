"""Eventual consistency: what was written is pushed at once, but read over REST only a while later."""

from dataclasses import replace

from .clock import Clock
from .conversations import Conversation


class Lag:
    """What REST shows of conversations while their latest messages are younger than `seconds`.

    That lists lag behind pushes is inferred (they are likely to come from a search index); by how much is unknown.
    A conversation is shown as it was just before the first message, or edit, that is still too young. One that is
    itself too young is not listed, but can be read by its UUID. What was there when the lag was switched on is
    visible.
    """

    def __init__(self, clock: Clock) -> None:
        self.seconds: float = 0.0
        self._clock = clock
        self._past: dict[str, list[tuple[float, Conversation]]] = {}
        self._begun: dict[str, float] = {}

    def begins(self, conversation: Conversation) -> None:
        """It is being opened."""
        if self.seconds > 0:
            self._begun[conversation.uuid] = self._clock.now()

    def changes(self, conversation: Conversation) -> None:
        """A message of it is about to be added or edited."""
        if self.seconds <= 0:
            return
        young = [each for each in self._past.get(conversation.uuid, ()) if self._hides(each[0])]
        self._past[conversation.uuid] = [*young, (self._clock.now(), _copy(conversation))]

    def young(self) -> set[str]:
        """The UUIDs of conversations that REST does not show as they are."""
        hidden = {uuid: past for uuid, past in self._past.items() if self._hides(past[-1][0])}
        begun = {uuid: at for uuid, at in self._begun.items() if self._hides(at)}
        self._past, self._begun = hidden, begun
        return {*hidden, *begun}

    def listed(self, conversation: Conversation) -> bool:
        begun = self._begun.get(conversation.uuid)
        return begun is None or not self._hides(begun)

    def seen(self, conversation: Conversation) -> Conversation:
        """The conversation as REST shows it now."""
        past = self._past.get(conversation.uuid, ())
        return next((before for at, before in past if self._hides(at)), conversation)

    def _hides(self, at: float) -> bool:
        return at + self.seconds > self._clock.now()


def _copy(conversation: Conversation) -> Conversation:
    participants = [replace(each) for each in conversation.participants]
    return replace(conversation, participants=participants, messages=conversation.messages.copy())
