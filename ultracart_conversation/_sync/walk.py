"""Listing all that there is, however long that takes and however often it is interrupted."""

from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import attrs

from ultracart_conversation._sync.conversation_list import OVERLAP, next_offset, unseen
from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.requests import ListPage, Reply, page_in
from ultracart_conversation._sync.sweep import is_older
from ultracart_conversation.models import ConversationSummary

_Rows = tuple[ConversationSummary, ...]
_SECOND = timedelta(seconds=1)


@attrs.frozen
class Place:
    """Where a walk stands: the next page, and whether `before` is known to begin a page anywhere."""

    offset: int = 0
    before: str | None = None
    by_time: bool | None = None
    """Whether `before` gives the conversations before a time; None until tried."""
    listed: int = 0
    """How many rows were given."""
    is_rest: bool = False
    """Whether only conversations without a time are left."""
    is_end: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """What `to_dict` gave; raises `TypeError` for anything else."""
        return cls(**data)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can say it."""
        return attrs.asdict(self)


class Walk(Course[ListPage, ConversationSummary]):
    """Lists all conversations from newest to oldest, each once, down to those that ended before `since`.

    Pages overlap, as rows go away while they are read; where a page shows again no row of the one before, more rows
    went away than that, and it goes back, once for each place. Pages of one row do not overlap, and rows without a UUID
    show nothing of the kind. Rows that move up meanwhile are for a sweep to find. Where `before` turns out to give the
    conversations before a time (inferred), pages are cut by it, which rows that move do not disturb and which has no
    end at the 10,000 rows that a search engine may give at most.
    """

    def __init__(
        self,
        place: Place,
        *,
        is_known: Callable[[str], bool],
        since: int | None = None,
        limit: int = 200,
        medium: str | None = None,
    ) -> None:
        self.place = place
        """Where another walk may go on, once what this one gave so far was kept."""
        self.is_trying: bool = False
        """Whether the request only tries how the service takes `before`; an empty page says that it does not."""
        self._is_known = is_known
        self._since = since
        self._limit = limit
        self._medium = medium
        self._seen: set[str] = set()
        self._shared: set[str | None] | None = None
        """What the next page shows again, unless it went away; None where that is unknown."""
        self._back = 0
        """By how many rows it went back to find a page that it knows; 0 once it did."""
        self._mended = 0
        """The offset from which it went back before, and does not again."""
        super().__init__()

    def _steps(self) -> Generator[ListPage, Reply, None]:
        while not self.place.is_end:
            page = page_in((yield self._page()))
            rows = page.conversations
            if self._is_torn(rows):
                self._go_back(rows)
                continue
            self._back = 0
            self._give(rows)
            following = next_offset(page, self.place.offset)
            if self._is_over(rows) or following is None:
                self._end(is_over=self._is_over(rows))
                continue
            if self.place.by_time is None:
                yield from self._try(rows)
            self._step(rows, following)

    def cut(self) -> None:
        """The service lists nothing that lies so deep."""
        self.place = attrs.evolve(self.place, is_end=True)
        self._request = None

    def _page(self) -> ListPage:
        return ListPage(self.place.offset, self._limit, self.place.before, self._medium)

    def _give(self, rows: _Rows) -> None:
        fresh = unseen(rows, self._seen)
        self._ready += fresh
        self.place = attrs.evolve(self.place, listed=self.place.listed + len(fresh))

    def _end(self, *, is_over: bool) -> None:
        if self.place.before is None or is_over:
            self.place = attrs.evolve(self.place, is_end=True)
        else:
            # Rows without a time are before no time: what is left after as many rows as there were.
            rest = max(0, self.place.listed - OVERLAP)
            self._move(attrs.evolve(self.place, offset=rest, before=None, is_rest=True))

    def _step(self, rows: _Rows, following: int) -> None:
        before = _just_after(rows) if self.place.by_time and not self.place.is_rest else None
        if before is None or before == self.place.before:
            self._shared = {row.conversation_uuid for row in rows[following - self.place.offset :]} - {None}
            self.place = attrs.evolve(self.place, offset=following)
        else:
            self._move(attrs.evolve(self.place, offset=0, before=before))

    def _move(self, place: Place) -> None:
        """Go on where offsets mean other rows."""
        self.place, self._shared, self._mended = place, None, 0

    def _try(self, rows: _Rows) -> Generator[ListPage, Reply, None]:
        """Find out whether `before` cuts off what is newer, and nothing else."""
        before = _just_after(rows)
        edge = {row.conversation_uuid for row in rows if _just_after([row]) == before}
        newer = {row.conversation_uuid for row in rows} - edge
        if before is None or not newer:
            return
        self.is_trying = True
        page = page_in((yield ListPage(0, self._limit, before, self._medium))).conversations
        self.is_trying = False
        shown = {row.conversation_uuid for row in page}
        self.place = attrs.evolve(self.place, by_time=edge <= shown and not newer & shown)

    def _is_torn(self, rows: _Rows) -> bool:
        """Whether rows are missing between this page and those before it, for which it did not go back yet."""
        if not self.place.offset or not (self._back or self.place.offset > self._mended):
            return False
        uuids = [row.conversation_uuid for row in rows[:OVERLAP]]
        if any(uuid in self._seen or self._is_known(uuid) for uuid in uuids if uuid is not None):
            return False
        return (not rows or any(uuids)) if self._shared is None else bool(self._shared)

    def _go_back(self, rows: _Rows) -> None:
        """By half a page, and by twice as much each time that this is not enough."""
        self._back = 2 * self._back or max(1, len(rows) // 2)
        self._mended, self._shared = max(self._mended, self.place.offset), None
        self.place = attrs.evolve(self.place, offset=max(0, self.place.offset - self._back))

    def _is_over(self, rows: _Rows) -> bool:
        return self._since is not None and bool(rows) and all(is_older(row, self._since) for row in rows)


def _just_after(rows: Iterable[ConversationSummary]) -> str | None:
    """The second after the last row, as `before` may take it."""
    times = [row.last_interactive_message_dts or row.last_message_dts for row in rows]
    last: datetime | None = times[-1] if times else None
    return None if last is None else (last + _SECOND).isoformat()
