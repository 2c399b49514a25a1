"""What several unit tests start from: a clock that stands still, and an OAuth service on it."""

import pytest

from tests.oauth_service import Service
from tests.virtual_clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def service(clock: VirtualClock) -> Service:
    return Service(clock)
