"""A service with customers, a place for archives, and processes to be killed."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.live.kills.town import Town
from tests.live.kills.victims import ForkServer
from ultracart_conversation.sandbox import Sandbox


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[ForkServer]:
    with ForkServer(tmp_path_factory.mktemp("victims")) as server:
        yield server


@pytest.fixture
def server(fork_server: ForkServer) -> Generator[ForkServer]:
    """All whom it forks in a test have ended with the test."""
    yield fork_server
    fork_server.end_all()


@pytest.fixture
def conversations() -> int:
    """How many there are in the sandbox at first."""
    return 24


@pytest.fixture
def sandbox(conversations: int) -> Generator[Sandbox]:
    with Sandbox(customers=0, conversations=conversations, messages=(1, 5)) as running:
        yield running


@pytest.fixture
def seed() -> int:
    """What the customers do follows from this."""
    return 0


@pytest.fixture
def town(sandbox: Sandbox, seed: int) -> Town:
    """The sandbox's customers."""
    return Town(sandbox, seed=seed)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"
