"""What `sync` says, when, and when it gives up."""

from math import inf

import attrs
import pytest

from ultracart_conversation._cli import sync_words as words
from ultracart_conversation._cli.patience import Patience
from ultracart_conversation._cli.sync_story import Story
from ultracart_conversation._poll.statistics import BOUNDS, Histogram, HistoryProgress, PollerStatistics
from ultracart_conversation._rest.budget import Budget
from ultracart_conversation.changes import Change, ChangeKind
from ultracart_conversation.limits import Limits
from ultracart_conversation.models import ConversationMessage


def statistics(*, conversations: int = 0, left: int = 0, listed: bool = True, eta: float = 0.0) -> PollerStatistics:
    return PollerStatistics(
        passes=1,
        requests={"list": 1},
        conversations=conversations,
        new=0,
        updated=0,
        removed=0,
        requests_per_message=None,
        lag=Histogram(counts=dict.fromkeys(BOUNDS, 0), total=0.0),
        complete_through=None,
        backlog=left,
        quarantined=0,
        history=HistoryProgress(listed=conversations, left=left, is_listed=listed, eta=eta if listed else None),
        last_error=None,
        budget=Budget(Limits()).statistics(),
    )


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def story(watch: Watch) -> Story:
    return Story("a.db", wanted="everything, newest first", follows=True, now=watch)


def change(uuid: str, *, kind: ChangeKind = "news", new: int = 1) -> Change:
    return Change(conversation_uuid=uuid, kind=kind, new=(ConversationMessage(),) * new)


def test_a_long_past_is_told_ever_more_rarely(watch: Watch, story: Story) -> None:
    standing = statistics(conversations=10_000, left=9_000)
    story.begin(standing)
    told: list[int] = []
    for second in range(4 * 3_600):
        watch.now = second
        told += [second for _ in story.tick(standing)]
    assert told[:6] == [10, 30, 70, 150, 310, 610]
    assert len(told) < 60


def test_what_a_look_found_is_told_once_all_of_it_is_read(story: Story) -> None:
    story.begin(statistics(conversations=10))
    busy = attrs.evolve(statistics(conversations=10), backlog=1)
    assert list(story.found((change("a", new=2),), busy)) == []
    (moment,) = story.found((change("b"), change("c", kind="history")), statistics(conversations=10))
    assert moment.text == "3 new messages in 2 conversations"
    assert list(story.found((), statistics(conversations=10))) == []


def test_the_past_is_read_when_the_last_of_it_is(story: Story) -> None:
    story.begin(statistics(conversations=10, left=1))
    read = statistics(conversations=10)
    assert [list(story.tick(each)) for each in (statistics(left=1), attrs.evolve(read, backlog=1))] == [[], []]
    assert [moment.kind for each in (read, read, attrs.evolve(read, backlog=1)) for moment in story.tick(each)] == [
        "past"
    ]


def test_a_failure_is_told_once_and_so_is_its_end(story: Story) -> None:
    well = statistics(conversations=1, left=1)
    ill = attrs.evolve(well, last_error="no connection\nat all")
    assert [moment.text for standing in (well, ill, ill, well, well) for moment in story.tick(standing)] == [
        "cannot go on just now, trying again at growing intervals, up to 5 min: no connection at all",
        "it works again",
    ]


def test_the_time_that_is_left_is_the_limits_or_the_pace(watch: Watch, story: Story) -> None:
    story.begin(statistics(conversations=100, left=100))
    watch.now = 10.0
    assert story.remaining(statistics(conversations=100, left=90)) == "about 1 min left"
    assert story.remaining(statistics(conversations=100, left=90, eta=7_300)) == "about 2 h left"
    assert story.remaining(statistics(conversations=100, left=90, listed=False)) == ""
    assert story.remaining(statistics(conversations=100)) == ""


def test_what_could_not_be_read_is_named_but_not_all_of_it() -> None:
    quarantined = {f"uuid {number}": "\x1b[2J500" for number in range(7)}
    lines = list(words.unreadable(quarantined, most=5))
    assert len(lines) == 6
    assert lines[-1].endswith("2 more conversations")
    assert "\x1b" not in "".join(lines)


def test_the_lag_is_a_bound_or_none() -> None:
    counts = dict.fromkeys(BOUNDS, 0)
    assert words.lag(Histogram(counts=counts, total=0.0)) == ""
    assert (
        words.lag(Histogram(counts={bound: 20 * (bound >= 45) for bound in BOUNDS}, total=700.0)) == "95 % within 45 s"
    )
    assert "more than an hour" in words.lag(Histogram(counts=counts | {inf: 1}, total=9_999.0))


def test_it_gives_up_at_once_when_nothing_was_ever_reached() -> None:
    assert Patience().after(None) is None


def test_it_gives_up_after_a_while_without_progress() -> None:
    patience = Patience()
    waits = [patience.after((1, 2)) for _ in range(6)]
    assert waits == [2, 4, 8, 16, 32, None]


def test_progress_gives_it_patience_again() -> None:
    patience = Patience()
    assert [patience.after(reached) for reached in (1, 1, 2, 2, 2)] == [2, 4, 2, 4, 8]
