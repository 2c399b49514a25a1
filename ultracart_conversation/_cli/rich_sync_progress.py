"""`sync` live: what happened scrolls up, how it stands stays at the bottom."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ultracart_conversation._cli import sync_words as words
from ultracart_conversation._cli.event_words import Tone, clock
from ultracart_conversation._cli.rich_journal import TONES
from ultracart_conversation._cli.sync_story import Moment, Story
from ultracart_conversation._cli.text import cut, one_line, wrap
from ultracart_conversation._poll.statistics import PollerStatistics
from ultracart_conversation.changes import Change

_LABEL = 15
_BAR = 24
_TIME = 10
_SHOWN_BELOW = ("progress", "end")
"""Kinds of moments that the part at the bottom tells."""


class RichProgress:
    """A terminal with colours."""

    def __init__(self, stream: TextIO, story: Story) -> None:
        self._story = story
        self._console = Console(file=stream, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False)

    async def begin(self, statistics: PollerStatistics) -> None:
        self._tell([self._story.begin(statistics)])
        self._live.start()
        self._show(statistics, _present(statistics))

    async def tick(self, statistics: PollerStatistics) -> None:
        self._tell(self._story.tick(statistics))
        self._show(statistics, _present(statistics))

    async def found(self, changes: tuple[Change, ...], statistics: PollerStatistics) -> None:
        self._tell(self._story.found(changes, statistics))

    async def end(self, statistics: PollerStatistics, quarantined: Mapping[str, str], *, is_done: bool) -> None:
        self._tell(self._story.end(statistics, quarantined, is_done=is_done))
        done, stopped = Text("up to date", "bold green"), Text("stopped; goes on later", "bold yellow")
        self._show(statistics, done if is_done else stopped)
        self._live.stop()

    def _tell(self, moments: Iterable[Moment]) -> None:
        for moment in moments:
            if moment.kind not in _SHOWN_BELOW:
                self._print(moment)

    def _print(self, moment: Moment) -> None:
        when = Text(f"{clock(datetime.now(UTC))}  ", "dim")
        for line in wrap(one_line(moment.text), self._console.width - _TIME):
            self._console.print(when + Text(line, TONES[moment.tone]), no_wrap=True, overflow="ignore", crop=True)
            when = Text(" " * _TIME)

    def _show(self, statistics: PollerStatistics, present: Text) -> None:
        rows = [self._row(label, text) for label, text in self._rows(statistics, present) if text]
        self._live.update(Group(Text(), *rows), refresh=True)

    def _rows(self, statistics: PollerStatistics, present: Text) -> list[tuple[str, Text]]:
        left = self._story.remaining(statistics)
        return [
            ("conversations", _bar(statistics) + Text(_of(statistics))),
            ("messages", Text(words.messages(statistics, noun="new"))),
            ("requests", Text(words.requests(statistics, noun="made"))),
            ("lag", Text(words.lag(statistics.lag))),
            ("complete", Text(words.completeness(statistics))),
            ("quarantined", _quarantined(statistics)),
            ("time", Text(f"{self._story.elapsed}, {left}" if left else self._story.elapsed)),
            ("now", present),
        ]

    def _row(self, label: str, text: Text) -> Text:
        room = self._console.width - _LABEL - 2
        shown = text if text.cell_len <= room else Text(cut(text.plain, room))
        row = Text("  ").append(label.ljust(_LABEL), "cyan").append(shown)
        row.no_wrap, row.overflow = True, "ignore"
        return row


def _bar(statistics: PollerStatistics) -> Text:
    """How much of the past is read, while it is known how much there is."""
    if not statistics.history.is_listed or words.is_past_read(statistics):
        return Text()
    full = _BAR * words.read(statistics) // max(1, statistics.conversations)
    return Text.assemble(("━" * full, "green"), ("━" * (_BAR - full), "bright_black"), "  ")


def _of(statistics: PollerStatistics) -> str:
    if words.is_past_read(statistics):
        return f"{statistics.conversations:,}"
    if statistics.history.is_listed:
        return f"{words.read(statistics):,} of {statistics.conversations:,} read"
    return f"{words.read(statistics):,} read, {statistics.conversations:,} found so far"


def _quarantined(statistics: PollerStatistics) -> Text:
    count = words.counted(statistics.quarantined, "conversation")
    return Text(f"{count} could not be read, to be tried again", "yellow") if statistics.quarantined else Text()


def _present(statistics: PollerStatistics) -> Text:
    """What goes on now."""
    if statistics.last_error is not None:
        return Text(f"trying again: {one_line(statistics.last_error)}", TONES[Tone.TROUBLE])
    if sum(statistics.budget.waiting.values()):
        return Text("waiting for the rate limit", "yellow")
    if not statistics.history.is_listed:
        return Text("finding out which conversations there are")
    if statistics.backlog:
        return Text("reading")
    return Text("watching", "green")
