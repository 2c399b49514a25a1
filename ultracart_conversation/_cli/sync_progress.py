"""How `sync` shows what it does: plain lines or JSON here, a live view in `rich_sync_progress`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TextIO

from ultracart_conversation._cli import sync_words as words
from ultracart_conversation._cli.event_words import clock
from ultracart_conversation._cli.journal import columns
from ultracart_conversation._cli.output import has_colours, json_line
from ultracart_conversation._cli.sync_story import Moment, Story
from ultracart_conversation._cli.text import one_line, wrap
from ultracart_conversation._cli.writer import Writer
from ultracart_conversation._poll.statistics import PollerStatistics
from ultracart_conversation.changes import Change

_TIME = 10
_NARROWEST = 20


class SyncProgress(Protocol):
    """Shows how a sync goes."""

    async def begin(self, statistics: PollerStatistics) -> None:
        """Before anything is asked of the service."""
        ...

    async def tick(self, statistics: PollerStatistics) -> None:
        """Twice a second."""
        ...

    async def found(self, changes: tuple[Change, ...], statistics: PollerStatistics) -> None:
        """Something was found and kept."""
        ...

    async def end(self, statistics: PollerStatistics, quarantined: Mapping[str, str], *, is_done: bool) -> None:
        """Nothing more will come, be it that all `is_done` or that something stopped it."""
        ...


class LineProgress:
    """A line for whatever is worth one."""

    def __init__(self, stream: TextIO, story: Story) -> None:
        self._stream = stream
        self._story = story
        self._writer = Writer(stream)

    async def begin(self, statistics: PollerStatistics) -> None:
        await self._write([self._story.begin(statistics)], statistics)

    async def tick(self, statistics: PollerStatistics) -> None:
        await self._write(self._story.tick(statistics), statistics)

    async def found(self, changes: tuple[Change, ...], statistics: PollerStatistics) -> None:
        await self._write(self._story.found(changes, statistics), statistics)

    async def end(self, statistics: PollerStatistics, quarantined: Mapping[str, str], *, is_done: bool) -> None:
        await self._write(self._story.end(statistics, quarantined, is_done=is_done), statistics)

    async def _write(self, moments: Iterable[Moment], statistics: PollerStatistics) -> None:
        for moment in moments:
            await self._writer.write(self.render(moment, statistics))

    def render(self, moment: Moment, statistics: PollerStatistics) -> str:
        """The lines for one moment: one in a pipe; in a terminal, as many as the text needs."""
        del statistics
        text = one_line(moment.text)
        width = columns() - _TIME if self._stream.isatty() else None
        lines = [text] if width is None else wrap(text, max(_NARROWEST, width))
        return f"{clock(datetime.now(UTC))}  " + f"\n{' ' * _TIME}".join(lines) + "\n"


class JsonProgress(LineProgress):
    """One JSON object for every line: its kind in "event", the line in "text", and all numbers."""

    def render(self, moment: Moment, statistics: PollerStatistics) -> str:
        said = {"event": moment.kind, "at": datetime.now(UTC).isoformat(), "text": moment.text}
        return json_line(said | words.numbers(statistics), encoding=self._stream.encoding)


def progress_for(stream: TextIO, story: Story, *, json: bool) -> SyncProgress:
    """The best for `stream`: JSON where asked for, live with rich on a terminal, plain lines elsewhere."""
    if json:
        return JsonProgress(stream, story)
    if has_colours(stream):
        try:
            from ultracart_conversation._cli.rich_sync_progress import RichProgress  # noqa: PLC0415
        except ModuleNotFoundError:
            return LineProgress(stream, story)
        return RichProgress(stream, story)
    return LineProgress(stream, story)
