"""How many requests does following cost, against asking each conversation? By the sandbox's own count.

The peer asks every conversation for its messages since the last look, with the same client.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from ultracart_conversation import Archive, ConversationClient, Limits, MessagePoller
from ultracart_conversation.sandbox import Sandbox

CHANGED = 100
LOOKS, CHANGES = 24 * 60, 1_000
"""A day of a look a minute."""


async def main(conversations: int) -> None:
    """Print the requests of each kind of look, and how many times as many the peer needs."""
    with (
        Sandbox(customers=0, conversations=conversations, messages=(1, 8)) as sandbox,
        tempfile.TemporaryDirectory() as at,
    ):
        async with (
            ConversationClient(sandbox.api_key, base_url=sandbox.base_url, limits=Limits.unlimited()) as client,
            Archive(Path(at) / "conversations.db") as archive,
            MessagePoller(client, archive=archive, concurrency=8, audit=None) as poller,
        ):
            print(f"{conversations:,} conversations           poller         peer     ratio")
            await _compare("everything, the first time", sandbox, client, poller)
            idle = await _compare("a look, nothing happened", sandbox, client, poller)
            sandbox.burst(CHANGED)
            busy = await _compare(f"a look, {CHANGED:,} changed", sandbox, client, poller)
            _day(idle, busy)


async def _compare(
    what: str, sandbox: Sandbox, client: ConversationClient, poller: MessagePoller
) -> tuple[float, float]:
    sandbox.request_counts.clear()
    await poller.run_once()
    ours = sandbox.request_counts.total()
    sandbox.request_counts.clear()
    await _ask_each(client, sandbox.conversation_uuids)
    theirs = sandbox.request_counts.total()
    _print(what, ours, theirs)
    return ours, theirs


def _day(idle: tuple[float, float], busy: tuple[float, float]) -> None:
    """Reckoned from what the looks took: 1,440 of them, and what each change added, where it is seen by one look."""
    ours, theirs = (LOOKS * rest + CHANGES * (work - rest) / CHANGED for rest, work in zip(idle, busy, strict=True))
    _print(f"{LOOKS:,} looks, {CHANGES:,} changes", ours, theirs)


def _print(what: str, ours: float, theirs: float) -> None:
    print(f"{what:28} {ours:8,.0f} {theirs:12,.0f} {theirs / ours:9,.1f}")


async def _ask_each(client: ConversationClient, uuids: list[str]) -> None:
    now = int(time.time() * 1000)
    for uuid in uuids:
        await client.get_conversation_messages(uuid, now)


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
