"""Signs of life, and when a JWT or its websocket is taken for old."""

from base64 import urlsafe_b64encode
from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.websocket_service import jwt_of
from ultracart_conversation._live.heartbeat import Pulse, Step
from ultracart_conversation._live.rotation import Replacement, lifetime_of
from ultracart_conversation.config import Heartbeat, Rotation

HEARTBEAT = Heartbeat(interval=15.0, timeout=10.0)


def test_silence_is_asked_about_once_and_then_given_up() -> None:
    pulse = Pulse(HEARTBEAT, now=0.0)
    assert (pulse.due, pulse.look(14.9)) == (15.0, Step.WAIT)
    assert pulse.look(15.0) is Step.PING
    assert (pulse.due, pulse.look(24.9)) == (25.0, Step.WAIT)
    assert pulse.look(25.0) is Step.GIVE_UP


def test_whatever_is_received_is_life() -> None:
    pulse = Pulse(HEARTBEAT, now=0.0)
    assert pulse.look(15.0) is Step.PING
    pulse.received(24.9)
    assert (pulse.due, pulse.look(25.0)) == (39.9, Step.WAIT)
    assert pulse.look(39.9) is Step.PING


def test_who_was_held_up_himself_asks_again_before_giving_up() -> None:
    pulse = Pulse(HEARTBEAT, now=0.0)
    assert pulse.look(15.0) is Step.PING
    assert pulse.look(3_600.0) is Step.PING
    assert pulse.look(3_610.0) is Step.GIVE_UP


@given(
    st.builds(Heartbeat, interval=st.floats(0.1, 100.0), timeout=st.floats(0.1, 100.0)),
    st.lists(st.floats(0.001, 300.0), max_size=50),
)
def test_nobody_is_given_up_before_a_ping_and_the_whole_timeout(heartbeat: Heartbeat, gaps: list[float]) -> None:
    pulse, now, asked = Pulse(heartbeat, now=0.0), 0.0, inf
    for gap in gaps:
        now += gap
        step = pulse.look(now)
        if step is Step.PING:
            assert now >= pulse.last + heartbeat.interval
            asked = now
        elif step is Step.GIVE_UP:
            assert now >= asked + heartbeat.timeout
            return


@given(st.builds(Heartbeat, interval=st.floats(0.1, 100.0), timeout=st.floats(0.1, 100.0)))
def test_a_dead_connection_is_given_up_in_interval_and_timeout(heartbeat: Heartbeat) -> None:
    pulse = Pulse(heartbeat, now=0.0)
    assert pulse.look(pulse.due) is Step.PING
    assert pulse.due == pytest.approx(heartbeat.interval + heartbeat.timeout)
    assert pulse.look(pulse.due) is Step.GIVE_UP


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("claims", "lifetime"),
    [
        ({"exp": NOW + 300}, 300.0),
        ({"exp": NOW + 300, "iat": NOW}, 300.0),
        ({"exp": NOW - 10_000, "iat": NOW - 10_300}, 300.0),  # this machine's clock is wrong
        ({"exp": NOW + 300, "iat": "yesterday"}, 300.0),
        ({"exp": NOW - 1}, None),
        ({"exp": NOW, "iat": NOW}, None),
        ({"exp": 10**400}, None),
        ({"exp": "300"}, None),
        ({"exp": True}, None),
        ({"iat": NOW}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_token_is_good_for_as_long_as_it_says(claims: dict[str, object], lifetime: float | None) -> None:
    assert lifetime_of(jwt_of(**claims), time=NOW) == lifetime


@given(st.none() | st.text() | st.binary().map(lambda raw: f"a.{urlsafe_b64encode(raw).decode()}.b"))
@example("a.é.b")
@example("a." + urlsafe_b64encode(b"[" * 100_000).decode() + ".b")
@example("a." + urlsafe_b64encode(b'{"exp": NaN}').decode())
@example("a." + urlsafe_b64encode(b"[1]").decode())
def test_garbage_is_no_token_and_no_error(jwt: str | None) -> None:
    assert lifetime_of(jwt, time=NOW) is None


def replacement(rotation: Rotation | None = None, *, drawn: float = 0.0) -> Replacement:
    return Replacement(rotation or Rotation(), draw=lambda: drawn)


@pytest.mark.parametrize(("drawn", "at"), [(0.0, 6_000.0), (0.5, 6_360.0), (1.0, 6_720.0)])
def test_a_websocket_is_replaced_between_100_and_112_minutes(drawn: float, at: float) -> None:
    plan = replacement(drawn=drawn)
    plan.plan(50.0, asked=49.0, lifetime=None)
    assert plan.at == 50.0 + at


@pytest.mark.parametrize(
    ("lifetime", "at"), [(None, 6_000.0), (300.0, 6_000.0), (899.0, 6_000.0), (900.0, 840.0), (86_400.0, 6_000.0)]
)
def test_a_token_of_some_lifetime_is_not_outlived(lifetime: float | None, at: float) -> None:
    plan = replacement()
    plan.plan(0.0, asked=0.0, lifetime=lifetime)
    assert plan.at == at


@pytest.mark.parametrize(("age", "learned"), [(298.9, False), (299.0, True), (310.0, True), (310.1, False)])
def test_a_cut_at_the_expiry_teaches_that_it_is_enforced(age: float, *, learned: bool) -> None:
    plan = replacement()
    plan.lost(1_000.0 + age, asked=1_000.0, lifetime=300.0)
    plan.plan(2_000.0, asked=2_000.0, lifetime=300.0)
    assert plan.at == (2_240.0 if learned else 8_000.0)


@given(st.floats(0.001, 1e6), st.floats(0.0, 60.0), st.floats(0.0, 1.0))
def test_no_lifetime_makes_replacements_endless_or_late(lifetime: float, latency: float, drawn: float) -> None:
    plan = replacement(drawn=drawn)
    plan.lost(lifetime, asked=0.0, lifetime=lifetime)
    plan.plan(latency, asked=0.0, lifetime=lifetime)
    assert min(lifetime / 2, latency + 6_000.0) <= plan.at <= min(lifetime, latency + 6_720.0)


def test_a_replacement_that_is_wanted_is_due_at_once() -> None:
    plan = replacement()
    plan.plan(0.0, asked=0.0, lifetime=None)
    plan.want(5.0, "deaf")
    assert (plan.at, plan.why) == (5.0, "deaf")
