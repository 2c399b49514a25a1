"""A sandbox on a clock that stands still, and the strangers who talk to it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from tests.live.sandbox.judge import Contract
from tests.live.sandbox.strangers import AgentSocket, OpenSocket, Rest, RestAs, Webchat
from ultracart_conversation.sandbox import Clock, Sandbox

NOON = 1_761_580_800.0
"""27 October 2025, 16:00 UTC: noon in New York, still in summer time."""


@pytest.fixture
def clock() -> Clock:
    return Clock(at=NOON)


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, customers=0, conversations=12) as running:
        yield running


@pytest.fixture
def rest(sandbox: Sandbox) -> Iterator[Rest]:
    talker = Rest(sandbox)
    with talker.http:
        yield talker


@pytest.fixture
def rest_as(sandbox: Sandbox) -> Iterator[RestAs]:
    """REST with another agent's key."""
    talkers: list[Rest] = []

    def open_for(api_key: str) -> Rest:
        talkers.append(Rest(sandbox, api_key=api_key))
        return talkers[-1]

    yield open_for
    for talker in talkers:
        talker.http.close()


@pytest.fixture
def open_socket(rest: Rest) -> Iterator[OpenSocket]:
    """Open a websocket with a fresh token; all are closed at the end."""
    with ExitStack() as stack:

        def open_one(talker: Rest = rest) -> AgentSocket:
            connecting = connect(talker.websocket_url(), close_timeout=0.2, ping_interval=None)
            return AgentSocket(stack.enter_context(connecting))

        yield open_one


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture
def webchat(sandbox: Sandbox, rest: Rest) -> Webchat:
    """The UUID of a webchat that our agent picked up, and its customer."""
    customer = sandbox.arrive(name="Grace Holm", question="Is anybody there?")
    return rest.pick_up(customer.queue_entry_uuid), customer
