"""Pushed messages that wait until what was missed before them is handed over. Pure."""

from collections.abc import Iterable

from ultracart_conversation.events import MessageReceived, MessageUpdated

MOST = 1_000

Message = MessageReceived | MessageUpdated


class Held:
    """While a connection is new, everything waits; once the list was read, only what is going to be read does."""

    def __init__(self) -> None:
        self.is_active: bool = False
        """Whether something may be missing because the connection was lost, or is new."""
        self._gaps: set[str] | None = None
        self._messages: dict[str, list[Message]] = {}
        self._size = 0

    def begin(self) -> None:
        """From now on messages of all conversations wait."""
        self.is_active, self._gaps = True, None

    def waits(self, uuid: str) -> bool:
        """Whether messages of this conversation have to wait."""
        return self.is_active and (self._gaps is None or uuid in self._gaps)

    def hold(self, uuid: str, message: Message) -> bool:
        """Keep a message back; False when too many wait already, and this one is to be read instead."""
        if self._size >= MOST:
            return False
        self._messages.setdefault(uuid, []).append(message)
        self._size += 1
        return True

    def narrow(self, uuids: Iterable[str]) -> list[tuple[str, Message]]:
        """Only messages of these conversations wait any longer; the others."""
        self._gaps = set(uuids)
        return [pair for uuid in tuple(self._messages) if uuid not in self._gaps for pair in self._release(uuid)]

    def finish(self, uuid: str) -> list[tuple[str, Message]]:
        """This conversation was read; the messages that waited for it."""
        if self._gaps is None:
            return []
        self._gaps.discard(uuid)
        return self._release(uuid)

    def end(self) -> list[tuple[str, Message]]:
        """Nothing waits any longer; all that did."""
        self.is_active, self._gaps = False, None
        return [pair for uuid in tuple(self._messages) for pair in self._release(uuid)]

    def _release(self, uuid: str) -> list[tuple[str, Message]]:
        released = self._messages.pop(uuid, [])
        self._size -= len(released)
        return [(uuid, message) for message in released]
