"""What 429s do to the pace, as decisions without waiting."""

from collections import deque

import pytest

from ultracart_conversation._rest.admission import RESERVES, Admission
from ultracart_conversation._rest.gcra import DAY, HOUR
from ultracart_conversation._rest.throttle import LEAST_SHARE, Throttle
from ultracart_conversation._rest.waiting_line import State
from ultracart_conversation.limits import Limits, Priority


@pytest.fixture
def throttle() -> Throttle:
    return Throttle(published_interval=3.6, now=0.0)


def test_without_a_429_nothing_is_held_back(throttle: Throttle) -> None:
    assert throttle.wait(0.0, 1_000.0) == 0.0
    assert throttle.share(0.0) == 1.0


@pytest.mark.parametrize(("told", "pause"), [(30.0, 30.0), (0.0, 0.0), (None, 5.0)])
def test_the_first_429_pauses_for_as_long_as_it_says(throttle: Throttle, told: float, pause: float) -> None:
    throttle.throttled(0.0, told)
    assert throttle.pause_left(0.0) == pause


def test_429s_in_a_row_raise_a_floor_under_the_pauses(throttle: Throttle) -> None:
    pauses = list[float]()
    for _ in range(9):
        resumed = throttle.paused_until
        throttle.throttled(resumed, 1.0)
        pauses.append(throttle.pause_left(resumed))
    assert pauses == [1.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]


def test_a_good_exchange_after_the_pause_lowers_the_floor_again(throttle: Throttle) -> None:
    throttle.throttled(0.0, 1.0)
    throttle.succeeded(started_at=0.5)
    throttle.throttled(2.0, 1.0)
    assert throttle.pause_left(2.0) == 5.0
    throttle.succeeded(started_at=7.0)
    throttle.throttled(8.0, 1.0)
    assert throttle.pause_left(8.0) == 1.0


def test_each_429_halves_the_share_but_those_of_one_pause_are_one(throttle: Throttle) -> None:
    throttle.throttled(0.0, 10.0)
    throttle.throttled(1.0, 20.0)
    throttle.throttled(2.0, 1.0)
    assert (throttle.share(2.0), throttle.pause_left(2.0), throttle.count) == (0.5, 19.0, 3)
    throttle.throttled(21.0, 0.0)
    assert throttle.share(21.0) == 0.25


def test_the_share_never_falls_to_nothing_and_comes_back_by_an_eighth_an_hour(throttle: Throttle) -> None:
    for _ in range(20):
        throttle.throttled(throttle.paused_until, 0.0)
    resumed = throttle.paused_until
    assert throttle.share(resumed) == LEAST_SHARE
    assert throttle.share(resumed + HOUR) == pytest.approx(LEAST_SHARE + 1 / 8)
    assert throttle.share(resumed + 8 * HOUR) == 1.0


def test_after_the_pause_one_may_go_and_the_rest_at_the_lowered_pace(throttle: Throttle) -> None:
    throttle.throttled(0.0, 10.0)
    assert throttle.wait(0.0, 1.0) == 10.0
    assert throttle.wait(10.0, 1.0) == 0.0
    assert throttle.wait(10.0, 2.0) == pytest.approx(7.2)


def test_a_rest_at_the_lowered_pace_gives_a_small_burst(throttle: Throttle) -> None:
    throttle.throttled(0.0, 0.0)
    assert throttle.wait(HOUR, 8.0) == 0.0
    assert throttle.wait(HOUR, 9.0) > 0.0


def test_without_windows_a_429_only_pauses() -> None:
    throttle = Throttle(published_interval=None, now=0.0)
    throttle.throttled(0.0, 10.0)
    throttle.started(10.0)
    assert throttle.wait(10.0, 1_000.0) == 0.0


class Service:
    """A sliding log of its own limit."""

    def __init__(self, limit: int) -> None:
        self.limit, self.accepted, self.rejected = limit, 0, 0
        self._log = deque[float]()

    def answer(self, now: float) -> float | None:
        """None, or the seconds after which to come again."""
        while self._log and self._log[0] <= now - HOUR:
            self._log.popleft()
        if len(self._log) >= self.limit:
            self.rejected += 1
            return self._log[0] + HOUR - now
        self._log.append(now)
        self.accepted += 1
        return None


def talk(service: Service, *, seconds: float) -> None:
    """Send whenever the default budget lets through, one at a time."""
    admission, now = Admission(Limits(), reserves=RESERVES, now=0.0), 0.0
    while now < seconds:
        ticket = admission.ask(now, Priority.READ)
        while ticket.state is not State.GRANTED:
            now = admission.next_time(now)
            admission.advance(now)
        now += 0.3
        wait = service.answer(now)
        if wait is not None:
            admission.throttle.throttled(now, wait)
        admission.finish(ticket, now)


def test_a_service_that_allows_what_it_publishes_never_rejects() -> None:
    service = Service(1_000)
    talk(service, seconds=2 * DAY)
    assert service.rejected == 0
    assert service.accepted > 18_000


@pytest.mark.parametrize("limit", [300, 100, 30])
def test_a_service_that_allows_less_is_soon_let_alone_and_still_used(limit: int) -> None:
    service = Service(limit)
    talk(service, seconds=2 * DAY)
    assert service.rejected <= 2 * 24
    assert service.accepted >= 0.8 * min(48 * limit, 18_000)
