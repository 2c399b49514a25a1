"""Random months of requests: the published figures hold, nobody is treated unfairly, nothing stands idle."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.budget_simulation import Load, Simulation
from ultracart_conversation._rest.gcra import DAY
from ultracart_conversation._rest.waiting_line import TURN_AFTER
from ultracart_conversation.limits import Limits, Priority

MONTH = 30 * DAY

limits = st.builds(
    Limits,
    per_hour=st.none() | st.integers(1, 40),
    per_day=st.integers(1, 250),
    concurrency=st.integers(1, 4),
)
loads = st.builds(
    Load,
    arrivals=st.fixed_dictionaries({priority: st.sampled_from([0.0, 5.0, 50.0, 150.0]) for priority in Priority}),
    burst=st.sampled_from([1, 1, 20]),
    exchange=st.sampled_from([0.1, 2.0, 120.0]),
    impatience=st.sampled_from([0.0, 0.3]),
    never_begun=st.sampled_from([0.0, 0.2]),
    rejected=st.sampled_from([0.0, 0.0, 0.01]),
    restarts=st.sampled_from([0.0, 0.0, 2.0]),
    deadline=st.none() | st.sampled_from([1.0, 300.0, 7_200.0]),
)


def flooded(by: Priority, *, others: float = 300.0) -> Load:
    """Three times as many requests of one priority as the day allows, and some of the others."""
    return Load(arrivals={**dict.fromkeys(Priority, others), by: 3_000.0}, exchange=2.0)


@pytest.mark.parametrize("by", list(Priority))
def test_a_flood_of_one_priority_starves_nobody(by: Priority) -> None:
    simulation = Simulation(limits=Limits(per_hour=100, per_day=1_000), load=flooded(by), seed=1)
    simulation.run(5 * DAY)
    simulation.assert_windows_hold()
    total = sum(simulation.granted.values())
    assert all(simulation.granted[priority] >= total / (TURN_AFTER + 1) / 1.5 for priority in Priority)


def test_a_flood_of_backfill_leaves_the_urgent_their_reserve_at_every_moment() -> None:
    load = Load(arrivals={Priority.BACKFILL: 3_000.0, Priority.CRITICAL: 200.0}, deadline=None)
    simulation = Simulation(limits=Limits(per_hour=100, per_day=1_000), load=load, seed=2)
    simulation.run(5 * DAY)
    assert simulation.longest_wait[Priority.CRITICAL] <= 30.0
    assert simulation.turns == 0


def test_a_busy_client_uses_nearly_all_that_is_published() -> None:
    simulation = Simulation(limits=Limits(), load=Load(arrivals={Priority.READ: 20_000.0}), seed=3)
    simulation.run(3 * DAY)
    simulation.assert_windows_hold()
    assert sum(simulation.granted.values()) >= 0.9 * 30_000


@settings(max_examples=25, deadline=None)
@given(limits=limits, load=loads, seed=st.integers(0, 2**32))
def test_a_month_of_any_schedule_keeps_every_promise(limits: Limits, load: Load, seed: int) -> None:
    simulation = Simulation(limits=limits, load=load, seed=seed)
    simulation.run(MONTH)
    simulation.assert_windows_hold()
    assert simulation.longest_passed <= TURN_AFTER + len(Priority)
