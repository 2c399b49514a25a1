"""How one exchange ended: with a reply, or without."""

from collections.abc import Mapping
from enum import Enum, auto

import attrs


@attrs.frozen(kw_only=True)
class Request:
    """What is about to be sent; its headers and URL may hold secrets and stay out of the `repr`."""

    method: str
    path: str = attrs.field(repr=False)
    """Percent-encoded, below the base URL, with the query."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | None = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Reply:
    """What came back, whatever its status."""

    status_code: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    """The body, or its start when `cut`."""
    cut: bool = False
    """The body was longer than we read."""
    undecodable: str | None = None
    """Why the body could not be decompressed."""


class Stage(Enum):
    """How far a lost exchange came."""

    CONNECTING = auto()
    """Nothing of the request was sent."""
    SENT = auto()
    """Some or all of the request was sent, so the service may have acted on it."""


@attrs.frozen
class Lost:
    """No complete reply came."""

    stage: Stage
    detail: str
    too_slow: bool = False
    host: str = ""
    """Where the request went, with the port where it is none of the usual; empty where that is not known."""


Outcome = Reply | Lost
