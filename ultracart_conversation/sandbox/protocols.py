"""uvicorn's protocols, adapted: handlers can reach the TCP transport, and nothing secret is logged."""

import asyncio
import logging
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame

from .link import TcpLink

_logger = logging.getLogger("ultracart_conversation.sandbox.http")
_logger.setLevel(logging.WARNING)
_frame_logger = logging.getLogger("ultracart_conversation.sandbox.frames")
_frame_logger.setLevel(logging.CRITICAL)


class HttpProtocol(H11Protocol):
    """Puts the `TcpLink` into `scope["state"]`, for plain requests and for websockets alike."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger: logging.Logger = _logger
        self.access_log = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        super().connection_made(stream)
        self.app_state: dict[str, Any | TcpLink] = {**self.app_state, "link": TcpLink(stream)}


class SocketProtocol(WebSocketsSansIOProtocol):
    """Notes the size of frames, and keeps the logging of uvicorn and websockets off: it has tokens in it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger: logging.Logger = _logger
        self.conn.logger = _frame_logger

    def handle_text(self, event: Frame) -> None:
        self._note(event)
        super().handle_text(event)

    def handle_cont(self, event: Frame) -> None:
        self._note(event)
        super().handle_cont(event)

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # Otherwise uvicorn reports every refused handshake as one that was forgotten.
            self.handshake_complete = True

    def _note(self, event: Frame) -> None:
        link: TcpLink = self.app_state["link"]
        link.largest_frame = max(link.largest_frame, len(event.data))
