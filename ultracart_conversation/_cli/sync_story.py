"""What there is to say of a sync, and when: not too often, and not twice."""

import time
from collections.abc import Callable, Iterator, Mapping

import attrs

from ultracart_conversation._cli import sync_words as words
from ultracart_conversation._cli.event_words import Tone
from ultracart_conversation._cli.text import duration, one_line
from ultracart_conversation._poll.statistics import PollerStatistics
from ultracart_conversation.changes import Change

_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 300.0
"""Seconds between two lines of a past that is being read; each pause is twice the one before."""
_NAMED = 5
"""Conversations that are named of those that could not be read."""


@attrs.frozen
class Moment:
    """Something to say, and what kind of thing that is."""

    kind: str
    text: str
    tone: Tone = Tone.NEWS


class Story:
    """Tells how a sync goes; `archive` is what its archive is called, `follows` whether it goes on for ever."""

    def __init__(self, archive: str, *, wanted: str, follows: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._archive = one_line(archive)
        self._wanted = wanted
        self._follows = follows
        self._now = now
        self._began = now()
        self._pause, self._next = _FIRST_PAUSE, self._began + _FIRST_PAUSE
        self._read_before = 0
        self._was_past_read = False
        self._trouble: str | None = None
        self._found: list[Change] = []

    def begin(self, statistics: PollerStatistics) -> Moment:
        """Where it goes on from."""
        self._read_before = words.read(statistics)
        self._was_past_read = words.is_past_read(statistics)
        if not statistics.conversations:
            return Moment("begin", f"{self._archive} is empty: reading {self._wanted}")
        stands = f"{words.conversations(statistics)}; complete {words.completeness(statistics)}"
        return Moment("begin", f"{self._archive} goes on: {stands}")

    def tick(self, statistics: PollerStatistics) -> Iterator[Moment]:
        """What is to be said by now."""
        yield from self._troubled(statistics.last_error)
        if not self._was_past_read and words.is_past_read(statistics) and not statistics.backlog:
            self._was_past_read = True
            if self._follows:
                text = f"the past is read: {words.conversations(statistics)}, {_messages(statistics)}"
                yield Moment("past", text, Tone.GOOD)
        elif not self._was_past_read and self._now() >= self._next:
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause)
            self._next = self._now() + self._pause
            yield Moment("progress", self._progress(statistics), Tone.QUIET)

    def found(self, changes: tuple[Change, ...], statistics: PollerStatistics) -> Iterator[Moment]:
        """What a look brought, once all of that is read."""
        self._found += [change for change in changes if change.kind != "history"]
        if self._found and statistics.backlog == statistics.history.left:
            text = words.news(
                new=sum(len(change.new) for change in self._found),
                updated=sum(len(change.updated) for change in self._found),
                removed=sum(len(change.removed) for change in self._found),
                gone=sum(change.kind == "gone" for change in self._found),
                among=len({change.conversation_uuid for change in self._found}),
            )
            self._found = []
            yield Moment("news", text, Tone.SAID)

    def end(self, statistics: PollerStatistics, quarantined: Mapping[str, str], *, is_done: bool) -> Iterator[Moment]:
        """What was reached, and what was not."""
        yield from self._troubled(statistics.last_error)
        for text in words.unreadable(quarantined, most=_NAMED):
            yield Moment("quarantined", text, Tone.TROUBLE)
        if is_done or statistics.passes:
            yield Moment("end", self._reached(statistics, is_done=is_done), Tone.GOOD if is_done else Tone.NEWS)
        else:
            yield Moment("end", "stopped before anything was read")

    @property
    def elapsed(self) -> str:
        """How long it has gone on."""
        seconds = self._now() - self._began
        return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)

    def remaining(self, statistics: PollerStatistics) -> str:
        """How long the past will take; empty where that is unknown, or soon."""
        if statistics.history.eta is None or not statistics.history.left:
            return ""
        done = words.read(statistics) - self._read_before
        by_pace = (self._now() - self._began) / done * statistics.history.left if done > 0 else 0.0
        seconds = max(statistics.history.eta, by_pace)
        return f"about {duration(seconds)} left" if seconds >= 1 else ""

    def _reached(self, statistics: PollerStatistics, *, is_done: bool) -> str:
        lead = "up to date" if is_done else "stopped, to go on from here next time"
        took = f"{_requests(statistics)}; {self.elapsed}"
        counts = f"{words.conversations(statistics)}, {_messages(statistics)}"
        return f"{lead}: {counts}; {took}; complete {words.completeness(statistics)}"

    def _progress(self, statistics: PollerStatistics) -> str:
        parts = (words.conversations(statistics), _messages(statistics), _requests(statistics))
        left = self.remaining(statistics)
        return "; ".join([*parts, left] if left else parts)

    def _troubled(self, error: str | None) -> Iterator[Moment]:
        if error is not None and error != self._trouble:
            often = "at growing intervals, up to 5 min" if self._follows else "for a minute or two"
            yield Moment("trouble", f"cannot go on just now, trying again {often}: {one_line(error)}", Tone.TROUBLE)
        if error is None and self._trouble is not None:
            yield Moment("recovered", "it works again", Tone.GOOD)
        self._trouble = error


def _messages(statistics: PollerStatistics) -> str:
    return words.messages(statistics, noun="new message" if statistics.new == 1 else "new messages")


def _requests(statistics: PollerStatistics) -> str:
    return words.requests(statistics, noun="request" if statistics.budget.used == 1 else "requests")
