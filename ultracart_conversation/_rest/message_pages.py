"""Reading all messages of one conversation from a service that does not say how it cuts its pages.

Unknown of the service: whether `since` is inclusive, how many messages a page holds, and whether a page that is
cut keeps the oldest or the newest messages. What was learned is kept in a `PageShape` and serves the next reading.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import attrs

from ultracart_conversation.errors import IncompleteRead
from ultracart_conversation.models import Conversation, ConversationMessage

ReadSince = Callable[[int, int], Awaitable[tuple[ConversationMessage, ...]]]
"""Read messages since an epoch in milliseconds, at most so many."""
ReadWhole = Callable[[], Awaitable[Conversation]]
"""Read the conversation with as many of its messages as the service gives."""


@attrs.define
class PageShape:
    """What is known of this service's pages of messages."""

    largest: int = 0
    """The most messages that one page ever held."""
    inclusive: bool = False
    """Whether `since` was seen to include its own millisecond."""
    keeps_oldest: bool | None = None
    """Which end a page keeps when it is cut; None until seen."""


class MessagePages:
    """Reads the messages of one conversation since a moment, oldest first, each once."""

    def __init__(self, read_since: ReadSince, read_whole: ReadWhole, *, limit: int, shape: PageShape) -> None:
        self._read_since = read_since
        self._read_whole = read_whole
        self._limit = limit
        self._shape = shape
        self._seen: set[str] = set()

    async def since(self, since: int) -> AsyncGenerator[ConversationMessage, None]:
        """Messages with `message_epoch >= since` in milliseconds.

        Raises `IncompleteRead` before the first message when older ones are provably or possibly out of reach.
        """
        page, size = await self._page(since)
        if page and self._may_be_cut(size) and not await self._keeps_oldest(since, page):
            page, size = await self._filled(since, page, size), 0
        while page:
            following, size = await self._following(page[-1]) if self._may_be_cut(size) else ([], 0)
            # Messages of the page's last millisecond wait, as the next page may hold some that go before them.
            settled = _epoch(page[-1]) if following else _epoch(page[-1]) + 1
            for message in page:
                if _epoch(message) < settled:
                    yield message
            page = sorted([*(m for m in page if _epoch(m) >= settled), *following], key=_order)

    async def _page(self, since: int) -> tuple[list[ConversationMessage], int]:
        """The messages from `since` on that are new, in order, and the size of their page."""
        ask = self._ask(since)
        messages = await self._read_since(ask, self._limit)
        if ask < since and any(_epoch(message) == ask for message in messages):
            self._shape.inclusive = True
            return await self._page(since)
        self._shape.largest = max(self._shape.largest, len(messages))
        return self._new(messages, since), len(messages)

    def _ask(self, since: int) -> int:
        """What to ask for: until `since` is known to include its own millisecond, the one before it."""
        return since if self._shape.inclusive else since - 1

    async def _following(self, last: ConversationMessage) -> tuple[list[ConversationMessage], int]:
        since = _epoch(last)
        page, size = await self._page(since)
        if not page and self._may_be_cut(size):
            # A page full of one millisecond: no `since` gets past it.
            page = await self._filled(since, [], size)
        return page, size

    def _may_be_cut(self, size: int) -> bool:
        """Whether a page of that size may have been cut: a shorter one than this service can give was not."""
        return size >= min(self._limit, self._shape.largest)

    def _new(self, messages: Iterable[ConversationMessage], since: int) -> list[ConversationMessage]:
        fresh = {_key(message): message for message in messages if _epoch(message) >= since}
        fresh = {key: message for key, message in fresh.items() if key not in self._seen}
        self._seen |= fresh.keys()
        return sorted(fresh.values(), key=_order)

    async def _keeps_oldest(self, since: int, page: list[ConversationMessage]) -> bool:
        """Whether a cut page is known to keep the oldest messages, as a page of one shows."""
        if self._shape.keeps_oldest is None and _epoch(page[0]) < _epoch(page[-1]):
            probe = await self._read_since(self._ask(since), 1)
            self._shape.keeps_oldest = not probe or _epoch(probe[0]) <= _epoch(page[0])
        return self._shape.keeps_oldest is True

    async def _filled(self, since: int, page: list[ConversationMessage], size: int) -> list[ConversationMessage]:
        """`page` with the messages that its cut left out, from one read of the whole conversation."""
        whole = await self._read_whole()
        missing = self._new(whole.messages, since)
        reaches_back = any(_epoch(message) < since for message in whole.messages)
        counted = whole.message_count == len(whole.messages)
        agreed = not missing and size < self._limit
        if not (reaches_back or counted or agreed):
            raise IncompleteRead(
                f"conversation {whole.conversation_uuid}: the service gives its newest {len(whole.messages)} messages "
                f"and does not show that these are all since {since}: read it with a later `since`, or a larger `limit`"
            )
        return sorted([*missing, *page], key=_order)


def _epoch(message: ConversationMessage) -> int:
    return message.message_epoch or 0


def _key(message: ConversationMessage) -> str:
    return message.conversation_message_uuid or repr(message)


def _order(message: ConversationMessage) -> tuple[int, str]:
    return _epoch(message), _key(message)
