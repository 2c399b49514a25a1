"""The session as its users hold it: coming and going, reading, waiting, numbers."""

import asyncio
from datetime import UTC, datetime
from typing import Literal

import anyio
import pytest

from tests.live.session.conftest import NewSession
from tests.live.session.desk import Reader, chat, eventually, reading
from ultracart_conversation import (
    ApplicationDisabled,
    AuthenticationError,
    ConfigurationError,
    ConsumerSlow,
    ConversationClient,
    Dialect,
    MessageReceived,
    Occurrence,
    Phase,
    QueueMemberJoined,
    SessionClosed,
    SessionError,
    StateChanged,
    Typing,
)
from ultracart_conversation.sandbox import Fault, Sandbox, SocketFault

pytestmark = pytest.mark.anyio


async def test_it_comes_online_and_says_so(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    before = datetime.now(UTC)
    async with new_session() as session:
        await session.wait_live()
        live = session.state
        assert live.phase is Phase.LIVE
        assert live.generation == 1
        assert before <= live.since <= datetime.now(UTC)
        assert ultracart_sandbox.sockets.count == 1
        assert session.agent is not None
        assert session.agent.conversation_participant_arn == ultracart_sandbox.agent.arn
        changes = [await session.next(StateChanged, timeout=5) for _ in range(2)]
        assert [change.state.phase for change in changes][-1] is Phase.LIVE
    assert session.state.phase is Phase.CLOSED
    await eventually(lambda: ultracart_sandbox.sockets.count == 0)


async def test_messages_come_as_events(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        customer = await chat(client, ultracart_sandbox)
        customer.write("one")
        customer.type("tw")
        customer.write("two")
        await reader.until(lambda: "two" in reader.bodies(customer.conversation_uuid))
        received = [
            event for event in reader.of(MessageReceived) if event.conversation_uuid == customer.conversation_uuid
        ]
        assert [event.message.body for event in received] == ["Is anybody there?", "one", "two"]
        assert not any(event.replayed or event.late for event in received[1:])
        assert {event.generation for event in received[1:]} == {1}
        assert reader.of(Typing)[-1].typing.value == "tw"
        assert reader.of(QueueMemberJoined)


async def test_only_some_events(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with new_session() as session:
        await session.wait_live()
        customer = await chat(client, ultracart_sandbox)
        customer.type("x")
        customer.write("hello")
        seen: list[Occurrence] = []
        async for event in session.events(MessageReceived, Typing):
            seen.append(event)
            if isinstance(event, MessageReceived) and event.message.body == "hello":
                break
        assert {type(event) for event in seen} == {MessageReceived, Typing}
        with pytest.raises(TimeoutError):
            await session.next(ConsumerSlow, timeout=0.05)


async def test_nothing_runs_after_leaving(new_session: NewSession, anyio_backend: str) -> None:
    before = anyio.get_running_tasks()
    async with new_session() as session:
        await session.wait_live()
        if anyio_backend == "asyncio":
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert {"session", "session: catching up", "session: keepalive", "session: sending"} <= names
    after = anyio.get_running_tasks()
    assert {task.id for task in after} <= {task.id for task in before}


async def test_it_runs_once(new_session: NewSession) -> None:
    session = new_session()
    with pytest.raises(SessionClosed, match="not running"):
        await session.send_message("uuid", "hello")
    async with session:
        await session.wait_live()
    with pytest.raises(SessionClosed, match="runs once"):
        await session.__aenter__()
    with pytest.raises(SessionClosed):
        await session.wait_live()
    with pytest.raises(SessionClosed):
        await session.send_typing("uuid")


async def test_two_tasks_cannot_share_an_iteration(new_session: NewSession) -> None:
    async with reading(new_session()) as reader:
        with pytest.raises(SessionError, match="subscribe"):
            async for _ in reader.session:
                break


async def test_iteration_ends_with_the_session(new_session: NewSession) -> None:
    session = new_session()
    reader = Reader(session)
    async with anyio.create_task_group() as group, session:
        group.start_soon(reader.run)
        await session.wait_live()
    assert reader.failure is None
    assert reader.of(StateChanged)[-1].state.phase is Phase.CLOSED


@pytest.mark.parametrize(("follow", "keepalive"), [("some", 1.0), ("mine", 0.0)])
async def test_nonsense_is_refused(new_session: NewSession, follow: str, keepalive: float) -> None:
    with pytest.raises(ConfigurationError):
        new_session(follow=follow, keepalive=keepalive)


async def test_an_error_in_the_block_comes_out_bare(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    with pytest.raises(ZeroDivisionError):
        async with new_session() as session:
            await session.wait_live()
            _ = 1 / 0
    await eventually(lambda: ultracart_sandbox.sockets.count == 0)


async def test_a_disabled_application_ends_it(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="status", status=410, times=None))
    with pytest.raises(ApplicationDisabled):
        async with new_session() as session:
            with pytest.raises(ApplicationDisabled):
                await session.wait_live()
            with pytest.raises(ApplicationDisabled):
                async for _ in session:
                    pass
            with pytest.raises(ApplicationDisabled):
                await session.send_message("uuid", "hello")


async def test_a_rejected_key_ends_it(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    ultracart_sandbox.faults.add(Fault(kind="status", status=401, times=None))
    with pytest.raises(AuthenticationError):
        async with new_session() as session:
            await session.wait_live()


@pytest.mark.parametrize("kind", ["refuse", "stall", "silent", "close", "reset"])
async def test_leaving_before_it_is_online(new_session: NewSession, ultracart_sandbox: Sandbox, kind: str) -> None:
    ultracart_sandbox.sockets.faults.add(SocketFault(kind=kind, times=None))  # type: ignore[arg-type]
    with anyio.fail_after(10):
        async with new_session():
            await eventually(lambda: ultracart_sandbox.sockets.handshakes)
    # A sandbox that fell silent reads nothing, and so does not see the end.
    if kind != "silent":
        await eventually(lambda: ultracart_sandbox.sockets.count == 0)


async def test_leaving_at_once(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    with anyio.fail_after(5):
        async with new_session():
            pass
    await eventually(lambda: ultracart_sandbox.sockets.count == 0)


async def test_leaving_while_the_service_is_away(new_session: NewSession, ultracart_sandbox: Sandbox) -> None:
    async with reading(new_session()) as reader:
        ultracart_sandbox.stop()
        await reader.until(lambda: reader.of(StateChanged)[-1].state.phase is Phase.RECOVERING)
        assert reader.of(StateChanged)[-1].state.reason


@pytest.mark.parametrize("token", ["query", "header", "subprotocol"])
async def test_however_the_token_travels(
    new_session: NewSession, ultracart_sandbox: Sandbox, token: Literal["query", "header", "subprotocol"]
) -> None:
    ultracart_sandbox.tokens.in_url, ultracart_sandbox.tokens.parameter = False, "authorization"
    dialect = Dialect(token=token, parameter="authorization", ping={"type": "ping"}, ping_period=0.1)
    async with reading(new_session(dialect=dialect)) as reader:
        await eventually(lambda: reader.session.statistics().pings)
        assert [each.status for each in ultracart_sandbox.sockets.handshakes] == [101]


async def test_one_slow_consumer_does_not_stop_the_others(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    async with reading(new_session()) as reader:
        session = reader.session
        async with session.subscribe(maxsize=4) as slow, session.subscribe(maxsize=4, overflow="drop_oldest") as lossy:
            customer = await chat(client, ultracart_sandbox)
            for number in range(30):
                customer.write(str(number))
            await reader.until(lambda: len(reader.bodies(customer.conversation_uuid)) == 31)
            assert slow.statistics().waiting <= 8
            assert slow.statistics().owed == 1
            kept: list[str | None] = []
            with anyio.fail_after(10):
                async for event in slow:
                    if isinstance(event, MessageReceived):
                        kept.append(event.message.body)
                    if len(kept) == 31:
                        break
            assert kept == ["Is anybody there?", *map(str, range(30))]
            first = await anext(lossy)
            assert isinstance(first, ConsumerSlow)
            assert first.dropped > 0
            assert lossy.statistics().waiting == 4


async def test_two_hundred_sessions_in_one_process(
    new_session: NewSession, client: ConversationClient, ultracart_sandbox: Sandbox
) -> None:
    ultracart_sandbox.tokens.single_use = True
    sessions = [new_session() for _ in range(200)]
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            leave = anyio.Event()

            async def stay(index: int) -> None:
                async with sessions[index] as session:
                    await session.wait_live()
                    await leave.wait()

            for index in range(200):
                group.start_soon(stay, index)
            await eventually(lambda: all(each.state.phase is Phase.LIVE for each in sessions), seconds=50)
            assert ultracart_sandbox.sockets.count == 200
            leave.set()
    await eventually(lambda: ultracart_sandbox.sockets.count == 0)
