"""Turns come in order, wherever they were moved before, and what moves leaves nothing behind."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ultracart_conversation._sync.due import Due

KEYS = st.sampled_from("abcdef")
MOVES = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 5))), max_size=120)


def drained(due: Due) -> list[tuple[float, str]]:
    """All turns that are left, in order."""
    turns: list[tuple[float, str]] = []
    while (turn := due.next()) is not None:
        assert due.pop(turn - 1) is None
        turns.append((turn, due.pop(turn) or ""))
    return turns


@given(moves=MOVES, taken=st.integers(0, 10))
def test_each_key_comes_once_when_its_turn_is_at_last(moves: list[tuple[str, int | None]], taken: int) -> None:
    due, turns = Due(), dict[str, int]()
    for number, (key, turn) in enumerate(moves):
        if turn is None:
            due.drop(key)
            turns.pop(key, None)
        else:
            due.put(key, turn)
            turns[key] = turn
        if taken and number % taken == 0 and (first := due.pop(2)) is not None:
            assert (turns[first], first) == min((turn, key) for key, turn in turns.items())
            del turns[first]
        assert len(due) == len(turns)
        assert all((each in due) == (each in turns) for each in "abcdef")
    assert drained(due) == sorted((turn, key) for key, turn in turns.items())


def grown(due: Due, *, dropped: bool) -> int:
    """By how many bytes all that is in memory grows when turns are moved 100,000 times."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for turn in range(100_000):
            due.put(f"key {turn % 20}", float(-turn))
            if dropped:
                due.drop(f"key {turn % 20}")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before


def test_turns_that_are_moved_for_ever_take_no_more_memory() -> None:
    due = Due()
    assert grown(due, dropped=False) < 50_000
    assert len(drained(due)) == 20


def test_turns_that_are_dropped_take_no_memory() -> None:
    due = Due()
    assert grown(due, dropped=True) < 50_000
    assert drained(due) == []


def test_a_turn_that_is_put_off_does_not_come_before() -> None:
    due = Due()
    for turn in range(100):
        due.put("key", turn)
    assert due.pop(98) is None
    assert due.pop(99) == "key"
    assert len(due) == 0
