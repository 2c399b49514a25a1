"""Customers who write, correct themselves and take back what they said, as a seed has it."""

from random import Random

from ultracart_conversation.sandbox import Sandbox

_ACTS = ("write", "write", "write", "write", "chatter", "begin", "edit", "remove")


class Town:
    """Does one thing after the other in a sandbox, each of which the list of conversations shows in the end.

    An edit or a removal alone would show in no list, so something else is said after it. Both are of what was said
    last, which is read again with what follows, however long ago it was.
    """

    def __init__(self, sandbox: Sandbox, *, seed: int) -> None:
        self.removed: set[str] = set()
        self._sandbox = sandbox
        self._chance = Random(seed)
        self._said = 0

    def live(self, acts: int) -> None:
        """So many things happen."""
        for _ in range(acts):
            self.act(self._chance.choice(_ACTS))

    def act(self, what: str, *, conversation_uuid: str | None = None) -> None:
        """One thing happens, in a conversation that the seed picks."""
        uuid = conversation_uuid or self._chance.choice(sorted(self._sandbox.conversation_uuids))
        if what == "begin":
            self._sandbox.text(self._line(), phone=f"+1555{self._said:07}")
            return
        if what in {"edit", "remove"}:
            self._change(what, uuid)
        for _ in range(3 if what == "chatter" else 1):
            self._sandbox.customer(uuid).write(self._line())

    def _change(self, what: str, uuid: str) -> None:
        messages = self._sandbox.snapshot(uuid)["messages"]
        if not messages:
            return
        last: str = messages[-1]["conversation_message_uuid"]
        if what == "edit":
            self._sandbox.records.edit_message(uuid, last, f"{self._line()}, corrected")
        else:
            self._sandbox.records.remove_message(uuid, last)
            self.removed.add(last)

    def _line(self) -> str:
        self._said += 1
        return f"line {self._said}: where is my teapot?"
