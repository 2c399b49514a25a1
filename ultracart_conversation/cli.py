"""The command line, `ultracart-conversation`: what can be asked of it, and how it ends.

Exit codes: 0 done, 1 an error that one line on stderr names, 2 a wrong command line, 130 interrupted.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from ultracart_conversation._cli.text import one_line

_PROGRAM = "ultracart-conversation"
_EPILOG = """\
environment:
  ULTRACART_API_KEY   the merchant's API key, for list, show, queues and tail; or log in
  ULTRACART_CLIENT_ID your developer application, for login
  ULTRACART_BASE_URL  where to send requests; UltraCart itself by default
"""

_TAIL_EPILOG = """\
A line says when, in which conversation, what, who and the rest. A message is marked "replayed" when it was not pushed
but read, as after a lost connection; "late" when a newer one was printed before.

--json prints every event whole: its class in "event", and its attributes, of which all events have
"conversation_uuid", "received_at", "generation" (the number of the websocket) and "replayed".
"""
_AddCommand = Callable[..., argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a reader who closes our pipe has enough, which is no error."""
    _prepare_streams()
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return 0
    except KeyboardInterrupt:
        return _complain("interrupted", code=130)
    except OSError as error:
        _give_up_stdout()
        return _complain(f"cannot write: {error.strerror or error}")


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help(sys.stderr)
        return 2
    return _carry_out(chosen)


def _carry_out(chosen: argparse.Namespace) -> int:
    # All that takes long to import comes after the parser, which is quick, and inside the net for Ctrl-C.
    from ultracart_conversation._cli import commands  # noqa: PLC0415
    from ultracart_conversation._cli.impossible import Impossible  # noqa: PLC0415
    from ultracart_conversation.errors import UltraCartError  # noqa: PLC0415

    try:
        commands.run(chosen)
    except (UltraCartError, Impossible) as error:
        return _complain(str(error))
    except OSError:
        raise
    except Exception as error:
        if chosen.traceback:
            raise
        return _complain(f"a bug: {type(error).__name__}: {error}: please report it with the output of --traceback")
    return 0


def _complain(text: str, *, code: int = 1) -> int:
    sys.stderr.write(f"{_PROGRAM}: {one_line(text)}\n")
    return code


def _prepare_streams() -> None:
    """Have both streams, whatever was closed before we started, and no character that they cannot take."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return io.TextIOWrapper(io.BufferedWriter(io.FileIO(os.devnull, "w")), encoding="utf-8")


def _give_up_stdout() -> None:
    """Let the interpreter's last flush succeed although stdout is closed or full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
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


def _count(text: str) -> int:
    return _whole(text, range(2**31))


def _port(text: str) -> int:
    return _whole(text, range(65_536))


def _whole(text: str, allowed: range) -> int:
    if not text.isdecimal() or int(text) not in allowed:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {allowed[0]} to {allowed[-1]}")
    return int(text)


class _Version(argparse.Action):
    """Looks the version up only when asked, as that takes as long as building the parser."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help="show the version and leave")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415

        sys.stdout.write(f"{_PROGRAM} {version(_PROGRAM)}\n")
        parser.exit()
