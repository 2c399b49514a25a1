"""What goes over the websocket: signs of life, pings, messages in and out."""

import anyio
import pytest

from tests.connection_desk import LIVE, PING, Desk, nothing_left
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation._live.connection import WriteLost
from ultracart_conversation._live.outcome import Silent, Unreachable
from ultracart_conversation.config import Heartbeat
from ultracart_conversation.errors import (
    NotConnected,
)

pytestmark = pytest.mark.anyio


async def test_only_what_is_received_keeps_a_websocket_from_being_pinged(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, ping_period=5.0)
        await desk.start(group)
        for _ in range(10):
            await clock.advance(14.0)
            desk.service.latest.push("{}")
        assert desk.service.latest.pings == 0
        await clock.advance(14.9)
        assert desk.service.latest.pings == 0
        await clock.advance(0.1)
        assert desk.service.latest.pings == 1
        await desk.stop()


async def test_a_websocket_that_answers_pings_lives_on_in_silence(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        await clock.advance(3_600.0)
        assert len(desk.service.sockets) == 1
        assert desk.service.latest.pings == 240
        await desk.stop()


async def test_silence_from_the_start_is_noticed_and_does_not_storm_the_service(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, catches_up=False)
        desk.service.pongs = False
        await desk.start(group)
        await clock.advance(25.0)
        assert desk.of("lost") == [(1, Silent(25.0))]
        await clock.advance(1_800.0)
        await desk.stop()
    assert desk.service.most_accepted_within(600.0) <= 10


async def test_a_line_on_which_nothing_can_be_written_is_given_up_all_the_same(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, ping_period=1.0)
        await desk.start(group)
        desk.service.stuck = True
        await clock.advance(25.0)
        assert desk.of("lost") == [(1, Silent(25.0))]
        desk.service.stuck = False
        await clock.advance(1.0)
        assert desk.phase is LIVE
        await desk.stop()


async def test_a_timeout_longer_than_the_interval_does_not_delay_the_next_ping(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, heartbeat=Heartbeat(interval=10.0, timeout=120.0))
        await desk.start(group)
        await clock.advance(100.0)
        assert desk.service.latest.pings == 10
        await desk.stop()


@pytest.mark.parametrize("busy", [True, False])
async def test_the_application_ping_goes_out_whatever_else_happens(clock: VirtualClock, *, busy: bool) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, ping_period=240.0)
        await desk.start(group)
        for turn in range(1, 121):
            await clock.advance(10.0)
            assert desk.service.latest.sent == [PING] * (turn // 24)
            if busy:
                desk.service.latest.push("{}")
        assert desk.loop.statistics().pings == 5
        await desk.stop()


async def test_no_application_ping_is_sent_where_there_is_none(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock, ping=None)
        await desk.start(group)
        await clock.advance(3_600.0)
        assert desk.service.latest.sent == []
        await desk.stop()


async def test_messages_come_with_their_generation_and_control_frames_do_not(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        for message in ("a", None, b"b\xff", "é"):
            desk.service.latest.push(message)
        await settle()
        assert desk.of("received") == [(1, "a"), (1, "b\ufffd"), (1, "é")]
        statistics = desk.loop.statistics()
        assert (statistics.messages, statistics.size) == (3, 1 + 2 + 2)
        await desk.stop()


async def test_sending_tells_the_generation(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        assert await desk.loop.send("hello") == 1
        desk.service.latest.end(1001)
        await clock.advance(0.0)
        assert await desk.loop.send("hello again") == 2
        assert [socket.sent for socket in desk.service.sockets] == [["hello"], ["hello again"]]
        await desk.stop()


async def test_nothing_is_sent_without_a_websocket(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        for _ in range(2):
            with pytest.raises(NotConnected, match="nothing was sent"):
                await desk.loop.send("too early, or too late")
            if not desk.ended:
                await desk.start(group)
                desk.service.down = Unreachable("x")
                desk.service.latest.end()
                await settle()
                with pytest.raises(NotConnected):
                    await desk.loop.send("in between")
                await desk.stop()
    assert desk.service.latest.sent == []


async def test_a_write_that_the_end_interrupts_may_have_been_written(clock: VirtualClock) -> None:
    lost = list[WriteLost]()

    async def write(desk: Desk) -> None:
        with pytest.raises(WriteLost, match=r"1006.*may have been sent") as caught:
            await desk.loop.send("hello")
        lost.append(caught.value)

    async with anyio.create_task_group() as group:
        desk = Desk(clock)
        await desk.start(group)
        desk.service.stuck = True
        group.start_soon(write, desk)
        await settle()
        desk.service.latest.end()
        await settle()
        await desk.stop()
    assert [error.generation for error in lost] == [1]
    assert not isinstance(lost[0], NotConnected)


async def test_a_handler_that_raises_ends_the_loop_with_its_own_error(clock: VirtualClock) -> None:
    class Broken(Desk):
        def received(self, generation: int, text: str, /) -> None:
            raise LookupError(text)

    async with nothing_left(), anyio.create_task_group() as group:
        desk = Broken(clock)
        await desk.start(group)
        desk.service.latest.push("x")
        await settle()
        desk.check_left()
    assert type(desk.error) is LookupError
    assert desk.loop.state.reason == "broken off"
