"""`export`: the messages of an archive as a file for other programs."""

from argparse import Namespace
from pathlib import Path

from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.sizes import size
from ultracart_conversation._cli.sync_words import counted
from ultracart_conversation._cli.text import one_line
from ultracart_conversation.archive import Archive


async def export(archive: Archive, output: Output, arguments: Namespace) -> None:
    """Write all messages to a file, in one step."""
    path = Path(arguments.output)
    written = await archive.export(path, format=arguments.format)
    output.line(_summary(path, written))


def _summary(path: Path, written: int) -> str:
    return f"{counted(written, 'message')} in {one_line(str(path))}, {size(path.stat().st_size)}"
