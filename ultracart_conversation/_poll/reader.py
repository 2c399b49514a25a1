"""Reading several conversations at the same time."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
import attrs

from ultracart_conversation._sync.known import Known
from ultracart_conversation._sync.reading import Reading
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation.changes import Change
from ultracart_conversation.client import ConversationClient, carry_out
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
from ultracart_conversation.models import ConversationSummary

FATAL = (ApplicationDisabled, ArchiveError, AuthenticationError, ConfigurationError, PermissionDenied)
"""What no repetition can mend."""
_NOT_OF_ONE = (*FATAL, RateLimited, TransportError)
"""What says nothing of the conversation that was read: others would fail likewise."""
_MOST_LOST = 3
"""Replies of one conversation that may get lost in a row before that is taken for a fault of its own."""
_MOST_ROWS = 2_000
Recall = Callable[[str], Awaitable[Mapping[str, Known]]]
"""What was handed over of a conversation."""


@attrs.define
class Harvest:
    """What was found and is not kept yet."""

    rows: list[ConversationSummary] = attrs.Factory(list[ConversationSummary])
    changes: list[Change] = attrs.Factory(list[Change])
    asked: int = 0
    """Requests that were made."""
    failure: UltraCartError | None = None
    """Why not all of it was read, where that is not the fault of one conversation."""


class Reader:
    """Reads conversations of a roster; one that alone cannot be read is left for later."""

    def __init__(self, roster: Roster, recall: Recall, *, time: Callable[[], float]) -> None:
        self.rows: Recent[str, ConversationSummary] = Recent(_MOST_ROWS)
        """Rows that were listed and whose conversations are still to be read."""
        self.errors: dict[str, str] = {}
        """Why conversations could not be read when that was tried last."""
        self._lost: Counter[str] = Counter()
        self._roster = roster
        self._recall = recall
        self._time = time

    async def read(
        self, client: ConversationClient, uuids: Sequence[str], harvest: Harvest, *, back: float | None = None
    ) -> None:
        """Read them all at the same time; what was not read is put back, what was is in `harvest` even if cancelled."""
        left = set(uuids)
        try:
            async with anyio.create_task_group() as group:
                for uuid in uuids:
                    group.start_soon(self._read, client, uuid, back, harvest, left, name=f"read {uuid}")
        finally:
            for uuid in left:
                self._roster.put_back(uuid)

    async def _read(
        self, client: ConversationClient, uuid: str, back: float | None, harvest: Harvest, left: set[str]
    ) -> None:
        reading: Reading | None = None
        try:
            known = await self._recall(uuid)
            row = self.rows.get(uuid)
            reading = self._roster.reading(uuid, known, now=self._time(), row=row, back=back)
            await carry_out(client, reading.gap)
        except NotFound:
            harvest.changes.append(self._roster.gone(uuid))
        except _NOT_OF_ONE as error:
            if not self._is_its_own(uuid, error):
                harvest.failure = harvest.failure or error
                return
            self._fail(uuid, error)
        except UltraCartError as error:
            self._fail(uuid, error)
        else:
            self._close(reading, harvest)
        finally:
            harvest.asked += 0 if reading is None else reading.gap.asked + (reading.gap.request is not None)
        left.discard(uuid)

    def _is_its_own(self, uuid: str, error: UltraCartError) -> bool:
        """Whether replies get lost wherever this conversation is read, while others come."""
        if not isinstance(error, TransportError) or isinstance(error, ConnectError):
            return False
        self._lost[uuid] += 1
        return self._lost[uuid] >= _MOST_LOST

    def _fail(self, uuid: str, error: UltraCartError) -> None:
        self.errors[uuid] = str(error)
        self._roster.failed(uuid, now=self._time())

    def _close(self, reading: Reading, harvest: Harvest) -> None:
        del self._lost[reading.uuid]
        change = self._roster.close(reading, now=self._time())
        if reading.gap.unproven is not None and not reading.gap.lagging:
            self.errors[reading.uuid] = reading.gap.unproven
        else:
            self.errors.pop(reading.uuid, None)
            self.rows.drop(reading.uuid)
        if change is not None:
            harvest.changes.append(change)
