"""Listing everything: resumed, by offset or by time, while rows come, move and go."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chat_service import EPOCH, utc
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
    asked: list[ListPage] = attrs.Factory(list[ListPage])

    @classmethod
    def of(cls, number: int, *, step: int = MINUTE, **habits: object) -> "List":
        return cls([row(f"c{index}", EPOCH - index * step) for index in range(number)], **habits)  # type: ignore[arg-type]

    def page(self, request: ListPage) -> ConversationsResponse:
        self.asked.append(request)
        rows = [each for each in self.rows if request.before is None or self._is_before(each, request.before)]
        shown = rows[request.offset : request.offset + request.limit]
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


def test_what_ended_before_since_is_not_listed_to_its_end() -> None:
    service = List.of(1_000)
    names, place = service.walk(since=EPOCH - 50 * MINUTE)
    assert {f"c{index}" for index in range(50)} <= set(names)
    assert place.is_end
    assert len(service.asked) <= 6


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
