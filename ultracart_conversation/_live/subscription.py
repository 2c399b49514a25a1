"""One consumer of a session's events."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from math import inf
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
import attrs

from ultracart_conversation._live.deliveries import Delivery
from ultracart_conversation._live.feed import Feed, Overflow, Owed
from ultracart_conversation._live.timing import wait_at_most, within
from ultracart_conversation._sync.pending import Pending
from ultracart_conversation.clock import Clock
from ultracart_conversation.errors import NotFound, SessionClosed, SessionError, UltraCartError
from ultracart_conversation.events import ConsumerSlow, Event, GapUnresolved

E = TypeVar("E")
Reread = Callable[[str, Feed], Awaitable[tuple[Iterable[Event], Owed | None]]]
"""Read a conversation again for the consumer of a feed: events that it has room for, and what is still owed."""
_logger = logging.getLogger("ultracart_conversation.session")
_PAUSE = 5.0
"""Seconds until messages that could not be read again are tried once more; each time in vain doubles them."""
_LONGEST_PAUSE = 300.0


@attrs.frozen(kw_only=True)
class ConsumerStatistics:
    """How one consumer keeps up."""

    waiting: int
    """Events that wait for it."""
    maxsize: int
    taken: int
    """Events that it took, in all."""
    dropped: int
    """Events that it lost because it was slow, in all."""
    owed: int
    """Conversations that will be read again for it by REST."""


class Subscription:
    """Events of a session for one consumer: iterate over it, in one task at a time.

    Use it as an async context manager, so that it ends when the consumer does. Iteration ends when the session does,
    after the last event, and raises what ended the session if that was an error.
    """

    def __init__(
        self,
        *,
        maxsize: int,
        overflow: Overflow,
        clock: Clock,
        reread: Reread,
        on_take: Callable[[], None],
        on_close: Callable[["Subscription"], None],
    ) -> None:
        self._feed = Feed(maxsize=maxsize, overflow=overflow)
        self._clock = clock
        self._reread = reread
        self._on_take = on_take
        self._on_close = on_close
        self._bell = anyio.Event()
        self._full_since: float | None = None
        self._slow_told = False
        self._repay_at = -inf
        self._fruitless = 0
        self._started = False
        self._taking = False
        self._ended = False
        self._failure: UltraCartError | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        return await self._next(inf)

    def events(self, *kinds: type[E]) -> AsyncIterator[E]:
        """Only events of these classes; the others are passed over."""
        return _Only(self, kinds)

    async def next(self, kind: type[E], *, timeout: float | None = None) -> E:  # noqa: ASYNC109 - by the session's clock
        """The next event of this class, passing over others; raises `TimeoutError` after `timeout` seconds."""

        until = inf if timeout is None else self._clock.now() + timeout
        while True:
            try:
                event = await self._next(until)
            except StopAsyncIteration:
                raise SessionClosed(f"the session ended before there was a {kind.__name__}") from None
            if isinstance(event, kind):
                return event

    def statistics(self) -> ConsumerStatistics:
        """How this consumer keeps up."""
        feed = self._feed
        return ConsumerStatistics(
            waiting=len(feed), maxsize=feed.maxsize, taken=feed.taken, dropped=feed.dropped, owed=len(feed.owed)
        )

    def close(self) -> None:
        """Want no more events, not even those that wait."""
        self._on_close(self)
        self._feed.clear()
        self._end(None)

    # What the session does with it

    def offer(self, delivery: Delivery) -> None:
        """Keep an event for the consumer; never waits."""
        self._feed.offer(delivery.event, delivery.number)
        if self._feed.is_full and self._full_since is None:
            self._full_since = self._clock.now()
        self._bell.set()

    def finish(self, failure: UltraCartError | None) -> None:
        """The session is over: what waits may still be taken."""
        self._feed.end(self._utc())
        self._end(failure)

    def is_stuck(self, patience: float) -> bool:
        """Whether it asked for nothing for so many seconds although it is full."""
        if self._taking or self._full_since is None:
            return False
        return self._clock.now() - self._full_since >= patience

    @property
    def has_started(self) -> bool:
        """Whether anybody ever read from it."""
        return self._started

    def unconfirmed(self) -> Mapping[str, Pending]:
        """Messages that the consumer has not dealt with."""
        return self._feed.unconfirmed()

    async def _next(self, until: float) -> Event:
        if self._taking:
            raise SessionError("these events are being read by another task already: give each its own subscribe()")
        self._started = self._taking = True
        try:
            return await self._find(until)
        finally:
            self._taking = False

    async def _find(self, until: float) -> Event:
        """The next event, or `TimeoutError`. It is taken last of all, so that no cancellation can lose it."""
        while True:
            self._bell = anyio.Event()
            uuid = None if self._clock.now() >= until else self._due()
            event = self._take() if uuid is None else self._tell()
            if event is not None:
                return event
            if self._ended:
                self._raise_end()
            if self._clock.now() >= until:
                raise TimeoutError
            if uuid is not None:
                await self._repay(uuid, until)
            else:
                await self._wait(until)

    def _tell(self) -> Event | None:
        """Say once, while it lasts, that the consumer is slow."""
        if self._full_since is None or self._slow_told:
            return None
        self._slow_told = True
        return ConsumerSlow(dropped=self._feed.lost(), owed=len(self._feed.owed), received_at=self._utc())

    def _take(self) -> Event | None:
        told = self._tell()
        if told is not None:
            return told
        event = self._feed.take()
        if event is not None and self._full_since is not None:
            self._full_since = None
            self._on_take()
        if not self._feed.owed and 2 * len(self._feed) <= self._feed.maxsize:
            self._slow_told = False
        return event

    def _due(self) -> str | None:
        """The conversation to read again now."""
        is_time = self._clock.now() >= self._repay_at and not self._ended
        return self._feed.next_owed() if is_time else None

    async def _repay(self, uuid: str, until: float) -> None:
        """Read again what could not be kept; when that fails, the rest goes on meanwhile."""
        events: Iterable[Event] = ()
        rest: Owed | None = self._feed.owed[uuid]
        try:
            events, rest = await within(self._clock, until - self._clock.now(), partial(self._reread, uuid, self._feed))
        except NotFound as error:
            events, rest = [GapUnresolved(conversation_uuid=uuid, reason=str(error), received_at=self._utc())], None
        except UltraCartError as error:
            _logger.warning("conversation %s cannot be read again now for a slow reader: %s", uuid, error)
        if self._ended:
            return
        before = len(self._feed)
        self._feed.repaid(uuid, events, rest)
        self._pause(in_vain=rest is not None and len(self._feed) == before)

    def _pause(self, *, in_vain: bool) -> None:
        self._fruitless = self._fruitless + 1 if in_vain else 0
        if in_vain:
            self._repay_at = self._clock.now() + min(_LONGEST_PAUSE, _PAUSE * 2 ** min(self._fruitless - 1, 10))

    async def _wait(self, until: float) -> None:
        until = min(until, self._repay_at) if self._feed.owed else until
        await wait_at_most(self._clock, until - self._clock.now(), self._bell)

    def _end(self, failure: UltraCartError | None) -> None:
        self._ended = True
        self._failure = self._failure or failure
        self._bell.set()

    def _raise_end(self) -> None:
        if self._failure is not None:
            raise self._failure
        raise StopAsyncIteration

    def _utc(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)


class _Only(Generic[E]):
    """Iterates over events of some classes."""

    def __init__(self, subscription: Subscription, kinds: tuple[type[E], ...]) -> None:
        self._subscription = subscription
        self._kinds = kinds

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        while True:
            event = await anext(self._subscription)
            if isinstance(event, self._kinds):
                return event
