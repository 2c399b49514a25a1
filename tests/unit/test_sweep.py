"""Finding what changed in a list that moves while it is read."""

from collections.abc import Callable, Iterable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chat_service import EPOCH, utc
from ultracart_conversation._sync.conversation_list import OVERLAP
from ultracart_conversation._sync.ledger import Ledger
from ultracart_conversation._sync.requests import ListPage
from ultracart_conversation._sync.sweep import SLACK, Sweep, is_older
from ultracart_conversation.models import ConversationsResponse, ConversationSummary, ResponseMetadata, ResultSet

MINUTE = 60_000


def row(name: str, at: int | None = EPOCH, *, interactive: int | None = None, count: int = 1) -> ConversationSummary:
    return ConversationSummary(
        conversation_uuid=name,
        last_message_dts=None if at is None else utc(at),
        last_interactive_message_dts=None if interactive is None else utc(interactive),
        message_count=count,
    )


def aged(number: int, step: int = MINUTE) -> list[ConversationSummary]:
    """So many rows, each older than the one before."""
    return [row(f"c{index}", EPOCH - index * step) for index in range(number)]


class Desk:
    """A list, what is known of it, and the requests of the last sweep."""

    def __init__(self, rows: Iterable[ConversationSummary] = (), *, limit: int = 200, counted: bool = True) -> None:
        self.rows = list(rows)
        self.ledger = Ledger(follow="all")
        self.now = EPOCH + MINUTE
        self.limit = limit
        self.counted = counted
        self.asked: list[ListPage] = []

    def page(self, request: ListPage) -> ConversationsResponse:
        shown = self.rows[request.offset : request.offset + request.limit]
        more = request.offset + len(shown) < len(self.rows)
        counted = ResponseMetadata(result_set=ResultSet(more=more, next_offset=request.offset + len(shown)))
        return ConversationsResponse(conversations=tuple(shown), metadata=counted if self.counted else None)

    def sweep(self, between: Callable[[], None] = lambda: None) -> list[str | None]:
        """The names of the rows that changed; `between` happens after each page."""
        self.asked.clear()
        known = self.ledger
        sweep = Sweep(mark=known.mark, now=self.now, unchanged=lambda each: not known.changed([each]), limit=self.limit)
        rows: list[ConversationSummary] = []
        while (request := sweep.request) is not None:
            assert isinstance(request, ListPage)
            self.asked.append(request)
            rows += sweep.receive(self.page(request))
            between()
        changed = [each.conversation_uuid for each in known.changed(rows)]
        known.swept(rows, sweep.mark)
        return changed

    def change(self, name: str) -> None:
        """The row says something else, and stays where it is."""
        at = next(index for index, each in enumerate(self.rows) if each.conversation_uuid == name)
        self.rows[at] = attrs.evolve(self.rows[at], message_count=(self.rows[at].message_count or 0) + 1)

    def touch(self, name: str, at: int | None = None) -> None:
        """A message: the row says so and moves to the top."""
        self.now += 1000
        old = next((each for each in self.rows if each.conversation_uuid == name), row(name, count=0))
        self.rows = [each for each in self.rows if each.conversation_uuid != name]
        fresh = utc(self.now if at is None else at)
        self.rows.insert(0, attrs.evolve(old, last_message_dts=fresh, message_count=(old.message_count or 0) + 1))


def test_the_first_sweep_reads_one_page_to_have_a_mark() -> None:
    desk = Desk(aged(500))
    desk.sweep()
    assert [request.offset for request in desk.asked] == [0]
    assert desk.ledger.mark == EPOCH


@pytest.mark.parametrize("rows", [aged(1000), aged(5), [row("dateless", None), *aged(200)], []])
def test_an_idle_sweep_is_one_request(rows: list[ConversationSummary]) -> None:
    desk = Desk(rows)
    desk.sweep()
    assert desk.sweep() == []
    assert len(desk.asked) == 1


def test_the_mark_is_that_of_the_first_page_as_it_was_at_the_start() -> None:
    desk = Desk(aged(400))
    desk.sweep()
    desk.touch("c300")
    desk.change("c150")
    mark = desk.now
    assert desk.sweep(between=lambda: desk.touch("c350")) == ["c300", "c150"]
    assert len(desk.asked) == 2
    assert desk.ledger.mark == mark
    assert "c350" in desk.sweep()


def test_what_comes_down_to_the_next_page_makes_no_mark() -> None:
    desk = Desk(aged(60), limit=20)
    desk.sweep()
    desk.touch("c30")
    desk.change("c15")
    mark, desk.now = desk.now, EPOCH + 60 * MINUTE

    def crowd() -> None:
        if len(desk.asked) == 1:
            for index in range(40, 55):
                desk.touch(f"c{index}", mark + 1000)

    desk.sweep(crowd)
    assert len(desk.asked) > 1
    assert desk.ledger.mark == mark


def test_a_sweep_goes_on_until_all_of_a_page_is_old_and_unchanged() -> None:
    desk = Desk(aged(100, step=1000), limit=20)
    desk.sweep()
    # Only rows more than two minutes below the mark are old, and every page has ten rows of the one before.
    assert desk.sweep() == [f"c{index}" for index in range(20, 100)]
    assert [request.offset for request in desk.asked] == [*range(0, 90, 10)]
    assert desk.sweep() == []
    assert len(desk.asked) == 9


@pytest.mark.parametrize(("changed", "pages"), [([], 1), (range(100), 1), ([99], 1), ([100], 2), ([199], 2)])
def test_half_a_page_without_a_change_is_enough(changed: Iterable[int], pages: int) -> None:
    desk = Desk(aged(400))
    desk.sweep()
    for index in changed:
        desk.change(f"c{index}")
    assert desk.sweep() == [f"c{index}" for index in changed]
    assert len(desk.asked) == pages


@pytest.mark.parametrize(("age", "found"), [(SLACK, True), (SLACK + 1000, False)])
def test_a_list_may_lag_behind_by_two_minutes(age: int, found: bool) -> None:
    desk = Desk(aged(10))
    desk.sweep()
    desk.rows.insert(2, row("belated", EPOCH - age))
    assert desk.sweep() == (["belated"] if found else [])


def test_what_changes_deep_below_a_busy_page_is_found() -> None:
    desk = Desk(aged(60), limit=20)
    desk.sweep()
    for index in range(40, 15, -1):
        desk.touch(f"c{index}")
    assert set(desk.sweep()) == {f"c{index}" for index in range(16, 41)}


def test_a_row_is_as_new_as_the_newer_of_its_times_and_a_mark_as_old_as_the_older() -> None:
    desk = Desk([row("noticed", EPOCH, interactive=EPOCH - 60 * MINUTE), *aged(3)[1:]])
    desk.sweep()
    assert desk.ledger.mark == EPOCH - MINUTE
    desk.rows.append(row("deep", EPOCH, interactive=EPOCH - 90 * MINUTE))
    assert desk.sweep() == ["deep"]


def test_a_row_without_times_is_never_old_but_may_be_unchanged() -> None:
    desk = Desk(aged(5))
    desk.sweep()
    desk.rows.append(row("dateless", None))
    assert desk.sweep() == ["dateless"]
    assert desk.sweep() == []


def test_a_list_without_any_time_is_read_to_its_end() -> None:
    desk = Desk([row(f"c{index}", None) for index in range(30)], limit=20)
    desk.sweep()
    for _ in range(2):
        desk.sweep()
        assert len(desk.asked) == 2


def test_a_time_in_the_future_hides_nothing() -> None:
    desk = Desk([row("scheduled", EPOCH + 86_400_000), *aged(5)])
    desk.sweep()
    assert desk.ledger.mark == EPOCH
    desk.rows.insert(0, row("new", EPOCH + 1000))
    assert desk.sweep() == ["new"]


def test_where_all_is_later_than_our_clock_the_mark_is_now() -> None:
    desk = Desk(aged(1000))
    desk.now = EPOCH - 400 * MINUTE
    for _ in range(2):
        desk.sweep()
        assert desk.ledger.mark == desk.now
    assert len(desk.asked) == 3, "down to our time, and not to the end"
    desk.touch("c900", EPOCH + MINUTE)
    assert desk.sweep() == ["c900"]


def test_a_clock_that_is_set_back_does_not_move_the_mark_back() -> None:
    desk = Desk(aged(10))
    desk.sweep()
    desk.now = EPOCH - 400 * MINUTE
    desk.sweep()
    assert desk.ledger.mark == EPOCH


@pytest.mark.parametrize("rows", [[], [row("dateless", None)]])
def test_without_any_time_the_mark_is_the_beginning(rows: list[ConversationSummary]) -> None:
    desk = Desk(rows)
    desk.sweep()
    assert desk.ledger.mark == 0


@pytest.mark.parametrize(("later", "older"), [(0, False), (1, False), (999, False), (1000, True)])
def test_a_row_is_older_once_its_whole_second_has_ended(later: int, older: bool) -> None:
    assert is_older(row("second"), EPOCH + later) is older


def test_a_conversation_comes_once_however_often_it_is_shown() -> None:
    desk = Desk(aged(50), limit=20)
    desk.sweep()
    desk.touch("c0")
    moved = iter(range(49, 0, -1))
    changed = desk.sweep(between=lambda: desk.touch(f"c{next(moved)}"))
    assert len(changed) == len(set(changed))


def test_rows_that_share_a_time_are_told_apart() -> None:
    desk = Desk([row(name) for name in "abcde"])
    desk.sweep()
    desk.rows[3] = row("d", count=2)
    assert desk.sweep() == ["d"]


@pytest.mark.parametrize("gone", [1, OVERLAP])
def test_rows_that_vanish_while_pages_are_read_hide_none(gone: int) -> None:
    desk = Desk(aged(60, step=1000), limit=20)
    desk.sweep()
    desk.rows[35] = row("c35", EPOCH - 35_000, count=2)

    def vanish() -> None:
        if len(desk.asked) == 2:
            del desk.rows[:gone]

    assert "c35" in desk.sweep(vanish)


@pytest.mark.parametrize("size", [1, 5, 200, 230])
def test_a_list_that_does_not_say_how_long_it_is_is_read_to_its_end(size: int) -> None:
    desk = Desk(aged(size, step=0), counted=False)
    desk.sweep()
    desk.sweep()
    assert len(desk.asked) <= size // 190 + 6
    desk.touch(f"c{size - 1}")
    assert desk.sweep() == [f"c{size - 1}"]


CHANGES = st.lists(st.integers(0, 49), max_size=8)


@given(
    limit=st.integers(6, 30),
    before=CHANGES,
    during=st.lists(CHANGES, max_size=6),
    vanishing=st.booleans(),
    counted=st.booleans(),
    step=st.sampled_from([0, 1000, 10_000, MINUTE]),
)
def test_all_that_changed_before_a_sweep_is_found_by_it_and_all_else_by_the_next(
    limit: int, before: list[int], during: list[list[int]], vanishing: bool, counted: bool, step: int
) -> None:
    desk = Desk(aged(40, step), limit=limit, counted=counted)
    desk.sweep()
    desk.sweep()
    meanwhile, moving = iter(during), set[str | None]()

    def touch(indexes: list[int]) -> set[str | None]:
        for index in indexes:
            desk.touch(f"c{index}")
        return {f"c{index}" for index in indexes}

    def go_on() -> None:
        untouched = next(each for each in desk.rows if each.message_count == 1 and each.conversation_uuid not in moving)
        if vanishing and len(desk.rows) > 30:
            desk.rows.remove(untouched)
        moving.update(touch(next(meanwhile, [])))

    changed = touch(before)
    found = set(desk.sweep(go_on))
    visible = {each.conversation_uuid for each in desk.rows}
    assert changed & visible <= found | moving
    assert (changed | moving) & visible <= found | set(desk.sweep())
    assert desk.sweep() == []
