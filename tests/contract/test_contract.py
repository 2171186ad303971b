"""Every rule that a connector claims to keep, against that connector.

What its quality.toml calls to do or exempt, with the reason, is not held against it: it costs the tier.
"""

import re
from pathlib import Path

import pytest

from hub.cli.quality import quality_of
from hub.core.quality import RuleState
from hub.registry import find_connectors
from tests.contract.rules import RULES, Rule
from tests.contract.subject import Subject, subjects


def _is_claimed(mall: str, rule: Rule) -> bool:
    return quality_of(mall).standing(rule.name).state is RuleState.DONE


HELD = [
    pytest.param(rule, subject, id=f"{mall}-{rule.name}")
    for mall, subject in subjects(find_connectors()).items()
    for rule in RULES.values()
    if rule.applies_to(subject) and _is_claimed(mall, rule)
]


@pytest.mark.parametrize(("rule", "subject"), HELD)
async def test_contract(rule: Rule, subject: Subject):
    await rule.check(subject)


def test_no_rule_names_a_mall():
    names = re.compile("|".join(find_connectors().manifests))

    assert [
        path.name
        for folder in ("contract", "saboteurs")
        for path in (Path(__file__).parents[1] / folder).rglob("*.py")
        if names.search(path.read_text(encoding="utf-8").lower())
    ] == []
