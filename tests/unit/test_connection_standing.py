"""Staying away, stopping, and what is told of it."""

import logging
from datetime import UTC, datetime

import anyio
import pytest
from anyio.abc import TaskGroup

from tests.connection_desk import (
    CLOSED,
    CLOSING,
    CONNECTING,
    LIVE,
    OFFLINE,
    RECOVERING,
    REPLACING,
    SITUATIONS,
    Desk,
    nothing_left,
    reach,
)
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._live.outcome import Denied, Unreachable
from ultracart_conversation.errors import (
    NotConnected,
)

pytestmark = pytest.mark.anyio


async def test_a_session_that_sheds_stays_away_until_it_resumes(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        socket = desk.service.latest
        desk.loop.shed("the consumer is slow")
        socket.push("too much")
        await clock.advance(7_200.0)
        assert (socket.close_code, desk.service.open) == (1000, set())
        assert (desk.of("lost"), desk.of("received")) == ([], [])
        assert (desk.phase, desk.loop.state.reason) == (RECOVERING, "the consumer is slow")
        assert desk.loop.state.next_attempt is None
        with pytest.raises(NotConnected):
            await desk.loop.send("hello")
        desk.loop.resume()
        await clock.advance(0.0)
        assert (desk.phase, desk.loop.state.generation) == (LIVE, 2)
        await desk.stop()


@pytest.mark.parametrize("situation", [*OFFLINE, *REPLACING])
async def test_shedding_calls_off_the_attempt_under_way(clock: VirtualClock, situation: str) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await reach(situation, desk, group)
        opened = len(desk.service.sockets)
        desk.loop.shed("slow")
        desk.service.slow_rest.set()
        await clock.advance(100.0)
        assert (len(desk.service.sockets), desk.service.open) == (opened, set())
        desk.loop.resume()
        await clock.advance(0.0)
        assert desk.phase is LIVE
        await desk.stop()


@pytest.mark.parametrize("stopped", [True, False])
async def test_a_websocket_that_opens_too_late_is_closed_unused(clock: VirtualClock, *, stopped: bool) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.slow = anyio.Event()
        await desk.start(group)
        desk.service.slow.set()
        if stopped:
            desk.loop.stop()
        else:
            desk.loop.shed("slow")
        await clock.advance(0.0)
        assert [socket.close_code for socket in desk.service.sockets] == [1000]
        assert (desk.told, desk.service.open) == ([], set())
        await desk.stop()


async def test_resuming_does_not_cut_a_wait_short(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.failures.append(Denied(503, "", 60.0))
        await desk.start(group)
        desk.loop.shed("slow")
        await clock.advance(10.0)
        desk.loop.resume()
        await clock.advance(50.9)
        assert desk.service.sockets == []
        await clock.advance(0.1)
        assert desk.phase is LIVE
        await desk.stop()


async def _reach_any(situation: str, desk: Desk, group: TaskGroup) -> None:
    if situation in SITUATIONS:
        await reach(situation, desk, group)
        return
    if situation == "before it began":
        desk.loop.stop()
    elif situation == "waiting":
        desk.service.down = Unreachable("x")
    await desk.start(group)
    if situation == "shed":
        desk.loop.shed("slow")


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("situation", [*SITUATIONS, "waiting", "shed", "before it began"])
async def test_stopping_takes_no_longer_than_a_closing_handshake(
    clock: VirtualClock, situation: str, *, answered: bool
) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await _reach_any(situation, desk, group)
        desk.service.answers_close = answered
        online = [socket for socket in desk.service.sockets if socket in desk.service.open]
        desk.loop.stop()
        await clock.advance(0.0 if answered or not online else 1.99)
        assert desk.ended == (answered or not online)
        await clock.advance(0.01)
        desk.check_left()
    assert desk.error is None
    assert [socket.close_code for socket in online] == [1000] * len(online)
    assert desk.phases[-2:] == [CLOSING, CLOSED]


async def test_a_goodbye_that_cannot_be_written_does_not_keep_anybody(clock: VirtualClock) -> None:
    async with nothing_left(), anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.stuck = True
        await desk.stop()


async def test_what_comes_while_it_stops_is_handed_over(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.answers_close = False
        desk.loop.stop()
        await clock.advance(1.0)
        desk.service.latest.push("last words")
        desk.loop.shed("ignored")
        desk.loop.resume()
        await desk.stop()
    assert desk.of("received") == [(1, "last words")]
    assert desk.of("lost") == []


async def test_the_state_says_why_and_since_when_and_until_when(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        await clock.advance(100.0)
        lost = datetime.fromtimestamp(clock.time(), UTC)
        desk.service.down = Denied(503, "busy", 30.0)
        desk.service.latest.end(1011, "oops")
        await settle()
        state = desk.loop.state
        assert (state.phase, state.reason, state.generation) == (RECOVERING, "closed with 1011 oops", 1)
        assert state.since == lost
        assert state.next_attempt is not None
        assert (state.next_attempt - lost).total_seconds() == pytest.approx(1.0)
        await clock.advance(1.0)
        state = desk.loop.state
        assert (state.since, state.reason) == (lost, "the handshake was answered with 503 busy")
        assert state.next_attempt is not None
        assert (state.next_attempt - lost).total_seconds() == pytest.approx(1.0 + 30.0 + 2.0)
        desk.service.down = None
        await clock.advance(32.0)
        assert (desk.phase, desk.loop.state.generation, desk.loop.state.next_attempt) == (LIVE, 2, None)
        await desk.stop()
    assert all(a != b for a, b in zip(desk.states, desk.states[1:], strict=False))
    assert desk.phases == [CONNECTING, LIVE, RECOVERING, LIVE, CLOSING, CLOSED]


async def test_it_is_live_only_when_the_websocket_in_use_has_caught_up(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, catches_up=False)
        await desk.start(group)
        desk.service.latest.end(1001)
        await clock.advance(0.0)
        desk.loop.caught_up(1)
        assert desk.phase is CONNECTING
        desk.loop.caught_up(2)
        assert desk.phase is LIVE
        await desk.stop()


async def test_a_failure_is_loud_once_and_its_end_says_how_long_it_took(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="ultracart_conversation.live")
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.down = Unreachable("no route")
        desk.service.latest.end(1006)
        await clock.advance(300.0)
        desk.service.down = None
        await clock.advance(60.0)
        await desk.stop()
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines[0] == ("INFO", "online with websocket 1, after 0.0 s")
    assert lines[1] == ("WARNING", "websocket 1: closed with 1006; connecting in 1.0 s")
    assert {level for level, _ in lines[2:-1]} == {"DEBUG"}
    assert lines[-1] == ("INFO", "online with websocket 2, after 303.0 s")


async def test_logs_and_reasons_name_neither_url_nor_token(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        for code in (1006, 1011, 1003, 1009):
            token = desk.service.tokens[-1]
            desk.service.latest.end(code, f"bad {token} at wss://example.test/agent?token={token}")
            await clock.advance(10.0)
        desk.service.failures.append(Denied(401, f"{desk.service.tokens[-1]} is bad"))
        desk.loop.rotate("deaf")
        await clock.advance(10.0)
        await desk.stop()
    shown = [*(record.getMessage() for record in caplog.records), *(state.reason for state in desk.states)]
    assert len(shown) > 15
    for text in [*shown, repr(desk.told), repr(desk.loop.statistics())]:
        assert "://" not in text
        assert all(token not in text for token in desk.service.tokens)


async def test_the_statistics_tell_what_became_of_it(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        desk.service.failures.append(Denied(503))
        await desk.start(group)
        statistics = desk.loop.statistics()
        assert (statistics.attempts, statistics.connections, statistics.failures) == (1, 0, 1)
        assert statistics.silence is None
        assert statistics.last_outcome == "the handshake was answered with 503"
        await clock.advance(8.0)
        statistics = desk.loop.statistics()
        assert (statistics.attempts, statistics.connections, statistics.silence) == (2, 1, 7.0)
        assert statistics.failures == 1
        await clock.advance(23.0)
        assert desk.loop.statistics().failures == 0
        desk.loop.rotate("deaf")
        await clock.advance(0.0)
        statistics = desk.loop.statistics()
        assert (statistics.attempts, statistics.connections, statistics.rotations) == (3, 2, 1)
        await desk.stop()
