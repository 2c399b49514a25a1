"""Reading several conversations at the same time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

import anyio
import attrs

from ultracart_conversation._poll.harvest import Harvest
from ultracart_conversation._sync.known import Known
from ultracart_conversation._sync.reading import Reading
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation.client import ConversationClient, answer
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import (
    ApplicationDisabled,
    ArchiveError,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    NotFound,
    PermissionDenied,
    RateLimited,
    TransportError,
    UltraCartError,
)

if TYPE_CHECKING:
    from ultracart_conversation.models import ConversationSummary

FATAL = (ApplicationDisabled, ArchiveError, AuthenticationError, ConfigurationError, PermissionDenied)
"""What no repetition can mend."""
NOT_OF_ONE = (*FATAL, RateLimited, ConnectError)
"""What says nothing of the conversation that was read: others would fail likewise."""
_MOST_ROWS = 2_000
Recall = Callable[[str], Awaitable[Mapping[str, Known]]]
"""What was handed over of a conversation."""


@attrs.define
class _Round:
    """Conversations that are read at the same time."""

    client: Callable[[], ConversationClient]
    until: float
    back: float | None
    left: set[str]
    """Those that are not dealt with."""
    failed: dict[str, UltraCartError] = attrs.Factory(dict[str, UltraCartError])
    """Those whose own fault it may be."""
    failure: UltraCartError | None = None
    """Why others were not read."""


class Reader:
    """Reads conversations of a roster; one that alone cannot be read is left for later.

    Whose fault a failure is shows by comparison: where others can be read, it is the conversation's, at once if the
    service answered and at the third time in a row if its replies got lost. Where none can be read, nothing is held
    against any of them, and they are tried again as soon as one can.
    """

    def __init__(self, roster: Roster, recall: Recall, *, clock: Clock) -> None:
        self.rows: Recent[str, ConversationSummary] = Recent(_MOST_ROWS)
        """Rows that were listed and whose conversations are still to be read."""
        self.errors: dict[str, str] = {}
        """Why conversations could not be read when that was tried last."""
        self.asked: int = 0
        """Requests that were made in all."""
        self._failing: set[str] = set()
        self._begun: dict[str, Reading] = {}
        self._roster = roster
        self._recall = recall
        self._clock = clock

    async def read(
        self,
        client: Callable[[], ConversationClient],
        uuids: Sequence[str],
        harvest: Harvest,
        *,
        until: float = inf,
        back: float | None = None,
    ) -> None:
        """Read them all at the same time, each request by a `client` of its own; raises why none could be read.

        What was read is in `harvest`, even if cancelled; what was not is put back. Between two requests of a
        conversation it may be `until` by the clock: then it goes on from there another time.
        """
        reads = _Round(client, until, back, set(uuids))
        try:
            async with anyio.create_task_group() as group:
                for uuid in uuids:
                    group.start_soon(self._read, uuid, reads, harvest, name=f"read {uuid}")
            self._judge(reads, is_served=len(reads.left) < len(uuids))
        finally:
            for uuid in reads.left:
                self._roster.put_back(uuid)
        if reads.failure is not None:
            raise reads.failure

    async def _read(self, uuid: str, reads: _Round, harvest: Harvest) -> None:
        try:
            reading = self._begun.get(uuid) or await self._begin(uuid, reads.back)
            if not await self._go_on(reading, reads):
                return
        except NotFound:
            self._forget(uuid)
            harvest.changes.append(self._roster.gone(uuid))
        except NOT_OF_ONE as error:
            reads.failure = reads.failure or error
            return
        except UltraCartError as error:
            self._begun.pop(uuid, None)
            reads.failed[uuid] = error
            return
        else:
            self._close(reading, harvest)
        reads.left.discard(uuid)

    async def _begin(self, uuid: str, back: float | None) -> Reading:
        known = await self._recall(uuid)
        reading = self._roster.reading(uuid, known, now=self._clock.time(), row=self.rows.get(uuid), back=back)
        self._begun[uuid] = reading
        return reading

    async def _go_on(self, reading: Reading, reads: _Round) -> bool:
        """Read until there is no more, or no time; whether there is no more."""
        is_first = True
        while (request := reading.gap.request) is not None:
            if not is_first and self._clock.now() >= reads.until:
                return False
            is_first = False
            self.asked += 1
            reading.gap.receive(await answer(reads.client(), request))
        return True

    def _judge(self, reads: _Round, *, is_served: bool) -> None:
        now, roster = self._clock.time(), self._roster
        if is_served:
            for uuid in self._failing:
                roster.retry(uuid, now=now)
            self._failing.clear()
        elif reads.failure is not None:
            return
        self._failing |= {uuid for uuid in reads.failed if not roster.is_quarantined(uuid)}
        counts = is_served or len(self._failing) == 1
        for uuid, error in reads.failed.items():
            reads.left.discard(uuid)
            self.errors[uuid] = str(error)
            if roster.is_quarantined(uuid) or (is_served and not isinstance(error, TransportError)):
                roster.failed(uuid, now=now)
            else:
                roster.suspected(uuid, now=now, counts=counts)
                reads.failure = reads.failure or (None if is_served else error)

    def _forget(self, uuid: str) -> None:
        self._begun.pop(uuid, None)
        self.errors.pop(uuid, None)
        self.rows.drop(uuid)

    def _close(self, reading: Reading, harvest: Harvest) -> None:
        change = self._roster.close(reading, now=self._clock.time())
        if reading.gap.unproven is None or reading.gap.lagging:
            self._forget(reading.uuid)
        else:
            del self._begun[reading.uuid]
            self.errors[reading.uuid] = reading.gap.unproven
        if change is not None:
            harvest.changes.append(change)
