"""The commands: what each of them starts."""

import errno
import logging
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path

from ultracart_conversation._cli.conversations import list_conversations, show_conversation
from ultracart_conversation._cli.export import export
from ultracart_conversation._cli.impossible import Impossible
from ultracart_conversation._cli.output import Output
from ultracart_conversation._cli.queues import list_queues
from ultracart_conversation._cli.search import search
from ultracart_conversation._cli.stats import stats
from ultracart_conversation._cli.sync import sync
from ultracart_conversation._cli.tail import tail
from ultracart_conversation.archive import Archive
from ultracart_conversation.client import ConversationClient
from ultracart_conversation.login import login, logout, stored_credentials
from ultracart_conversation.oauth.token_file import TokenFile

_DEADLINE = 60.0


def command_of(arguments: Namespace) -> Callable[[], Coroutine[object, object, None]]:
    """What carries out `arguments.command`; it raises `UltraCartError`, `Impossible` or OSError."""
    # Without any handler Python would print the warnings of the libraries between the lines of the command.
    for name in ("ultracart_conversation", "sqlalchemy"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    return partial(_COMMANDS[arguments.command], arguments)


async def _demo(arguments: Namespace) -> None:
    try:
        from ultracart_conversation import demo  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _missing_extra(error) from error
    await demo.run(seed=arguments.seed)


async def _sandbox(arguments: Namespace) -> None:
    try:
        from ultracart_conversation.sandbox import serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _missing_extra(error) from error
    chosen = {name: getattr(arguments, name) for name in ("seed", "customers", "conversations", "control")}
    try:
        await serve(arguments.host, arguments.port, ready=Output(sys.stdout).json, **chosen)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Impossible(_why_not_listening(error, arguments)) from error


async def _account(command: "AccountCommand", arguments: Namespace, *, deadline: float | None = _DEADLINE) -> None:
    async with ConversationClient(credentials=stored_credentials(), deadline=deadline) as client:
        await command(client, Output(sys.stdout), arguments)


async def _archived(command: "ArchiveCommand", arguments: Namespace) -> None:
    path = arguments.archive
    if _is_missing(path):
        raise Impossible(f"there is no archive {path}: ultracart-conversation sync --archive {path} makes one")
    async with Archive(path, read_only=True) as archive:
        await command(archive, Output(sys.stdout), arguments)


def _is_missing(path: str) -> bool:
    """Whether a file could be there and is not; the archive says why any other path is none."""
    try:
        Path(path).stat()
    except FileNotFoundError:
        return path != ":memory:" and "://" not in path
    except (OSError, ValueError):
        return False
    return False


async def _login(arguments: Namespace) -> None:
    file = TokenFile()
    if arguments.logout:
        await logout(file=file, say=_say)
    else:
        await login(arguments.client_id, file=file, say=_say, scope=arguments.scope)


def _say(text: str) -> None:
    # Not cut to the terminal's width, as an address is of no use without its end.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


AccountCommand = Callable[[ConversationClient, Output, Namespace], Awaitable[None]]
ArchiveCommand = Callable[[Archive, Output, Namespace], Awaitable[None]]
_COMMANDS: Mapping[str, Callable[[Namespace], Coroutine[object, object, None]]] = {
    "demo": _demo,
    "sandbox": _sandbox,
    "login": _login,
    "list": partial(_account, list_conversations),
    "show": partial(_account, show_conversation),
    "queues": partial(_account, list_queues),
    "tail": partial(_account, tail, deadline=None),
    "sync": sync,
    "search": partial(_archived, search),
    "export": partial(_archived, export),
    "stats": partial(_archived, stats),
}


def _missing_extra(error: ModuleNotFoundError) -> Exception:
    if (error.name or "").startswith("ultracart_conversation"):
        return error
    return Impossible('a local UltraCart needs one more part: pip install "ultracart-conversation[sandbox]"')


def _why_not_listening(error: OSError, arguments: Namespace) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {arguments.port} is in use: choose another with --port, or 0 for any free one"
    return f"cannot listen on {arguments.host} port {arguments.port}: {error.strerror or error}"
