"""Measured occupancy: known where the records know it, by hand-counted examples."""

import pytest

from ivr.occupancy import AgentState, Occupied, Sign, Spoken, measure, state_of
from ivr.queue_log import parse_line

HOUR = 3600.0
HOURS = [(0.0, HOUR), (HOUR, 2 * HOUR)]
IN, OUT, PAUSED, BACK, RESTART = AgentState


def sign(at: float, state: AgentState, *, agent: str = "a", queue: str = "q", line: str | None = "order") -> Sign:
    return Sign(at=at, agent=agent, queue=queue, line=line if queue else None, state=state)


def talk(began: float, ended: float, *, agent: str = "a", line: str = "order") -> Spoken:
    return Spoken(agent=agent, line=line, began_at=began, ended_at=ended)


def test_a_signed_in_hour_with_a_pause_and_talks():
    signs = [sign(-60, IN), sign(600, PAUSED), sign(900, BACK), sign(5400, OUT)]
    talks = [talk(0, 300), talk(1000, 1600), talk(3500, 3700)]

    found = measure(signs, talks, hours=HOURS, as_of=2 * HOUR)

    assert found == {
        ("order", 0.0): Occupied(signed_in=3600, paused=300, talked=300 + 600 + 100, agents=1),
        ("order", HOUR): Occupied(signed_in=1800, paused=0, talked=100, agents=1),
    }


def test_pause_pressed_while_one_talks_is_no_pause_until_the_talk_ends():
    found = measure([sign(0, IN), sign(100, PAUSED), sign(400, BACK)], [talk(50, 200)], hours=HOURS[:1], as_of=HOUR)

    assert found["order", 0.0] == Occupied(signed_in=3600, paused=200, talked=150, agents=1)


def test_an_agent_of_two_lines_is_busy_for_both():
    signs = [sign(0, IN, queue="o"), sign(0, IN, queue="i", line="inquiry")]

    found = measure(signs, [talk(100, 700, line="inquiry")], hours=HOURS[:1], as_of=HOUR)

    busy = Occupied(signed_in=3600, paused=0, talked=600, agents=1)
    assert found == {("order", 0.0): busy, ("inquiry", 0.0): busy}


def test_paused_in_one_of_two_queues_of_a_line_is_not_away():
    signs = [sign(0, IN, queue="o"), sign(0, IN, queue="p"), sign(0, PAUSED, queue="o")]

    assert measure(signs, [], hours=HOURS[:1], as_of=HOUR)["order", 0.0].paused == 0


def test_a_login_to_all_queues_counts_for_the_lines_that_the_agent_serves():
    found = measure([sign(0, IN, queue="")], [talk(0, 60)], hours=HOURS[:1], as_of=HOUR)

    assert found == {("order", 0.0): Occupied(signed_in=3600, paused=0, talked=60, agents=1)}


@pytest.mark.parametrize(
    "signs",
    [
        [],
        [sign(4000, IN)],  # only after the hour
        [sign(-10, RESTART), sign(-60, IN)],  # before a restart
        [sign(-13 * HOUR, IN)],  # and not heard of since, until the talk
    ],
    ids=["never told", "later", "restarted", "long ago"],
)
def test_who_speaks_and_is_not_known_to_be_there_makes_the_hour_unknown(signs):
    others = [sign(-60, IN, agent="b")]

    found = measure([*signs, *others], [talk(10, 100)], hours=HOURS[:1], as_of=HOUR)

    assert found == {}


def test_who_forgot_to_sign_out_was_there_until_his_last_sign_of_life():
    found = measure([sign(0, IN)], [talk(10, 100)], hours=HOURS[:1], as_of=20 * HOUR)

    assert found["order", 0.0].signed_in == 100


def test_nothing_is_known_after_the_records_end():
    assert measure([sign(0, IN)], [], hours=HOURS, as_of=1800) == {
        ("order", 0.0): Occupied(signed_in=1800, paused=0, talked=0, agents=1)
    }


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("malla_order|agent1001|ADDMEMBER|", IN),
        ("malla_order|agent1001|ADDMEMBER|PAUSED", PAUSED),
        ("NONE|agent1001|PAUSEALL|lunch", PAUSED),
        ("malla_order|agent1001|UNPAUSE|", BACK),
        ("NONE|agent1001|AGENTLOGOFF|", OUT),
        ("NONE|NONE|QUEUESTART|", RESTART),
        ("NONE|NONE|CONFIGRELOAD|", None),
        ("malla_order|agent1001|PENALTY|2", None),
        ("malla_order|NONE|ADDMEMBER|", None),
    ],
)
def test_what_the_log_says_of_a_state(text, state):
    assert state_of(parse_line(f"1795309099|NONE|{text}")) is state
