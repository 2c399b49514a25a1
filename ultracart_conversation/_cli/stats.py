"""`stats`: what an archive holds."""

from argparse import Namespace
from datetime import datetime

import attrs

from ultracart_conversation._cli.event_words import clock
from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.sizes import size
from ultracart_conversation._cli.text import local, one_line
from ultracart_conversation.archive import Archive, ArchiveStatistics

_WIDTHS = (16, 0)


async def stats(archive: Archive, output: Output, arguments: Namespace) -> None:
    """Print the archive in numbers."""
    statistics = await archive.statistics()
    if arguments.json:
        output.json({name: _plain(value) for name, value in attrs.asdict(statistics).items()})
        return
    for name, value in (("archive", one_line(str(archive.path))), *_facts(statistics)):
        output.row((name, value), _WIDTHS)


def _facts(statistics: ArchiveStatistics) -> list[tuple[str, str]]:
    changed = (f"{statistics.revisions:,} earlier versions", f"{statistics.removed:,} removed by the service")
    return [
        ("size", size(statistics.size)),
        ("conversations", _but(statistics.conversations, f"{statistics.gone:,} gone")),
        ("messages", _but(statistics.messages, *changed)),
        ("oldest", local(statistics.oldest) or "none"),
        ("newest", local(statistics.newest) or "none"),
        ("changes", f"{statistics.changes:,}"),
        ("complete", f"through {clock(statistics.complete_through)}" if statistics.complete_through else "not yet"),
    ]


def _but(number: int, *remarks: str) -> str:
    """A number, with those remarks that do not begin with none."""
    said = [remark for remark in remarks if not remark.startswith("0 ")]
    return f"{number:,} ({', '.join(said)})" if said else f"{number:,}"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
