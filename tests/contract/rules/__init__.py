"""Every rule of the contract, by name."""

from tests.contract.rules import acting, again, around, declared, fields, hostile, looking, nights, reading, recorded
from tests.contract.rules.rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "acting",
    "again",
    "around",
    "declared",
    "fields",
    "hostile",
    "looking",
    "nights",
    "reading",
    "recorded",
]
