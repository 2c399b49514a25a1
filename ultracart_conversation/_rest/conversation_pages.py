"""Reading a list that moves while it is read."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator

from ultracart_conversation.models import ConversationsResponse, ConversationSummary, ResultSet

OVERLAP = 10
"""Rows read again on each next page, so that as many may vanish in between without hiding others."""

ListPage = Callable[[int], Awaitable[ConversationsResponse]]
"""Read the page of conversations at an offset."""


async def each_conversation(list_page: ListPage) -> AsyncGenerator[ConversationSummary, None]:
    """Every conversation of the list once, as first seen, from newest to oldest.

    The list moves while it is read: rows that went down come again and are dropped, rows that went away are
    made up for by the overlap, and rows that went up are found when the top is read again at the end.
    """
    seen: set[str] = set()
    offset = 0
    while True:
        page = await list_page(offset)
        for summary in _unseen(page.conversations, seen):
            yield summary
        following = _next_offset(page, offset)
        if following is None:
            break
        offset = max(offset + 1, following - OVERLAP)
    while offset:
        fresh = list(_unseen((await list_page(0)).conversations, seen))
        for summary in fresh:
            yield summary
        offset = len(fresh)


def _unseen(summaries: Iterable[ConversationSummary], seen: set[str]) -> Iterator[ConversationSummary]:
    for summary in summaries:
        uuid = summary.conversation_uuid
        if uuid is None or uuid not in seen:
            if uuid is not None:
                seen.add(uuid)
            yield summary


def _next_offset(page: ConversationsResponse, offset: int) -> int | None:
    result_set = (page.metadata and page.metadata.result_set) or ResultSet()
    if not page.conversations or result_set.more is False:
        return None
    following = result_set.next_offset
    return following if following is not None and following > offset else offset + len(page.conversations)
