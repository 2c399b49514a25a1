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


@settings(max_examples=25, deadline=None)
@given(limits=limits, load=loads, seed=st.integers(0, 2**32))
def test_a_month_of_any_schedule_keeps_every_promise(limits: Limits, load: Load, seed: int) -> None:
    simulation = Simulation(limits=limits, load=load, seed=seed)
    simulation.run(MONTH)
    simulation.assert_windows_hold()
    assert simulation.longest_passed <= TURN_AFTER + len(Priority)
