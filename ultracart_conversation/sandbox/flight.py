"""One simulated request: through the application and back, without a network and without an event loop."""

from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope

from .network import Network

if TYPE_CHECKING:
    from .agenda import Item


class Reply(NamedTuple):
    """What a request was answered with; the names of the headers are in lower case, and may repeat."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Dropped(Exception):
    """The connection ended without a whole answer; `begun` is the part that came, where one began."""

    def __init__(self, *, reset: bool, begun: Reply | None) -> None:
        super().__init__("the connection was reset" if reset else "the connection was closed")
        self.reset = reset
        self.begun = begun


class _Pause:
    """Asks whoever drives the application to return when the client is gone (True) or after so long (False)."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator["_Pause", bool, bool]:
        return (yield self)


@dataclass(slots=True)
class _LocalLink:
    """The connection of one request. Bytes past HTTP never amount to a header, so that nobody reads them."""

    ended: Literal["closed", "reset"] | None = None

    def write(self, data: bytes, /) -> None:
        del data

    def close(self) -> None:
        self.ended = "closed"

    def reset(self) -> None:
        self.ended = "reset"

    async def gone(self, receive: Receive, /, *, within: float | None) -> bool:
        del receive
        return await _Pause(within)


@dataclass(slots=True)
class _Answer:
    """What the application sent so far."""

    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            self.body += message.get("body", b"")
            self.complete = not message.get("more_body", False)

    def reply(self) -> Reply | None:
        return None if self.status is None else Reply(self.status, self.headers, bytes(self.body))


class Flight:
    """A request on its way. Once it has arrived it is carried out, even when its client has given up meanwhile."""

    def __init__(self, app: ASGIApp, network: Network, scope: Scope, body: bytes) -> None:
        self._outcome: Reply | Dropped | None = None
        self._app = app
        self._network = network
        self._link = _LocalLink()
        self._scope: Scope = {**scope, "state": {"link": self._link}}
        self._body = body
        self._answer = _Answer()
        self._back: Callable[[], None] = lambda: None
        self._running: Coroutine[Any, Any, None] | None = None
        self._waking: Item | None = None
        self._abandoned = False

    def depart(self, back: Callable[[], None]) -> None:
        """Send the request; `back` is called once there is a result."""
        self._back = back
        self._network.lane().carry(self._arrive)

    def abandon(self) -> None:
        """The client is gone; does nothing when the flight is over."""
        self._abandoned = True
        if self._waking is not None:
            self._waking.cancel()
            self._step(gone=True)

    def result(self) -> Reply:
        """The answer; `Dropped` when there was no whole one, TimeoutError when nothing is back yet."""
        if self._outcome is None:
            raise TimeoutError("there was no answer in time")
        if isinstance(self._outcome, Dropped):
            raise self._outcome
        return self._outcome

    def _arrive(self) -> None:
        async def run() -> None:
            await self._app(self._scope, self._receive, self._send)

        self._running = run()
        self._step()

    def _step(self, *, gone: bool | None = None) -> None:
        """Run the application until it waits or ends."""
        if self._running is None:
            return
        self._waking = None
        try:
            pause = self._running.send(gone)
        except StopIteration:
            self._running = None
            self._return()
            return
        if self._link.ended is not None or self._abandoned:
            self._step(gone=True)
        else:
            self._wait(pause.seconds)

    def _wait(self, seconds: float | None) -> None:
        agenda = self._network.agenda
        self._waking = agenda.after(inf if seconds is None else seconds, lambda: self._step(gone=False))

    def _return(self) -> None:
        reply = self._answer.reply()
        if reply is not None and self._answer.complete:
            outcome: Reply | Dropped = reply
        else:
            outcome = Dropped(reset=self._link.ended == "reset", begun=reply)
        self._network.lane().carry(lambda: self._land(outcome))

    def _land(self, outcome: Reply | Dropped) -> None:
        self._outcome = outcome
        self._back()

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Message) -> None:
        self._answer.take(message)


def http_scope(method: str, url: str, headers: Mapping[str, str], *, length: int) -> Scope:
    """The ASGI scope of a request; `url` may be whole or begin with its path."""
    parts = urlsplit(url)
    sent = {name.lower(): value for name, value in headers.items()}
    if length:
        sent.setdefault("content-length", str(length))
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method.upper(),
        "scheme": parts.scheme or "https",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "server": (parts.hostname or "simulation.example", parts.port),
    }
