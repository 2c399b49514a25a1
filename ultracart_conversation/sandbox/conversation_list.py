"""The list of conversations as it is asked for: filters, the cursor, pages, and the habits of the personality."""

from typing import TYPE_CHECKING

from . import wire
from .call import Call
from .dates import parse_seconds
from .envelope import Json, Refusal, envelope, result_set
from .listing import Rows
from .world import World

if TYPE_CHECKING:
    from .conversations import Conversation

MAX_LIMIT = 200
DEFAULT_LIMIT = 100


class ConversationList:
    """Answers `get_conversations`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, call: Call) -> Json:
        limit, offset = self._window(call)
        entries = _Entries(self._wanted(call), self._world.personality.repeats_every)
        page = [wire.row(self._world, row) for row in entries.page(offset, limit)]
        found = result_set("conversations", count=len(page), offset=offset, limit=limit, total=len(entries))
        if not self._world.personality.counts_rows:
            for name in ("more", "next_offset", "total_records"):
                found["result_set"].pop(name, None)
        return envelope("conversations", page, metadata=found)

    def _window(self, call: Call) -> tuple[int, int]:
        limit, offset = _page(call)
        personality = self._world.personality
        if personality.list_page_cap is not None:
            limit = min(limit, personality.list_page_cap)
        if personality.list_cap is not None and offset + limit > personality.list_cap:
            raise Refusal(400, f"_offset and _limit must not reach beyond {personality.list_cap}.")
        return limit, offset

    def _wanted(self, call: Call) -> Rows:
        rows = self._world.listed()
        if medium := call.query.get("medium"):
            rows = rows.of(medium)
        before = call.query.get("before")
        return self._before(rows, before) if before else rows

    def _before(self, rows: Rows, before: str) -> Rows:
        personality = self._world.personality
        if personality.before == "ignored":
            return rows
        end = _seconds(before) * 1000
        if personality.before == "time inclusive":
            end += 1000
        if personality.sorts_by == "last interactive":
            return rows.before(end)
        return rows.where(lambda row: row.last_interactive_ms < end)


class _Entries:
    """The rows, and after every so many of them the last one again."""

    def __init__(self, rows: Rows, every: int | None) -> None:
        self._rows = rows
        self._every = every

    def __len__(self) -> int:
        rows = len(self._rows)
        return rows if self._every is None else rows + rows // self._every

    def page(self, offset: int, limit: int) -> "list[Conversation]":
        every = self._every
        if every is None:
            return self._rows.page(offset, limit)
        places = [_place(entry, every) for entry in range(offset, min(offset + limit, len(self)))]
        if not places:
            return []
        rows = self._rows.page(places[0], places[-1] - places[0] + 1)
        return [rows[place - places[0]] for place in places]


def _place(entry: int, every: int) -> int:
    """Which row is listed at this place."""
    block, within = divmod(entry, every + 1)
    return block * every + min(within, every - 1)


def _page(call: Call) -> tuple[int, int]:
    limit = call.integer("_limit", DEFAULT_LIMIT)
    offset = call.integer("_offset", 0)
    if limit is None or not 0 < limit <= MAX_LIMIT:
        raise Refusal(400, f"_limit must be between 1 and {MAX_LIMIT}.")
    if offset is None or offset < 0:
        raise Refusal(400, "_offset must not be negative.")
    return limit, offset


def _seconds(text: str) -> int:
    try:
        return parse_seconds(text)
    except ValueError:
        raise Refusal(400, "before must be an ISO 8601 date.") from None
