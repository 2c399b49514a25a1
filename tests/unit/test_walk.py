"""Listing everything: resumed, by offset or by time, while rows come, move and go."""

from collections.abc import Callable, Collection
from datetime import datetime
from itertools import pairwise
from typing import Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chat_service import EPOCH, utc
from ultracart_conversation._sync.conversation_list import OVERLAP
from ultracart_conversation._sync.requests import ListPage
from ultracart_conversation._sync.walk import Place, Walk
from ultracart_conversation.models import ConversationsResponse, ConversationSummary, ResponseMetadata, ResultSet

SECOND, MINUTE = 1_000, 60_000
BEGINNING = Place()
Before = Literal["time", "time inclusive", "ignored", "uuid"]


def row(name: str, at: int | None) -> ConversationSummary:
    time = None if at is None else utc(at)
    return ConversationSummary(conversation_uuid=name, last_message_dts=time, last_interactive_message_dts=time)


@attrs.define
class List:
    """A service's list of conversations."""

    rows: list[ConversationSummary]
    before: Before = "time"
    sparse: bool = False
    cap: int = 200
    asked: list[ListPage] = attrs.Factory(list[ListPage])

    @classmethod
    def of(cls, number: int, *, step: int = MINUTE, **habits: object) -> "List":
        return cls([row(f"c{index}", EPOCH - index * step) for index in range(number)], **habits)  # type: ignore[arg-type]

    def page(self, request: ListPage) -> ConversationsResponse:
        self.asked.append(request)
        rows = [each for each in self.rows if request.before is None or self._is_before(each, request.before)]
        shown = rows[request.offset : request.offset + min(request.limit, self.cap)]
        end = request.offset + len(shown)
        counted = ResultSet() if self.sparse else ResultSet(more=end < len(rows), next_offset=end)
        return ConversationsResponse(conversations=tuple(shown), metadata=ResponseMetadata(result_set=counted))

    def _is_before(self, each: ConversationSummary, before: str) -> bool:
        time = each.last_message_dts
        if self.before == "ignored":
            return True
        if self.before == "uuid":
            return False
        if time is None:
            return False
        end = datetime.fromisoformat(before)
        return time <= end if self.before == "time inclusive" else time < end

    def walk(
        self, place: Place = BEGINNING, *, known: set[str] | None = None, pages: int = 10_000,
        between: Callable[[], None] = lambda: None, limit: int = 20, since: int | None = None,
    ) -> tuple[list[str], Place]:  # fmt: skip
        """The names of the rows that one walk of so many pages gave, and where it ended."""
        walk = Walk(place, is_known=(known or set()).__contains__, limit=limit, since=since)
        names: list[str] = []
        place = walk.place
        for _ in range(pages):
            if (request := walk.request) is None:
                break
            names += [each.conversation_uuid or "" for each in walk.receive(self.page(request))]
            place = place if walk.is_trying else walk.place
            between()
        return names, place

    def unname(self, indexes: Collection[int]) -> None:
        """Leave out the UUIDs of these rows."""
        for index in indexes:
            self.rows[index : index + 1] = [attrs.evolve(row, conversation_uuid=None) for row in self.rows[index:][:1]]

    def names(self) -> set[str]:
        return {each.conversation_uuid or "" for each in self.rows}


@pytest.mark.parametrize("before", ["time", "time inclusive", "ignored", "uuid"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("step", [MINUTE, 0, 400])
def test_everything_is_listed_once_however_before_is_taken(before: Before, sparse: bool, step: int) -> None:
    service = List.of(95, before=before, sparse=sparse, step=step)
    names, place = service.walk()
    assert sorted(names) == sorted(service.names())
    assert place.is_end


def test_whether_before_is_a_time_is_tried_once_and_remembered() -> None:
    service = List.of(95)
    _, place = service.walk(pages=3)
    assert place.by_time is True
    service.asked.clear()
    service.walk(Place(by_time=True))
    assert all(request.offset == 0 for request in service.asked[:-1])
    assert len(service.asked) <= 8

    _, place = List.of(95, before="ignored").walk(pages=3)
    assert place.by_time is False


def test_by_time_there_is_no_end_at_ten_thousand_rows() -> None:
    service = List.of(12_000)
    names, _ = service.walk(limit=200)
    assert len(names) == 12_000
    assert max(request.offset for request in service.asked[:-1]) < 200


def test_rows_without_a_time_are_found_behind_those_with_one() -> None:
    service = List.of(50)
    service.rows += [row(f"none {index}", None) for index in range(30)]
    names, _ = service.walk()
    assert sorted(names) == sorted(service.names())


@pytest.mark.parametrize("before", ["time", "ignored"])
def test_a_walk_goes_on_where_the_last_one_stopped(before: Before) -> None:
    service = List.of(200, before=before)
    known: set[str] = set()
    place = Place()
    while not place.is_end:
        names, place = service.walk(Place.from_dict(place.to_dict()), known=known, pages=3)
        known |= set(names)
    assert known == service.names()
    assert len(service.asked) < 45


def test_where_more_rows_vanish_than_pages_overlap_it_goes_back() -> None:
    service = List.of(200, before="ignored")
    names, place = service.walk(pages=6)
    service.rows = service.rows[60:]
    rest, _ = service.walk(place, known=set(names))
    assert service.names() <= {*names, *rest}


def test_where_so_many_vanish_that_the_next_page_is_empty_it_goes_back() -> None:
    service = List.of(200, before="ignored")
    names, place = service.walk(pages=19)
    service.rows = service.rows[100:]
    rest, place = service.walk(place, known=set(names))
    assert service.names() <= {*names, *rest}
    assert place.is_end


def test_it_finds_back_in_few_steps_however_many_vanish() -> None:
    service = List.of(2_000, before="ignored")
    names, place = service.walk(pages=150)
    service.rows = service.rows[1_000:]
    service.asked.clear()
    rest, _ = service.walk(place, known=set(names))
    assert service.names() <= {*names, *rest}
    offsets = [request.offset for request in service.asked]
    assert sum(after < before for before, after in pairwise(offsets)) <= 11
    assert len(offsets) <= 1_000 // 10 + 10


def test_it_goes_back_in_each_part_of_a_list_that_is_cut_by_time() -> None:
    service = List([row(f"{second} {index}", EPOCH - second * MINUTE) for second in range(2) for index in range(60)])
    waiting = [(None, 40, service.rows[:30]), (utc(EPOCH - MINUTE + SECOND).isoformat(), 10, service.rows[60:90])]

    def vanish() -> None:
        request = service.asked[-1]
        if waiting and request.before == waiting[0][0] and request.offset >= waiting[0][1]:
            *_, gone = waiting.pop(0)
            service.rows = [each for each in service.rows if each not in gone]

    names, _ = service.walk(between=vanish)
    assert not waiting
    assert service.names() <= {*names}


@given(
    number=st.integers(0, 80),
    cap=st.integers(1, 30),
    nameless=st.one_of(st.just(set(range(80))), st.sets(st.integers(0, 79), max_size=20)),
    before=st.sampled_from(["time", "time inclusive", "ignored", "uuid"]),
    sparse=st.booleans(),
    step=st.sampled_from([0, SECOND, MINUTE]),
)
def test_a_walk_takes_no_more_requests_than_its_pages_need(
    number: int, cap: int, nameless: set[int], before: Before, sparse: bool, step: int
) -> None:
    service = List.of(number, step=step, before=before, sparse=sparse, cap=cap)
    service.unname(nameless)
    names, place = service.walk(pages=2 * number + 20)
    assert place.is_end
    assert service.names() <= {*names}
    assert len(names) == len({*names}) or "" in names
    assert len(service.asked) <= 2 * number // (cap - min(OVERLAP, cap // 2)) + 8


@pytest.mark.parametrize("cap", [1, 2, 3, 30])
@pytest.mark.parametrize("nameless", [0, 1, 3])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_walk_that_is_often_resumed_comes_to_its_end(cap: int, nameless: int, sparse: bool) -> None:
    service = List.of(60, before="ignored", cap=cap, sparse=sparse)
    service.unname(range(0, 60, nameless) if nameless else ())
    known, place, walks = set[str](), Place(), 0
    while not place.is_end:
        names, place = service.walk(place, known=known, pages=8)
        known |= {*names} - {""}
        walks += 1
        assert walks <= 20
    assert service.names() - {""} == known


@pytest.mark.parametrize("cap", [1, 2, 20])
def test_a_walk_ends_also_where_no_page_shows_a_row_again(cap: int) -> None:
    service = List.of(100, before="ignored", cap=cap)

    def rename() -> None:
        names = (f"c{index} after {len(service.asked)}" for index in range(100))
        service.rows = [attrs.evolve(each, conversation_uuid=next(names)) for each in service.rows]

    _, place = service.walk(between=rename)
    assert place.is_end


def test_what_ended_before_since_is_not_listed_to_its_end() -> None:
    service = List.of(1_000)
    names, place = service.walk(since=EPOCH - 50 * MINUTE)
    assert {f"c{index}" for index in range(50)} <= set(names)
    assert place.is_end
    assert len(service.asked) <= 6


@pytest.mark.parametrize(("fraction", "is_over"), [(0, False), (1, False), (999, False), (1000, True)])
def test_since_within_a_second_does_not_end_the_walk_at_a_row_of_that_second(fraction: int, is_over: bool) -> None:
    service = List([row("one", EPOCH), row("another", EPOCH)], before="ignored", cap=1)
    names, _ = service.walk(since=EPOCH + fraction)
    assert names == (["one"] if is_over else ["one", "another"])


def test_what_lies_too_deep_for_the_service_ends_the_walk() -> None:
    walk = Walk(Place(), is_known=set[str]().__contains__, limit=20)
    service = List.of(95, before="ignored")
    walk.receive(service.page(ListPage(0, 20)))
    walk.receive(service.page(ListPage(0, 20, before="2020")))
    walk.cut()
    assert walk.request is None
    assert walk.place.is_end


@given(
    before=st.sampled_from(["time", "ignored"]),
    step=st.sampled_from([0, SECOND, MINUTE]),
    moves=st.lists(st.tuples(st.sampled_from(["up", "new", "gone"]), st.integers(0, 80)), max_size=30),
    pause=st.integers(0, 8),
)
def test_rows_that_stay_where_they_are_are_found_whatever_the_others_do(
    before: Before, step: int, moves: list[tuple[str, int]], pause: int
) -> None:
    service = List.of(80, before=before, step=step)
    stay = service.names()
    waiting = iter(moves)

    def move() -> None:
        for kind, number in list(waiting)[: pause + 1]:
            stay.discard(f"c{number}")
            service.rows = [each for each in service.rows if each.conversation_uuid != f"c{number}"]
            if kind != "gone":
                name = f"c{number}" if kind == "up" else f"new {number}"
                service.rows.insert(0, row(name, EPOCH + MINUTE))

    names, place = service.walk(pages=pause + 1, between=move, limit=30)
    rest, _ = service.walk(place, known=set(names), between=move, limit=30)
    assert stay <= {*names, *rest}
