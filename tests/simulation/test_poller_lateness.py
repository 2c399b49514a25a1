"""What shows late, is not to be seen in the list, changes afterwards or goes away is found all the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from tests.polling_desk import HOUR, MINUTE, Desk, Notebook, pages, play, play_polled, polling, stored
from ultracart_conversation import Audit, Change, ConfigurationError, MessagePoller
from ultracart_conversation.sandbox import Personality, Simulation

pytestmark = pytest.mark.anyio
KEY = "conversation_message_uuid"
ALL = Audit(every=1e-9, rest=30, window=10 * 365 * 24 * HOUR)
"""Everything at every look."""


def said(simulation: Simulation, uuid: str) -> list[str]:
    """The UUIDs of the messages of a conversation."""
    return [message[KEY] for message in simulation.snapshot(uuid)["messages"]]


def epoch(simulation: Simulation, ago: float) -> int:
    return int((simulation.timeline.time() - ago) * 1000)


async def follow(simulation: Simulation, scenario: Callable[[Notebook], Any], **options: Any) -> Notebook:
    """Let a poller iterate while a scenario runs; what it handed over."""
    notebook = Notebook()

    async def take(poller: MessagePoller) -> None:
        async for change in poller:
            notebook.note(change)

    async def run() -> None:
        async with polling(simulation, **options) as poller, anyio.create_task_group() as group:
            group.start_soon(take, poller)
            await simulation.timeline.sleep(1)
            await scenario(notebook)
            group.cancel_scope.cancel()

    await play(simulation, run)
    return notebook


# Lag


@pytest.mark.parametrize("list_lag", [45.0, 110.0])
@pytest.mark.parametrize("lag", [0.0, 40.0])
async def test_a_list_and_its_messages_may_lag(list_lag: float, lag: float) -> None:
    simulation = Simulation(conversations=60, personality=Personality(list_page_cap=5, before="ignored"))
    simulation.list_lag, simulation.lag = list_lag, lag

    async def scenario(desk: Desk) -> None:
        for _ in range(12):
            simulation.burst(3, each=2)
            simulation.text("Hello?")
            await desk.look(after=23)
        for _ in range(3):
            await desk.look()
        desk.check()

    await play_polled(simulation, scenario, audit=None)


async def test_what_shows_after_it_was_read_is_found_by_reading_once_more() -> None:
    simulation = Simulation(conversations=10)

    async def scenario(notebook: Notebook) -> None:
        customer = simulation.customer(simulation.conversation_uuids[4])
        customer.write("shows at once")
        await simulation.timeline.sleep(21)
        assert notebook.new() == ["shows at once"]
        simulation.list_lag = 10 * MINUTE
        customer.write("shows late")
        await simulation.timeline.sleep(40)
        assert notebook.new() == ["shows at once", "shows late"]

    await follow(simulation, scenario, interval=20, audit=None)


async def test_without_settling_it_is_found_when_the_list_shows_it() -> None:
    simulation = Simulation(conversations=10)

    async def scenario(notebook: Notebook) -> None:
        customer = simulation.customer(simulation.conversation_uuids[4])
        customer.write("shows at once")
        await simulation.timeline.sleep(21)
        simulation.list_lag = 100
        customer.write("shows late")
        await simulation.timeline.sleep(60)
        assert notebook.new() == ["shows at once"]
        await simulation.timeline.sleep(70)
        assert notebook.new() == ["shows at once", "shows late"]

    await follow(simulation, scenario, interval=20, settle=0, audit=None)


async def test_a_message_that_comes_late_by_minutes_is_found() -> None:
    simulation = Simulation(conversations=30)

    async def scenario(desk: Desk) -> None:
        customer = simulation.customer(simulation.conversation_uuids[4])
        customer.write("first")
        await desk.look()
        customer.write("said long before", epoch=epoch(simulation, 40 * MINUTE))
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, audit=None)


# What no row tells


async def test_a_notice_that_does_not_move_its_row_is_found() -> None:
    simulation = Simulation(conversations=30)

    async def scenario(desk: Desk) -> None:
        simulation.customer(simulation.conversation_uuids[20]).leave()
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, audit=None)


async def test_a_notice_far_down_the_list_is_found_by_the_audit() -> None:
    simulation = Simulation(conversations=60, personality=Personality(list_page_cap=10))

    async def scenario(desk: Desk) -> None:
        uuid = simulation.conversation_uuids[50]
        await desk.look(after=3 * MINUTE)
        simulation.customer(uuid).leave()
        for _ in range(3):
            await desk.look()
        assert [each.kind for each in desk.notebook.changes if each.conversation_uuid == uuid] == ["history", "audit"]
        desk.check()

    await play_polled(simulation, scenario, audit=ALL)


async def test_a_message_for_tomorrow_hides_nothing_of_today() -> None:
    simulation = Simulation(conversations=60, personality=Personality(list_page_cap=10))

    async def scenario(desk: Desk) -> None:
        uuids = simulation.conversation_uuids
        customer = simulation.customer(uuids[30])
        customer.write("tomorrow", epoch=epoch(simulation, -24 * HOUR))
        await desk.look()
        for place in range(5):
            customer.write(f"today {place}", epoch=epoch(simulation, 0))
            simulation.customer(uuids[40 + place]).write("today as well")
            await desk.look()
            desk.check()

    await play_polled(simulation, scenario, audit=None)


@pytest.mark.parametrize("counts", [True, False])
async def test_the_audit_finds_an_edit_a_removal_and_a_very_late_message(counts: bool) -> None:
    personality = Personality(counts_messages=counts, list_page_cap=10, before="ignored")
    simulation = Simulation(conversations=30, personality=personality, messages=(21, 30))

    async def scenario(desk: Desk) -> None:
        await desk.look(after=5 * MINUTE)
        first, second, third = simulation.conversation_uuids[-3:]
        simulation.records.edit_message(first, said(simulation, first)[3], "something else")
        simulation.records.remove_message(second, said(simulation, second)[3])
        simulation.customer(third).write("an hour late", epoch=epoch(simulation, 200 * 24 * HOUR))
        await desk.look()
        audited = [each for each in desk.notebook.changes if each.kind == "audit"]
        found: dict[str, Change] = {each.conversation_uuid: each for each in audited}
        assert [each.body for each in found[first].updated] == ["something else"]
        assert len(found[second].removed) == 1
        assert "an hour late" in desk.notebook.new()
        desk.check()

    await play_polled(simulation, scenario, audit=ALL)


async def test_an_audit_takes_its_time_and_its_turns() -> None:
    simulation = Simulation(conversations=12, messages=(1, 30))
    simulation.burst(12)

    async def scenario(_: Notebook) -> None:
        await simulation.timeline.sleep(2 * MINUTE)
        simulation.requests.clear()
        await simulation.timeline.sleep(HOUR)

    audit = Audit(every=300, rest=0, window=24 * HOUR)
    await follow(simulation, scenario, interval=60, audit=audit, since=datetime(2020, 1, 1, tzinfo=UTC))
    audited = [each.conversation_uuid for each in simulation.requests if each.conversation_uuid is not None]
    assert 11 <= len(audited) <= 16
    assert len(set(audited)) >= 11


# What goes away and comes back


async def test_a_conversation_that_is_removed_is_gone() -> None:
    simulation = Simulation(conversations=10)

    async def scenario(desk: Desk) -> None:
        uuid = simulation.conversation_uuids[2]
        simulation.customer(uuid).write("one last word")
        simulation.list_lag = 5 * MINUTE
        simulation.records.remove(uuid)
        for _ in range(8):
            await desk.look()
        assert [each.kind for each in desk.notebook.changes if each.conversation_uuid == uuid] == ["history", "gone"]
        desk.check()

    await play_polled(simulation, scenario)


async def test_the_audit_finds_out_that_a_conversation_is_gone() -> None:
    simulation = Simulation(conversations=5)
    simulation.burst(5)

    async def scenario(desk: Desk) -> None:
        uuid = simulation.conversation_uuids[2]
        simulation.records.remove(uuid)
        for _ in range(6):
            await desk.look()
        assert [each.kind for each in desk.notebook.changes if each.conversation_uuid == uuid][-1] == "gone"
        assert desk.poller.statistics().conversations == 4
        desk.check()

    await play_polled(simulation, scenario, audit=ALL)


async def test_a_conversation_may_be_hidden_and_shown_again() -> None:
    simulation = Simulation(conversations=10)

    async def scenario(desk: Desk) -> None:
        uuid = simulation.conversation_uuids[2]
        simulation.records.hide(uuid)
        await desk.look()
        simulation.customer(uuid).write("nobody hears me")
        await desk.look(after=10 * MINUTE)
        assert "nobody hears me" not in desk.notebook.new()
        simulation.records.show(uuid)
        await desk.look()
        desk.check()
        assert {each.kind for each in desk.notebook.changes} == {"history", "news"}

    await play_polled(simulation, scenario, audit=None)


# One medium


async def test_one_medium_is_followed_alone() -> None:
    simulation = Simulation(conversations=40)
    mine = simulation.text("Hello?").conversation_uuid

    async def scenario(desk: Desk) -> None:
        listed = {each.query.get("medium") for each in simulation.requests if each.operation == "get_conversations"}
        assert listed == {"sms"}
        media = {uuid: simulation.snapshot(uuid)["medium"] for uuid in simulation.conversation_uuids}
        texts = {uuid for uuid, medium in media.items() if medium == "sms"}
        assert mine in desk.notebook.bodies.keys() == texts
        simulation.burst(40)
        await desk.look()
        assert desk.notebook.bodies == stored(simulation, texts)

    await play_polled(simulation, scenario, medium="sms")


async def test_another_medium_cannot_go_on_from_a_checkpoint() -> None:
    simulation = Simulation(conversations=3)
    notebook = Notebook()

    async def run() -> None:
        async with polling(simulation, sink=notebook, medium="sms") as poller:
            await poller.run_once()
        with pytest.raises(ConfigurationError, match="medium='sms' and cannot go on with None"):
            async with polling(simulation, sink=notebook, checkpoint=notebook.checkpoint):
                pass
        assert pages(simulation) == 2

    await play(simulation, run)
