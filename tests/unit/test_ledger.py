"""Which conversations are followed, from when on, and what is remembered of them."""

from collections import Counter

import attrs

from tests.chat_service import EPOCH, ME, Said, Service, utc
from tests.ledger_world import MINUTE, SECOND, World
from ultracart_conversation._sync.ledger import Follow, Ledger
from ultracart_conversation._sync.sweep import SLACK
from ultracart_conversation.models import ConversationMessage, ConversationParticipant


def mine(service: Service, follow: Follow = "mine") -> World:
    """A ledger of ours that has seen the list once."""
    world = World(service, Ledger(follow=follow))
    world.ledger.me = ME
    world.ledger.begin(service.rows(), service.now)
    service.now += MINUTE
    return world


def joined(at: int, left: int | None = None) -> tuple[ConversationParticipant, ...]:
    left_dts = None if left is None else utc(left)
    return (ConversationParticipant(conversation_participant_arn=ME, joined_dts=utc(at), left_dts=left_dts),)


def test_only_the_agents_own_conversations_are_followed() -> None:
    world = mine(Service())
    world.write("a", 0, 0, notice=False)
    row = world.service.row("a", participants=())
    assert world.ledger.changed([row]) == []
    assert world.ledger.changed([world.service.row("a", participants=joined(EPOCH, left=EPOCH))]) == []
    assert world.ledger.changed([world.service.row("a")]) == [world.service.row("a")]
    assert mine(Service(), "all").ledger.changed([row]) == [row]
    world.ledger.me = None
    assert world.ledger.changed([world.service.row("a", participants=(ConversationParticipant(),))]) == []


def test_a_conversation_is_followed_from_when_this_agent_joined_it() -> None:
    world = mine(Service())
    world.write("a", 0, 0, notice=False)
    world.wait(10 * SECOND)
    world.ledger.adopt(world.service.row("a", participants=joined(world.service.now)))
    world.write("a", 2 * SECOND, 0, notice=False)
    world.read("a")
    assert list(world.keys()) == ["m0002"], "the service's clocks may be a little apart"
    world.ledger.adopt(world.service.row("a", participants=joined(world.service.now + MINUTE)))
    world.write("a", 0, 0, notice=False)
    world.read("a")
    assert list(world.keys()) == ["m0002", "m0003"]


def test_a_few_quiet_conversations_are_read_in_turn() -> None:
    service = Service()
    for number in range(25):
        service.write(f"chat {number}")
    service.write("closed")
    service.write("left")
    world = mine(service)
    world.ledger.note(service.row("closed", closed=True))
    world.ledger.note(service.row("left", participants=joined(EPOCH, left=EPOCH)))
    read: list[str] = []
    for _ in range(3):
        chosen = world.ledger.unlisted([service.row("chat 0")])
        assert len(chosen) == 10
        read += chosen
        for uuid in chosen:
            world.read(uuid)
    assert {f"chat {number}" for number in range(1, 25)} == set(read)
    assert mine(service, "all").ledger.unlisted([]) == []


def test_what_is_not_proven_is_read_with_every_sweep() -> None:
    follows: tuple[Follow, ...] = ("mine", "all")
    for follow in follows:
        service = Service()
        service.write("a")
        world = mine(service, follow)
        world.ledger.failed("a")
        assert world.ledger.unlisted(service.rows()) == ["a"]
        changed = [service.row("a", message_count=2)]
        assert world.ledger.unlisted(changed) == [], "it is read as it changed"
        world.sweep()
        assert world.ledger.unlisted(service.rows()) == []


def test_a_conversation_that_was_gone_and_comes_back_is_not_handed_over_again() -> None:
    world = mine(Service())
    world.service.chats["a"] = []
    world.write("a", 0, 0, notice=False)
    world.read("a")
    world.ledger.gone("a")
    world.read("a")
    assert world.keys() == Counter({"m0001": 1})


def test_of_thousands_of_closed_conversations_little_is_kept_and_nothing_comes_twice() -> None:
    world = mine(Service(), "all")
    for number in range(2_050):
        world.write(f"c{number}", 0, 0, notice=False)
        world.wait(10 * MINUTE)
        world.write(f"c{number}", 0, 0, notice=False)
        world.read(f"c{number}")
        world.ledger.note(world.service.row(f"c{number}", closed=True))
    tracks = world.ledger.tracks
    assert sum(len(track.known) for track in tracks.values()) <= 2_050 * 2 - 40
    world.read("c0")
    world.read("c0", world.service.row("c0", message_count=9))
    assert max(world.keys().values()) == 1


def test_only_messages_of_others_in_own_conversations_are_expected_to_be_pushed() -> None:
    world = mine(Service(), "all")
    message = world.service.write("a")
    world.ledger.reading("a", world.service.row("a", participants=()), now=world.service.now)
    assert not world.ledger.is_expected("a", message)
    world.ledger.note(world.service.row("a"))
    assert world.ledger.is_expected("a", message)
    assert not world.ledger.is_expected("a", attrs.evolve(message, author_conversation_participant_arn=ME))
    assert not world.ledger.is_expected("unknown", message)


def test_an_update_of_an_old_message_is_an_update_and_comes_once() -> None:
    service = Service()
    service.write("a")
    service.now += MINUTE
    service.write("a")
    world = mine(service)
    edited = service.edit("a", 0, "edited")
    assert [found.is_update for found in world.ledger.updated("a", edited)] == [True]
    assert world.ledger.updated("a", edited) == []
    unseen = service.write("a")
    assert [found.is_update for found in world.ledger.updated("a", unseen)] == [False], "it is new to the consumer"


def test_messages_without_a_time_or_an_id_are_told_apart() -> None:
    world = mine(Service())
    bare = [ConversationMessage(body=body) for body in ("a", "b")]
    assert [len(world.ledger.pushed("a", each)) for each in [*bare, *bare]] == [1, 1, 0, 0]


def test_a_row_is_accounted_for_when_its_last_second_was_handed_over() -> None:
    service = Service()
    world = mine(service)
    message = service.write("a")
    row = service.row("a")
    assert not world.ledger.accounts_for(row)
    world.ledger.pushed("a", message)
    assert world.ledger.accounts_for(row)
    assert not world.ledger.accounts_for(attrs.evolve(row, last_message_dts=None))
    assert not world.ledger.accounts_for(service.row("a", last_message_dts=utc(service.now + SECOND)))


def test_a_message_that_comes_back_from_the_dead_is_not_new() -> None:
    world = mine(Service())
    world.write("a", 0, 0, notice=False)
    world.wait(SECOND)
    world.write("a", 0, 0, notice=False)
    world.read("a")
    away: Said = world.service.chats["a"].pop(0)
    world.read("a", world.service.row("a"))
    world.service.chats["a"].insert(0, away)
    world.read("a", world.service.row("a"))
    world.read("a", world.service.row("a"))
    assert world.keys() == Counter({"m0001": 1, "m0002": 1})
    assert world.ledger.shape.counts


def test_conversations_below_the_first_page_begin_at_the_mark() -> None:
    service = Service()
    service.write("deep")
    service.now += SLACK
    world = World(service)
    world.ledger.begin([], service.now)
    service.now += SECOND
    service.write("deep")
    world.sweep()
    assert list(world.keys()) == ["m0002"]
