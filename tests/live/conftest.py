"""A sandbox and a client that talks to it over a real socket."""

import logging
from collections.abc import AsyncIterator, Generator

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from tests.live.listener import LOGGERS, Listener
from ultracart_conversation import ConversationClient, Limits, Timeouts
from ultracart_conversation.sandbox import Sandbox
from ultracart_conversation.testing import ImpatientClock


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """aiohttp knows asyncio only."""
    impossible = {"anyio_backend": "trio", "transport": "aiohttp"}.items()
    items[:] = [item for item in items if not (isinstance(item, pytest.Function) and impossible <= _params(item))]


def _params(item: pytest.Function) -> set[tuple[str, object]]:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return {(name, value) for name, value in params.items() if isinstance(value, str)}


@pytest.fixture
def listener(caplog: pytest.LogCaptureFixture) -> Generator[Listener]:
    """Hears whatever is logged, at any level."""
    listener = Listener()
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, name)
    logging.getLogger().addHandler(listener)
    yield listener
    logging.getLogger().removeHandler(listener)


@pytest.fixture
def clock() -> ImpatientClock:
    return ImpatientClock()


@pytest.fixture(params=["httpcore", "aiohttp"])
def transport(request: pytest.FixtureRequest, anyio_backend: str) -> httpx.AsyncBaseTransport | None:
    """What carries the requests: httpx's own transport, or aiohttp's."""
    return AiohttpTransport() if request.param == "aiohttp" else None


@pytest.fixture
async def client(
    ultracart_sandbox: Sandbox, clock: ImpatientClock, transport: httpx.AsyncBaseTransport | None, anyio_backend: str
) -> AsyncIterator[ConversationClient]:
    """A client of `ultracart_sandbox` that waits for nothing but the service."""
    async with ConversationClient(
        ultracart_sandbox.api_key,
        base_url=ultracart_sandbox.base_url,
        limits=Limits.unlimited(),
        timeouts=Timeouts(connect=10, read=10, write=10),
        clock=clock,
        transport=transport,
    ) as client:
        yield client
