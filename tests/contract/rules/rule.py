"""The register of contract rules: plain async functions that raise when a connector breaks them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.core.contract import Capability
from tests.contract.subject import Subject

Check = Callable[[Subject], Awaitable[None]]


@dataclass(frozen=True)
class Rule:
    """``needs``: capabilities without which there is nothing to hold the rule against."""

    name: str
    needs: frozenset[Capability]
    check: Check

    def applies_to(self, subject: Subject) -> bool:
        return all(subject.can(capability) for capability in self.needs)


RULES: dict[str, Rule] = {}


def rule(*needs: Capability) -> Callable[[Check], Check]:
    """Register a function as the rule of its name (hub.core.quality lists the names by tier)."""

    def register(check: Check) -> Check:
        assert check.__name__ not in RULES
        RULES[check.__name__] = Rule(check.__name__, frozenset(needs), check)
        return check

    return register
