"""The order of the list of conversations, kept while they change."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .conversations import Conversation
from .lag import Lag
from .personality import Personality, SortsBy

_Key = tuple[int, str, str]
"""A time in milliseconds, the UUID, and the medium, which is there to be filtered by."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Conversations in their order, newest first; to be used before anything changes again."""

    oldest_first: list[_Key]
    find: Callable[[str], Conversation]

    def __len__(self) -> int:
        return len(self.oldest_first)

    def page(self, offset: int, limit: int) -> list[Conversation]:
        end = max(0, len(self) - offset)
        return [self.find(uuid) for _, uuid, _ in reversed(self.oldest_first[max(0, end - limit) : end])]

    def of(self, medium: str) -> "Rows":
        return Rows([key for key in self.oldest_first if key[2] == medium], self.find)

    def where(self, wanted: Callable[[Conversation], bool]) -> "Rows":
        return Rows([key for key in self.oldest_first if wanted(self.find(key[1]))], self.find)

    def before(self, age: int) -> "Rows":
        """Those whose place in the order is strictly before this time, in milliseconds."""
        return Rows(self.oldest_first[: bisect_left(self.oldest_first, (age, "", ""))], self.find)


class Listing:
    """All that are not hidden, newest first by the personality's time; equal times in the order of their UUIDs."""

    def __init__(self, conversations: Mapping[str, Conversation]) -> None:
        self._conversations = conversations
        self._sorted_by: SortsBy | None = None
        self._keys: list[_Key] = []
        self._key_of: dict[str, _Key] = {}
        self._changed: set[str] = set()

    def changes(self, conversation: Conversation) -> None:
        """Its place may be another one from now on, or none."""
        self._changed.add(conversation.uuid)

    def rows(self, personality: Personality) -> Rows:
        """The conversations as they are."""
        self._refresh(personality)
        return Rows(self._keys, self._conversations.__getitem__)

    def shown(self, personality: Personality, lag: Lag) -> Rows:
        """The same as REST shows it: what is too young is missing, or where it was before."""
        rows = self.rows(personality)
        if lag.of_list <= 0:
            return rows
        keys, past = self._keys.copy(), lag.unlike_now()
        for uuid, before in past.items():
            if (key := self._key_of.get(uuid)) is not None:
                _take_out(keys, key)
            if before is not None and not before.hidden:
                insort(keys, _key(before, personality))
        return Rows(keys, lambda uuid: past.get(uuid) or self._conversations[uuid])

    def _refresh(self, personality: Personality) -> None:
        if self._sorted_by != personality.sorts_by or len(self._changed) > len(self._keys) // 8:
            self._sorted_by = personality.sorts_by
            shown = (each for each in self._conversations.values() if not each.hidden)
            self._key_of = {each.uuid: _key(each, personality) for each in shown}
            self._keys = sorted(self._key_of.values())
        else:
            for uuid in self._changed:
                self._place(uuid, personality)
        self._changed.clear()

    def _place(self, uuid: str, personality: Personality) -> None:
        if (old := self._key_of.pop(uuid, None)) is not None:
            _take_out(self._keys, old)
        conversation = self._conversations.get(uuid)
        if conversation is not None and not conversation.hidden:
            self._key_of[uuid] = key = _key(conversation, personality)
            insort(self._keys, key)


def _key(conversation: Conversation, personality: Personality) -> _Key:
    return personality.age_key(conversation), conversation.uuid, conversation.medium


def _take_out(keys: list[_Key], key: _Key) -> None:
    del keys[bisect_left(keys, key)]
