"""What does an idle TLS session cost in memory, and a burst of messages in CPU, against websockets' own client?

Both run on asyncio, without compression, in a process of their own, against one server in another. Memory is what the
process grows by (Linux), CPU is its user and system time; each figure is the median of several runs.
"""

import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, cast

import trustme
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ultracart_conversation import SystemClock
from ultracart_conversation._live.socket import Address
from ultracart_conversation._live.transport import WebsocketConnector

_RUNS = 5
_SESSIONS = 200
_TALKING = 20
_BURST = 1_000
_MESSAGE = json.dumps({"type": "message", "message": {"body": "x" * 600}})


class Session(Protocol):
    """What both clients' websockets can do."""

    async def send(self, text: str, /) -> None: ...

    async def receive(self) -> object: ...


class Peer:
    """websockets' own client."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self._connecting = connect(url, ssl=context, compression=None, ping_interval=None, proxy=None)

    async def open(self) -> "Peer":
        connection = await self._connecting
        self.send, self.receive = connection.send, connection.recv
        return self


def opener(client: str, url: str, context: ssl.SSLContext) -> Callable[[], Awaitable[Session]]:
    if client == "ours":
        connector = WebsocketConnector(clock=SystemClock(), ssl_context=context)
        return lambda: connector(Address(url=url))
    return lambda: cast("Awaitable[Session]", Peer(url, context).open())


async def measure(open_one: Callable[[], Awaitable[Session]]) -> tuple[float, float]:
    """KB for each idle session, and microseconds of CPU for each message of a burst."""
    warm = [await open_one() for _ in range(5)]
    await asyncio.gather(*(_burst(session) for session in warm))
    before = _resident()
    sessions = [await open_one() for _ in range(_SESSIONS)]
    memory = (_resident() - before) / _SESSIONS / 1024
    started = time.process_time()
    await asyncio.gather(*(_burst(session) for session in sessions[:_TALKING]))
    return memory, (time.process_time() - started) / _TALKING / _BURST * 1e6


async def _burst(session: Session) -> None:
    await session.send("burst")
    for _ in range(_BURST):
        await session.receive()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def answer(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in connection:
            for _ in range(_BURST):
                await connection.send(_MESSAGE)


async def run(folder: str) -> None:
    """Serve, and print both ratios."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(f"{folder}/authority.pem")
    async with serve(answer, "localhost", 0, ssl=context, compression=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url, figures = f"wss://localhost:{port}/", {"ours": list[list[float]](), "websockets": list[list[float]]()}
        for _ in range(_RUNS):
            for client, results in figures.items():
                command = [sys.executable, __file__, client, url, f"{folder}/authority.pem"]
                done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
                results.append(json.loads(done.stdout))
    for at, what in enumerate(("KB for an idle TLS session", "µs of CPU for a message of a burst")):
        ours, peer = (statistics.median(result[at] for result in figures[client]) for client in figures)
        print(f"{what}: {ours / peer:.2f} x websockets' own client ({ours:.0f} against {peer:.0f})")


def main() -> None:
    if len(sys.argv) > 1:
        client, url, authority = sys.argv[1:]
        context = ssl.create_default_context(cafile=authority)
        print(json.dumps(asyncio.run(measure(opener(client, url, context)))))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))


if __name__ == "__main__":
    main()
