"""The command line, `ultracart-conversation`: what can be asked of it, and how it ends.

Exit codes: 0 done, 1 an error that one line on stderr names, 2 a wrong command line, 130 interrupted.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from ultracart_conversation._cli.parser import parser_of
from ultracart_conversation._cli.text import one_line

_PROGRAM = "ultracart-conversation"


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
    parser = parser_of(_PROGRAM)
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
