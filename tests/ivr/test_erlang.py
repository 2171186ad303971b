import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.erlang import agents_for, on_the_roster, staffing_of, traffic_of


def test_a_known_case():
    traffic = traffic_of(calls_per_hour=200, handling_seconds=180)

    found = staffing_of(agents=14, traffic=traffic, handling_seconds=180, within_seconds=20)

    assert traffic == 10
    assert (round(found.waiting, 3), round(found.service_level, 3)) == (0.174, 0.888)
    assert (round(found.asa_seconds or 0, 1), round(found.occupancy, 3)) == (7.8, 0.714)


@given(agents=st.integers(1, 60), share=st.floats(0.05, 0.99), handling=st.floats(10, 900), within=st.floats(0, 120))
def test_the_recursion_is_the_formula(agents: int, share: float, handling: float, within: float):
    traffic = agents * share
    found = staffing_of(agents=agents, traffic=traffic, handling_seconds=handling, within_seconds=within)

    last = traffic**agents / math.factorial(agents) * agents / (agents - traffic)
    waiting = last / (sum(traffic**k / math.factorial(k) for k in range(agents)) + last)
    assert math.isclose(found.waiting, waiting, rel_tol=1e-9)
    assert math.isclose(found.asa_seconds or 0, waiting * handling / (agents - traffic), rel_tol=1e-9)


@given(traffic=st.floats(0, 300), handling=st.floats(10, 900), within=st.floats(0, 120), target=st.floats(0.01, 0.99))
def test_one_agent_fewer_would_not_reach_the_target(traffic: float, handling: float, within: float, target: float):
    found = agents_for(traffic=traffic, handling_seconds=handling, within_seconds=within, target=target)

    assert found.service_level >= target
    if found.agents:
        fewer = staffing_of(agents=found.agents - 1, traffic=traffic, handling_seconds=handling, within_seconds=within)
        assert fewer.service_level < target


def test_more_calls_than_agents_can_take_wait_without_end():
    found = staffing_of(agents=10, traffic=10, handling_seconds=180, within_seconds=20)

    assert (found.waiting, found.service_level, found.asa_seconds, found.occupancy) == (1, 0, None, 1)


@pytest.mark.parametrize(
    ("agents", "traffic", "handling"), [(-1, 1, 60), (1, -1, 60), (1, 1, 0), (10**9, 1, 60), (1, math.nan, 60)]
)
def test_impossible_numbers_are_refused(agents: int, traffic: float, handling: float):
    with pytest.raises(ValueError, match="agents must be"):
        staffing_of(agents=agents, traffic=traffic, handling_seconds=handling, within_seconds=20)


@pytest.mark.parametrize("target", [0, 1, 1.5, -1, math.nan])
def test_impossible_targets_are_refused(target: float):
    with pytest.raises(ValueError, match="between 0 and 1"):
        agents_for(traffic=1, handling_seconds=60, within_seconds=20, target=target)


def test_who_is_away_must_be_paid_too():
    assert on_the_roster(14, shrinkage=0.3) == 20
    assert on_the_roster(7, shrinkage=0.3) == 10
    with pytest.raises(ValueError, match="below 1"):
        on_the_roster(7, shrinkage=1)
