"""The command line, `ultracart-conversation`: what can be asked of it, and how it ends.

Exit codes: 0 done, 1 an error that one line on stderr names, 2 a wrong command line, 130 interrupted by Ctrl-C, 143
terminated by SIGTERM. What only the commands import comes after signals are listened to.
"""

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from ultracart_conversation._cli.interruption import Interrupted, Interruption

if TYPE_CHECKING:
    from argparse import Namespace

_PROGRAM = "ultracart-conversation"
_LONGEST_WORD = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a reader who closes our pipe has enough, which is no error."""
    interruption = Interruption(_PROGRAM)
    interruption.listen()
    _prepare_streams()
    try:
        try:
            return _run(arguments, interruption)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return 0
    except Interrupted as end:
        interruption.listen_no_more()
        return _complain(str(end), code=end.status)
    except OSError as error:
        _give_up_stdout()
        return _complain(f"cannot write: {error.strerror or error}")


def _run(arguments: Sequence[str] | None, interruption: Interruption) -> int:
    from ultracart_conversation._cli.parser import parser_of  # noqa: PLC0415

    parser = parser_of(_PROGRAM)
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help(sys.stderr)
        return 2
    return _carry_out(chosen, interruption)


def _carry_out(chosen: "Namespace", interruption: Interruption) -> int:
    # What takes long to import comes after the parser, which is quick.
    from ultracart_conversation._cli.commands import command_of  # noqa: PLC0415
    from ultracart_conversation._cli.impossible import Impossible, Misused  # noqa: PLC0415
    from ultracart_conversation.errors import UltraCartError  # noqa: PLC0415

    try:
        interruption.run(command_of(chosen))
    except Misused as error:
        return _complain(str(error), code=2)
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
    from ultracart_conversation._cli.text import cut, one_line  # noqa: PLC0415

    # A path may be thousands of characters long.
    words = [cut(word, _LONGEST_WORD) for word in one_line(text).split(" ")]
    sys.stderr.write(f"{_PROGRAM}: {' '.join(words)}\n")
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
