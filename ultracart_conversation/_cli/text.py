"""Strangers' texts, made harmless for a terminal and fitted into its columns."""

import unicodedata
from collections.abc import Iterator
from datetime import datetime

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that Persian and joined emojis are written with."""


def harmless(text: str) -> str:
    """`text` with every character that a terminal would obey, or that reorders what it shows, made visible."""
    if text.isprintable():
        return text
    return "".join(_visible(character) if is_obeyed(character) else character for character in text)


def is_obeyed(character: str) -> bool:
    """Whether a terminal acts on it instead of showing it."""
    return unicodedata.category(character) in _OBEYED and character not in _JOINERS


def one_line(text: str | None) -> str:
    """`text` on one line: harmless, and every stretch of white space one space."""
    return harmless(" ".join((text or "").split()))


def cells(text: str) -> int:
    """The columns that a terminal needs for `text`."""
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def cut(text: str, width: int) -> str:
    """As much of `text` as fits in `width` columns, with `…` where something is missing."""
    if cells(text) <= width:
        return text
    head = _head(text, width - 1)
    return f"{text[:head].rstrip()}…" if width > 0 else ""


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns."""
    shown = cut(text, width)
    return shown + " " * (width - cells(shown))


def wrap(text: str, width: int) -> Iterator[str]:
    """The lines of `text`, harmless, none wider than `width` columns; at least one."""
    for line in text.splitlines() or [""]:
        rest = one_line(line)
        while cells(rest) > width:
            head = max(1, _head(rest, width))
            space = rest.rfind(" ", 1, head + 1)
            head = space if space > 0 else head
            yield rest[:head].rstrip()
            rest = rest[head:].lstrip()
        yield rest


def local(moment: datetime | None) -> str:
    """A time as the clock on this machine's wall has it, to the minute; its date alone when it is of another year."""
    if moment is None:
        return ""
    here = moment.astimezone()
    return f"{here:%m-%d %H:%M}" if here.year == datetime.now().astimezone().year else f"{here:%Y-%m-%d}"


def duration(seconds: float) -> str:
    """A length of time in its largest unit: `45 s`, `3 min`, `2 h`, `4 d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _head(text: str, width: int) -> int:
    """How many characters of `text` fit in `width` columns."""
    taken = 0
    for position, character in enumerate(text):
        taken += _cells(character)
        if taken > width:
            return position
    return len(text)
