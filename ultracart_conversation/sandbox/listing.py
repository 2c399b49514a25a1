"""The order of the list of conversations, kept while they change."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping

from .conversations import Conversation
from .lag import Lag
from .personality import Personality, SortsBy

_Key = tuple[int, str]


class Listing:
    """Newest first by the personality's time; equal times in the order of their UUIDs."""

    def __init__(self, conversations: Mapping[str, Conversation]) -> None:
        self._conversations = conversations
        self._sorted_by: SortsBy | None = None
        self._keys: list[_Key] = []
        self._key_of: dict[str, _Key] = {}
        self._changed: set[str] = set()

    def changes(self, conversation: Conversation) -> None:
        """Its place may be another one from now on."""
        self._changed.add(conversation.uuid)

    def newest_first(self, personality: Personality) -> list[Conversation]:
        self._refresh(personality)
        return [self._conversations[uuid] for _, uuid in reversed(self._keys)]

    def shown(self, personality: Personality, lag: Lag) -> list[Conversation]:
        """The same as REST shows it: what is too young is missing, or where it was before."""
        young = lag.young()
        self._refresh(personality)
        oldest_first = [self._conversations[uuid] for _, uuid in self._keys if uuid not in young]
        for uuid in young:
            conversation = self._conversations[uuid]
            if lag.listed(conversation):
                insort(oldest_first, lag.seen(conversation), key=_key_by(personality))
        return oldest_first[::-1]

    def _refresh(self, personality: Personality) -> None:
        key = _key_by(personality)
        if self._sorted_by != personality.sorts_by or len(self._changed) > len(self._keys) // 8:
            self._sorted_by = personality.sorts_by
            self._key_of = {uuid: key(each) for uuid, each in self._conversations.items()}
            self._keys = sorted(self._key_of.values())
        else:
            for uuid in self._changed:
                self._place(uuid, key(self._conversations[uuid]))
        self._changed.clear()

    def _place(self, uuid: str, key: _Key) -> None:
        if (old := self._key_of.get(uuid)) is not None:
            del self._keys[bisect_left(self._keys, old)]
        self._key_of[uuid] = key
        insort(self._keys, key)


def _key_by(personality: Personality) -> Callable[[Conversation], _Key]:
    return lambda each: (personality.age_key(each), each.uuid)
