"""What the demo shows things on: plain lines here, a live view in `rich_screen`."""

import shutil
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self, TextIO

from ultracart_conversation._cli.event_words import Words, told
from ultracart_conversation._cli.journal import KIND
from ultracart_conversation._cli.output import Output, has_colours
from ultracart_conversation._cli.picture import Pixels
from ultracart_conversation._cli.text import cut, fit, wrap
from ultracart_conversation._rest.budget import WindowStatistics

WIDEST = 100
_PLAIN_WIDTH = 80


class Screen(Protocol):
    """All that the demo can show; a context manager."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def title(self, text: str) -> None:
        """What this is."""
        ...

    def heading(self, text: str) -> None:
        """What comes next."""
        ...

    def note(self, text: str) -> None:
        """A sentence."""
        ...

    def call(self, code: str, exchanges: str, seconds: float) -> None:
        """One call: as it is written, what went over the wire, and how long it took."""
        ...

    def result(self, text: str) -> None:
        """A line of what came back, harmless already."""
        ...

    def message(self, time: str, author: str, body: str, *, remark: str = "") -> None:
        """What somebody said."""
        ...

    def event(self, words: Words) -> None:
        """What else a session told."""
        ...

    def picture(self, pixels: Pixels) -> None:
        """A picture, where there are colours."""
        ...

    def status(self, text: str) -> None:
        """What goes on now; the next one takes its place."""
        ...

    def window(self, name: str, window: WindowStatistics) -> None:
        """How much of a rate limit is left."""
        ...


class PlainScreen:
    """Lines of text, for pipes, logs and terminals without rich."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._width = min(output.width or _PLAIN_WIDTH, WIDEST)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def title(self, text: str) -> None:
        self._write(text)

    def heading(self, text: str) -> None:
        self._output.line()
        self._output.line(f"# {text}")

    def note(self, text: str) -> None:
        self._write(text, indent="  ")

    def call(self, code: str, exchanges: str, seconds: float) -> None:
        self._output.line("  " + call_line(code, exchanges, seconds, self._width - 2))

    def result(self, text: str) -> None:
        self._output.line("    " + cut(text, self._width - 4))

    def message(self, time: str, author: str, body: str, *, remark: str = "") -> None:
        for line in message_lines(time, author, body, remark, self._width - 6):
            self._output.line(f"    | {line}".rstrip())

    def event(self, words: Words) -> None:
        for line in event_lines(words, self._width - 6):
            self._output.line(f"    | {line}")

    def picture(self, pixels: Pixels) -> None:
        del pixels

    def status(self, text: str) -> None:
        del text

    def window(self, name: str, window: WindowStatistics) -> None:
        self._write(window_line(name, window), indent="    ")

    def _write(self, text: str, *, indent: str = "") -> None:
        for line in wrap(text, self._width - len(indent)):
            self._output.line(indent + line)


def call_line(code: str, exchanges: str, seconds: float, width: int) -> str:
    """A call on the left, what it cost on the right."""
    cost = f"{exchanges}  {seconds * 1000:6.1f} ms"
    return f"{fit(code, width - len(cost) - 1)} {cost}"


def message_lines(time: str, author: str, body: str, remark: str, width: int) -> Iterator[str]:
    """What somebody said, with the time on the left and the remark on the right of the first line."""
    room = width - len(f"{time}  ") - len(remark) - 1
    for line in wrap(f"{author}: {body}", room):
        yield f"{time}  {fit(line, room)} {remark}"
        time, remark = " " * len(time), ""


def event_lines(words: Words, width: int) -> Iterator[str]:
    """What a session told, with the kind on the left."""
    kind = words.kind
    for line in wrap(told(words), width - KIND - 2):
        yield f"{fit(kind, KIND)}  {line}"
        kind = ""


def window_line(name: str, window: WindowStatistics) -> str:
    """How much of a rate limit is left, in words."""
    now = f"{window.left:,} of {window.burst:,} may still go at once"
    return f"{now}; never more than {window.limit:,} in any {name}"


def screen_for(stream: TextIO) -> Screen:
    """The best screen for `stream`: live with rich on a terminal, plain lines anywhere else."""
    output = Output(stream)
    if has_colours(stream):
        try:
            from ultracart_conversation._cli.rich_screen import RichScreen  # noqa: PLC0415
        except ModuleNotFoundError:
            return PlainScreen(output)
        return RichScreen(stream, width=min(shutil.get_terminal_size().columns, WIDEST))
    return PlainScreen(output)
