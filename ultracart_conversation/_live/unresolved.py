"""Conversations that are not proven to be complete: told once, and read again until they are. Pure."""

from ultracart_conversation._live.agenda import Agenda
from ultracart_conversation._live.deliveries import Delivery, Moment
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation.config import Sweeping
from ultracart_conversation.events import GapClosed, GapUnresolved

_PATIENCE = 3
"""Times that a service may fail to show by REST what it pushed until that is called a gap."""


class Unresolved:
    """Those of which the consumers were told; `agenda` is where they are put down to be read again."""

    def __init__(self, agenda: Agenda, *, sweeping: Sweeping) -> None:
        self._agenda = agenda
        self._sweeping = sweeping
        self._told: set[str] = set()
        self._fruitless: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._told)

    def progress(self, uuid: str) -> None:
        """Something of this conversation was read that was not known, or proven, before."""
        self._fruitless.pop(uuid, None)

    def read(self, reading: GapReading, count: int, moment: Moment) -> list[Delivery]:
        """Say that a conversation is not proven to be complete, or that it is again, with `count` messages found."""
        uuid = reading.track.uuid
        if reading.unproven is None:
            closed = GapClosed(conversation_uuid=uuid, count=count, received_at=moment.at)
            return [Delivery(closed)] if self.forget(uuid) else []
        tries = self._fruitless[uuid] = self._fruitless.get(uuid, 0) + 1
        again = min(self._sweeping.settle * 2 ** min(tries - 1, 10), self._sweeping.interval)
        self._agenda.settle(uuid, moment.now, after=again, at_most=again)
        if reading.lagging and tries < _PATIENCE:
            return []
        return self._tell(uuid, reading.unproven, moment)

    def failed(self, uuid: str, reason: str, moment: Moment) -> list[Delivery]:
        """Say that a conversation cannot be read."""
        self._agenda.settle(uuid, moment.now, after=self._sweeping.interval, at_most=self._sweeping.interval)
        return self._tell(uuid, reason, moment)

    def forget(self, uuid: str) -> bool:
        """Nothing of this conversation is in doubt any more; whether it was."""
        self._fruitless.pop(uuid, None)
        was_told = uuid in self._told
        self._told.discard(uuid)
        return was_told

    def _tell(self, uuid: str, reason: str, moment: Moment) -> list[Delivery]:
        if uuid in self._told:
            return []
        self._told.add(uuid)
        return [Delivery(GapUnresolved(conversation_uuid=uuid, reason=reason, received_at=moment.at))]
