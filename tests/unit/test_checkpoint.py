"""What outlives the process: going on where another session stood, and losing nothing on the way."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat_service import ME, Habits, Service
from tests.ledger_world import MINUTE, SECOND, World
from ultracart_conversation import ConfigurationError
from ultracart_conversation._sync.checkpoint import Checkpoint
from ultracart_conversation._sync.ledger import Ledger
from ultracart_conversation._sync.pending import Pending, united
from ultracart_conversation._sync.track import LATE


def world_of(*chats: str) -> World:
    """A world in which each of these conversations began with one old message."""
    world = World(Service(), old=1)
    world.ledger.me = ME
    for chat in chats:
        world.write(chat, 0, 0, notice=False)
    world.ledger.begin(world.service.rows(), world.service.now)
    world.newest = {chat: track.newest for chat, track in world.ledger.tracks.items()}
    world.wait(MINUTE)
    return world


def resumed(world: World, pending: dict[str, Pending] | None = None) -> World:
    """The same service, followed by another process that got the checkpoint as JSON."""
    saved = json.loads(json.dumps(world.ledger.checkpoint(pending or {}).to_dict()))
    after = World(world.service, Ledger(follow=world.ledger.follow, checkpoint=Checkpoint.from_dict(saved)))
    after.ledger.me = ME
    return after


def keys_after(world: World) -> list[str | None]:
    """What the sweep after a restart hands over."""
    world.newest = {chat: track.newest for chat, track in world.ledger.tracks.items()}
    world.sweep()
    return sorted(world.keys(), key=str)


def test_a_checkpoint_is_json_and_comes_back_as_it_was() -> None:
    world = world_of("a", "b")
    world.write("a", 0, 0, notice=False)
    world.sweep()
    world.write("b", 0, 0, notice=False)
    world.push("b", -1)
    checkpoint = world.ledger.checkpoint({})
    saved = checkpoint.to_dict()
    assert json.loads(json.dumps(saved)) == saved
    assert Checkpoint.from_dict(saved).to_dict() == saved
    assert resumed(world).ledger.checkpoint({}).to_dict() == saved
    assert "body" not in json.dumps(saved["conversations"][0]["known"])
    assert repr(checkpoint).endswith("conversations=<2 conversations>)")


def test_what_arrived_meanwhile_is_handed_over_and_what_was_before_is_not() -> None:
    world = world_of("a", "b")
    world.write("a", 0, 0, notice=False)
    world.sweep()
    world.write("b", 0, 0, notice=False)
    world.push("b", -1)
    later = resumed(world)
    later.write("a", 0, 0, notice=False)
    later.write("new", 0, 0, notice=False)
    assert keys_after(later) == ["m0005", "m0006"]
    assert later.service.whole_reads == 0


def test_what_came_late_meanwhile_is_found_because_it_is_counted() -> None:
    world = world_of("a")
    world.write("a", 0, 0, notice=False)
    world.wait(10 * MINUTE)
    world.write("a", 0, 0, notice=False)
    world.sweep()
    later = resumed(world)
    later.write("a", 5 * MINUTE, 0, notice=False)
    later.wait(MINUTE)
    # Which of those below the overlap was handed over is not kept: better twice than never.
    assert "m0004" in keys_after(later)


@pytest.mark.parametrize("quiet", [0, 2 * LATE])
def test_what_was_not_dealt_with_is_handed_over_again(quiet: int) -> None:
    world = world_of("a", "b")
    for _ in range(3):
        world.write("a", 0, 0, notice=False)
        world.wait(SECOND)
    world.sweep()
    world.wait(quiet)
    world.write("b", 0, 0, notice=False)
    world.sweep()
    epoch = world.service.chats["a"][2].epoch
    assert keys_after(resumed(world, {"a": Pending(epoch, frozenset({"m0004"}))})) == ["m0004"]
    assert keys_after(resumed(world, {"a": Pending(epoch, first=2)})) == ["m0004", "m0005"]
    assert keys_after(resumed(world)) == []


@pytest.mark.parametrize("was_read", [False, True])
def test_a_late_message_from_before_it_began_is_not_lost_when_nobody_dealt_with_it(was_read: bool) -> None:
    world = world_of("a")
    world.write("a", 5 * MINUTE, 0, notice=False)
    world.push("a", -1)
    if was_read:
        world.sweep()
    epoch = world.service.chats["a"][-1].epoch
    assert "m0002" in keys_after(resumed(world, {"a": Pending(epoch, frozenset({"m0002"}))}))


def test_an_update_of_an_old_message_does_not_bring_all_of_the_past_again() -> None:
    world = World(Service(), old=3)
    for _ in range(3):
        world.write("a", 0, 0, notice=False)
        world.wait(10 * MINUTE)
    world.ledger.begin(world.service.rows(), world.service.now)
    world.read("a")
    old = world.service.edit("a", 0, "edited")
    [found] = world.ledger.updated("a", old)
    assert found.is_update
    assert keys_after(resumed(world, {"a": Pending(old.message_epoch or 0, frozenset({"m0001"}))})) == []


def test_what_was_not_proven_is_read_again_although_no_row_has_changed() -> None:
    world = world_of("a", "b")
    world.write("a", 0, 0, notice=False)
    world.ledger.failed("a")
    world.ledger.swept(world.service.rows(), world.service.now)
    world.wait(2 * LATE)
    world.write("b", 0, 0, notice=False)
    world.sweep()
    world.handed_over.clear()
    again = resumed(world)
    again.ledger.failed("a")
    assert keys_after(again) == []
    world.ledger.failed("a")
    world.write("a", 0, 0, notice=False)
    world.ledger.swept(world.service.rows(), world.service.now + 2 * LATE)
    assert keys_after(resumed(world)) == ["m0005"]


def test_closed_conversations_stay_closed() -> None:
    world = world_of("a", "b")
    world.ledger.follow = "mine"
    world.ledger.note(world.service.row("a", closed=True))
    world.ledger.note(world.service.row("b"))
    assert resumed(world).ledger.unlisted([]) == ["b"]


def test_a_checkpoint_of_a_session_that_never_swept_begins_anew() -> None:
    ledger = resumed(World(Service())).ledger
    assert (ledger.mark, ledger.start, ledger.tracks) == (None, None, {})


@settings(max_examples=60)
@given(
    inclusive=st.booleans(),
    keeps=st.sampled_from(["oldest", "newest ascending", "newest descending"]),
    written=st.lists(st.sampled_from([0, 1, 30 * SECOND, 3 * MINUTE]), min_size=1, max_size=12),
    confirmed=st.integers(0, 12),
    late=st.sampled_from([0, 0, 50 * SECOND]),
)
def test_every_message_is_handed_over_at_least_once_whenever_the_process_dies(
    inclusive: bool, keeps: Any, written: list[int], confirmed: int, late: int
) -> None:
    world = world_of("a", "b")
    world.service.habits = Habits(inclusive=inclusive, keeps=keeps)
    for number, pause in enumerate(written):
        world.wait(pause)
        world.write("ab"[number % 2], late if number % 3 == 1 else 0, 0, notice=False)
        if number % 2:
            world.push("ab"[number % 2], -1)
        if number % 3 == 0:
            world.sweep()
    dealt_with = {found.message.conversation_message_uuid for _, found in world.handed_over[:confirmed]}
    undone = [(chat, found.message) for chat, found in world.handed_over[confirmed:]]
    pending = united(
        {chat: Pending(each.message_epoch or 0, frozenset({each.conversation_message_uuid or ""}))}
        for chat, each in undone
    )
    after = keys_after(resumed(world, pending))
    everything = {said.message.conversation_message_uuid for chat in "ab" for said in world.service.chats[chat][1:]}
    assert everything <= dealt_with | set(after)
    assert not dealt_with & set(after)


SAVED: dict[str, Any] = world_of("a").ledger.checkpoint({}).to_dict()
[TRACK] = SAVED["conversations"]
GARBAGE: list[Any] = [
    {},
    [],
    None,
    "checkpoint",
    SAVED | {"mark": "yesterday"},
    SAVED | {"start": 1.5},
    SAVED | {"shape": {"largest": "many"}},
    SAVED | {"shape": {"colour": "green"}},
    SAVED | {"shape": None},
    SAVED | {"conversations": 7},
    SAVED | {"conversations": ["a"]},
    SAVED | {"conversations": [{}]},
    *(SAVED | {"conversations": [{name: value for name, value in TRACK.items() if name != gone}]} for gone in TRACK),
    SAVED | {"conversations": [TRACK | {"known": {"m": 1}}]},
    SAVED | {"conversations": [TRACK | {"known": {"m": ["1", "ff"]}}]},
    SAVED | {"conversations": [TRACK | {"known": {"m": [1, "no hex"]}}]},
    SAVED | {"conversations": [TRACK | {"baseline": []}]},
    SAVED | {"conversations": [TRACK | {"baseline": [1, 2, 3, 4]}]},
    SAVED | {"conversations": [TRACK | {"watermark": None}]},
]


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: str(data)[-40:])
def test_garbage_is_refused_in_one_line(data: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"this is no checkpoint .*: begin without it") as caught:
        Checkpoint.from_dict(data)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_says_so(version: object) -> None:
    with pytest.raises(ConfigurationError, match="this package reads version 1"):
        Checkpoint.from_dict(SAVED | {"version": version})


def test_what_is_pending_with_several_consumers_is_pending() -> None:
    a, b = Pending(5, frozenset("x")), Pending(3, frozenset("y"), first=7)
    assert united([{"c": a}, {"c": b, "d": a}, {"d": attrs.evolve(a, first=9)}]) == {
        "c": Pending(3, frozenset("xy"), first=7),
        "d": Pending(5, frozenset("x"), first=9),
    }
