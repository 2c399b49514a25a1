"""Running `sync` in a process of its own, reading what it prints, and comparing its archive with the service."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.live.command_line import Running, environment
from tests.live.tail_command import wait_for
from ultracart_conversation.sandbox import Fault, Sandbox

READ = "get_conversation_messages"
LIST = "get_conversations"


class Sync(Running):
    """A running `sync`."""

    def __init__(self, sandbox: Sandbox, archive: Path, *arguments: str, **more: str) -> None:
        super().__init__("sync", "--archive", str(archive), *arguments, env=environment(sandbox, **more))


def synchronised(sandbox: Sandbox, archive: Path, *arguments: str, **more: str) -> list[str]:
    """Sync once, to a good end; the lines."""
    with Sync(sandbox, archive, *arguments, **more) as sync:
        assert sync.finish() == (0, "")
    return sync.lines


def ended(sandbox: Sandbox, archive: Path, *arguments: str) -> dict[str, Any]:
    """Sync once, to a good end; the numbers at the end."""
    last: dict[str, Any] = json.loads(synchronised(sandbox, archive, "--json", *arguments)[-1])
    assert last["event"] == "end"
    return last


def stalled(sandbox: Sandbox, archive: Path, *arguments: str, after: int) -> tuple[Sync, Fault]:
    """A sync that has read so many conversations, and waits for the next one; and what it waits for."""
    forget(sandbox)
    fault = sandbox.faults.add(Fault(kind="stall", operation=READ, after=after, times=None))
    sync = Sync(sandbox, archive, *arguments)
    wait_for(lambda: sandbox.request_counts[READ] > after)
    return sync, fault


def forget(sandbox: Sandbox) -> None:
    """Count requests from here on."""
    sandbox.requests.clear()
    sandbox.request_counts.clear()


def asked(sandbox: Sandbox) -> set[str | None]:
    """The conversations whose messages were asked for."""
    return {each.conversation_uuid for each in sandbox.requests if each.operation == READ}


def stored(sandbox: Sandbox) -> set[tuple[str, str, str]]:
    """Conversation, UUID and body of every message that the service has."""
    return {
        (uuid, each["conversation_message_uuid"], each.get("body"))
        for uuid in sandbox.conversation_uuids
        for each in sandbox.snapshot(uuid)["messages"]
    }


def archived(archive: Path) -> set[tuple[str, str, str]]:
    """The same of every message in an archive, in which none is twice and no change either."""
    with closing(sqlite3.connect(archive)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT conversation_uuid, conversation_message_uuid, body FROM messages").fetchall()
        told = "SELECT conversation_message_uuid FROM outbox WHERE kind = 'message'"
        announced = [uuid for (uuid,) in database.execute(told)]
    assert sorted(announced) == sorted(uuid for _, uuid, _ in rows)
    return set(rows)


def lacking(*modules: str) -> tuple[str, ...]:
    """The command line on a machine on which these are not installed."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
        "from ultracart_conversation.cli import main; sys.exit(main())"
    )
    return (sys.executable, "-c", program)
