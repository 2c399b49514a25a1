"""What the connection loop needs of a websocket; `transport` has the real one."""

from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class Address:
    """Where to open a websocket and what to present there; it holds the JWT, and stays out of every `repr`."""

    url: str = attrs.field(repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    subprotocols: tuple[str, ...] = attrs.field(default=(), repr=False)
    secret: str = attrs.field(default="", repr=False)
    """The JWT, to be hidden wherever the service repeats it."""


class Socket(Protocol):
    """One open websocket. One task receives; any may send."""

    async def send(self, text: str, /) -> None:
        """Write one text message; raises `SocketEnded`. A cancelled call may have written it."""
        ...

    async def receive(self) -> str | bytes | None:
        """The next message, or None for a control frame: a sign of life. Raises `SocketEnded`."""
        ...

    async def ping(self) -> None:
        """Ask for a sign of life; raises `SocketEnded`."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the closing handshake; whoever receives sees its end. Does nothing when it is closed already."""
        ...

    async def abort(self) -> None:
        """Close the connection under the websocket at once; works while cancelled, and may be repeated."""
        ...


class Connector(Protocol):
    """Opens websockets."""

    async def __call__(self, address: Address, /) -> Socket:
        """One open websocket; raises `CannotOpen`. Cancelling it leaves nothing open."""
        ...
