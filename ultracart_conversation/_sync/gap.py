"""Closing the gap in one conversation: reading it until nothing can be missing, or saying why that is not shown."""

from collections.abc import Generator, Iterable

from ultracart_conversation._sync.course import Course
from ultracart_conversation._sync.message_order import epoch_of, key_of
from ultracart_conversation._sync.message_pages import MessagePages
from ultracart_conversation._sync.page_shape import PageShape
from ultracart_conversation._sync.requests import ReadWhole, Reply, Request, conversation_in
from ultracart_conversation._sync.track import Track
from ultracart_conversation.errors import IncompleteRead
from ultracart_conversation.models import Conversation, ConversationMessage

LIMIT = 200


class GapReading(Course[Request, ConversationMessage]):
    """Reads what a conversation has since its watermark, or since an earlier epoch.

    It is complete when the pages prove so, every message that is known came back, and no more are counted than were
    found; one read of the whole conversation settles what the pages leave open. What was read is in `messages`.
    """

    def __init__(
        self,
        track: Track,
        shape: PageShape,
        *,
        now: int,
        counted: int | None = None,
        since: int | None = None,
        tip: bytes | None = None,
    ) -> None:
        self.track = track
        self.counted = counted
        """How many messages the list says there are, or the conversation, which is newer; None when not asked."""
        self.messages: dict[str, ConversationMessage] = {}
        """All that was read, by key."""
        self.unproven: str | None = None
        """Why this is not known to be all, in words; None when it is."""
        self.lagging: bool = False
        """Whether all is proven but that the service does not show its latest pushes yet."""
        self.removed: set[str] = set()
        """The messages, by key, that were there before and are not any more."""
        self._shape = shape
        self._now = now
        self._tip = tip
        self._since = track.since if since is None else max(track.floor, min(track.since, since))
        self._anchors = track.anchors(self._since)
        self._whole: Conversation | None = None
        super().__init__()

    @property
    def through(self) -> int:
        """The latest epoch that was read, leaving out those that are yet to come."""
        return max((epoch for epoch in map(epoch_of, self.messages.values()) if epoch <= self._now), default=0)

    def _steps(self) -> Generator[Request, Reply, None]:
        try:
            yield from self._read_pages(self._since)
            if self._holes() or self._miscounted():
                yield from self._read_whole()
        except IncompleteRead as error:
            self.unproven = str(error)
            return
        # What even the whole conversation lacks, among what is older than the newest of it, was removed.
        self.removed = self._holes()
        self.track.forget(self.removed)
        if self._lacking():
            self.unproven, self.lagging = "the service does not yet show by REST what it pushed", True

    def _read_pages(self, since: int) -> Generator[Request, Reply, None]:
        pages = MessagePages(self.track.uuid, since, limit=LIMIT, shape=self._shape, tip=self._tip)
        try:
            while (request := pages.request) is not None:
                pages.receive((yield request))
        finally:
            self.messages |= pages.seen
            self._whole = pages.whole or self._whole

    def _read_whole(self) -> Generator[Request, Reply, None]:
        whole = self._whole or conversation_in((yield ReadWhole(self.track.uuid)))
        before = self._fresh()
        self._add(whole.messages)
        if self._miscounted() and not self._is_exact(whole):
            if not self._reaches_back(whole):
                yield from self._read_all_pages()
            self._judge(whole, found=self._fresh() > before)

    def _read_all_pages(self) -> Generator[Request, Reply, None]:
        try:
            yield from self._read_pages(self.track.floor)
        except IncompleteRead:
            # Whether the count is right cannot be found out, so that it proves nothing another time either.
            self._shape.counts = False
            raise

    def _judge(self, whole: Conversation, *, found: bool) -> None:
        """What the count of the list is worth, which counted more than the conversation itself has."""
        there = len(whole.messages)
        if whole.message_count != there:
            self._shape.counts = found
        elif there >= self._total - len(self._holes()):
            # The list was older: what it counted besides is not there any more.
            self.counted = there

    def _add(self, messages: Iterable[ConversationMessage]) -> None:
        self.messages |= {key_of(each): each for each in messages if epoch_of(each) >= self.track.floor}

    def _is_exact(self, whole: Conversation) -> bool:
        """Whether the count is true, so that what it counts besides is older than what is followed."""
        return (self.counted or 0) <= (whole.message_count or 0) == len(whole.messages)

    def _reaches_back(self, whole: Conversation) -> bool:
        return any(0 < epoch_of(message) < self.track.floor for message in whole.messages)

    def _lacking(self) -> set[str]:
        """The known messages that did not come back."""
        return {key for key in self._anchors - self.messages.keys() if self.track.known[key].epoch > 0}

    def _holes(self) -> set[str]:
        """Those that a complete read would have: others may be too new for a service that lags behind its pushes."""
        newest = max(self.through, self.track.watermark + 1)
        return {key for key in self._lacking() if self.track.known[key].epoch < newest}

    def _miscounted(self) -> bool:
        """Whether more messages are counted than are found: some may have come late, below the watermark."""
        if self.counted is None or self.track.count is None or not self._shape.counts:
            return False
        return self.counted > self._total

    @property
    def _total(self) -> int:
        """How many messages are known, with those that were read now."""
        return (self.track.count or 0) + self.track.taken + self._fresh()

    def _fresh(self) -> int:
        return len(self.messages.keys() - self.track.known.keys())
