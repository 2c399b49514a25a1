"""For users' own tests: a sandbox as a pytest fixture, which pytest finds by itself, and a clock that never waits."""

from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import pytest

from ultracart_conversation.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Generator

    from ultracart_conversation.sandbox import Sandbox

_MARKER = "ultracart_sandbox(**options): options of the sandbox that the fixture of this name starts, such as seed=7"


class ImpatientClock(SystemClock):
    """A clock on which no wait takes time: whoever sleeps makes it later at once.

    `ConversationClient(clock=ImpatientClock())` neither waits for a retry nor for the rate budget, and
    `clock.now()` tells how long it would have taken. It is not for a session, whose patience would be over at once:
    use a client on the system's clock, or `sandbox.Simulation` and its `timeline`.
    """

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> float:
        return super().now() + self._slept

    def time(self) -> float:
        return super().time() + self._slept

    async def sleep(self, seconds: float) -> None:
        self._slept += seconds
        await anyio.lowlevel.checkpoint()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def ultracart_sandbox(request: pytest.FixtureRequest) -> "Generator[Sandbox]":
    """A fresh local UltraCart for one test (needs the extra `sandbox`); works with asyncio, trio and plain tests.

    ```python
    @pytest.mark.ultracart_sandbox(conversations=3)
    async def test_mine(ultracart_sandbox):
        async with ConversationClient(ultracart_sandbox.api_key, base_url=ultracart_sandbox.base_url) as client:
            ...
    ```
    """
    from ultracart_conversation.sandbox import Sandbox  # noqa: PLC0415

    marker = request.node.get_closest_marker("ultracart_sandbox")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    with Sandbox(**options) as sandbox:
        yield sandbox
