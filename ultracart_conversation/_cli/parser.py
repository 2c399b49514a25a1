"""What can be asked of the command line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from typing import NoReturn

_EPILOG = """\
environment:
  ULTRACART_API_KEY   the merchant's API key, for list, show, queues, tail and sync; or log in
  ULTRACART_CLIENT_ID your developer application, for login
  ULTRACART_BASE_URL  where to send requests; UltraCart itself by default
"""

_TAIL_EPILOG = """\
A line says when, in which conversation, what, who and the rest. A message is marked "replayed" when it was not pushed
but read, as after a lost connection; "late" when a newer one was printed before.

--json prints every event whole: its class in "event", and its attributes, of which all events have
"conversation_uuid", "received_at", "generation" (the number of the websocket) and "replayed".
"""
_SYNC_EPILOG = """\
It goes on where the last run stopped, however that ended, and reads only what changed since. Two of them on one
archive do no harm: the one that came last goes on, and the other one ends as soon as it has something to write. The
rate limits of the day are kept in the archive and hold across runs; a first sync of more than 350 conversations waits
for them, with one conversation every 10 seconds or so.

WHEN is a date, of which the first moment counts, or a time such as 2026-01-31T09:30; UTC unless it says otherwise.
Without it, an archive goes back as far as it does, and a new one to the beginning. One that goes back further than WHEN
stays as it is, one that does not is completed.

--json prints one object for every line: what it is in "event" (begin, progress, past, news, trouble, recovered,
quarantined, end), the line in "text", and where it stands in numbers.
"""
_SEARCH_EPILOG = """\
A message is found that has all the words, in any case and order. A "phrase" in double quotes (for your shell: in
single quotes around them) is found as it stands, and a word* is the beginning of one. Text that begins with - goes
after -- at the end.
"""
_AddCommand = Callable[..., argparse.ArgumentParser]


def parser_of(program: str) -> argparse.ArgumentParser:
    """All that can be asked of `program`; quick, as it is built for every command."""
    parser = _Parser(
        prog=program,
        description="UltraCart's Conversation API from a terminal. Begin with: ultracart-conversation demo",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version)
    parser.add_argument("--traceback", action="store_true", help="show where a bug is, for a report")
    added = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    _add_local_commands(added.add_parser)
    _add_account_commands(added.add_parser)
    _add_sync(added.add_parser)
    _add_archive_commands(added.add_parser)
    return parser


def _add_local_commands(add: _AddCommand) -> None:
    demo = add("demo", help="a tour of the SDK against a local UltraCart; needs no account")
    demo.add_argument("--seed", type=int, default=7, help="another seed, another crowd (default 7)")
    sandbox = add("sandbox", help="run a local UltraCart for your own code and tests")
    sandbox.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    sandbox.add_argument("--port", type=_port, default=8080, help="0 takes any free one (default 8080)")
    sandbox.add_argument("--customers", type=_count, default=20, metavar="N", help="who wait at first (default 20)")
    sandbox.add_argument("--conversations", type=_count, default=500, metavar="N", help="at first (default 500)")
    sandbox.add_argument("--seed", type=int, default=7, help="another seed, another crowd (default 7)")
    sandbox.add_argument("--control", action="store_true", help="open the switches under /_sandbox to everybody")


def _add_account_commands(add: _AddCommand) -> None:
    login = add("login", help="log in with a code and a browser, instead of an API key")
    login.add_argument("--client-id", metavar="ID", help="your developer application (default ULTRACART_CLIENT_ID)")
    login.add_argument("--scope", default="crm", help="what the login is for (default crm)")
    login.add_argument("--logout", action="store_true", help="end the login and forget it")
    listing = add("list", help="list conversations, newest first")
    listing.add_argument("--medium", choices=("sms", "websocket"), help="only these; websocket is webchat")
    listing.add_argument("--max", type=_count, metavar="N", help="at most N, 0 for all (default 100, one request)")
    show = add("show", help="show one conversation with its messages")
    show.add_argument("uuid", metavar="UUID", help="the conversation, as `list` names it")
    queues = add("queues", help="list the webchat queues and who waits in them")
    tail = add(
        "tail",
        help="print what happens as it happens, until Ctrl-C",
        description="Be an agent online, and print what happens as it happens, until Ctrl-C.",
        epilog=_TAIL_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tail.add_argument("--follow", choices=("mine", "all"), default="mine", help="whose conversations (default mine)")
    tail.add_argument("--checkpoint", metavar="FILE", help="go on where the run that wrote FILE ended, and keep it")
    for command in (listing, show, queues, tail):
        command.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def _add_sync(add: _AddCommand) -> None:
    sync = add(
        "sync",
        help="keep all conversations in an archive, a SQLite file",
        description="Read all that is new, and what is left of the past, into an archive: a SQLite file.",
        epilog=_SYNC_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sync.add_argument("--archive", metavar="FILE", required=True, help="the archive; made where there is none")
    how = sync.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="leave when all is read, however long it takes (the default)")
    how.add_argument(
        "--follow",
        type=_seconds,
        nargs="?",
        const=0.0,
        metavar="SECONDS",
        help="go on until Ctrl-C, with a look every so often (default: as the limits allow, 20 to 300)",
    )
    sync.add_argument("--since", type=_moment, metavar="WHEN", help="leave out what was said before")
    sync.add_argument("--medium", choices=("sms", "websocket"), help="only these; websocket is webchat")
    sync.add_argument("--oldest-first", action="store_true", help="read the past from its beginning, not from its end")
    sync.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def _add_archive_commands(add: _AddCommand) -> None:
    search = add(
        "search",
        help="find messages in an archive",
        description="Find messages in an archive, the newest first.",
        epilog=_SEARCH_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    search.add_argument("text", nargs="+", metavar="TEXT", help="the words")
    search.add_argument("--since", type=_moment, metavar="WHEN", help="none that are older; a date or time as for sync")
    search.add_argument("--max", type=_count, metavar="N", help="at most N, 0 for all (default 50)")
    export = add("export", help="copy the messages of an archive to a file", description="Copy all messages to a file.")
    export.add_argument(
        "--format", choices=("jsonl", "csv", "parquet"), help="default: what OUTPUT ends with, otherwise jsonl"
    )
    export.add_argument("output", metavar="OUTPUT", help="the file, which is replaced when all is written")
    stats = add("stats", help="show what an archive holds")
    for command in (search, export, stats):
        command.add_argument("--archive", metavar="FILE", required=True, help="what `sync` has made")
    for command in (search, stats):
        command.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        example = "a date such as 2026-01-31 or a time such as 2026-01-31T09:30"
        raise argparse.ArgumentTypeError(f"{text!r} is not {example}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not datetime.fromtimestamp(0, UTC) <= moment <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1970 and now")
    return moment


def _count(text: str) -> int:
    return _whole(text, range(2**31))


def _port(text: str) -> int:
    return _whole(text, range(65_536))


def _whole(text: str, allowed: range) -> int:
    if not text.isdecimal() or int(text) not in allowed:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {allowed[0]} to {allowed[-1]}")
    return int(text)


class _Parser(argparse.ArgumentParser):
    """Says how to go on where what is to be found was taken for an option."""

    def error(self, message: str) -> NoReturn:
        if message.endswith("required: TEXT") or message.startswith("unrecognized arguments: -"):
            message += " (what begins with - and is no option goes after -- at the end)"
        super().error(message)


class _Version(argparse.Action):
    """Looks the version up only when asked, as that takes as long as building the parser."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help="show the version and leave")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415

        sys.stdout.write(f"{parser.prog} {version('ultracart-conversation')}\n")
        parser.exit()
