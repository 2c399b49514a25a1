"""How soon a session connects again, as laws."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracart_conversation._live.backoff import Pace, wait_after
from ultracart_conversation.config import Backoff

seconds = st.floats(0.001, 10_000.0)
chance = st.floats(0.0, 1.0)
backoffs = st.builds(
    Backoff, initial=seconds, ceiling=seconds, stable=seconds, connections=st.integers(1, 20), per=seconds
)
failures_in_a_row = st.integers(1, 10**6)


@given(backoffs, failures_in_a_row, chance)
def test_a_wait_lies_between_nothing_and_the_doubled_limit(backoff: Backoff, failures: int, drawn: float) -> None:
    wait = wait_after(backoff, failures=failures, draw=lambda: drawn)
    assert 0.0 <= wait <= backoff.ceiling
    assert wait <= backoff.initial * 2.0 ** min(failures - 1, 1_000)


@given(backoffs, failures_in_a_row)
def test_waits_grow_with_the_failures_and_reach_the_ceiling(backoff: Backoff, failures: int) -> None:
    waits = [wait_after(backoff, failures=n, draw=lambda: 1.0) for n in (failures, failures + 1, 10**6)]
    assert waits == sorted(waits)
    assert waits[-1] == backoff.ceiling


@given(backoffs, failures_in_a_row, chance)
def test_the_jitter_is_full(backoff: Backoff, failures: int, drawn: float) -> None:
    whole = wait_after(backoff, failures=failures, draw=lambda: 1.0)
    assert wait_after(backoff, failures=failures, draw=lambda: drawn) == pytest.approx(drawn * whole)


def test_the_default_is_one_second_doubled_up_to_a_minute() -> None:
    waits = [wait_after(Backoff(), failures=n, draw=lambda: 1.0) for n in range(1, 9)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@given(backoffs, st.lists(st.tuples(seconds, st.booleans()), max_size=60), chance)
def test_never_are_more_connections_accepted_than_allowed(
    backoff: Backoff, steps: list[tuple[float, bool]], drawn: float
) -> None:
    pace, now, accepted = Pace(backoff, draw=lambda: drawn), 0.0, list[float]()
    for passing, succeeds in steps:
        now = max(now, pace.earliest())
        if succeeds:
            pace.accepted(now)
            accepted.append(now)
            now += passing
            pace.ended(now)
        pace.failed(now)
        pace.wait(now)
    for first, over in zip(accepted, accepted[backoff.connections :], strict=False):
        assert over >= first + backoff.per


def test_failures_are_counted_until_a_connection_has_lasted() -> None:
    pace = Pace(Backoff(stable=30.0), draw=lambda: 1.0)
    assert [pace.failed(float(n)) for n in range(3)] == [1, 2, 3]
    pace.accepted(10.0)
    pace.ended(39.9)
    assert pace.failed(39.9) == 4
    pace.accepted(50.0)
    assert pace.failures(79.9) == 4
    assert pace.failures(80.0) == 0
    pace.ended(80.0)
    assert pace.failed(80.0) == 1


def test_what_fails_beside_a_lasting_connection_counts_on() -> None:
    pace = Pace(Backoff(stable=30.0), draw=lambda: 1.0)
    pace.accepted(0.0)
    assert [pace.failed(100.0 + n) for n in range(3)] == [1, 2, 3]
    assert pace.failures(200.0) == 3


def test_what_the_service_asks_for_comes_before_the_wait() -> None:
    pace = Pace(Backoff(initial=1.0), draw=lambda: 0.5)
    assert pace.earliest() == -inf
    pace.failed(100.0)
    pace.wait(100.0, at_least=30.0)
    assert pace.earliest() == 130.5
