"""Shared fixtures: every test marked anyio runs on asyncio and on trio."""

import signal
from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_reaches_children() -> Generator[None]:
    """A test run in the background ignores Ctrl-C, and every process that it starts would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend
