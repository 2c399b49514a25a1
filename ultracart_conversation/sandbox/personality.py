"""Where UltraCart's documents are silent, a server may answer in several ways: one `Personality` is one such way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from .choices import check_choice, check_positive
from .conversations import Conversation, Message

Since = Literal["inclusive", "exclusive"]
Keeps = Literal["oldest", "newest ascending", "newest descending"]
SortsBy = Literal["last interactive", "last message"]
Before = Literal["time", "time inclusive", "ignored"]

DEFAULT_PAGE = 100
_LAST_COUNT = 20
_LAST, _INTERACTIVE = "last_message_dts", "last_interactive_message_dts"
_UNDATED = ((_LAST,), (_INTERACTIVE,), (_LAST, _INTERACTIVE), (_LAST, _INTERACTIVE, "start_dts"))


@dataclass(frozen=True, slots=True)
class Personality:
    """How this server reads `since`, which end of a long answer it keeps, whether its counts are true, how it lists.

    Which of all this UltraCart does is unknown. By default nothing is in the way of those who list conversations.
    """

    since: Since = "inclusive"
    """Whether a message of exactly the epoch `since` belongs to the answer."""
    keeps: Keeps = "oldest"
    """Which messages stay when the answer is cut to `limit`, and in which order."""
    counts_messages: bool = True
    """True: `message_count` is the number of messages. False: notices are left out and it stops at 20."""
    page_cap: int | None = None
    """The most messages that one answer holds, whatever `limit` says."""
    shares_epochs: bool = False
    """True: epochs have whole seconds only, so that messages share them. False: strictly increasing."""
    sorts_by: SortsBy = "last interactive"
    """The time that orders the list of conversations. With "last interactive" a notice does not move its row."""

    before: Before = "time"
    """Which rows `before` leaves: those of earlier seconds, also those of the same second, or all."""
    list_page_cap: int | None = None
    """The most rows that a page of the list holds, whatever `_limit` says."""
    list_cap: int | None = None
    """How deep the list can be read: an offset and limit beyond it are a 400. Elasticsearch begins with 10,000."""
    counts_rows: bool = True
    """False: a page of the list says neither how many rows there are nor whether more follow."""
    repeats_every: int | None = None
    """Every so many rows, one is listed twice, on one page or across two."""
    undated_every: int | None = None
    """One in so many rows, the same ones always, lacks some of its dates, or all."""

    def __post_init__(self) -> None:
        for name in ("page_cap", "list_page_cap", "list_cap", "repeats_every", "undated_every"):
            check_positive(name, getattr(self, name))
        check_choice("before", self.before, get_args(Before))
        check_choice("since", self.since, get_args(Since))
        check_choice("keeps", self.keeps, get_args(Keeps))
        check_choice("sorts_by", self.sorts_by, get_args(SortsBy))

    def page(self, messages: Sequence[Message], *, since: int, limit: int | None) -> Sequence[Message]:
        """The answer to `/messages/{since}` of messages in ascending order."""
        first = since if self.since == "inclusive" else since + 1
        wanted = [message for message in messages if message.epoch >= first]
        return self._ordered(self._cut(wanted, self._size(limit)))

    def message_count(self, conversation: Conversation) -> int:
        if self.counts_messages:
            return len(conversation.messages)
        spoken = sum(1 for message in conversation.messages if message.type != "notice")
        return min(spoken, _LAST_COUNT)

    def next_epoch(self, last_epoch: int, now_ms: int) -> int:
        """The epoch of a message written now, after one of `last_epoch`."""
        if self.shares_epochs:
            return max(now_ms // 1000 * 1000, last_epoch)
        return max(now_ms, last_epoch + 1)

    def age_key(self, conversation: Conversation) -> int:
        if self.sorts_by == "last message":
            return conversation.last_message_ms
        return conversation.last_interactive_ms

    def dates_left_out(self, conversation: Conversation) -> tuple[str, ...]:
        """The fields that its row in the list lacks."""
        if self.undated_every is None:
            return ()
        turn, rest = divmod(int(conversation.uuid[:8], 16), self.undated_every)
        return () if rest else _UNDATED[turn % len(_UNDATED)]

    def _size(self, limit: int | None) -> int:
        size = DEFAULT_PAGE if limit is None else limit
        return size if self.page_cap is None else min(size, self.page_cap)

    def _cut(self, messages: list[Message], size: int) -> list[Message]:
        return messages[:size] if self.keeps == "oldest" else messages[-size:]

    def _ordered(self, messages: list[Message]) -> list[Message]:
        return messages[::-1] if self.keeps == "newest descending" else messages


_SINCE: tuple[Since, ...] = get_args(Since)
_KEEPS: tuple[Keeps, ...] = get_args(Keeps)

PERSONALITIES: tuple[Personality, ...] = tuple(
    Personality(since=since, keeps=keeps, counts_messages=counts)
    for since, keeps, counts in product(_SINCE, _KEEPS, (True, False))
)
"""The 12 ways that nobody outside UltraCart can rule out."""
