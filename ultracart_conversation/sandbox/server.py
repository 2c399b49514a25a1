"""A uvicorn server in a thread of its own, which starts and stops at once and leaves the host process alone."""

import asyncio
import concurrent.futures
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

from .protocols import HttpProtocol, SocketProtocol

T = TypeVar("T")
Job = Callable[[], Awaitable[None]]

_GRACE = 0.05
_START_LIMIT = 10.0
_STOP_LIMIT = 5.0


class Server:
    """Serves `app` and runs `jobs` beside it, on the thread's own event loop."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, jobs: Sequence[Job] = ()) -> None:
        self.host = host
        self.port: int = port
        self._app = app
        self._jobs = jobs
        self._thread: threading.Thread | None = None
        self._uvicorn: _Uvicorn | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        """Listen and serve; OSError when the port is taken. A port of 0 becomes the one that was free."""
        if self.running:
            raise RuntimeError("the sandbox is already running")
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, self.port), family=family)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        server = _Uvicorn(_config(self._app), self._jobs)
        thread = threading.Thread(target=_run, args=(server, listener), name="ultracart sandbox", daemon=True)
        thread.start()
        server.ready.result(_START_LIMIT)
        self._uvicorn, self._thread = server, thread

    def stop(self) -> None:
        """Close every connection and end the thread; at most a few seconds, whatever clients do."""
        if self._thread is None or self._uvicorn is None:
            return
        self._uvicorn.ask_to_stop()
        self._thread.join(_STOP_LIMIT)
        if self._thread.is_alive():
            raise RuntimeError("the sandbox did not stop")
        self._thread = self._uvicorn = None

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` where the state of the sandbox is at home: on the server's loop, while there is one."""
        server = self._uvicorn
        if server is None or threading.current_thread() is self._thread:
            return function()
        return server.call(function)


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, jobs: Sequence[Job]) -> None:
        super().__init__(config)
        self.ready: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self.ended: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._jobs = jobs
        self._stopping = asyncio.Event()

    def ask_to_stop(self) -> None:
        self.ready.result().call_soon_threadsafe(self._stopping.set)

    def call(self, function: Callable[[], T]) -> T:
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def run() -> None:
            try:
                done.set_result(function())
            except Exception as error:  # noqa: BLE001 - it is raised again in the thread that asked
                done.set_exception(error)

        with contextlib.suppress(RuntimeError):  # the loop is closed: it ended just now
            self.ready.result().call_soon_threadsafe(run)
        either: list[concurrent.futures.Future[Any]] = [done, self.ended]
        concurrent.futures.wait(either, return_when=concurrent.futures.FIRST_COMPLETED)
        if not done.done():
            run()
        return done.result()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals belong to the host process."""
        yield

    async def main_loop(self) -> None:
        self.ready.set_result(asyncio.get_running_loop())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_await(job)) for job in self._jobs]
            await self._stopping.wait()
            for task in tasks:
                task.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to everyone, then cut off those who do not go."""
        del sockets
        for server in self.servers:
            server.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await self._drained()
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        await self._drained()
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    async def _drained(self) -> None:
        if tasks := tuple(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=_GRACE)
        await asyncio.sleep(0)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=4 * 1024 * 1024,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
    )


def _run(server: _Uvicorn, listener: socket.socket) -> None:
    try:
        asyncio.run(server.serve(sockets=[listener]))
    except BaseException as error:
        if server.ready.done():
            raise
        server.ready.set_exception(error)
    finally:
        listener.close()
        server.ended.set_result(None)


async def _await(job: Job) -> None:
    await job()
