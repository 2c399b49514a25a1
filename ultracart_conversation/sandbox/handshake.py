"""How a websocket opens: what the client presents, and the answer when there will be no websocket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from .envelope import encode

_TEXTS = {401: "Unauthorized", 403: "Forbidden"}


@dataclass(frozen=True, slots=True)
class Handshake:
    """One attempt to open a websocket: when (by the sandbox's clock), and the status that answered it.

    The status is 101 for a success and None when there was no answer.
    """

    at: float
    status: int | None


class Denied(Exception):
    """A handshake that is answered with a status instead of a websocket."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, dict(headers or {}))
        self.status = status
        self.headers: dict[str, str] = dict(headers or {})

    def __str__(self) -> str:
        return f"the handshake was answered with {self.status}"

    @property
    def body(self) -> bytes:
        """The words of AWS API Gateway."""
        return encode({"message": _TEXTS.get(self.status, "Internal server error")})


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client asks for when it opens a websocket; the names of `headers` are in lower case."""

    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    subprotocols: Sequence[str] = field(default=(), repr=False)

    def token(self, parameter: str) -> str | None:
        """The token, however the client presents it: query parameter, bearer header or second subprotocol."""
        if token := self.query.get(parameter):
            return token
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return token
        offered = self.subprotocols
        return offered[1] if len(offered) > 1 and offered[0] == "jwt" else None

    @property
    def chosen_subprotocol(self) -> str | None:
        return "jwt" if "jwt" in self.subprotocols else None


def opening(url: str, headers: Mapping[str, str], subprotocols: Sequence[str]) -> Opening:
    """What a client presents that opens `url`."""
    parts = urlsplit(url)
    lowered = {name.lower(): value for name, value in headers.items()}
    return Opening(unquote(parts.path), dict(parse_qsl(parts.query)), lowered, tuple(subprotocols))
