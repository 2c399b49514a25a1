"""Finding out which conversations changed, from the top of a list that moves while it is read."""

from collections.abc import Callable, Generator

from ultracart_conversation._sync.conversation_list import next_offset, unseen
from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.digest import digest
from ultracart_conversation._sync.message_order import second_of
from ultracart_conversation._sync.requests import ListPage, Reply, page_in
from ultracart_conversation.models import ConversationSummary

_REST_OF_A_SECOND = 999
SLACK = 120_000
"""Milliseconds below the mark down to which rows may still move: lists may lag behind what they list (inferred)."""


class Sweep(Course[ListPage, ConversationSummary]):
    """Lists conversations from the newest down to where nothing can have changed since the mark.

    It gives each row once, and ends with a page that is old to its last row and whose second half did not change. In
    the end `mark` is the next sweep's; it is taken from the first page as read at the start, so that what moves up
    meanwhile is found next time. Without a mark one page is read, to have one. Which time sorts the list is unknown, so
    a row counts as old only when all its times are. A time later than `now`, such as that of a message to be sent
    tomorrow, would make all that comes before it old: where the first page shows no other, the mark is `now`.
    """

    def __init__(
        self,
        *,
        mark: int | None,
        now: int,
        unchanged: Callable[[ConversationSummary], bool],
        limit: int = 200,
        medium: str | None = None,
    ) -> None:
        self.mark = mark
        """A server's time in milliseconds since 1970."""
        self._floor = None if mark is None else mark - SLACK
        self._limit = limit
        self._medium = medium
        self._now = now
        self._unchanged = unchanged
        super().__init__()

    def _steps(self) -> Generator[ListPage, Reply, None]:
        seen: set[str] = set()
        offset: int | None = 0
        while offset is not None:
            page = page_in((yield ListPage(offset, self._limit, medium=self._medium)))
            if offset == 0:
                self.mark = max(self.mark or 0, self._newest(page.conversations))
            self._ready = unseen(page.conversations, seen)
            if self._floor is None or self._is_settled(page.conversations, self._floor):
                return
            offset = next_offset(page, offset)

    def _newest(self, rows: tuple[ConversationSummary, ...]) -> int:
        """The newest time that has come by `now`, or `now` where all come later; 0 where there is none."""
        times = [time for time in map(earliest, rows) if time is not None]
        return max((time for time in times if time <= self._now), default=self._now if times else 0)

    def _is_settled(self, rows: tuple[ConversationSummary, ...], floor: int) -> bool:
        """Whether nothing below these rows can have changed: the last is old, and so many of them did not."""
        last = rows[len(rows) // 2 :]
        return bool(last) and is_older(last[-1], floor) and all(map(self._unchanged, last))


def is_older(row: ConversationSummary, floor: int) -> bool:
    """Whether the seconds that a row's times stand for all end before `floor` in milliseconds; no times never do."""
    newest = latest(row)
    return newest is not None and newest + _REST_OF_A_SECOND < floor


def latest(row: ConversationSummary) -> int | None:
    """The latest time that a list may have sorted the row by, in milliseconds since 1970, to the second."""
    return max(_times(row), default=None)


def earliest(row: ConversationSummary) -> int | None:
    """The earliest time that a list may have sorted the row by, in milliseconds since 1970, to the second."""
    return min(_times(row), default=None)


def _times(row: ConversationSummary) -> list[int]:
    spoken = [row.last_message_dts, row.last_interactive_message_dts]
    times = [time for time in spoken if time is not None] or [time for time in [row.start_dts] if time is not None]
    return [second_of(time) for time in times]


def digest_of(row: ConversationSummary) -> bytes:
    """What a row says, in 8 bytes: another digest means that it changed."""
    return digest(row.to_dict())
