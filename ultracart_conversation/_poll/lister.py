"""Listing what changed, and all that there is."""

import logging
from collections.abc import Sequence

from ultracart_conversation._poll.harvest import Harvest
from ultracart_conversation._sync.recent import Recent
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation.changes import Change
from ultracart_conversation.client import ConversationClient, answer
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import BadRequest, UltraCartError
from ultracart_conversation.models import ConversationsResponse, ConversationSummary

_logger = logging.getLogger("ultracart_conversation.poller")


class Lister:
    """Lists conversations for a roster; `rows` gets those of which something is to be read."""

    def __init__(self, roster: Roster, rows: Recent[str, ConversationSummary], *, clock: Clock) -> None:
        self.asked: int = 0
        """Requests that were made in all."""
        self._roster = roster
        self._rows = rows
        self._clock = clock
        self._walk = roster.walk()

    async def look(self, client: ConversationClient, harvest: Harvest) -> None:
        """List what changed since the last look, from the top."""
        sweep, rows = self._roster.sweep(now=self._clock.time()), list[ConversationSummary]()
        try:
            while (request := sweep.request) is not None:
                self.asked += 1
                rows += sweep.receive(await answer(client, request))
        except BadRequest:
            if sweep.request is None or not sweep.request.offset:
                raise
            # More changed than the service lists at once: what lies deeper may be within reach of another walk.
            self._walk = self._roster.walk_again()
        except UltraCartError:
            # Some of what changed is known, and the next look has to come as far again.
            self._take(rows, harvest)
            self._roster.glimpsed(rows)
            raise
        self._take(rows, harvest)
        self._roster.swept(sweep.mark)

    async def more(self, client: ConversationClient, harvest: Harvest) -> None:
        """List one more page of all that there is."""
        walk = self._walk
        request = walk.request
        if request is None:
            return
        self.asked += 1
        try:
            reply = await answer(client, request)
        except BadRequest as error:
            if walk.is_trying:
                reply = ConversationsResponse()
            elif request.offset:
                if not walk.place.is_rest:
                    _logger.warning("the service lists no more than %d conversations: %s", request.offset, error)
                walk.cut()
                self._roster.walked(walk.place)
                return
            else:
                raise
        self._take(walk.receive(reply), harvest)
        if not walk.is_trying:
            self._roster.walked(walk.place)

    def _take(self, rows: Sequence[ConversationSummary], harvest: Harvest) -> None:
        changed = self._roster.listed(rows, now=self._clock.time())
        harvest.rows += changed
        for row in changed:
            uuid = row.conversation_uuid or ""
            if self._roster.positions[uuid].owed is not None:
                self._rows.set(uuid, row)
            elif self._roster.mark is not None:
                harvest.changes.append(Change(conversation_uuid=uuid, kind="news", conversation=row))
