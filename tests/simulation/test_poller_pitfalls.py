"""Whatever a list that moves, lags, repeats and leaves out may do, nothing is lost and nothing comes twice."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.polling_desk import HOUR, MINUTE, Desk, pages, play_polled, reads, stored
from ultracart_conversation.sandbox import Personality, Simulation
from ultracart_conversation.sandbox.exchange import Received

pytestmark = pytest.mark.anyio
SMALL = Personality(list_page_cap=10, before="ignored")
"""Pages of ten, by offset alone."""


def on_page(simulation: Simulation, number: int, happens: Callable[[], object]) -> None:
    """Let something happen while the list is read, just before its page of that number is answered."""
    seen = 0

    def heard(received: Received) -> None:
        nonlocal seen
        seen += received.operation == "get_conversations"
        if seen == number:
            simulation.on_request = None
            happens()

    simulation.on_request = heard


def write(simulation: Simulation, uuids: list[str], body: str = "Hello?", **options: Any) -> None:
    for uuid in uuids:
        simulation.customer(uuid).write(body, **options)


def hide(simulation: Simulation, uuids: list[str]) -> None:
    for uuid in uuids:
        simulation.records.hide(uuid)


def epoch(simulation: Simulation, ago: float) -> int:
    return int((simulation.timeline.time() - ago) * 1000)


# The mark and where a look ends


async def test_the_mark_is_what_the_first_page_showed_at_the_start() -> None:
    simulation = Simulation(conversations=60, personality=SMALL)

    async def scenario(desk: Desk) -> None:
        uuids = simulation.conversation_uuids
        write(simulation, uuids[:15])
        on_page(simulation, 2, lambda: write(simulation, uuids[40:55], "while you read"))
        await desk.look()
        await desk.look(after=5)
        desk.check()

    await play_polled(simulation, scenario)


async def test_looking_without_news_does_not_move_the_mark() -> None:
    simulation = Simulation(conversations=60, personality=SMALL)

    async def scenario(desk: Desk) -> None:
        uuids = simulation.conversation_uuids
        write(simulation, uuids[:25])
        mark = epoch(simulation, 0)
        await desk.look()
        for _ in range(5):
            await desk.look()
        write(simulation, [uuids[50]], "late in the list", epoch=mark - 100_000)
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, audit=None)


@pytest.mark.parametrize("tomorrow", [False, True])
async def test_a_look_goes_on_to_two_minutes_below_the_mark(tomorrow: bool) -> None:
    simulation = Simulation(conversations=60, personality=SMALL)

    async def scenario(desk: Desk) -> None:
        uuids = simulation.conversation_uuids
        if tomorrow:
            write(simulation, uuids[59:], "to be sent tomorrow", epoch=epoch(simulation, -24 * HOUR))
        for uuid in uuids[:30]:
            write(simulation, [uuid])
            await simulation.timeline.sleep(3)
        await desk.look(after=1)
        await desk.look(after=1)
        write(simulation, [uuids[45]], "a little late", epoch=epoch(simulation, 100))
        await desk.look(after=1)
        assert "a little late" in desk.notebook.new()

    await play_polled(simulation, scenario, audit=None)


async def test_a_look_does_not_end_on_a_page_with_a_changed_row() -> None:
    simulation = Simulation(conversations=60, personality=SMALL)

    async def scenario(desk: Desk) -> None:
        uuids = simulation.conversation_uuids
        write(simulation, uuids[:4])
        await desk.look()
        hour_ago = epoch(simulation, HOUR)
        for place, uuid in enumerate(uuids[20:32]):
            write(simulation, [uuid], "an hour late", epoch=hour_ago - place * 1000)
        await desk.look(after=10 * MINUTE)
        assert desk.notebook.new("news").count("an hour late") == 12
        desk.check()

    await play_polled(simulation, scenario, audit=None)


async def test_an_idle_look_takes_one_request() -> None:
    simulation = Simulation(conversations=300)

    async def scenario(desk: Desk) -> None:
        await desk.look(after=5 * MINUTE)
        simulation.request_counts.clear()
        await desk.look()
        assert simulation.request_counts == {"get_conversations": 1}

    await play_polled(simulation, scenario, audit=None)


# Rows that move


async def test_pages_overlap_as_rows_go_away_between_them() -> None:
    simulation = Simulation(conversations=60, personality=SMALL)

    async def scenario(desk: Desk) -> None:
        uuids = simulation.conversation_uuids
        write(simulation, uuids[:40])
        top = simulation.conversation_uuids
        on_page(simulation, 2, lambda: hide(simulation, top[:4]))
        await desk.look()
        assert stored(simulation).items() <= desk.notebook.bodies.items()

    await play_polled(simulation, scenario, audit=None)


@pytest.mark.parametrize("away", [4, 25])
async def test_no_conversation_is_skipped_when_rows_go_away_while_all_is_listed(away: int) -> None:
    simulation = Simulation(conversations=100, personality=SMALL)

    async def scenario(desk: Desk) -> None:
        top = simulation.conversation_uuids
        on_page(simulation, 5, lambda: hide(simulation, top[:away]))
        await desk.look()
        assert stored(simulation).items() <= desk.notebook.bodies.items()

    await play_polled(simulation, scenario, caught_up=False, audit=None)


@pytest.mark.parametrize("before", ["time", "time inclusive", "ignored"])
async def test_rows_move_up_and_down_and_away_while_all_is_listed(before: Any) -> None:
    simulation = Simulation(conversations=100, personality=replace(SMALL, before=before))

    def disturb(received: Received) -> None:
        if received.operation == "get_conversations":
            uuids = simulation.conversation_uuids
            simulation.burst(2)
            simulation.records.remove_message(uuids[7], simulation.snapshot(uuids[7])["messages"][-1][KEY])
            simulation.records.hide(uuids[-3])

    async def scenario(desk: Desk) -> None:
        simulation.on_request = disturb
        await desk.look()
        simulation.on_request = None
        await desk.look()
        await desk.look()
        for uuid, bodies in stored(simulation).items():
            assert bodies.items() <= desk.notebook.bodies[uuid].items()
        assert desk.notebook.repeated == []

    await play_polled(simulation, scenario, caught_up=False, audit=None)


KEY = "conversation_message_uuid"


async def test_a_row_that_moved_down_is_found() -> None:
    simulation = Simulation(conversations=60, personality=SMALL, messages=(3, 5))

    async def scenario(desk: Desk) -> None:
        uuid = simulation.conversation_uuids[0]
        simulation.records.remove_message(uuid, simulation.snapshot(uuid)["messages"][-1][KEY])
        await desk.look()
        write(simulation, [uuid], "once more")
        await desk.look()
        desk.check()
        assert sum(len(change.removed) for change in desk.notebook.changes) == 1

    await play_polled(simulation, scenario, audit=None)


# Ties


@pytest.mark.parametrize("before", ["time", "time inclusive", "ignored"])
async def test_many_rows_may_share_a_second(before: Any) -> None:
    personality = Personality(list_page_cap=10, before=before, shares_epochs=True, counts_rows=False)
    simulation = Simulation(personality=personality)
    for number in range(55):
        simulation.text("Hello?", name=f"Ann {number}")

    async def scenario(desk: Desk) -> None:
        await desk.look()
        assert len(desk.notebook.bodies) == 55
        desk.check()
        simulation.burst(40)
        await desk.look(after=0.2)
        desk.check()

    await play_polled(simulation, scenario, caught_up=False, audit=None)


@pytest.mark.parametrize("since", ["inclusive", "exclusive"])
async def test_messages_of_one_second_may_be_read_apart(since: Any) -> None:
    simulation = Simulation(conversations=5, personality=Personality(since=since, shares_epochs=True))

    async def scenario(desk: Desk) -> None:
        uuid = simulation.conversation_uuids[3]
        for number in range(6):
            write(simulation, [uuid], f"{number} of one second")
            await desk.look(after=0.1)
        assert sum("of one second" in body for body in desk.notebook.new()) == 6
        desk.check()

    await play_polled(simulation, scenario, audit=None)


# Rows that are not as they should be


@pytest.mark.parametrize("before", ["time", "ignored"])
@pytest.mark.parametrize(
    "habit",
    [
        {"undated_every": 3},
        {"repeats_every": 3},
        {"counts_rows": False},
        {"undated_every": 2, "repeats_every": 4, "counts_rows": False, "sorts_by": "last message"},
    ],
    ids=["null dates", "duplicates", "sparse metadata", "all of it"],
)
async def test_rows_may_lack_dates_come_twice_and_be_uncounted(habit: dict[str, Any], before: Any) -> None:
    simulation = Simulation(conversations=50, personality=Personality(list_page_cap=9, before=before, **habit))

    async def scenario(desk: Desk) -> None:
        desk.check()
        assert len(reads(simulation)) <= 50 + 10
        for _ in range(3):
            simulation.burst(12)
            await desk.look(after=5 * MINUTE)
            desk.check()

    await play_polled(simulation, scenario, audit=None)


async def test_an_idle_look_is_cheap_where_rows_lack_dates_and_come_twice() -> None:
    personality = Personality(undated_every=5, repeats_every=3, counts_rows=False)
    simulation = Simulation(conversations=400, personality=personality)

    async def scenario(desk: Desk) -> None:
        await desk.look(after=5 * MINUTE)
        simulation.request_counts.clear()
        await desk.look()
        assert simulation.request_counts.keys() == {"get_conversations"}
        assert pages(simulation) <= 3

    await play_polled(simulation, scenario, audit=None)


async def test_pages_may_be_tiny() -> None:
    personality = Personality(list_page_cap=2, page_cap=3, before="ignored")
    simulation = Simulation(conversations=25, personality=personality, messages=(8, 20))

    async def scenario(desk: Desk) -> None:
        desk.check()
        simulation.burst(12, each=7)
        await desk.look()
        desk.check()

    await play_polled(simulation, scenario, audit=None)


# How deep the list can be read


@pytest.mark.parametrize("before", ["time", "time inclusive"])
async def test_before_reaches_what_no_offset_does(before: Any, caplog: pytest.LogCaptureFixture) -> None:
    simulation = Simulation(conversations=350, personality=Personality(list_page_cap=40, list_cap=100, before=before))

    async def scenario(desk: Desk) -> None:
        assert len(desk.notebook.bodies) == 350
        desk.check()
        assert pages(simulation) <= 15

    await play_polled(simulation, scenario, audit=None)
    assert "lists no more" not in caplog.text


async def test_it_is_said_when_the_rest_of_the_list_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    personality = Personality(list_page_cap=40, list_cap=100, before="ignored")
    simulation = Simulation(conversations=350, personality=personality)

    async def scenario(desk: Desk) -> None:
        assert 40 <= len(desk.notebook.bodies) <= 100
        warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert len([each for each in warnings if each.startswith("the service lists no more than")]) == 1
        buried = simulation.conversation_uuids[300]
        write(simulation, [buried], "out of the depths")
        await desk.look()
        assert desk.notebook.bodies[buried] == stored(simulation)[buried]

    await play_polled(simulation, scenario, audit=None)


@pytest.mark.parametrize("before", ["time", "ignored"])
async def test_more_may_change_than_can_be_listed(before: Any, caplog: pytest.LogCaptureFixture) -> None:
    simulation = Simulation(conversations=350, personality=Personality(list_page_cap=40, list_cap=100, before=before))

    async def scenario(desk: Desk) -> None:
        for uuid in simulation.conversation_uuids[100:250]:
            write(simulation, [uuid])
            await simulation.timeline.sleep(1)
        await desk.look()
        await desk.look()
        uuid = simulation.conversation_uuids[0]
        write(simulation, [uuid], "and on")
        await desk.look()
        assert desk.notebook.bodies[uuid] == stored(simulation)[uuid]
        if before == "time":
            desk.check()
            assert caplog.text == ""

    await play_polled(simulation, scenario, audit=None)
