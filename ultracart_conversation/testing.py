"""Pytest fixtures for users of this package; pytest finds them by itself once the package is installed."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ultracart_conversation.sandbox import Sandbox

_MARKER = "ultracart_sandbox(**options): options of the sandbox that the fixture of this name starts, such as seed=7"


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
