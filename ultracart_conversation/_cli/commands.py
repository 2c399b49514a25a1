"""The commands: what each of them starts."""

import errno
import logging
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import anyio

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


def run(arguments: Namespace) -> None:
    """Carry out `arguments.command`; raises `UltraCartError`, `Impossible` or OSError."""
    # Without any handler Python would print the warnings of the library between the lines of the command.
    logging.getLogger("ultracart_conversation").addHandler(logging.NullHandler())
    _COMMANDS[arguments.command](arguments)


def _demo(arguments: Namespace) -> None:
    try:
        from ultracart_conversation import demo  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _missing_extra(error) from error
    anyio.run(partial(demo.run, seed=arguments.seed))


def _sandbox(arguments: Namespace) -> None:
    try:
        from ultracart_conversation.sandbox import serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _missing_extra(error) from error
    chosen = {name: getattr(arguments, name) for name in ("seed", "customers", "conversations", "control")}
    try:
        anyio.run(partial(serve, arguments.host, arguments.port, ready=Output(sys.stdout).json, **chosen))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Impossible(_why_not_listening(error, arguments)) from error


def _account(command: "AccountCommand", arguments: Namespace, *, deadline: float | None = _DEADLINE) -> None:
    async def connected() -> None:
        async with ConversationClient(credentials=stored_credentials(), deadline=deadline) as client:
            await command(client, Output(sys.stdout), arguments)

    anyio.run(connected)


def _sync(arguments: Namespace) -> None:
    anyio.run(sync, arguments)


def _archived(command: "ArchiveCommand", arguments: Namespace) -> None:
    path = Path(arguments.archive)
    if not path.is_file():
        raise Impossible(f"there is no archive {path}: ultracart-conversation sync --archive {path} makes one")

    async def opened() -> None:
        async with Archive(path, read_only=True) as archive:
            await command(archive, Output(sys.stdout), arguments)

    anyio.run(opened)


def _login(arguments: Namespace) -> None:
    file = TokenFile()
    if arguments.logout:
        anyio.run(partial(logout, file=file, say=_say))
    else:
        anyio.run(partial(login, arguments.client_id, file=file, say=_say, scope=arguments.scope))


def _say(text: str) -> None:
    # Not cut to the terminal's width, as an address is of no use without its end.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


AccountCommand = Callable[[ConversationClient, Output, Namespace], Awaitable[None]]
ArchiveCommand = Callable[[Archive, Output, Namespace], Awaitable[None]]
_COMMANDS: Mapping[str, Callable[[Namespace], None]] = {
    "demo": _demo,
    "sandbox": _sandbox,
    "login": _login,
    "list": partial(_account, list_conversations),
    "show": partial(_account, show_conversation),
    "queues": partial(_account, list_queues),
    "tail": partial(_account, tail, deadline=None),
    "sync": _sync,
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
