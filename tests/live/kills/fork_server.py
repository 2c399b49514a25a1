"""A process with one thread that has imported everything, and forks a `sync` for each order that it reads.

A fork begins within milliseconds where a fresh interpreter takes a second; what it runs is the command line itself.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import anyio

import ultracart_conversation
from tests.live.kills.marks import Mark, Trace
from tests.live.kills.witness import testify
from ultracart_conversation.cli import main

_NOT_NEEDED = ("__main__", "sandbox", "testing")


def serve() -> None:
    """Until nobody gives orders any more; then no child is left."""
    _import_all()
    assert threading.active_count() == 1, "a fork would lose the other threads, and what they hold"
    children: set[int] = set()
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        if "status of" in order:
            answer = _status(order["status of"], children)
        else:
            answer = _fork(order)
            children.add(answer)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer
    for child in children:
        os.kill(child, signal.SIGKILL)


def _import_all() -> None:
    for module in pkgutil.walk_packages(ultracart_conversation.__path__, "ultracart_conversation."):
        if module.name.split(".")[1] not in _NOT_NEEDED:
            importlib.import_module(module.name)
    anyio.run(_open_client)
    gc.freeze()


async def _open_client() -> None:
    """What a client needs is imported, and made for the whole process, by the first one."""
    async with ultracart_conversation.ConversationClient("none", base_url="http://127.0.0.1:1"):
        pass


def _status(child: int, children: set[int]) -> int | str | None:
    """The exit code, negative for a signal; "stopped"; None when nothing happened since it was asked last."""
    ended, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
    if not ended:
        return None
    if os.WIFSTOPPED(status):
        return "stopped"
    children.discard(child)
    return os.waitstatus_to_exitcode(status)


def _fork(order: dict[str, Any]) -> int:
    child = os.fork()
    if not child:
        _become(order)
    return child


def _become(order: dict[str, Any]) -> None:
    code = 70
    try:
        code = _run(order)
    except BaseException:  # noqa: BLE001 - it is told, and nothing of the server may go on here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(order: dict[str, Any]) -> int:
    # The server's own pipes are closed by this.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(order["environment"])
    mark = None if order["mark"] is None else Mark(**order["mark"])
    trace = Trace(mark, notes=None if order["notes"] is None else Path(order["notes"]), log=Path(order["log"]))
    trace.install()
    _have_own_budget(order["number"])
    testify(order["number"])
    code = main(order["arguments"])
    trace.finish()
    return code


def _have_own_budget(number: int) -> None:
    """Hundreds of processes in a row, each with credentials of its own as far as the daily limit is concerned."""
    archive = ultracart_conversation.Archive
    store = archive.budget_store
    archive.budget_store = lambda self, name="ultracart": store(self, f"{name} {number}")  # type: ignore[method-assign]


if __name__ == "__main__":
    serve()
