"""Reading a list that moves while it is read."""

from collections.abc import Generator, Iterable

from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.requests import ListPage, Reply, page_in
from ultracart_conversation.models import ConversationsResponse, ConversationSummary, ResultSet

OVERLAP = 10
"""Rows read again on each next page, at most half of it, so that as many may vanish without hiding others."""


class ConversationList(Course[ListPage, ConversationSummary]):
    """Reads every conversation of the list once, as first seen, from newest to oldest.

    The list moves while it is read: rows that went down come again and are dropped, rows that went away are made up
    for by the overlap, and rows that went up are found when the top is read again at the end.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._seen: set[str] = set()
        super().__init__()

    def _steps(self) -> Generator[ListPage, Reply, None]:
        offset: int | None = 0
        last = 0
        while offset is not None:
            last = offset
            page = page_in((yield ListPage(offset, self._limit)))
            self._ready = unseen(page.conversations, self._seen)
            offset = next_offset(page, offset)
        while last:
            page = page_in((yield ListPage(0, self._limit)))
            self._ready = unseen(page.conversations, self._seen)
            last = len(self._ready)


def unseen(summaries: Iterable[ConversationSummary], seen: set[str]) -> list[ConversationSummary]:
    """The rows whose conversation is not in `seen`, which is updated; rows without a UUID are always new."""
    fresh: list[ConversationSummary] = []
    for summary in summaries:
        uuid = summary.conversation_uuid
        if uuid is None or uuid not in seen:
            fresh.append(summary)
        if uuid is not None:
            seen.add(uuid)
    return fresh


def next_offset(page: ConversationsResponse, offset: int) -> int | None:
    """Where the page after this one begins, with some rows in common; None when this was the last."""
    result_set = (page.metadata and page.metadata.result_set) or ResultSet()
    if not page.conversations or result_set.more is False:
        return None
    following = result_set.next_offset
    following = following if following is not None and following > offset else offset + len(page.conversations)
    return max(offset + 1, following - min(OVERLAP, len(page.conversations) // 2))
