"""What limits may be, and what they mean for one window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultracart_conversation._rest.gcra import DAY, HOUR, Meter, Window, hour_and_day
from ultracart_conversation.limits import Limits, Priority


def test_the_default_is_what_the_service_publishes() -> None:
    assert repr(Limits()) == "Limits(per_hour=1000, per_day=10000, concurrency=1)"


def test_unlimited_has_no_windows() -> None:
    assert hour_and_day(Limits.unlimited()) == (None, None)


@pytest.mark.parametrize("name", ["per_hour", "per_day", "concurrency"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "10"])
def test_a_figure_that_is_no_whole_positive_number_is_refused_in_one_sentence(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be a whole number of at least 1.*; got {value!r}$"):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_concurrency_is_always_limited() -> None:
    with pytest.raises(ValueError, match=r"^concurrency must be a whole number of at least 1; got None$"):
        Limits(concurrency=None)  # type: ignore[arg-type]


def test_the_more_urgent_priority_is_the_smaller_number() -> None:
    assert sorted(Priority) == [
        Priority.CRITICAL,
        Priority.GAP,
        Priority.TAIL,
        Priority.READ,
        Priority.BACKFILL,
    ]


def test_the_published_figures_leave_a_useful_burst() -> None:
    hour, day = hour_and_day(Limits())
    assert hour == Window(1_000, HOUR, 500)
    assert day == Window(10_000, DAY, 1_000)
    assert hour.interval < day.interval < 9.62


def as_many_as_possible(window: Window, *, exchange: float, periods: float) -> list[float]:
    """When the requests of a client begin that sends whenever it may, one at a time."""
    meter, now, begun = Meter(window.burst, window.interval, now=0.0), 0.0, list[float]()
    while (now := now + meter.wait(now, 1.0)) <= periods * window.period:
        begun.append(now)
        meter.reserve()
        now += exchange
        meter.commit(now)
    return begun


@given(
    per_hour=st.integers(1, 300),
    per_day=st.none() | st.integers(1, 3_000),
    exchange=st.sampled_from([0.0, 0.3, 40.0]),
)
def test_no_window_holds_more_than_its_figure_even_from_a_rest(
    per_hour: int, per_day: int | None, exchange: float
) -> None:
    for window in hour_and_day(Limits(per_hour=per_hour, per_day=per_day)):
        if window is not None:
            begun = as_many_as_possible(window, exchange=exchange, periods=3)
            gaps = [later - first for first, later in zip(begun, begun[window.limit :], strict=False)]
            assert all(gap > window.period for gap in gaps)


@pytest.mark.parametrize("limits", [Limits(), Limits(per_day=None), Limits(per_hour=None), Limits(per_hour=7)])
def test_nearly_the_whole_figure_can_be_used_within_one_window_from_a_rest(limits: Limits) -> None:
    for window in hour_and_day(limits):
        if window is not None:
            assert len(as_many_as_possible(window, exchange=0.0, periods=1)) >= 0.999 * window.limit - 1


def test_a_request_counts_in_full_until_its_exchange_is_over() -> None:
    meter = Meter(2, 10.0, now=0.0)
    meter.reserve()
    assert meter.left(1_000.0) == 1.0
    meter.commit(1_000.0)
    assert meter.left(1_005.0) == 1.5


def test_a_refund_leaves_no_trace_although_others_went_meanwhile() -> None:
    meter, untouched = Meter(5, 10.0, now=0.0), Meter(5, 10.0, now=0.0)
    meter.reserve()
    for each in (meter, untouched):
        each.reserve()
        each.commit(30.0)
    meter.refund()
    assert meter.left(31.0) == untouched.left(31.0)
