"""`tail` in colours: each conversation has its own, and what matters little is dim."""

import zlib
from typing import TextIO

from rich.console import Console
from rich.text import Text

from ultracart_conversation._cli.event_words import Tone
from ultracart_conversation._cli.journal import MARGIN, columns, margin, said
from ultracart_conversation._cli.narrator import Narrator
from ultracart_conversation.events import Event

_CONVERSATIONS = ("magenta", "cyan", "blue", "green", "yellow", "bright_magenta", "bright_cyan", "bright_blue")
TONES = {Tone.SAID: "bold", Tone.NEWS: "", Tone.GOOD: "bold green", Tone.TROUBLE: "bold red", Tone.QUIET: "dim"}
REPLAYED = "bold yellow"


class RichJournal:
    """Lines for a terminal with colours."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._narrator = Narrator()

    def render(self, event: Event) -> str:
        words = self._narrator.words(event)
        if words is None:
            return ""
        when, where, what = margin(event, words)
        left = Text.assemble((when, "dim"), "  ", (where, _colour(event.conversation_uuid)), "  ")
        left.append(what, REPLAYED if words.kind == "replayed" else TONES[words.tone]).append("  ")
        with self._console.capture() as captured:
            for line in said(words, columns()):
                right = Text(line, "dim" if words.tone is Tone.QUIET else "")
                if left.plain.strip() and words.who and line.startswith(words.who):
                    right.stylize("bold", 0, len(words.who))
                self._console.print(left + right, no_wrap=True, overflow="ignore", crop=False)
                left = Text(" " * MARGIN)
        return captured.get()


def _colour(uuid: str | None) -> str:
    """Always the same for the same conversation."""
    return _CONVERSATIONS[zlib.crc32((uuid or "").encode(errors="replace")) % len(_CONVERSATIONS)]
