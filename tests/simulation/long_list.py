"""How much memory a poller takes that has listed very many conversations: a process of its own, and no service."""

import asyncio
import json
import resource
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from ultracart_conversation import Batch, ConversationClient, Limits, MessagePoller, PollerCheckpoint

_NEWEST = datetime(2025, 10, 27, 12, tzinfo=UTC)
_ARN = "arn:ultracart:conversation:DEMO"


class Enough(Exception):
    """All is listed."""


class Watch:
    """A sink that keeps nothing, and ends the poller once all is listed."""

    poller: MessagePoller

    async def commit(self, batch: Batch, checkpoint: PollerCheckpoint, /) -> None:
        if self.poller.statistics().history.is_listed:
            raise Enough


def main(rows: int) -> None:
    """Print what it took, as JSON."""
    before = _peak()
    listed = asyncio.run(_list(rows))
    print(json.dumps({"listed": listed, "before": before, "peak": _peak()}))  # noqa: T201 - it is the result


async def _list(rows: int) -> int:
    transport = httpx.MockTransport(lambda request: _answer(request.url.params, rows))
    watch = Watch()
    async with (
        ConversationClient(
            "K" * 32, base_url="https://long.example", transport=transport, limits=Limits.unlimited()
        ) as client,
        MessagePoller(client, sink=watch) as poller,
    ):
        watch.poller = poller
        with suppress(Enough):
            await poller.run_once()
        return poller.statistics().conversations


def _answer(query: Mapping[str, str], rows: int) -> httpx.Response:
    """One page; it is made when it is asked for, so that the list takes no memory."""
    offset, limit = int(query["_offset"]), int(query["_limit"])
    numbers = range(0) if "before" in query else range(offset, min(rows, offset + limit))
    more = {"more": offset + limit < rows, "next_offset": offset + limit}
    page = {"conversations": [_row(number) for number in numbers], "metadata": {"result_set": more}, "success": True}
    return httpx.Response(200, json=page)


def _row(number: int) -> dict[str, Any]:
    when = (_NEWEST - timedelta(seconds=30 * number)).isoformat()
    people: Sequence[str] = (f"{_ARN}:agent/1", f"{_ARN}:customer/{number}")
    return {
        "closed": False,
        "conversation_arn": f"{_ARN}:conversation/{number}",
        "conversation_uuid": f"{number * 2_654_435_761 % 2**128:032x}",
        "last_conversation_message_body": f"My order {number} has not moved for three days.",
        "last_conversation_participant_arn": people[-1],
        "last_interactive_message_dts": when,
        "last_message_dts": when,
        "medium": "websocket",
        "message_count": 1 + number % 40,
        "participants": [{"conversation_participant_arn": arn, "joined_dts": when} for arn in people],
        "start_dts": when,
        "unread_messages": False,
        "visible": True,
    }


def _peak() -> float:
    """The most memory that this process ever had, in megabytes; Linux tells it without what its parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main(int(sys.argv[1]))
