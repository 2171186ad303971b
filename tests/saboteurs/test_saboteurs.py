"""A rule that nothing can break proves nothing: every rule catches a connector that is broken in its way."""

import pytest

from hub.core.errors import MallError
from tests.contract.rules import RULES, Rule
from tests.saboteurs.broken import GOOD, SABOTEURS, Saboteur


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
async def test_the_good_connector_keeps_every_rule(rule: Rule):
    assert rule.applies_to(GOOD)

    await rule.check(GOOD)


@pytest.mark.parametrize("saboteur", SABOTEURS, ids=lambda saboteur: saboteur.name)
async def test_a_broken_connector_is_caught(saboteur: Saboteur, monkeypatch: pytest.MonkeyPatch):
    subject = saboteur.make(monkeypatch)

    with pytest.raises((AssertionError, MallError)):
        await RULES[saboteur.caught_by].check(subject)


def test_every_rule_catches_somebody():
    assert {saboteur.caught_by for saboteur in SABOTEURS} == set(RULES)
