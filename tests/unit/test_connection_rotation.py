"""Replacing a websocket before the service cuts it: the new one first, then the old one goes."""

from collections.abc import Callable

import anyio
import pytest

from tests.connection_desk import LIVE, RECOVERING, Desk, nothing_left
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._live.outcome import Closed, Denied, Unreachable
from ultracart_conversation.config import Backoff, Heartbeat, Rotation
from ultracart_conversation.errors import ServerError

pytestmark = pytest.mark.anyio


async def test_the_new_one_is_open_before_the_old_one_goes(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.answers_close = False
        await clock.advance(6_719.9)
        assert len(desk.service.sockets) == 1
        await clock.advance(0.1)
        assert (desk.service.most_open, len(desk.service.open)) == (2, 2)
        assert (desk.phase, desk.loop.state.generation) == (LIVE, 2)
        assert [socket.close_code for socket in desk.service.sockets] == [1000, None]
        await clock.advance(2.0)
        assert desk.service.open == {desk.service.latest}
        assert desk.service.fewest_open == 1
        assert desk.told == [("opened", 1), ("opened", 2)]
        assert len(desk.service.tokens) == 2
        desk.service.answers_close = True
        await desk.stop()


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
async def test_the_moment_is_drawn(clock: VirtualClock, drawn: float) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, rotation=Rotation(earliest=100.0, latest=200.0), draw=lambda: drawn)
        await desk.start(group)
        await clock.advance(99.9 + 100.0 * drawn)
        assert len(desk.service.sockets) == 1
        await clock.advance(0.2)
        assert len(desk.service.sockets) == 2
        await desk.stop()


async def test_a_day_passes_without_a_moment_offline(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, heartbeat=Heartbeat(interval=600.0), ping=None)
        await desk.start(group)
        await clock.advance(86_400.0)
        assert desk.loop.statistics().rotations == 12
        assert desk.of("lost") == []
        assert desk.service.fewest_open >= 1
        await desk.stop()


async def test_after_a_replacement_there_is_catching_up_to_do(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.catches_up = False
        desk.loop.rotate("pushes are missing")
        await clock.advance(0.0)
        assert (desk.phase, desk.loop.state.reason) == (RECOVERING, "pushes are missing")
        desk.loop.caught_up(1)
        assert desk.phase is RECOVERING
        desk.loop.caught_up(2)
        assert desk.phase is LIVE
        await desk.stop()


async def test_what_the_old_one_still_brings_is_handed_over_and_its_end_is_not(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        old = desk.service.latest
        desk.service.answers_close = False
        desk.loop.rotate("deaf")
        await clock.advance(1.0)
        states = list(desk.states)
        old.push("late")
        desk.service.latest.push("new")
        await settle()
        old.end(1011, "of no interest")
        await clock.advance(5.0)
        assert set(desk.of("received")) == {(1, "late"), (2, "new")}
        assert desk.of("lost") == []
        assert desk.states == states
        desk.service.answers_close = True
        await desk.stop()


async def test_sending_goes_to_the_new_one_from_the_moment_it_is_in_use(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.slow = anyio.Event()
        desk.loop.rotate("deaf")
        await clock.advance(1.0)
        assert await desk.loop.send("to the old one") == 1
        desk.service.slow.set()
        await settle()
        assert await desk.loop.send("to the new one") == 2
        await desk.stop()


@pytest.mark.parametrize("failing", ["rest", "handshake"])
async def test_a_replacement_that_fails_leaves_the_old_one_in_use(clock: VirtualClock, failing: str) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        if failing == "rest":
            desk.service.unauthorized = ServerError("503")
        else:
            desk.service.down = Unreachable("no route")
        states = list(desk.states)
        await clock.advance(6_720.0 + 400.0)
        assert desk.states == states
        assert (desk.phase, len(desk.service.open)) == (LIVE, 1)
        assert await desk.loop.send("still here") == 1
        assert [round(at - 7_720.0) for at in desk.service.attempts[1:]] == [
            0,
            1,
            3,
            7,
            15,
            31,
            63,
            123,
            183,
            243,
            303,
            363,
        ]
        desk.service.unauthorized = desk.service.down = None
        await clock.advance(60.0)
        assert (desk.phase, desk.loop.state.generation) == (LIVE, 2)
        assert desk.of("lost") == []
        await desk.stop()


async def test_the_old_one_may_end_while_the_new_one_is_on_its_way(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.slow = anyio.Event()
        desk.loop.rotate("deaf")
        await clock.advance(1.0)
        desk.service.latest.end(1011)
        await settle()
        assert desk.of("lost") == [(1, Closed(1011))]
        assert (desk.phase, desk.loop.state.next_attempt) == (RECOVERING, None)
        desk.service.slow.set()
        await settle()
        assert (desk.phase, desk.loop.state.generation) == (LIVE, 2)
        assert len(desk.service.attempts) == 2
        await desk.stop()


async def test_replacing_when_there_is_none_in_use_changes_nothing(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.failures.append(Denied(503))
        desk.loop.rotate("too early")
        await desk.start(group)
        desk.loop.rotate("too early")
        await clock.advance(0.9)
        assert len(desk.service.attempts) == 1
        await clock.advance(100.0)
        assert len(desk.service.sockets) == 1
        await desk.stop()


def cut_at_expiry(desk: Desk) -> Callable[[], None]:
    """The service closes every websocket whose token has expired."""

    def cut() -> None:
        for socket, opened in zip(desk.service.sockets, desk.service.accepted, strict=True):
            if socket in desk.service.open and desk.clock.now() >= opened + (desk.service.lifetime or 0.0):
                socket.end(1008, "token expired")

    return cut


async def test_a_service_that_cuts_at_the_expiry_does_so_once(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, backoff=Backoff(connections=100))
        desk.service.lifetime = 300.0
        cut = cut_at_expiry(desk)
        await desk.start(group)
        for _ in range(720):
            await clock.advance(5.0)
            cut()
        await settle()
        assert desk.of("lost") == [(1, Closed(1008, "token expired"))]
        assert desk.loop.statistics().rotations == (3_600 - 300) // 240
        await desk.stop()


async def test_a_token_that_only_opens_does_not_shorten_the_life(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.lifetime = 300.0
        await desk.start(group)
        await clock.advance(6_700.0)
        assert len(desk.service.sockets) == 1
        await desk.stop()


async def test_a_token_of_an_hour_is_replaced_a_minute_before_it_expires(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.lifetime = 3_600.0
        await desk.start(group)
        await clock.advance(3_539.9)
        assert len(desk.service.sockets) == 1
        await clock.advance(0.1)
        assert (len(desk.service.sockets), desk.of("lost")) == (2, [])
        await desk.stop()


async def test_replacing_again_and_again_leaves_one_websocket(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock, backoff=Backoff(connections=1_000))
        desk.service.answers_close = False
        await desk.start(group)
        for _ in range(50):
            desk.loop.rotate("deaf")
            await clock.advance(0.1)
        assert desk.service.most_open <= 2.0 / 0.1 + 2
        await clock.advance(2.0)
        assert desk.service.open == {desk.service.latest}
        await desk.stop()


async def test_no_connection_waits_for_the_goodbye_of_another(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.answers_close = False
        desk.loop.rotate("deaf")
        await clock.advance(0.0)
        desk.service.latest.end(1001)
        await clock.advance(0.0)
        assert (desk.phase, desk.loop.state.generation) == (LIVE, 3)
        assert desk.service.sockets[0] in desk.service.open
        desk.loop.shed("slow")
        desk.loop.resume()
        await clock.advance(0.0)
        assert (desk.phase, desk.loop.state.generation) == (LIVE, 4)
        await desk.stop()
