"""The task that keeps the agent's session with the service alive, apart from the websocket."""

import logging

import attrs

from ultracart_conversation.client import ConversationClient
from ultracart_conversation.errors import ApplicationDisabled, UltraCartError

_logger = logging.getLogger("ultracart_conversation.session")


@attrs.frozen(kw_only=True)
class KeepaliveStatistics:
    """How the keepalive does."""

    sent: int
    """Calls that succeeded."""
    failed: int
    """Calls that failed, after their retries."""
    last_error: str
    """Why the last call failed; empty when it did not."""


class Keepalive:
    """Calls `get_agent_keep_alive` every `period` seconds; the service says neither how often nor for what (unknown).

    A failure is logged and counted, and does not touch the websocket; only a disabled application (410) ends it.
    """

    def __init__(self, client: ConversationClient, *, period: float) -> None:
        self._client = client
        self._period = period
        self._sent = self._failed = 0
        self._last_error = ""

    async def run(self) -> None:
        """Work until cancelled; raises `ApplicationDisabled`."""
        while True:
            await self._client.clock.sleep(self._period)
            try:
                await self._client.get_agent_keep_alive()
            except ApplicationDisabled:
                raise
            except UltraCartError as error:
                self._failed += 1
                level = logging.DEBUG if self._last_error else logging.WARNING
                self._last_error = str(error)
                _logger.log(level, "the keepalive failed, next in %.0f s: %s", self._period, error)
            else:
                self._sent += 1
                self._last_error = ""

    def statistics(self) -> KeepaliveStatistics:
        """How it does."""
        return KeepaliveStatistics(sent=self._sent, failed=self._failed, last_error=self._last_error)
