"""How a websocket opens: the token that the client presents, and the answer when there will be no websocket."""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.websockets import WebSocket

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

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers: dict[str, str] = headers or {}


async def deny(websocket: WebSocket, denied: Denied) -> None:
    """Answer in the words of AWS API Gateway."""
    body = encode({"message": _TEXTS.get(denied.status, "Internal server error")})
    await websocket.receive()
    await websocket.send_denial_response(Response(body, denied.status, denied.headers, media_type="application/json"))


async def stall(websocket: WebSocket) -> None:
    """Never answer; ends when the client is gone."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue


def presented_token(websocket: WebSocket) -> str | None:
    """The token, however the client presents it: query parameter, bearer header or second subprotocol."""
    if token := websocket.query_params.get("token"):
        return token
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    offered: list[str] = websocket.scope["subprotocols"]
    return offered[1] if len(offered) > 1 and offered[0] == "jwt" else None


def chosen_subprotocol(websocket: WebSocket) -> str | None:
    return "jwt" if "jwt" in websocket.scope["subprotocols"] else None
