"""`export`: the messages of an archive as a file for other programs."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ultracart_conversation._cli.impossible import Misused
from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.sizes import size
from ultracart_conversation._cli.sync_words import counted
from ultracart_conversation._cli.text import one_line
from ultracart_conversation.archive import Archive

Format = Literal["jsonl", "csv", "parquet"]
_BY_SUFFIX: Mapping[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}


async def export(archive: Archive, output: Output, arguments: Namespace) -> None:
    """Write all messages to a file, in one step."""
    path = Path(arguments.output)
    written = await archive.export(path, format=_format(path, arguments.format))
    output.line(_summary(path, written))


def _format(path: Path, chosen: Format | None) -> Format:
    """What was chosen, or else what the file's name says; raises `Misused` when these are two."""
    if str(path) == "-":
        raise Misused("an export is a file, not standard output: name one, such as messages.jsonl")
    named = _BY_SUFFIX.get(path.suffix.lower())
    if chosen and named and chosen != named:
        raise Misused(f"{path} would not be what it is called: leave out --format {chosen}, or name another file")
    return chosen or named or "jsonl"


def _summary(path: Path, written: int) -> str:
    return f"{counted(written, 'message')} in {one_line(str(path))}, {size(path.stat().st_size)}"
