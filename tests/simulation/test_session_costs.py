"""What a session costs, and what it never does, over hours and days of virtual time."""

import anyio
import pytest

from tests.live.session.desk import chat
from tests.simulation.desk import Desk, online, play_watched
from tests.simulation.wires import play
from ultracart_conversation import (
    Buffering,
    ConsumerSlow,
    Limits,
    MessageReceived,
    Phase,
    Sending,
    Sent,
    SessionClosed,
    Unknown,
)
from ultracart_conversation.sandbox import Fault, Simulation, SocketFault

pytestmark = pytest.mark.anyio
HOUR = 3_600.0


async def test_an_idle_day_costs_little() -> None:
    simulation = Simulation(conversations=50, latency=0.05)

    async def scenario() -> None:
        async with online(simulation) as desk:
            await desk.session.wait_live()
            await simulation.timeline.sleep(24 * HOUR)
            statistics = desk.session.statistics()
            assert statistics.keepalive.sent >= 715
            assert 270 <= statistics.sweeps <= 370
            assert 12 <= statistics.connection.rotations <= 15
            assert statistics.connection.failures == 0

    await play(simulation, scenario)
    assert len(simulation.requests) <= 1_500


async def test_a_day_of_outage_costs_little_and_ends_with_it() -> None:
    simulation = Simulation(conversations=10, latency=0.05)

    async def scenario(desk: Desk) -> None:
        customer = await chat(desk.client, simulation, name="Ann Lee")
        simulation.faults.add(Fault(kind="status", status=503, times=None))
        simulation.sockets.reset()
        before = len(simulation.requests)
        await simulation.timeline.sleep(10 * HOUR)
        assert len(simulation.requests) - before <= 5_000
        customer.write("are you back?")
        simulation.faults.clear()
        await simulation.timeline.sleep(120)
        assert desk.session.state.phase is Phase.LIVE
        assert "are you back?" in desk.watch.bodies[customer.conversation_uuid]

    await play_watched(simulation, scenario)


async def test_a_list_that_cannot_be_read_is_not_asked_for_all_the_time() -> None:
    simulation = Simulation(conversations=10, latency=0.05)
    simulation.faults.add(Fault(kind="status", status=503, operation="get_conversations", times=None))

    async def scenario() -> None:
        async with online(simulation) as desk:
            await simulation.timeline.sleep(HOUR)
            assert simulation.sockets.count == 1
            assert 30 <= len(simulation.requests) <= 400
            simulation.faults.clear()
            await simulation.timeline.sleep(120)
            assert desk.session.state.phase is Phase.LIVE

    await play(simulation, scenario)


async def test_a_service_that_hangs_up_is_not_called_all_the_time() -> None:
    simulation = Simulation(conversations=10, latency=0.05)
    simulation.sockets.faults.add(SocketFault(kind="close", code=1011, delay=0.2, times=None))

    async def scenario() -> None:
        async with online(simulation):
            await simulation.timeline.sleep(600)

    await play(simulation, scenario)
    assert 3 <= len(simulation.sockets.handshakes) <= 10


async def test_a_lost_push_is_found_within_a_sweep() -> None:
    simulation = Simulation(conversations=10, latency=0.05)

    async def scenario(desk: Desk) -> None:
        customer = await chat(desk.client, simulation, name="Ann Lee")
        await simulation.timeline.sleep(600)
        simulation.sockets.faults.add(SocketFault(kind="drop", times=2))
        customer.write("unheard")
        await simulation.timeline.sleep(362)
        assert "unheard" in desk.watch.bodies[customer.conversation_uuid]

    await play_watched(simulation, scenario)


async def test_a_reader_who_is_stuck_for_an_hour_under_a_flood() -> None:
    simulation = Simulation(conversations=10, latency=0.01)

    async def scenario() -> None:
        async with online(simulation, limits=Limits.unlimited(), buffering=Buffering(maxsize=100)) as desk:
            session = desk.session
            await session.wait_live()
            customers = [await chat(desk.client, simulation, name=name) for name in ("Ann Lee", "Bo Ek")]
            await anext(aiter(session))
            for second in range(3_600):
                for customer in customers:
                    customer.write(str(second)) if second % 4 == 0 else None
                    for draft in range(500 if simulation.sockets.count else 0):
                        customer.type(str(draft))
                await simulation.timeline.sleep(1)
                consumer = session.statistics().consumers[0]
                assert consumer.waiting <= 200
                assert consumer.owed <= 12
                if second > 300:
                    assert simulation.sockets.count == 0
            assert session.state.phase is Phase.RECOVERING
            received: list[tuple[str | None, str | None]] = []
            slow = 0
            while len(received) < 2 * 901:
                event = await anext(aiter(session))
                slow += isinstance(event, ConsumerSlow)
                if isinstance(event, MessageReceived):
                    received.append((event.conversation_uuid, event.message.body))
            for customer in customers:
                mine = [body for uuid, body in received if uuid == customer.conversation_uuid]
                assert mine == ["Is anybody there?", *map(str, range(0, 3_600, 4))]
            assert slow >= 1
            await simulation.timeline.sleep(120)
            assert simulation.sockets.count == 1

    await play(simulation, scenario)


MOMENTS = [("trio" if step % 4 == 0 else "asyncio", round(0.02 * step, 2)) for step in range(100)]


@pytest.mark.parametrize(("anyio_backend", "moment"), MOMENTS)
async def test_cancelled_at_any_moment_it_leaves_nothing_behind(moment: float) -> None:
    """Connecting, sweeping, sending, rotating and closing take two seconds here; each test cancels at another one."""
    simulation = Simulation(conversations=10, latency=0.03)
    before = {task.id for task in anyio.get_running_tasks()}
    outcomes: list[object] = []

    async def use() -> None:
        async with online(simulation, sending=Sending(unknown=2.0)) as desk:
            session = desk.session
            await session.wait_live()
            customer = await chat(desk.client, simulation, name="Ann Lee")
            outcomes.append(await session.send_message(customer.conversation_uuid, "one"))
            outcomes.append(await session.send_message(customer.conversation_uuid, "two"))
            simulation.sockets.reset()
            customer.write("three")
            outcomes.append(await session.send_message(customer.conversation_uuid, "four"))
            while (await session.next(MessageReceived)).message.body != "four":
                pass

    async def scenario() -> None:
        async with anyio.create_task_group() as group:

            async def cancel() -> None:
                await simulation.timeline.sleep(moment)
                group.cancel_scope.cancel()

            group.start_soon(cancel)
            try:
                await use()
            except SessionClosed:
                raise AssertionError("the session ended before it was cancelled") from None
            group.cancel_scope.cancel()

    await play(simulation, scenario)
    assert all(isinstance(outcome, Sent | Unknown) for outcome in outcomes)
    assert simulation.sockets.count == 0
    assert {task.id for task in anyio.get_running_tasks()} <= before
    for uuid in simulation.conversation_uuids:
        bodies = [message["body"] for message in simulation.snapshot(uuid)["messages"]]
        assert all(bodies.count(body) <= 1 for body in ("one", "two", "four"))
