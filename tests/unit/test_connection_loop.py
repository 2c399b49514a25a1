"""What the connection loop does about each outcome in each phase, and how often at the most."""

from random import Random

import anyio
import pytest

from tests.connection_desk import (
    CLOSED,
    CLOSING,
    CONNECTING,
    LIVE,
    OFFLINE,
    ONLINE,
    RECOVERING,
    REPLACING,
    Desk,
    nothing_left,
    reach,
)
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._live.outcome import Closed, Denied, Outcome, Silent, Unauthorized, Unreachable
from ultracart_conversation.errors import (
    ApplicationDisabled,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    PermissionDenied,
    RateLimited,
    ServerError,
    UltraCartError,
    Undecodable,
)

pytestmark = pytest.mark.anyio

BUSY = ServerError("get_agent_websocket_authorization: UltraCart answered 503")


def rate_limited(seconds: float) -> RateLimited:
    error = RateLimited("slow down")
    error.retry_after = seconds
    return error


TRANSIENT: dict[str, tuple[Outcome, float]] = {
    "503 by REST": (Unauthorized(BUSY), 1.0),
    "no connection for REST": (Unauthorized(ConnectError("no connection")), 1.0),
    "429 by REST": (Unauthorized(rate_limited(90.0)), 91.0),
    "no JSON by REST": (Unauthorized(Undecodable("what?")), 1.0),
    "unreachable": (Unreachable("connection refused"), 1.0),
    "404": (Denied(404, "Not Found"), 1.0),
    "429": (Denied(429, "Too Many Requests", 30.0), 31.0),
    "503": (Denied(503, "Service Unavailable"), 1.0),
}
"""Ways in which an attempt fails, and the longest wait after the first."""
ENDS: dict[str, tuple[int, float]] = {
    **{f"{code}": (code, 1.0) for code in (1000, 1002, 1003, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 3000, 4000)},
    **{f"{code}": (code, 0.0) for code in (1001, 1008, 4401, 4403)},
}
"""Codes with which a websocket ends, and the longest wait after it."""
FATAL: dict[str, tuple[Outcome, type[UltraCartError]]] = {
    "410 by REST": (Unauthorized(ApplicationDisabled("410")), ApplicationDisabled),
    "401 by REST": (Unauthorized(AuthenticationError("401")), AuthenticationError),
    "403 by REST": (Unauthorized(PermissionDenied("403")), PermissionDenied),
    "configuration": (Unauthorized(ConfigurationError("no key")), ConfigurationError),
    "410": (Denied(410, "Gone"), ApplicationDisabled),
}


def prepare(desk: Desk, outcome: Outcome) -> None:
    """Let the next attempt fail like that."""
    if isinstance(outcome, Unauthorized):
        desk.service.refusals.append(outcome.error)
    elif isinstance(outcome, Unreachable | Denied):
        desk.service.failures.append(outcome)


@pytest.mark.parametrize("situation", [*OFFLINE, *REPLACING])
@pytest.mark.parametrize("name", TRANSIENT)
async def test_an_attempt_that_fails_is_repeated_after_a_wait(clock: VirtualClock, situation: str, name: str) -> None:
    outcome, wait = TRANSIENT[name]
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        phase = await reach(situation, desk, group)
        wait += situation == "recovering"  # the second failure in a row: up to 2 s
        prepare(desk, outcome)
        desk.service.slow_rest.set()
        await settle()
        assert desk.phase is phase
        opened = len(desk.service.sockets)
        await clock.advance(wait - 0.1)
        assert len(desk.service.sockets) == opened
        await clock.advance(0.2)
        assert len(desk.service.sockets) == opened + 1
        assert desk.phase is LIVE
        await desk.stop()
    assert desk.error is None


@pytest.mark.parametrize("situation", [*OFFLINE, *REPLACING])
@pytest.mark.parametrize("name", FATAL)
async def test_what_cannot_be_repaired_ends_the_loop_at_once(clock: VirtualClock, situation: str, name: str) -> None:
    outcome, kind = FATAL[name]
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await reach(situation, desk, group)
        prepare(desk, outcome)
        desk.service.slow_rest.set()
        await clock.advance(0.0)
        desk.check_left()
    assert type(desk.error) is kind
    assert not isinstance(outcome, Unauthorized) or desk.error is outcome.error
    assert desk.phases[-2:] == [CLOSING, CLOSED]


@pytest.mark.parametrize("situation", ONLINE)
@pytest.mark.parametrize("name", ENDS)
async def test_a_websocket_that_ends_is_followed_by_another(clock: VirtualClock, situation: str, name: str) -> None:
    code, wait = ENDS[name]
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        phase = await reach(situation, desk, group)
        desk.catches_up = True
        socket, generation = desk.service.latest, desk.loop.state.generation
        await clock.advance(31.0)
        socket.end(code, "why")
        await settle()
        assert desk.of("lost")[-1] == (generation, Closed(code, "why"))
        assert desk.phase is (LIVE if wait == 0.0 else phase if phase is CONNECTING else RECOVERING)
        await clock.advance(max(0.0, wait - 0.1))
        assert (desk.service.latest is socket) == (wait > 0.0)
        await clock.advance(0.2)
        assert desk.service.latest is not socket
        assert desk.loop.state.generation == generation + 1
        assert desk.phase is LIVE
        await desk.stop()


@pytest.mark.parametrize("situation", ONLINE)
async def test_a_silent_websocket_is_followed_by_another(clock: VirtualClock, situation: str) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await reach(situation, desk, group)
        desk.catches_up = True
        desk.service.pongs = False
        socket = desk.service.latest
        socket.push(None)
        await clock.advance(24.9)
        assert desk.of("lost") == [] or situation == "catching up again"
        await clock.advance(0.1)
        assert desk.of("lost")[-1] == (desk.service.sockets.index(socket) + 1, Silent(25.0))
        assert socket not in desk.service.open
        desk.service.pongs = True
        await clock.advance(1.1)
        assert desk.phase is LIVE
        await desk.stop()


@pytest.mark.parametrize("outcome", [Denied(401), Denied(403)], ids=str)
@pytest.mark.parametrize("situation", [*OFFLINE, *REPLACING])
async def test_a_refused_handshake_is_tried_once_more_with_a_new_token(
    clock: VirtualClock, situation: str, outcome: Denied
) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await reach(situation, desk, group)
        prepare(desk, outcome)
        desk.service.slow_rest.set()
        await clock.advance(0.0)
        assert desk.phase is LIVE
        assert len(set(desk.service.tokens)) == len(desk.service.tokens) >= 2
        await desk.stop()


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (403, PermissionDenied)])
@pytest.mark.parametrize("situation", [*OFFLINE, *REPLACING])
async def test_a_second_refused_handshake_is_final(
    clock: VirtualClock, situation: str, status: int, kind: type[UltraCartError]
) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await reach(situation, desk, group)
        prepare(desk, Denied(status))
        prepare(desk, Denied(status))
        desk.service.slow_rest.set()
        await clock.advance(0.0)
        desk.check_left()
    assert type(desk.error) is kind
    assert "dialect" in str(desk.error)


@pytest.mark.parametrize(
    ("code", "kind"), [(1008, PermissionDenied), (4401, AuthenticationError), (4403, PermissionDenied)]
)
async def test_a_policy_violation_twice_in_a_row_is_final(
    clock: VirtualClock, code: int, kind: type[UltraCartError]
) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.latest.end(code)
        await clock.advance(0.0)
        assert desk.phase is LIVE
        desk.service.latest.end(code)
        await clock.advance(0.0)
        desk.check_left()
    assert type(desk.error) is kind


async def test_a_policy_violation_is_forgiven_after_a_life_in_between(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        for _ in range(5):
            desk.service.latest.end(1008)
            await clock.advance(30.0)
        assert desk.phase is LIVE
        await desk.stop()


async def test_refusals_with_something_else_in_between_are_not_in_a_row(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.failures.extend([Denied(401), Denied(503), Denied(401), Unreachable("x"), Denied(403)])
        await desk.start(group)
        await clock.advance(60.0)
        assert desk.phase is LIVE
        await desk.stop()


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1008, 1011])
async def test_a_service_that_accepts_and_hangs_up_is_not_stormed(clock: VirtualClock, code: int) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, draw=Random(code).random)
        desk.service.flap = code
        await desk.start(group)
        await clock.advance(3_599.0)
        assert code == 1008 or 50 <= len(desk.service.accepted) <= 60
        desk.service.flap = None
        await clock.advance(601.0)
        assert desk.phase is (CLOSED if code == 1008 else LIVE)
        await desk.stop()
    assert desk.service.most_accepted_within(600.0) <= 10


async def test_planned_replacements_count_among_the_connections(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        for _ in range(300):
            desk.loop.rotate("deaf")
            await clock.advance(10.0)
        await desk.stop()
    assert desk.service.most_accepted_within(600.0) == 10
    assert desk.of("lost") == []


@pytest.mark.parametrize("by_rest", [True, False])
async def test_an_hour_without_the_service_costs_little_and_ends_within_the_ceiling(
    clock: VirtualClock, *, by_rest: bool
) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, draw=Random(7).random)
        await desk.start(group)
        desk.service.unauthorized = BUSY if by_rest else None
        desk.service.down = None if by_rest else Unreachable("no route")
        desk.service.latest.end()
        await clock.advance(3_600.0)
        assert 60 <= len(desk.service.attempts) <= 180
        desk.service.unauthorized = desk.service.down = None
        await clock.advance(60.0)
        assert desk.phase is LIVE
        await desk.stop()
    assert desk.error is None
    assert [what[0] for what in desk.told] == ["opened", "lost", "opened"]


async def test_ten_minutes_of_failing_authorization_are_survived(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.unauthorized = BUSY
        await desk.start(group)
        await clock.advance(600.0)
        assert desk.phase is CONNECTING
        assert desk.service.sockets == []
        desk.service.unauthorized = None
        await clock.advance(60.0)
        assert desk.phases == [CONNECTING, LIVE]
        await desk.stop()


async def test_the_waits_grow_until_a_connection_has_lasted(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        waits = list[float]()
        for life in (29.0, 29.0, 29.0, 29.0, 30.0, 29.0):
            await clock.advance(desk.service.accepted[-1] + life - clock.now())
            desk.service.latest.end()
            ended = clock.now()
            await clock.advance(9.0)
            waits.append(desk.service.accepted[-1] - ended)
        await desk.stop()
    assert waits == [1.0, 2.0, 4.0, 8.0, 1.0, 2.0]
