"""What is stored, and how it may change other than by a chat."""

from typing import TYPE_CHECKING

from .sockets import Marshal
from .world import World

if TYPE_CHECKING:
    from .conversations import Conversation


class Records:
    """Edits and erasures behind everybody's back: REST shows them, as soon as its lag allows, and nothing is pushed.

    Whether UltraCart does such things, and what becomes of the list then, is unknown. What is not there, or not any
    more, is refused as a request for it would be: with a 400 that says so.
    """

    def __init__(self, world: World, marshal: Marshal) -> None:
        self._world = world
        self._marshal = marshal

    def edit_message(self, conversation_uuid: str, message_uuid: str, body: str) -> None:
        """Another text for any message."""
        self._marshal(lambda: self._world.edit(self._find(conversation_uuid), message_uuid, body))

    def remove_message(self, conversation_uuid: str, message_uuid: str) -> None:
        """As if it had never been said: when it was the last one, the row moves down."""
        self._marshal(lambda: self._world.remove_message(self._find(conversation_uuid), message_uuid))

    def hide(self, conversation_uuid: str) -> None:
        """List it no more; whoever knows its UUID can read it, with `visible` false."""
        self._marshal(lambda: self._world.hide(self._find(conversation_uuid), hidden=True))

    def show(self, conversation_uuid: str) -> None:
        """List it again."""
        self._marshal(lambda: self._world.hide(self._find(conversation_uuid), hidden=False))

    def remove(self, conversation_uuid: str) -> None:
        """From now on it does not exist; where the list lags, it is listed a while longer."""
        self._marshal(lambda: self._world.remove(self._find(conversation_uuid)))

    def _find(self, uuid: str) -> "Conversation":
        return self._world.conversation(uuid, "updated")
