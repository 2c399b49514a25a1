"""One HTTP exchange: what was received, and the ways in which an answer can leave, whole or not."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from .link import Link


@dataclass(slots=True)
class Received:
    """A request as it came in; `status` is None until an answer began, and stays so when there was none."""

    operation: str
    method: str
    raw_path: bytes = field(repr=False)
    query: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str
    at: float
    status: int | None = None
    conversation_uuid: str | None = None
    """The conversation in its path."""


class Exchange:
    """A request, and its one answer."""

    def __init__(self, received: Received, scope: Scope, receive: Receive, send: Send) -> None:
        self.received = received
        self._scope = scope
        self._receive = receive
        self._send = send
        self._link: Link = scope["state"]["link"]

    async def answer(self, response: Response) -> None:
        await response(self._scope, self._receive, self._noting)

    async def begin(self, response: Response, *, length: int | None = None) -> None:
        """Send the header alone; `length` overrides what it says of the body."""
        if length is not None:
            response.headers["Content-Length"] = str(length)
        start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        await self._noting(start)

    async def more(self, data: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    def write_raw(self, data: bytes) -> None:
        """Bytes straight to the connection, past everything that knows HTTP."""
        self._link.write(data)

    async def drop(self, *, reset: bool = False) -> None:
        """End the connection, whatever was sent so far."""
        if reset:
            self._link.reset()
        else:
            self._link.close()
        await self.gone()

    async def gone(self, *, within: float | None = None) -> bool:
        """Wait until the other side is gone; False when it is still there after `within` seconds."""
        return await self._link.gone(self._receive, within=within)

    async def _noting(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.received.status = message["status"]
        await self._send(message)
