"""How often others are told that we are typing."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracart_conversation._live.typing_throttle import TypingThrottle


@pytest.fixture
def throttle() -> TypingThrottle:
    return TypingThrottle(3.0)


def test_the_first_goes_at_once_and_the_latest_of_the_others_later(throttle: TypingThrottle) -> None:
    assert throttle.typed("a", "h", now=0.0)
    assert not throttle.typed("a", "he", now=1.0)
    assert not throttle.typed("a", "hel", now=2.9)
    assert throttle.typed("b", "x", now=2.9)
    assert throttle.due(2.9) == []
    assert throttle.next_time() == 3.0
    assert throttle.due(3.0) == [("a", "hel")]
    assert throttle.next_time() == inf
    assert not throttle.typed("a", "hell", now=5.9)
    assert throttle.typed("a", "hello", now=6.0)


def test_that_nobody_types_any_more_is_told_at_once_and_once(throttle: TypingThrottle) -> None:
    throttle.typed("a", "h", now=0.0)
    throttle.typed("a", "he", now=1.0)
    assert throttle.typed("a", "", now=1.5)
    assert not throttle.typed("a", "", now=1.6)
    assert not throttle.typed("a", "n", now=1.7)
    assert not throttle.typed("a", "", now=1.8)
    assert throttle.due(100.0) == []


def test_what_was_typed_before_a_connection_was_lost_is_not_told_later(throttle: TypingThrottle) -> None:
    throttle.typed("a", "h", now=0.0)
    throttle.typed("a", "he", now=1.0)
    throttle.clear()
    assert throttle.due(100.0) == []
    assert throttle.typed("a", "hel", now=1.1)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "x", "xy"])), min_size=1))
def test_seldom_enough_and_the_latest_in_the_end(steps: list[tuple[int, str]]) -> None:
    throttle, now, told = TypingThrottle(3.0), 0, list[tuple[float, str]]()
    for wait, value in steps:
        now += wait
        if throttle.next_time() <= now:
            at = throttle.next_time()
            told += [(at, held) for _, held in throttle.due(at)]
        if throttle.typed("a", value, now=now):
            told.append((now, value))
    told += [(now + 3.0, held) for _, held in throttle.due(now + 3.0)]
    assert told[-1][1] == steps[-1][1]
    for (before, first), (after, second) in pairwise(told):
        assert after - before >= 3.0 or (first and not second)
