"""Recordings put together: once and whole, or reported as lost once; never mixed, never unbounded."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracart_conversation import CobrowsingLost, CobrowsingRecorded, ConversationEventRRWeb, RRWebType
from ultracart_conversation._live.cobrowsing import Assembly
from ultracart_conversation._live.frames import CobrowsingPart

NOW = datetime(2025, 10, 27, 16, tzinfo=UTC)
PATIENCE = 60.0
Ended = list[CobrowsingRecorded | CobrowsingLost]


def digest(data: str) -> str:
    return sha256(data.encode()).hexdigest()


def part(uuid: str | None = "7d0c", at: datetime = NOW, **fields: Any) -> CobrowsingPart:
    return CobrowsingPart(
        conversation_uuid=uuid, received_at=at, generation=2, part=ConversationEventRRWeb.from_dict(fields)
    )


def parts_of(*pieces: str, index: int = 4, kind: str = "events") -> list[dict[str, Any]]:
    """The parts of one piece, cut in this way."""
    return [
        {
            "type": kind,
            "event_index": index,
            "data": piece,
            "data_part": number,
            "data_total_parts": len(pieces),
            "data_sha256": digest(piece),
            "data_total_sha256": digest("".join(pieces)),
        }
        for number, piece in enumerate(pieces, start=1)
    ]


def feed(assembly: Assembly, *parts: dict[str, Any], now: float = 0.0, uuid: str = "7d0c") -> Ended:
    return [each for fields in parts for each in assembly.add(part(uuid, **fields), now=now)]


def run(*parts: dict[str, Any]) -> Ended:
    """What comes of these parts in the end."""
    assembly = Assembly(patience=PATIENCE)
    ended = [*feed(assembly, *parts), *assembly.expire(now=PATIENCE)]
    assert (assembly.pending, assembly.size) == (0, 0)
    return ended


def reason(ended: Ended) -> str:
    (lost,) = ended
    assert isinstance(lost, CobrowsingLost)
    return lost.reason


def recorded(data: str, *, index: int = 4, initial: bool = False) -> CobrowsingRecorded:
    return CobrowsingRecorded(
        conversation_uuid="7d0c", received_at=NOW, generation=2, index=index, initial=initial, data=data
    )


@st.composite
def cuttings(draw: st.DrawFn, least: int = 1) -> list[dict[str, Any]]:
    pieces = draw(st.lists(st.text(), min_size=least, max_size=6))
    return parts_of(*pieces, kind=draw(st.sampled_from(["init", "events"])), index=draw(st.integers(0, 3)))


def whole(parts: list[dict[str, Any]]) -> CobrowsingRecorded:
    data = "".join(each["data"] for each in parts)
    return recorded(data, index=parts[0]["event_index"], initial=parts[0]["type"] == "init")


@given(cuttings(), st.data())
def test_any_cutting_order_and_duplication_gives_the_piece_once(
    parts: list[dict[str, Any]], data: st.DataObject
) -> None:
    doubled = data.draw(st.lists(st.sampled_from(parts), max_size=6))
    assert run(*data.draw(st.permutations([*parts, *doubled]))) == [whole(parts)]


CORRUPTED = ["data", "data_sha256", "data_total_sha256", "data_part", "data_total_parts"]


@given(cuttings(), st.sampled_from(CORRUPTED), st.data())
def test_any_single_corruption_loses_the_piece_and_says_so_once(
    parts: list[dict[str, Any]], name: str, data: st.DataObject
) -> None:
    """With one exception: another SHA-256 of the whole looks like a new start where one may be, so like two pieces."""
    place = data.draw(st.integers(0, len(parts) - 1))
    right = parts[place][name]
    wrong: st.SearchStrategy[Any] = st.integers() if isinstance(right, int) else st.text()
    parts[place] = {**parts[place], name: data.draw(wrong.filter(lambda value: value != right))}
    ended = run(*data.draw(st.permutations(parts)))
    assert {type(each) for each in ended} == {CobrowsingLost}
    looks_like_two = name == "data_total_sha256" and parts[0]["type"] == "init" and len(parts) > 1
    assert len(ended) == 1 + looks_like_two


@given(cuttings(), cuttings(), st.data())
def test_two_recordings_of_the_same_number_never_mix(
    first: list[dict[str, Any]], second: list[dict[str, Any]], data: st.DataObject
) -> None:
    together = [{**each, "type": "init", "event_index": 0} for each in (*first, *second)]
    whole_ones = {"".join(each["data"] for each in parts) for parts in (first, second)}
    ended = run(*data.draw(st.permutations(together)))
    assert {each.data for each in ended if isinstance(each, CobrowsingRecorded)} <= whole_ones
    assert len(ended) == len(whole_ones)


def test_a_recording_that_starts_again_replaces_the_incomplete_one() -> None:
    old, new = parts_of("ab", "cd", kind="init", index=0), parts_of("xy", "z", kind="init", index=0)
    lost, record = run(old[0], new[0], old[1], new[1])
    assert reason([lost]) == "the recording started again"
    assert record == recorded("xyz", index=0, initial=True)


def test_a_finished_recording_can_start_again() -> None:
    old, new = parts_of("ab", kind="init", index=0), parts_of("xy", kind="init", index=0)
    assert run(*old, *new) == [recorded("ab", index=0, initial=True), recorded("xy", index=0, initial=True)]


def test_pieces_and_conversations_are_apart() -> None:
    one, two = parts_of("a", "b", index=1), parts_of("c", "d", index=2)
    assembly = Assembly()
    assert feed(assembly, one[0], two[0], one[0]) == []
    assert feed(assembly, one[1], uuid="other") == []
    assert (assembly.pending, assembly.size) == (3, 3 + 3 * 128)
    assert feed(assembly, two[1], one[1]) == [recorded("cd", index=2), recorded("ab", index=1)]


def test_upper_case_digits_and_spaces_in_a_sha256_do_not_matter() -> None:
    (fields,) = parts_of("Grüße ✓")
    shouted = {name: f" {fields[name].upper()} " for name in ("data_sha256", "data_total_sha256")}
    assert run({**fields, **shouted}) == [recorded("Grüße ✓")]


def without(parts: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name not in names} for each in parts]


@pytest.mark.parametrize(
    "names",
    [
        ("data_sha256",),
        ("data_total_sha256",),
        ("data_sha256", "data_total_sha256"),
        ("data_part",),
        ("data_sha256", "data_total_sha256", "data_part", "data_total_parts", "type"),
    ],
)
def test_a_single_part_needs_no_sha256_and_no_numbers(names: tuple[str, ...]) -> None:
    first, second = without(parts_of("ab"), *names), without(parts_of("cd"), *names)
    assert run(*first, *first, *second) == [recorded("ab"), recorded("cd")]


def test_several_parts_need_the_sha256_of_the_whole_alone() -> None:
    assert run(*without(parts_of("ab", "cd"), "data_sha256")) == [recorded("abcd")]
    lost = run(*without(parts_of("ab", "cd"), "data_total_sha256"))
    assert reason(lost) == "several parts and no SHA-256 of the whole"


def test_a_wrong_order_of_right_parts_is_not_the_whole() -> None:
    parts = without(parts_of("ab", "cd"), "data_sha256")
    swapped = [{**parts[0], "data_part": 2}, {**parts[1], "data_part": 1}]
    assert reason(run(*swapped)) == "the whole does not match its SHA-256"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data": None}, "a part without data"),
        ({"data": "\ud800"}, "its data is no Unicode text"),
        ({"data_part": 0}, "part 0 of 2 does not fit a piece of 2"),
        ({"data_part": 3}, "part 3 of 2 does not fit a piece of 2"),
        ({"data_part": None}, "part None of 2 does not fit a piece of 2"),
        ({"data_total_parts": 3}, "part 2 of 3 does not fit a piece of 2"),
        ({"data_total_parts": None}, "part 2 of 1 does not fit a piece of 2"),
        ({"data_part": 1}, "part 1 came twice with different data"),
        ({"data_total_sha256": "0" * 64}, "its parts contradict each other"),
        ({"data_sha256": "0" * 64}, "part 2 does not match its SHA-256"),
        ({"data": "corrupt"}, "part 2 does not match its SHA-256"),
    ],
)
def test_a_part_that_cannot_be_right_ends_its_piece(change: dict[str, Any], why: str) -> None:
    first, second = parts_of("ab", "cd")
    assert reason(run(first, {**second, **change}, second, first)) == why


def test_a_part_without_a_number_of_its_piece_is_lost() -> None:
    (lost,) = run(*without(parts_of("ab"), "event_index"))
    assert lost == CobrowsingLost(
        conversation_uuid="7d0c", received_at=NOW, generation=2, index=None, reason="it has no event_index"
    )


def test_a_piece_is_given_up_after_a_minute_and_its_late_parts_are_ignored() -> None:
    assembly = Assembly()
    first, second, third = parts_of("a", "b", "c")
    assert feed(assembly, first, now=0.0) == feed(assembly, second, now=59.9) == []
    other = parts_of("x", index=9)
    assert [reason(feed(assembly, *other, now=60.0)[:1])] == ["incomplete after 60 s"]
    assert feed(assembly, third, first, now=61.0) == [*assembly.expire(now=999.0)] == []
    assert assembly.pending == assembly.size == 0


def test_a_lost_piece_says_when_its_last_part_came() -> None:
    assembly = Assembly()
    first, second, _ = parts_of("a", "b", "c")
    later = NOW + timedelta(seconds=5)
    assembly.add(part(**first), now=0.0)
    assembly.add(part(at=later, **second), now=5.0)
    (lost,) = assembly.clear("the connection was lost")
    assert (lost.received_at, lost.reason, lost.index) == (later, "the connection was lost", 4)


def test_clearing_loses_everything_once() -> None:
    assembly = Assembly()
    one, two = parts_of("a", "b", index=1), parts_of("c", "d", index=2)
    feed(assembly, one[0], two[0])
    assert [lost.index for lost in assembly.clear("the reader is slow")] == [1, 2]
    assert feed(assembly, one[1], *two) == assembly.clear("again") == []
    assert assembly.pending == assembly.size == 0


def test_a_piece_is_bounded_in_bytes_with_its_parts_counted() -> None:
    assembly = Assembly(largest=1_000)
    assert reason(feed(assembly, *parts_of("x" * 872, "", ""))) == "larger than 1,000 bytes"
    assert feed(assembly, *parts_of("x" * 872, index=5)) == [recorded("x" * 872, index=5)]
    assert reason(feed(assembly, *parts_of(*[""] * 100, index=6))) == "larger than 1,000 bytes"


def test_all_pieces_together_are_bounded_and_the_oldest_goes_first() -> None:
    assembly = Assembly(capacity=3_000, largest=2_000)
    old, new, newest = (parts_of("x" * 1_000, "y", index=index) for index in (1, 2, 3))
    assert feed(assembly, old[0], new[0]) == []
    (lost,) = feed(assembly, newest[0])
    assert (lost.index, reason([lost])) == (1, "too much is recorded at once")
    assert assembly.size <= 3_000
    assert [each.index for each in feed(assembly, old[1], new[1], newest[1])] == [2, 3]
    assert assembly.size == 0


def test_the_number_of_pieces_is_bounded() -> None:
    assembly = Assembly(pieces=3)
    ended = feed(assembly, *(parts_of("a", "b", index=index)[0] for index in range(10)))
    assert [each.index for each in ended] == [0, 1, 2, 3, 4, 5, 6]
    assert assembly.pending == 3


def test_the_memory_of_ended_pieces_is_bounded() -> None:
    assembly = Assembly()
    for index in range(1_025):
        feed(assembly, *parts_of("a", index=index))
    assert feed(assembly, *parts_of("a", index=1)) == []
    assert feed(assembly, *parts_of("a", index=0)) == [recorded("a", index=0)]


@given(st.lists(st.tuples(cuttings(), st.booleans(), st.integers(0, 90)), max_size=8), st.data())
def test_whatever_comes_memory_is_bounded(
    arrivals: list[tuple[list[dict[str, Any]], bool, int]], data: st.DataObject
) -> None:
    assembly, now = Assembly(capacity=600, largest=400, pieces=3), 0.0
    for parts, shuffled, pause in arrivals:
        now += pause
        for fields in data.draw(st.permutations(parts)) if shuffled else parts:
            assembly.add(part(**fields), now=now)
            assert assembly.size <= 600
            assert assembly.pending <= 3
    assembly.clear("the end")
    assert assembly.size == 0


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([RRWebType.INIT, "events", "strange", None]),
        "event_index": st.integers(0, 2) | st.none(),
        "data": st.sampled_from(["", "a", "b", "\ud800", None]),
        "data_part": st.integers(-1, 3) | st.none(),
        "data_total_parts": st.integers(-1, 3) | st.none(),
        "data_sha256": st.sampled_from([digest("a"), digest(""), "", None]),
        "data_total_sha256": st.sampled_from([digest("ab"), digest("a"), "f" * 9_999, None]),
    },
)


@given(st.lists(FIELDS, max_size=12))
def test_no_sequence_of_parts_makes_it_fail(sequence: list[dict[str, Any]]) -> None:
    run(*sequence)
