"""Reading all messages of one conversation from a service that does not say how it cuts its pages.

Unknown of the service: whether `since` is inclusive, how many messages a page holds, and whether a page that is
cut keeps the oldest or the newest messages. What was learned is kept in a `PageShape` and serves the next reading.
"""

from collections.abc import Generator, Iterable

from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.message_order import epoch_of, key_of, order_of
from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.requests import (
    Messages,
    ReadSince,
    ReadWhole,
    Reply,
    Request,
    conversation_in,
    messages_in,
)
from ultracart_conversation._sync.tip import tip_of
from ultracart_conversation.errors import IncompleteRead
from ultracart_conversation.models import Conversation, ConversationMessage

_Page = tuple[list[ConversationMessage], int]
"""The messages that are new, in order, and the size of the page that brought them."""


class MessagePages(Course[Request, ConversationMessage]):
    """Reads the messages of one conversation with `message_epoch >= since`, oldest first, each once.

    `receive` gives the messages whose place in the order is settled. It raises `IncompleteRead` before the first
    message when older ones are provably or possibly out of reach. `tip` is the last message, where that is known.
    """

    def __init__(
        self, conversation_uuid: str, since: int, *, limit: int, shape: PageShape, tip: bytes | None = None
    ) -> None:
        self.seen: dict[str, ConversationMessage] = {}
        """Every message read so far, by its key; also when `receive` raises."""
        self.whole: Conversation | None = None
        """The conversation, where reading all of it was needed."""
        self._uuid = conversation_uuid
        self._since = since
        self._limit = limit
        self._shape = shape
        self._tip = tip
        super().__init__()

    def _steps(self) -> Generator[Request, Reply, None]:
        since = self._since
        page, size = yield from self._page(since)
        if page and self._may_be_cut(size) and not (yield from self._keeps_oldest(since, page)):
            page, size = (yield from self._filled(since, page, size)), 0
        while page:
            cut = self._may_be_cut(size) and not self._ends_with_tip(page)
            following, size = (yield from self._following(page[-1])) if cut else ([], 0)
            # Messages of the page's last millisecond wait, as the next page may hold some that go before them.
            settled = epoch_of(page[-1]) if following else epoch_of(page[-1]) + 1
            self._ready += [message for message in page if epoch_of(message) < settled]
            page = sorted([*(m for m in page if epoch_of(m) >= settled), *following], key=order_of)

    def _ask(self, since: int, limit: int) -> Generator[Request, Reply, Messages]:
        return messages_in((yield ReadSince(self._uuid, since, limit)))

    def _page(self, since: int) -> Generator[Request, Reply, _Page]:
        """The messages from `since` on that are new."""
        asked = self._asked(since)
        messages = yield from self._ask(asked, self._limit)
        if asked < since and any(epoch_of(message) == asked for message in messages):
            self._shape.inclusive = True
            return (yield from self._page(since))
        self._shape.largest = max(self._shape.largest, len(messages))
        return self._new(messages, since), len(messages)

    def _asked(self, since: int) -> int:
        """What to ask for: until `since` is known to include its own millisecond, the one before it (0 has none)."""
        return since if self._shape.inclusive else max(0, since - 1)

    def _following(self, last: ConversationMessage) -> Generator[Request, Reply, _Page]:
        since = epoch_of(last)
        page, size = yield from self._page(since)
        if not page and self._may_be_cut(size):
            # A page full of one millisecond: no `since` gets past it.
            page = yield from self._filled(since, [], size)
        return page, size

    def _may_be_cut(self, size: int) -> bool:
        """Whether a page of that size may have been cut: a shorter one than this service can give was not."""
        return size >= min(self._limit, self._shape.largest)

    def _ends_with_tip(self, page: list[ConversationMessage]) -> bool:
        """Whether the conversation's last message, where that is known, is in a page that keeps the oldest."""
        return self._tip is not None and self._shape.keeps_oldest is True and tip_of(page) == self._tip

    def _new(self, messages: Iterable[ConversationMessage], since: int) -> list[ConversationMessage]:
        fresh = {key_of(message): message for message in messages if epoch_of(message) >= since}
        fresh = {key: message for key, message in fresh.items() if key not in self.seen}
        self.seen |= fresh
        return sorted(fresh.values(), key=order_of)

    def _keeps_oldest(self, since: int, page: list[ConversationMessage]) -> Generator[Request, Reply, bool]:
        """Whether a cut page is known to keep the oldest messages, as a page of one shows."""
        if self._shape.keeps_oldest is None and epoch_of(page[0]) < epoch_of(page[-1]):
            probe = yield from self._ask(self._asked(since), 1)
            self._shape.keeps_oldest = not probe or epoch_of(probe[0]) <= epoch_of(page[0])
        return self._shape.keeps_oldest is True

    def _filled(
        self, since: int, page: list[ConversationMessage], size: int
    ) -> Generator[Request, Reply, list[ConversationMessage]]:
        """`page` with the messages that its cut left out, from one read of the whole conversation."""
        whole = self.whole = conversation_in((yield ReadWhole(self._uuid)))
        missing = self._new(whole.messages, since)
        reaches_back = any(epoch_of(message) < since for message in whole.messages)
        count = whole.message_count or 0
        # Both may be cut at the same number, which only a count of more shows.
        agreed = not missing and size < self._limit and count <= len(whole.messages)
        if not (reaches_back or count == len(whole.messages) or agreed):
            raise IncompleteRead(
                f"conversation {whole.conversation_uuid}: the service gives its newest {len(whole.messages)} messages "
                f"and does not show that these are all since {since}: read it with a later `since`, or a larger `limit`"
            )
        return sorted([*missing, *page], key=order_of)
