"""Every rule against every connector that the registry finds."""

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
