"""Every rule against every connector that the registry finds."""

import re
from pathlib import Path

import pytest

from hub.registry import find_connectors
from tests.contract.rules import RULES, Rule
from tests.contract.subject import Subject, subjects

HELD = [
    pytest.param(rule, subject, id=f"{mall}-{rule.name}")
    for mall, subject in subjects(find_connectors()).items()
    for rule in RULES.values()
    if rule.applies_to(subject)
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
