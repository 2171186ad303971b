"""Every rule of the contract, by name."""

from tests.contract.rules import acting, declared, hostile, nights, reading, recorded
from tests.contract.rules.rule import RULES, Rule

__all__ = ["RULES", "Rule", "acting", "declared", "hostile", "nights", "reading", "recorded"]
