"""No connector claims a tier that it has not earned, and no rule is done that no test proves."""

import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli.quality import quality_of
from hub.core.errors import ConfigurationError
from hub.core.quality import RULES, TIERS, RuleState, earned_tier, read_quality, unearned_claim
from hub.registry import find_connectors
from tests.contract.rules import RULES as PROVED
from tests.contract.subject import subjects

SUBJECTS = subjects(find_connectors())


@pytest.mark.parametrize("mall", SUBJECTS)
def test_the_claimed_tier_is_earned(mall: str):
    assert unearned_claim(quality_of(mall)) is None


@pytest.mark.parametrize("mall", SUBJECTS)
def test_what_is_done_is_proved_by_a_rule(mall: str):
    quality = quality_of(mall)
    done = {rule for rule in RULES if quality.standing(rule).state is RuleState.DONE}

    assert done <= {name for name, rule in PROVED.items() if rule.applies_to(SUBJECTS[mall])}


def test_every_rule_stands_on_the_scale():
    assert set(PROVED) <= set(RULES)
    assert set(TIERS["bronze"]) | set(TIERS["silver"]) <= set(PROVED)
    assert len(RULES) == len(set(RULES))


def _text(tier: str, **states: str) -> str:
    lines = [f"{rule} = {states.get(rule, chr(34) + 'done' + chr(34))}" for rule in RULES]
    return "\n".join([f'tier = "{tier}"', "[rules]", *lines])


TODO = '{ state = "todo", comment = "no time" }'


def test_a_tier_with_a_rule_to_do_is_refused():
    quality = read_quality(_text("gold", rate_is_kept=TODO), where="x")

    assert earned_tier(quality) == "bronze"
    assert unearned_claim(quality) == "claims gold, has earned bronze: to do rate_is_kept"


def test_an_exempt_rule_does_not_hold_a_tier_back():
    exempt = TODO.replace("todo", "exempt")

    assert earned_tier(read_quality(_text("silver", rate_is_kept=exempt), where="x")) == "platinum"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (_text("diamond"), "diamond"),
        (_text("bronze") + '\nlooks_good = "done"', "looks_good"),
        (_text("bronze").replace('rate_is_kept = "done"', ""), "rate_is_kept"),
        (_text("bronze", rate_is_kept='"todo"'), "rate_is_kept"),
        (_text("bronze", rate_is_kept='"nearly"'), "nearly"),
        ("tier = ", "x"),
    ],
    ids=["tier", "unknown rule", "missing rule", "no comment", "unknown state", "no TOML"],
)
def test_a_wrong_file_is_refused_by_name(text: str, named: str):
    with pytest.raises(ConfigurationError, match=named):
        read_quality(text, where="x")


def test_the_program_names_every_mall():
    root = Path(__file__).parents[2]

    ran = subprocess.run(
        [sys.executable, "-m", "hub.cli.quality"], cwd=root, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert [line.split(":")[0] for line in ran.stdout.splitlines()] == list(SUBJECTS)
