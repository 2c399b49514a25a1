"""Sending through connections that come and go: callers, the writer and the timer, on both backends."""

import asyncio
from random import Random

import anyio
import pytest

from tests.sending_desk import FakeSocket, SendingDesk, cut
from tests.virtual_clock import VirtualClock, settle
from ultracart_conversation import ConversationMessage, SendQueueFull, SessionClosed
from ultracart_conversation._live.sender import Sender
from ultracart_conversation.config import Sending
from ultracart_conversation.delivery import Sent, Unknown
from ultracart_conversation.errors import NotConnected

STUCK = 10.0
"""Real seconds after which a test that hangs fails."""


@pytest.mark.anyio
async def test_a_message_is_sent_once_its_echo_comes(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        await desk.send("x")
        assert desk.socket.frames == [(1, "x")]
        assert desk.outcomes == {}
        await desk.echo("x")
        result = desk.outcomes["x"]
        assert isinstance(result, Sent)
        assert (result.client_message_id, result.found_by, result.message.body) == ("x", "echo", "x")
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_each_message_gets_an_id_of_its_own(clock: VirtualClock) -> None:
    identifiers = list[str]()

    def encode(identifier: str) -> str:
        identifiers.append(identifier)
        return "frame"

    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        for _ in range(2):
            group.start_soon(lambda: desk.sender.send("a", "x", encode=encode))
        await settle()
        assert len(set(identifiers)) == 2
        assert all(len(identifier) == 36 for identifier in identifiers)
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_messages_wait_for_a_connection_and_keep_their_order(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        for name in "xyz":
            await desk.send(name)
        await clock.advance(1_000.0)
        assert desk.socket.attempts == 0
        await desk.connect()
        assert desk.socket.texts == ["x", "y", "z"]
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_message_without_echo_is_looked_up_and_found_by_rest(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        began = clock.now()
        await desk.send("x")
        await clock.advance(16.0)
        assert desk.looked_up == [(began + 5.0, "a"), (began + 15.0, "a")]
        desk.see("x", found_by="rest")
        await clock.advance(100.0)
        assert len(desk.looked_up) == 2
        result = desk.outcomes["x"]
        assert isinstance(result, Sent)
        assert result.found_by == "rest"
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_message_that_nobody_shows_is_unknown_and_never_written_again(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        await desk.send("x")
        await clock.advance(89.9)
        assert desk.outcomes == {}
        await clock.advance(0.2)
        assert isinstance(desk.outcomes["x"], Unknown)
        await desk.lose()
        await desk.connect(2)
        assert desk.socket.texts == ["x"]
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_complete_read_ends_the_waiting_sooner(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        await desk.send("x")
        await clock.advance(31.0)
        desk.sender.read_completely("a", began=clock.now())
        await settle()
        assert isinstance(desk.outcomes["x"], Unknown)
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_connection_that_ends_while_writing_leaves_the_message_in_doubt(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        desk.socket.fails = cut()
        await desk.connect()
        await desk.send("x")
        await desk.send("y")
        await desk.send("z", "b")
        await desk.lose()
        await desk.connect(2)
        assert [entry for entry in desk.socket.texts if entry != "z"] == []
        assert [conversation for _, conversation in desk.looked_up] == ["a", "b"]
        desk.see("x", found_by="rest")
        await settle()
        assert desk.socket.frames[-1] == (2, "y")
        assert isinstance(desk.outcomes["x"], Sent)
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_message_that_met_no_connection_goes_out_later(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        desk.sender.connected(1, participant_arn=None)
        await desk.send("x")
        assert desk.socket.attempts == 1
        await clock.advance(0.9)
        assert desk.socket.attempts == 1, "it does not spin"
        desk.socket.generation = 1
        await clock.advance(0.2)
        assert desk.socket.frames == [(1, "x")]
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_while_a_write_is_stuck_time_goes_on(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        await desk.send("x", "b")
        desk.socket.gate = anyio.Event()
        await desk.send("y")
        await clock.advance(91.0)
        assert isinstance(desk.outcomes["x"], Unknown)
        assert isinstance(desk.outcomes["y"], Unknown)
        await desk.send("z")
        desk.socket.gate.set()
        await settle()
        assert desk.socket.texts == ["x", "y", "z"]
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_cancelled_caller_takes_back_what_was_not_written(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        scope = await desk.send("x")
        await desk.send("y")
        scope.cancel()
        await settle()
        await desk.connect()
        assert desk.socket.texts == ["y"]
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_call_under_cancellation_sends_nothing(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await desk.sender.send("a", "x", encode=str)
        await settle()
        assert scope.cancelled_caught
        assert desk.socket.attempts == 0
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_caller_cancelled_after_the_write_leaves_the_message_to_its_fate(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        scope = await desk.send("x")
        scope.cancel()
        await settle()
        assert desk.sender.statistics().in_flight == 1
        await desk.echo("x")
        assert desk.sender.statistics().sent == 1
        assert desk.outcomes == {}
        group.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize("result_first", [True, False])
async def test_a_result_that_meets_a_cancellation_counts(clock: VirtualClock, *, result_first: bool) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        scope = await desk.send("x")
        if result_first:
            desk.see("x")
        scope.cancel()
        desk.see("x")
        await settle()
        assert desk.sender.statistics().sent == 1
        with anyio.fail_after(STUCK):
            await desk.sender.drain()
        group.cancel_scope.cancel()


@pytest.mark.asyncio
async def test_a_plain_asyncio_cancellation_is_never_swallowed(clock: VirtualClock) -> None:
    socket = FakeSocket()
    sender = Sender(socket.write, lambda _: None, sending=Sending(), settle=30.0, clock=clock)
    running = asyncio.create_task(sender.run())
    task = asyncio.create_task(sender.send("a", "x", encode=str, client_message_id="x"))
    socket.generation = 1
    sender.connected(1, participant_arn=None)
    await settle()
    sender.seen(ConversationMessage(client_message_id="x"), "a", found_by="echo")
    task.cancel()
    await asyncio.wait([task], timeout=STUCK)
    assert task.cancelled()
    assert sender.statistics().sent == 1
    running.cancel()
    await asyncio.wait([running], timeout=STUCK)
    assert running.cancelled()


@pytest.mark.anyio
async def test_draining_waits_for_everything(clock: VirtualClock) -> None:
    drained = anyio.Event()

    async def drain() -> None:
        await desk.sender.drain()
        drained.set()

    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        await desk.send("x")
        await desk.send("y", "b")
        group.start_soon(drain)
        group.start_soon(drain)
        await desk.echo("x")
        assert not drained.is_set()
        await desk.echo("y", "b")
        assert drained.is_set()
        await desk.sender.drain()
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_draining_ends_when_the_last_caller_gives_up(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        scope = await desk.send("x")
        scope.cancel()
        with anyio.fail_after(STUCK):
            await desk.sender.drain()
        group.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_leaving_tells_every_caller(clock: VirtualClock, how: str) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        await desk.connect()
        await desk.send("written")
        desk.socket.gate = anyio.Event()
        await desk.send("being written")
        await desk.send("waiting")
        desk.sender.close() if how == "close" else desk.running.cancel()
        await settle()
        await desk.send("late")
        assert isinstance(desk.outcomes["written"], Unknown)
        assert isinstance(desk.outcomes["being written"], Unknown)
        assert isinstance(desk.outcomes["waiting"], SessionClosed)
        assert isinstance(desk.outcomes["late"], SessionClosed)
        assert desk.socket.attempts == 2
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_more_than_may_wait_is_refused_at_once(clock: VirtualClock) -> None:
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group, Sending(messages=1))
        await desk.send("x")
        await desk.send("y")
        assert isinstance(desk.outcomes["y"], SendQueueFull)
        group.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_fault_of_the_writer_ends_the_sender_and_tells_the_caller(clock: VirtualClock) -> None:
    desk: SendingDesk
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError), flatten_subgroups=True):
        async with anyio.create_task_group() as group:
            desk = SendingDesk(clock, group)
            desk.socket.fails = RuntimeError("a bug")
            desk.socket.generation = 1
            desk.sender.connected(1, participant_arn=None)
            await desk.send("x")
    assert desk.sender.statistics().unknown == 1


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(10))
async def test_a_storm_leaves_nothing_behind(clock: VirtualClock, seed: int) -> None:
    """Cuts, cancellations and lost echoes: no frame twice, in order, and everybody hears of the end."""
    random = Random(seed)
    generation = 0
    scopes = list[anyio.CancelScope]()
    conversations = [random.choice("abc") for _ in range(150)]
    async with anyio.create_task_group() as group:
        desk = SendingDesk(clock, group)
        for number, conversation in enumerate(conversations):
            scopes.append(await desk.send(f"<{number:03}>", conversation))
            if random.random() < 0.1:
                random.choice(scopes).cancel()
            if random.random() < 0.2:
                await desk.lose(generation)
                generation += 1
                desk.socket.fails = random.choice([None, None, cut(), NotConnected("gone")])
                await desk.connect(generation)
            if random.random() < 0.8:
                seen = random.choice(desk.socket.texts or ["<000>"])
                desk.see(seen, conversations[int(seen[1:-1])], found_by=random.choice(["echo", "rest"]))
            await clock.advance(random.choice([0.0, 0.3, 6.0]))
        await desk.connect(generation + 1)
        desk.sender.close()
        await settle()
        assert len(desk.outcomes) + sum(scope.cancelled_caught for scope in scopes) == 150
        group.cancel_scope.cancel()
    numbers = [int(text[1:-1]) for text in desk.socket.texts]
    assert len(numbers) == len(set(numbers))
    for conversation in "abc":
        written = [number for number in numbers if conversations[number] == conversation]
        assert written == sorted(written)
    statistics = desk.sender.statistics()
    assert (statistics.waiting, statistics.in_flight, statistics.in_doubt) == (0, 0, 0)
