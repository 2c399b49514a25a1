"""Reading one conversation until nothing can be missing, or saying that something may be."""

import attrs
import pytest

from tests.chat_service import CUSTOMER, EPOCH, Habits, Service, utc
from tests.ledger_world import World
from ultracart_conversation._sync.baseline import Baseline
from ultracart_conversation._sync.gap import GapReading
from ultracart_conversation._sync.known import Found
from ultracart_conversation._sync.ledger import Ledger
from ultracart_conversation._sync.requests import ReadSince, Reply, Request
from ultracart_conversation._sync.track import LATE, Track
from ultracart_conversation.models import Conversation, ConversationMessage, ConversationSummary

SECOND = 1000
HOUR = 3_600_000


class Reader:
    """A ledger that follows one conversation of a service."""

    def __init__(self, service: Service, *, old: int = 0) -> None:
        self.service = service
        self.ledger = Ledger(follow="all")
        for _ in range(old):
            service.write()
            service.now += SECOND
        self.ledger.begin(service.rows(), service.now if old == 0 else None)
        service.now += HOUR

    @property
    def track(self) -> Track:
        return self.ledger.tracks["chat"]

    def read(self, *, counted: bool = True, row: ConversationSummary | None = None) -> list[Found]:
        """What a read hands over, where the list shows this row or the latest; the reading itself is in `reading`."""
        row = row or (self.service.row() if counted else None)
        self.reading: GapReading = self.ledger.reading("chat", row, now=self.service.now)
        while (request := self.reading.request) is not None:
            self.reading.receive(self.service.answer(request))
        return self.ledger.close(self.reading)

    def push(self, message: ConversationMessage) -> list[Found]:
        return self.ledger.pushed("chat", message)


class CountsWhatItShows(Service):
    """The list counts all messages, and a whole conversation those that it comes with."""

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        return attrs.evolve(reply, message_count=len(reply.messages)) if isinstance(reply, Conversation) else reply


def keys(found: list[Found]) -> list[str | None]:
    return [each.message.conversation_message_uuid for each in found]


@pytest.fixture
def reader() -> Reader:
    return Reader(Service(), old=3)


def test_what_is_new_is_handed_over_once(reader: Reader) -> None:
    new = [reader.service.write() for _ in range(3)]
    assert [each.message for each in reader.read()] == new
    assert reader.read() == []
    assert reader.track.watermark == new[-1].message_epoch


def test_an_edit_is_an_update_and_a_push_of_what_was_read_is_nothing(reader: Reader) -> None:
    message = reader.service.write()
    reader.read()
    assert reader.push(message) == []
    reader.service.edit("chat", -1, "edited")
    [found] = reader.read()
    assert (found.is_update, found.message.body) == (True, "edited")


def test_what_comes_late_within_two_minutes_is_found_and_says_so(reader: Reader) -> None:
    reader.service.write()
    reader.read(counted=False)
    late = reader.service.write(back=LATE)
    assert [(each.message, each.late) for each in reader.read(counted=False)] == [(late, True)]
    assert reader.service.whole_reads == 0


def test_what_comes_later_than_that_is_found_because_it_is_counted(reader: Reader) -> None:
    reader.service.write()
    reader.read()
    late = reader.service.write(back=LATE + SECOND)
    assert reader.read(counted=False) == []
    assert [(each.message, each.late) for each in reader.read()] == [(late, True)]
    assert reader.service.whole_reads == 1


@pytest.mark.parametrize("pushed_before", [0, 2])
def test_pushes_are_counted_too(reader: Reader, pushed_before: int) -> None:
    reader.service.write()
    reader.read()
    for _ in range(pushed_before):
        reader.service.now += SECOND
        reader.push(reader.service.write())
    assert reader.read() == []
    assert reader.service.whole_reads == 0
    reader.service.write(back=HOUR // 2)
    assert len(reader.read()) == 1


def test_a_removed_message_does_not_blind_the_count(reader: Reader) -> None:
    messages = [reader.service.write() for _ in range(3)]
    reader.read()
    reader.service.remove("chat", -2)
    assert reader.read() == []
    assert reader.reading.unproven is None
    late = reader.service.write(back=HOUR // 2)
    assert keys(reader.read()) == [late.conversation_message_uuid]
    reader.service.chats["chat"].append(attrs.evolve(reader.service.chats["chat"][0], message=messages[1]))
    assert reader.read() == []


@pytest.mark.parametrize("whole", [None, 5])
def test_what_was_removed_between_listing_and_reading_does_not_end_the_counting(whole: int | None) -> None:
    reader = Reader(Service(Habits(whole=whole)), old=3)
    reader.service.write()
    reader.read()
    reader.service.write()
    listed = reader.service.row()
    reader.service.remove("chat", -1)
    assert reader.read(row=listed) == []
    assert reader.reading.unproven is None
    assert reader.ledger.shape.counts
    late = reader.service.write(back=HOUR // 2)
    assert keys(reader.read()) == [late.conversation_message_uuid]


def test_an_older_list_costs_no_more_than_that_one_read(reader: Reader) -> None:
    reader.service.write()
    reader.read()
    reader.service.write()
    listed = reader.service.row()
    reader.service.remove("chat", -1)
    reader.read(row=listed)
    reader.service.asked.clear()
    for _ in range(3):
        reader.service.now += SECOND
        reader.service.write()
        assert len(reader.read()) == 1
    assert reader.service.whole_reads == 0


def test_a_list_that_was_older_than_two_removals_is_no_truth_either(reader: Reader) -> None:
    for _ in range(3):
        reader.service.write()
    reader.read()
    reader.service.write()
    listed = reader.service.row()
    reader.service.remove("chat", -1)
    reader.service.remove("chat", -1)
    assert reader.read(row=listed) == []
    assert len(reader.reading.removed) == 1
    late = reader.service.write(back=HOUR // 2)
    assert keys(reader.read()) == [late.conversation_message_uuid]


def test_a_whole_that_counts_only_what_it_shows_does_not_refute_the_list() -> None:
    reader = Reader(CountsWhatItShows(Habits(whole=5)), old=3)
    reader.service.now += HOUR
    for _ in range(10):
        reader.service.write()
        reader.service.now += SECOND
    assert len(reader.read()) == 10
    for _ in range(2):
        late = reader.service.write(back=HOUR // 2)
        assert keys(reader.read()) == [late.conversation_message_uuid]
    assert reader.ledger.shape.counts
    reader.service.write(back=4 * HOUR)
    assert reader.read() == []
    reader.service.asked.clear()
    reader.service.write()
    assert len(reader.read()) == 1
    assert reader.service.whole_reads == 0, "the list's count was taken over"


def test_counts_that_are_unusable_cost_one_whole_read_in_all() -> None:
    reader = Reader(Service(Habits(counts="inflated")), old=3)
    for _ in range(5):
        reader.service.write()
        assert len(reader.read()) == 1
        reader.service.now += HOUR
    assert reader.service.whole_reads == 1
    assert not reader.ledger.shape.counts


def test_a_late_message_older_than_what_is_followed_does_not_end_the_counting(reader: Reader) -> None:
    reader.service.write()
    reader.read()
    reader.service.write(back=2 * HOUR)
    assert reader.read() == []
    late = reader.service.write(back=HOUR // 2)
    assert keys(reader.read()) == [late.conversation_message_uuid]


def test_where_the_whole_conversation_is_cut_all_pages_are_read() -> None:
    reader = Reader(Service(Habits(whole=5)), old=3)
    reader.service.now += HOUR
    for _ in range(10):
        reader.service.write()
        reader.service.now += SECOND
    assert len(reader.read()) == 10
    late = reader.service.write(back=HOUR // 2)
    assert keys(reader.read()) == [late.conversation_message_uuid]
    assert reader.ledger.shape.counts


def test_what_a_service_pushes_and_does_not_show_yet_is_waited_for(reader: Reader) -> None:
    shown = reader.service.write()
    reader.service.now += SECOND
    young = reader.service.write(lag=60 * SECOND)
    assert len([*reader.push(shown), *reader.push(young)]) == 2
    assert reader.read() == []
    assert reader.reading.lagging
    assert "does not yet show" in (reader.reading.unproven or "")
    assert reader.track.watermark == shown.message_epoch, "what is shown is proven all the same"
    assert [reader.track.is_proven] == [False]
    reader.service.now += 60 * SECOND
    assert reader.read() == []
    assert [reader.track.is_proven] == [True]
    assert reader.track.watermark == young.message_epoch


def test_a_message_from_the_future_does_not_move_the_watermark_there(reader: Reader) -> None:
    scheduled = reader.service.write(back=-HOUR)
    assert keys(reader.read()) == [scheduled.conversation_message_uuid]
    assert reader.track.watermark <= reader.service.now
    missed = reader.service.write()
    assert keys(reader.read(counted=False)) == [missed.conversation_message_uuid]


def test_a_hole_is_said_and_closed_when_the_service_can_show_it() -> None:
    service = Service(Habits(keeps="newest ascending", counts="inflated", whole=10, cap=10))
    reader = Reader(service, old=1)
    for _ in range(30):
        service.write()
        service.now += SECOND
    service.now += HOUR
    assert len(reader.read()) == 10
    assert "does not show" in (reader.reading.unproven or "")
    assert reader.track.watermark < EPOCH + SECOND, "nothing is proven"
    service.habits = Habits()
    assert len(reader.read()) == 20
    assert reader.reading.unproven is None


def test_a_conversation_of_thousands_is_not_handed_over_again(reader: Reader) -> None:
    for _ in range(2_100):
        reader.service.write()
        reader.service.now += SECOND
    assert len(reader.read()) == 2_100
    assert len(reader.track.known) < 200
    late = reader.service.write(back=60 * SECOND)
    reader.service.write(back=HOUR)
    assert keys(reader.read()) == [late.conversation_message_uuid], "what is forgotten is old"
    assert len(reader.push(reader.service.write(back=HOUR))) == 1, "but what is pushed is new"


@pytest.mark.parametrize("last", [0, 1, 2])
@pytest.mark.parametrize("shared", [False, True])
def test_of_the_second_in_which_it_began_nothing_new_is_lost(last: int, shared: bool) -> None:
    service = Service(Habits(shared_epochs=shared))
    for _ in range(3):
        service.write()
        service.now += 100
    reader = Reader(Service(service.habits))
    reader.service.chats["chat"] = service.chats["chat"][: last + 1]
    reader.ledger.begin(reader.service.rows(), None)
    reader.service.chats["chat"] = service.chats["chat"]
    reader.service.now = EPOCH + SECOND
    new = [said.message for said in service.chats["chat"][last + 1 :]]
    handed_over = [each.message for each in reader.read()]
    assert set(new) <= set(handed_over)
    if not shared:
        assert handed_over == new


def test_a_message_from_the_future_is_no_beginning() -> None:
    world = World(Service())
    world.write("a", 0, 0, notice=False)
    world.write("a", -HOUR, 0, notice=False)
    rows = world.service.rows()
    sweep = world.ledger.sweep(now=world.service.now)
    world.ledger.begin(rows, sweep.mark)
    world.wait(SECOND)
    world.write("a", 0, 0, notice=False)
    world.read("a")
    assert world.keys()["m0003"] == 1


def test_what_lay_before_the_mark_and_was_not_listed_yet_is_not_lost() -> None:
    reader = Reader(Service(), old=1)
    reader.service.chats["busy"] = []
    ledger, service = Ledger(follow="all"), reader.service
    service.write("busy")
    ledger.begin(service.rows(), service.now)
    reader.ledger = ledger
    belated = service.write("chat", back=SECOND)
    assert keys(reader.read()) == [belated.conversation_message_uuid]


def test_a_message_of_the_first_second_that_is_shown_later_is_not_lost() -> None:
    service = Service(Habits(shared_epochs=True))
    service.write()
    reader = Reader(Service(service.habits))
    reader.service.chats["chat"] = [*service.chats["chat"]]
    reader.ledger.begin(reader.service.rows(), None)
    reader.service.now = EPOCH
    assert reader.read() == []
    late = reader.service.write(body="of the same millisecond")
    assert [each.message for each in reader.read()] == [late]


@pytest.mark.parametrize(
    ("bodies", "found"), [(["a", "b"], 1), (["b", "b"], None), (["c"], None), ([], None), (["b"], 0)]
)
def test_the_last_message_is_known_by_its_text_unless_there_are_two(bodies: list[str], found: int | None) -> None:
    service = Service()
    messages = [service.write(body=body) for body in bodies]
    service.now += SECOND
    messages.append(service.write(body="b"))
    baseline = Baseline(EPOCH, "b", CUSTOMER)
    assert baseline.last_of(messages) == (None if found is None else messages[found])
    assert baseline.last_of([attrs.evolve(each, author_conversation_participant_arn=None) for each in messages]) is None


def test_a_conversation_without_a_last_message_has_no_baseline() -> None:
    assert Baseline.of(Service().row("empty"), now=EPOCH) is None
    service = Service()
    service.write(body="last")
    assert Baseline.of(service.row(), now=EPOCH) == Baseline(int(utc(EPOCH).timestamp()) * 1000, "last", CUSTOMER)


def test_only_what_is_needed_is_asked_for(reader: Reader) -> None:
    reader.service.write()
    reader.read()
    reader.service.asked.clear()
    reader.read()
    [request] = reader.service.asked
    assert isinstance(request, ReadSince)
    assert request.since in (reader.track.since, reader.track.since - 1)
