"""Standard output: lines for people, JSON objects for programs."""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from ultracart_conversation._cli.text import cut, fit, is_obeyed

_RISKY = re.compile("[^\x00-\x7e\xa0-\u200a\u2010-\u2027\u2030-\u205f\u2070-\ud7ff]")


class Output:
    """Writes line by line; whoever reads a pipe gets every line at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.width = shutil.get_terminal_size().columns if stream.isatty() else None
        """The terminal's columns; None when it is no terminal, and nothing is cut."""

    def line(self, text: str = "") -> None:
        """Write `text`, cut to the terminal's width."""
        self._stream.write((cut(text, self.width) if self.width else text) + "\n")
        self._stream.flush()

    def row(self, values: Sequence[str], widths: Sequence[int]) -> None:
        """Write `values` side by side; a width of 0 stands for the rest of the line."""
        columns = [fit(value, width) if width else value for value, width in zip(values, widths, strict=True)]
        self.line("  ".join(columns).rstrip())

    def json(self, value: Mapping[str, Any]) -> None:
        """Write one JSON object as one line."""
        self._stream.write(json_line(value, encoding=self._stream.encoding))
        self._stream.flush()


def has_colours(stream: TextIO) -> bool:
    """Whether `stream` is a terminal with colours, as all but dumb ones are."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def json_line(value: Mapping[str, Any], *, encoding: str) -> str:
    """One JSON object as one line, in which no character is left that a terminal would obey."""
    text = json.dumps(value, ensure_ascii=not encoding.lower().startswith("utf"))
    return _RISKY.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if not is_obeyed(character):
        return character
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]
