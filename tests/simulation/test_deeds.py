"""A few of the actions of `python -m tests.simulation --actions 1000`, and that its judge sees what is wrong."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.simulation.deeds import act_alone, wrong_about

WRITE = ("write_memo", 7)


def test_sixty_actions_on_bad_lines_have_one_effect_or_none(tmp_path: Path) -> None:
    outcomes = act_alone(tmp_path / "acting", count=60, seed=3)

    assert sum(outcomes.values()) == 60
    assert {what.split()[1] for what in outcomes} == {"done", "refused"}
    done = {what.split()[0] for what in outcomes if what.endswith("done")}
    assert done >= {"answer-inquiry", "dispatch", "delay", "confirm"}


@pytest.mark.parametrize(
    ("outcome", "effects", "is_wrong"),
    [
        ("done", {WRITE: 1}, False),
        ("refused", {}, False),
        ("done", {}, True),
        ("refused", {WRITE: 1}, True),
        ("done", {WRITE: 2}, True),
        ("unknown", {WRITE: 1}, True),
        ("unknown", {}, True),
        ("pending", {}, True),
    ],
)
def test_the_judge_sees_what_was_doubled_lost_or_left_unknown(
    outcome: str, effects: dict[tuple[str, int], int], is_wrong: bool
) -> None:
    row = SimpleNamespace(outcome=outcome, error_message=None)

    assert bool(wrong_about(row, Counter(effects))) is is_wrong
