"""How `tail` writes events down: plain lines or JSON here, with colours in `rich_journal`."""

import shutil
from collections.abc import Iterator
from typing import Protocol, TextIO

from ultracart_conversation._cli.event_json import event_json
from ultracart_conversation._cli.event_words import Words, clock, told
from ultracart_conversation._cli.narrator import Narrator
from ultracart_conversation._cli.output import has_colours, json_line
from ultracart_conversation._cli.text import cut, fit, one_line, wrap
from ultracart_conversation.events import Event

KIND = 8
"""The columns for what kind of event it is."""
_TIME, _UUID = 8, 8
MARGIN = _TIME + 2 + _UUID + 2 + KIND + 2
"""The columns before what is said."""
_NARROWEST = 20


class Journal(Protocol):
    """Writes events down."""

    def render(self, event: Event) -> str:
        """The lines for one event, with the end of the last; empty when there is nothing to say."""
        ...


class JsonJournal:
    """One JSON object a line: every event, whole."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def render(self, event: Event) -> str:
        return json_line(event_json(event), encoding=self._stream.encoding)


class PlainJournal:
    """One line for each event in a pipe; in a terminal, as many as a text needs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._narrator = Narrator()

    def render(self, event: Event) -> str:
        words = self._narrator.words(event)
        if words is None:
            return ""
        width = columns() if self._stream.isatty() else None
        return "".join(f"{line.rstrip()}\n" for line in _lines(event, words, width))


def columns() -> int:
    """The terminal's, now."""
    return shutil.get_terminal_size().columns


def margin(event: Event, words: Words) -> tuple[str, str, str]:
    """When, where and what: the columns on the left, each as wide as always."""
    uuid = cut(one_line(event.conversation_uuid), _UUID + 1).removesuffix("…")
    return fit(clock(event.received_at), _TIME), fit(uuid, _UUID), fit(words.kind, KIND)


def said(words: Words, width: int | None) -> Iterator[str]:
    """The lines on the right; without a `width`, one."""
    text = told(words)
    return iter([one_line(text)]) if width is None else wrap(text, max(_NARROWEST, width - MARGIN))


def journal_for(stream: TextIO, *, json: bool) -> Journal:
    """The best journal for `stream`: JSON where asked for, colours with rich on a terminal, plain lines elsewhere."""
    if json:
        return JsonJournal(stream)
    if has_colours(stream):
        try:
            from ultracart_conversation._cli.rich_journal import RichJournal  # noqa: PLC0415
        except ModuleNotFoundError:
            return PlainJournal(stream)
        return RichJournal(stream)
    return PlainJournal(stream)


def _lines(event: Event, words: Words, width: int | None) -> Iterator[str]:
    left = "  ".join(margin(event, words)) + "  "
    for line in said(words, width):
        yield left + line
        left = " " * MARGIN
