"""The demo's live view: what happened scrolls up, what goes on now stays at the bottom."""

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.text import Text

from ultracart_conversation._cli.event_words import Tone, Words
from ultracart_conversation._cli.picture import Colour, Pixels
from ultracart_conversation._cli.rich_journal import REPLAYED, TONES
from ultracart_conversation._cli.screen import call_line, event_lines, message_lines, window_line
from ultracart_conversation._cli.text import cut, one_line, wrap
from ultracart_conversation._rest.budget import WindowStatistics

_BAR = 24


class RichScreen:
    """A terminal with colours."""

    def __init__(self, stream: TextIO, *, width: int) -> None:
        self._console = Console(file=stream, width=width, highlight=False)
        self._width = width
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(self._spinner, console=self._console, transient=True, refresh_per_second=12)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def title(self, text: str) -> None:
        self._lines(text, style="bold")

    def heading(self, text: str) -> None:
        self._console.print()
        self._console.print(Rule(Text(text, style="bold cyan"), align="left", style="cyan"))

    def note(self, text: str) -> None:
        self._lines(text, indent="  ")

    def call(self, code: str, exchanges: str, seconds: float) -> None:
        line = Text("  " + call_line(code, exchanges, seconds, self._width - 2))
        line.stylize("bold", 2, 2 + code.find("("))
        line.highlight_words([exchanges], style=_colour(exchanges))
        line.stylize("dim", len(line) - 9)
        self._show(line)

    def result(self, text: str) -> None:
        self._show(Text("    " + cut(text, self._width - 4)))

    def message(self, time: str, author: str, body: str, *, remark: str = "") -> None:
        name, lead = len(one_line(author)) + 1, len(time) + 2
        for number, line in enumerate(message_lines(time, author, body, remark, self._width - 6)):
            shown = Text(line)
            shown.stylize("dim", 0, lead)
            if number == 0:
                shown.stylize("bold magenta", lead, lead + name)
                shown.stylize(REPLAYED if "replayed" in remark else "dim", len(line) - len(remark))
            self._show(Text.assemble("    ", ("┃ ", "magenta"), shown))

    def event(self, words: Words) -> None:
        for line in event_lines(words, self._width - 6):
            shown = Text(line, style="dim" if words.tone is Tone.QUIET else "")
            shown.stylize(TONES[words.tone], 0, len(words.kind))
            self._show(Text.assemble("    ", ("┃ ", "magenta"), shown))

    def picture(self, pixels: Pixels) -> None:
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
            line = Text("    ")
            for above, below in zip(upper, lower, strict=True):
                line.append("▀", style=f"{_rgb(above)} on {_rgb(below)}")
            self._show(line)

    def status(self, text: str) -> None:
        self._spinner.update(text=Text(cut(text, self._width - 2), style="cyan"))

    def window(self, name: str, window: WindowStatistics) -> None:
        full = round(_BAR * window.left / window.burst)
        bar = (("━" * full, "green"), ("━" * (_BAR - full), "bright_black"))
        self._show(Text.assemble("    ", *bar))
        self._lines(window_line(name, window), indent="    ")

    def _lines(self, text: str, *, indent: str = "", style: str = "") -> None:
        for line in wrap(text, self._width - len(indent)):
            self._show(Text(indent + line, style=style))

    def _show(self, line: Text) -> None:
        self._console.print(line, no_wrap=True, overflow="ignore", crop=True)


def _colour(exchanges: str) -> str:
    return "yellow" if "," in exchanges or "lost" in exchanges else "green"


def _rgb(colour: Colour) -> str:
    return "rgb({},{},{})".format(*colour)
