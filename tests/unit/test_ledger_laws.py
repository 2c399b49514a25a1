"""Nothing lost, nothing twice: whatever the service's habits, and however pushes and reads are mixed."""

from typing import Any

import attrs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.chat_service import Habits, Service
from tests.ledger_world import CHATS, MINUTE, SECOND, World

HABITS = st.builds(
    Habits,
    inclusive=st.booleans(),
    keeps=st.sampled_from(["oldest", "newest ascending", "newest descending"]),
    counts=st.sampled_from(["true", "no notices, at most 20", "inflated"]),
    cap=st.sampled_from([200, 200, 12, 5]),
    shared_epochs=st.booleans(),
    whole=st.sampled_from([None, None, 30, 6]),
)
CHAT, PLACE = st.sampled_from(CHATS), st.integers(-4, -1)
DELAY = st.sampled_from([0, 1, 900, 20 * SECOND, 55 * SECOND])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), CHAT, DELAY, DELAY, st.booleans()),
        st.tuples(st.just("write late"), CHAT),
        st.tuples(st.just("edit"), CHAT, PLACE),
        st.tuples(st.just("remove"), CHAT, PLACE),
        st.tuples(st.just("push"), CHAT, PLACE),
        st.tuples(st.just("read"), CHAT),
        st.tuples(st.just("sweep")),
        st.tuples(st.just("wait"), st.sampled_from([1, 400, 7 * SECOND, 45 * SECOND, 4 * MINUTE])),
    ),
    max_size=25,
)


@settings(max_examples=300)
@given(habits=HABITS, steps=STEPS)
@example(habits=Habits(), steps=[("write", "b", 0, 0, False), ("edit", "b", -2), ("sweep",), ("write late", "b")])
def test_nothing_is_lost_and_nothing_comes_twice(habits: Habits, steps: list[tuple[Any, ...]]) -> None:
    service = Service(habits)
    world = World(service, old=2)
    for chat in (*CHATS, *CHATS):
        world.write(chat, 0, 0, notice=False)
        world.wait(SECOND)
    old = {said.message.conversation_message_uuid for said in [*service.chats["a"], *service.chats["b"]]}
    last = {service.visible(chat)[-1].conversation_message_uuid for chat in CHATS}
    world.newest = {chat: service.visible(chat)[-1].message_epoch or 0 for chat in CHATS}
    world.ledger.begin(service.rows(), service.now)
    world.wait(10 * MINUTE)
    for name, *arguments in steps:
        getattr(world, name.replace(" ", "_"))(*arguments)
    for _ in range(3):
        world.wait(MINUTE)
        world.sweep()
    for chat in CHATS:
        world.read(chat)
    keys = world.keys()
    assert max(keys.values(), default=1) == 1
    assert not keys.keys() & old - last
    for chat in CHATS:
        if world.ledger.tracks[chat].is_proven:
            there = {said.message.conversation_message_uuid for said in service.chats[chat]}
            assert there - old <= keys.keys()
    service.asked.clear()
    for chat in CHATS:
        # As many pages as the messages fill, one more to see the end, a probe, and the whole: twice at the most.
        pages = len(service.chats[chat]) // (min(habits.cap, 200) - 1) + 1
        assert world.read(chat) <= 2 * pages + 5


@settings(max_examples=50)
@given(habits=HABITS, edits=st.lists(st.tuples(CHAT, PLACE), max_size=5))
def test_the_latest_text_is_handed_over(habits: Habits, edits: list[tuple[str, int]]) -> None:
    world = World(Service(attrs.evolve(habits, cap=200, whole=None)), old=1)
    world.write("a", 0, 0, notice=False)
    world.ledger.begin(world.service.rows(), world.service.now)
    world.wait(MINUTE)
    for _ in range(4):
        world.write("a", 0, 0, notice=False)
    world.read("a")
    for _, place in edits:
        world.wait(1)
        world.edit("a", place)
        world.read("a")
        world.push("a", place)
    latest = {found.message.conversation_message_uuid: found.message for _, found in world.handed_over}
    assert [latest[said.message.conversation_message_uuid] for said in world.service.chats["a"][1:]] == [
        said.message for said in world.service.chats["a"][1:]
    ]
    assert sum(found.is_update for _, found in world.handed_over) == len(edits)
