"""What a poller decides: when to read again, what is proven, and what a checkpoint brings back."""

import json
from typing import Any

import attrs
import pytest

from tests.chat_service import EPOCH, Habits
from tests.roster_world import MINUTE, SECOND, World
from ultracart_conversation._sync.roster import Roster
from ultracart_conversation._sync.track import LATE
from ultracart_conversation.changes import PollerCheckpoint
from ultracart_conversation.config import Audit
from ultracart_conversation.errors import ConfigurationError
from ultracart_conversation.models import ConversationMessage


def followed(habits: Habits | None = None, *, messages: int = 3, notices: bool = True) -> World:
    """A conversation at rest, and another one that shows that notices are counted."""
    world = World(habits or Habits())
    for _ in range(messages):
        world.service.write("chat")
        world.wait(MINUTE)
    for number in range(9):
        world.service.write("other", notice=notices and number == 4)
        world.wait(MINUTE)
    world.catch_up()
    return world


def asked(world: World) -> int:
    count = len(world.service.asked)
    world.service.asked.clear()
    return count


def test_a_row_that_proves_what_was_read_saves_the_second_read() -> None:
    world = followed()
    world.service.write("chat")
    world.look()
    asked(world)
    assert world.read_news(10) == 1
    world.wait(MINUTE)
    assert world.read_news(10) == 0
    assert asked(world) == 1


@pytest.mark.parametrize("counts", ["no notices, at most 20", "inflated"])
def test_where_counts_prove_nothing_it_is_read_again_after_a_while(counts: str) -> None:
    world = followed(Habits(counts=counts))  # type: ignore[arg-type]
    world.service.write("chat", lag=0)
    world.look()
    assert world.read_news(10) == 1
    world.wait(29 * SECOND)
    assert world.read_news(10) == 0
    world.wait(SECOND)
    assert world.read_news(10) == 1
    world.wait(MINUTE)
    assert world.read_news(10) == 0


def test_counts_prove_nothing_before_one_with_a_notice_was_right() -> None:
    world = followed(notices=False)
    world.service.write("chat")
    world.look()
    world.read_news(10)
    world.wait(30 * SECOND)
    assert world.read_news(10) == 1


def test_what_was_said_long_ago_is_not_read_again() -> None:
    world = followed(Habits(counts="inflated"))
    world.service.write("other")
    world.look()
    world.read_news(10)
    world.wait(MINUTE)
    world.read_news(10)
    world.service.write("chat")
    world.wait(40 * SECOND)
    world.look()
    world.read_news(10)
    world.wait(MINUTE)
    assert world.read_news(10) == 0


def test_what_becomes_visible_late_is_found_by_the_second_read() -> None:
    world = followed(Habits(counts="no notices, at most 20"))
    world.service.write("chat", "late", back=1, lag=20 * SECOND, notice=True)
    world.service.write("chat", "at once")
    world.look()
    world.read_news(10)
    world.wait(30 * SECOND)
    world.read_news(10)
    world.keep()
    assert {"late", "at once"} <= set(world.store.alive("chat").values())


def test_a_page_that_ends_with_the_last_message_is_read_once() -> None:
    world = World(Habits())
    for number in range(60):
        for _ in range(3):
            world.service.write(f"c{number}")
            world.wait(1)
        world.wait(SECOND)
    world.wait(MINUTE)
    world.look()
    world.list_more(100)
    asked(world)
    assert world.read_history(100) == 60
    assert asked(world) <= 62


def test_a_page_that_keeps_the_newest_may_lack_the_oldest_all_the_same() -> None:
    world = World(Habits(keeps="newest ascending", cap=5, counts="no notices, at most 20"))
    for number in range(8):
        for _ in range(5 + number % 2):
            world.service.write(f"c{number}")
            world.wait(1)
        world.wait(SECOND)
    world.wait(MINUTE)
    world.catch_up()
    for number in range(8):
        assert world.store.alive(f"c{number}") == world.there(f"c{number}")


def test_a_row_that_changes_without_a_message_is_no_reason_to_read() -> None:
    world = followed()
    world.wait(10 * MINUTE)
    closed = attrs.evolve(world.service.row("chat"), closed=True)
    assert world.roster.listed([closed], now=world.now) == [closed]
    assert world.read_news(10) == 0


def test_a_hint_makes_a_read_and_the_row_that_comes_later_none() -> None:
    world = followed()
    world.service.write("chat")
    world.roster.hint("chat", now=world.now, within=2)
    assert world.read_news(10) == 0
    assert world.roster.next_read == world.now + 2
    world.wait(2 * SECOND)
    assert world.read_news(10) == 1
    world.wait(20 * SECOND)
    world.look()
    assert world.read_news(10) == 0


def test_a_conversation_that_cannot_be_read_waits_ever_longer() -> None:
    world = followed()
    world.service.write("chat")
    world.look()
    waits: list[float] = []
    for _ in range(8):
        before = world.now
        while (uuid := world.roster.news(now=world.now)) is None:
            world.wait(SECOND)
        waits.append(world.now - before)
        world.roster.failed(uuid, now=world.now)
        assert world.roster.quarantined == ["chat"]
    assert waits[:4] == [0, 60, 240, 960]
    assert waits[-1] == 6 * 3600
    world.wait(6 * 3600 * SECOND)
    assert world.read_news(10) == 1
    assert world.roster.quarantined == []


def test_everything_up_to_complete_through_is_there() -> None:
    world = followed()
    before = world.roster.complete_through
    assert before == world.roster.mark
    world.wait(10 * MINUTE)
    world.service.write("chat")
    world.service.write("other")
    world.wait(SECOND)
    world.look()
    assert world.roster.complete_through == before
    world.read_news(1)
    assert world.roster.complete_through == before
    world.read_news(1)
    mark = world.roster.mark or 0
    assert world.roster.complete_through == mark - 30 * SECOND, "as what was read may lag behind the list"
    world.wait(30 * SECOND)
    world.read_news(10)
    assert world.roster.complete_through == mark
    assert (world.roster.mark or 0) > (before or 0)


def through(world: World) -> int | None:
    return world.roster.complete_through


def test_nothing_is_complete_before_the_past_was_read() -> None:
    world = World(Habits())
    world.service.write("chat")
    world.look()
    assert through(world) is None
    world.list_more(10)
    assert through(world) is None
    world.read_history(10)
    assert through(world) == EPOCH - 30 * SECOND
    world.wait(30 * SECOND)
    world.read_news(10)
    assert through(world) == EPOCH


def test_what_was_gone_and_comes_back_is_there_again() -> None:
    world = followed()
    said = world.service.chats["chat"].pop(1)
    world.wait(7 * 3600 * SECOND)
    world.audit(10)
    world.keep()
    assert len(world.store.alive("chat")) == 2
    world.service.chats["chat"].insert(1, said)
    world.audit(10)
    world.keep()
    assert world.store.alive("chat") == world.there("chat")
    assert world.roster.positions["chat"].count == 3


def test_conversations_are_audited_in_turn_and_not_too_often() -> None:
    world = followed()
    audit = Audit(window=86_400, every=600, rest=3600)
    world.wait(3600 * SECOND)
    audited: list[str | None] = []
    for _ in range(2):
        audited.append(world.roster.audit(audit, now=world.now))
        assert world.read(audited[-1] or "", back=audit.window).kind == "audit"
        world.wait(599 * SECOND)
        assert world.roster.audit(audit, now=world.now) is None
        world.wait(SECOND)
    assert set(audited) == {"chat", "other"}
    assert world.roster.audit(audit, now=world.now) is None


def test_what_is_older_than_the_window_is_not_audited() -> None:
    world = followed()
    assert world.roster.audit(Audit(window=3600), now=world.now + 7 * 3600) is None


def test_an_earlier_since_reads_what_is_missing_and_nothing_twice() -> None:
    world = World(Habits(), since=EPOCH + 2 * MINUTE)
    for _ in range(5):
        world.service.write("chat")
        world.service.write("old", back=10 * MINUTE)
        world.wait(MINUTE)
    world.catch_up()
    assert len(world.store.alive("chat")) == 3
    assert len(world.store.alive("old")) == 0
    world.since = None
    world.crash()
    world.catch_up()
    assert len(world.store.alive("old")) == 0
    world.since = 0
    world.crash()
    world.catch_up()
    assert world.store.alive("chat") == world.there("chat")
    assert world.store.alive("old") == world.there("old")
    assert set(world.store.told.values()) == {1}


def test_a_later_since_changes_nothing() -> None:
    world = followed()
    world.since = int(world.now * 1000)
    world.crash()
    asked(world)
    world.look()
    assert world.read_news(10) + world.read_history(10) == 0
    assert asked(world) == 1


@pytest.mark.parametrize(("order", "names"), [("newest", ["c3", "c2", "c1"]), ("oldest", ["c1", "c2", "c3"])])
def test_the_past_is_read_in_order(order: str, names: list[str]) -> None:
    world = World(Habits())
    world.roster = Roster(order=order, remembers=False)  # type: ignore[arg-type]
    for name in ("c1", "c2", "c3"):
        world.service.write(name)
        world.wait(MINUTE)
    world.look()
    assert [world.roster.history() for _ in names] == names


def test_a_conversation_of_the_past_in_which_something_happens_is_read_at_once() -> None:
    world = World(Habits())
    for name in ("c1", "c2"):
        world.service.write(name)
        world.wait(MINUTE)
    world.look()
    world.service.write("c1")
    world.look()
    assert world.roster.news(now=world.now) == "c1"
    assert world.roster.history() == "c2"
    assert world.roster.history() is None


def test_from_now_on_nothing_old_is_handed_over() -> None:
    world = World(Habits(), since="now")
    world.service.write("chat")
    world.wait(MINUTE)
    world.service.write("quiet")
    world.wait(MINUTE)
    world.look()
    world.keep()
    new = world.service.write("chat")
    world.wait(SECOND)
    world.look()
    world.read_news(10)
    world.keep()
    assert list(world.store.told) == [new.conversation_message_uuid]


def remembering(world: World, uuid: str) -> list[ConversationMessage]:
    """What one read hands over when no archive remembers anything."""
    reading = world.roster.reading(uuid, {}, now=world.now)
    world.carry_out(reading.gap)
    change = world.roster.close(reading, now=world.now)
    return [] if change is None else list(change.new)


def test_without_an_archive_it_remembers_by_itself_and_across_restarts() -> None:
    world = World(Habits())
    world.roster = Roster()
    for _ in range(4):
        world.service.write("chat")
        world.wait(MINUTE)
    world.look()
    assert len(remembering(world, "chat")) == 4
    assert remembering(world, "chat") == []
    kept = PollerCheckpoint.from_dict(json.loads(json.dumps(world.roster.checkpoint().to_dict())))
    assert len(kept.conversations["chat"]["known"]) == 1 + LATE // MINUTE
    world.roster = Roster(checkpoint=kept)
    assert remembering(world, "chat") == []
    reading = world.roster.reading("chat", {}, now=world.now, back=world.now)
    world.carry_out(reading.gap)
    assert world.roster.close(reading, now=world.now) is None
    world.service.write("chat")
    assert len(remembering(world, "chat")) == 1


def test_a_conversation_that_is_gone_stays_gone_until_the_list_says_something_else() -> None:
    world = followed()
    change = world.roster.gone("chat")
    assert (change.kind, change.conversation_uuid) == ("gone", "chat")
    world.keep()
    world.crash()
    assert "chat" not in world.roster.positions
    world.roster.follow(["chat"], now=world.now)
    world.look()
    assert world.read_news(10) == 0
    world.service.write("chat")
    world.look()
    assert world.read_news(10) == 1
    world.keep()
    world.crash()
    assert "chat" in world.roster.positions


def test_an_earlier_since_reads_again_what_was_to_settle() -> None:
    world = World(Habits(), since=EPOCH + MINUTE)
    for _ in range(4):
        world.service.write("chat")
        world.wait(40 * SECOND)
    world.look()
    world.list_more(10)
    world.read_history(10)
    world.read_news(10)
    assert through(world) is not None
    world.keep()
    world.since = 1
    world.crash()
    assert through(world) is None
    world.list_more(10)
    assert world.read_history(10) == 1
    world.keep()
    assert world.store.alive("chat") == world.there("chat")


def test_what_cannot_be_read_while_others_cannot_either_is_never_in_quarantine() -> None:
    world = followed()
    before = world.roster.complete_through
    world.wait(10 * MINUTE)
    world.service.write("chat")
    world.look()
    for _ in range(10):
        world.wait(MINUTE)
        assert world.roster.news(now=world.now) == "chat"
        world.roster.suspected("chat", now=world.now, counts=False)
        assert world.roster.news(now=world.now) is None
        assert world.roster.quarantined == []
        assert world.roster.complete_through == before
    world.keep()
    world.crash()
    assert (world.roster.backlog, world.roster.complete_through) == (1, before)
    world.roster.retry("chat", now=world.now)
    assert world.read_news(10) == 1
    world.wait(MINUTE)
    world.read_news(10)
    assert world.roster.complete_through == world.roster.mark != before


def test_what_cannot_be_read_three_times_while_others_can_is_in_quarantine() -> None:
    world = followed()
    world.service.write("chat")
    world.look()
    for times in (1, 2, 3):
        assert world.roster.news(now=world.now) == "chat"
        world.roster.suspected("chat", now=world.now, counts=True)
        assert world.roster.quarantined == (["chat"] if times == 3 else [])
        world.wait(MINUTE)
    assert world.roster.complete_through == world.roster.mark
    world.roster.retry("chat", now=world.now - MINUTE)
    assert world.roster.backlog == 0


def test_what_follows_one_medium_does_not_go_on_with_another() -> None:
    kept = Roster(medium="sms").checkpoint()
    assert Roster(medium="sms", checkpoint=kept).checkpoint() == kept
    with pytest.raises(ConfigurationError, match="follows medium='sms'"):
        Roster(checkpoint=kept)


@pytest.mark.parametrize(
    "spoil",
    [
        {"head": {}},
        {"head": None},
        {"conversations": {"chat": {"watermark": "7", "tip": 7}}},
        {"conversations": {"chat": {"unheard of": 1}}},
        {"conversations": {"chat": 7}},
    ],
    ids=str,
)
def test_what_is_no_checkpoint_is_said_to_be_none(spoil: dict[str, Any]) -> None:
    good = followed().store.checkpoint
    assert good is not None
    with pytest.raises(ConfigurationError, match="no checkpoint"):
        Roster(checkpoint=attrs.evolve(good, **spoil))


@pytest.mark.parametrize("data", [{}, {"version": 1}, {"version": 2, "head": {}, "conversations": {}}], ids=str)
def test_what_no_poller_wrote_is_not_read(data: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="begin without it"):
        PollerCheckpoint.from_dict(data)
