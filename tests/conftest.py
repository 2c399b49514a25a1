"""Shared fixtures: every test marked anyio runs on asyncio and on trio."""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing on a busy machine, and a CI run must not depend on its dice.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("patient")


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
