"""The words of the decision card: rules, sentences for agents, drafts for customers; data files that ship with it."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from msgspec import Struct

from hub.core.model import Money
from hub.policy.card import RuleText

_RULES: Final = "rules.toml"
_CARD: Final = "card.toml"
_DRAFT: Final = "draft.toml"
_EXPONENT: Final = {"KRW": 0, "JPY": 0}


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``mall`` and ``when``: named when a decision of that mall has one of these marks."""

    id: str
    source: str
    confidence: str
    ko: str
    en: str
    mall: str | None = None
    when: tuple[str, ...] = ()

    def told(self, locale: str) -> RuleText:
        text = self.ko if locale == "ko" else self.en
        return RuleText(id=self.id, source=self.source, confidence=self.confidence, text=text)


class _Rules(Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Rule, ...]


class Sentence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ko: str
    en: str
    ja: str = ""

    def told(self, language: str) -> str:
        """Korean or Japanese, where there is any; else English."""
        return {"ko": self.ko, "ja": self.ja}.get(language) or self.en


Book = Mapping[str, Mapping[str, Sentence]]


@cache
def rules() -> Mapping[str, Rule]:
    return {rule.id: rule for rule in msgspec.convert(_read(_RULES), _Rules).rule}


@cache
def card_words() -> Book:
    """Section and key to the agent's sentence."""
    return msgspec.convert(_read(_CARD), dict[str, dict[str, Sentence]])


@cache
def draft_words() -> Book:
    """Section and key to the customer's sentence."""
    return msgspec.convert(_read(_DRAFT), dict[str, dict[str, Sentence]])


@cache
def rules_of_mall(mall: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules().values() if rule.mall == mall)


def amount_words(amount: Money, language: str) -> str:
    """12,000원, 12,000ウォン, 1,980円, USD 12.50: as the customer's language writes it."""
    exponent = _EXPONENT.get(amount.currency, 2)
    number = f"{Decimal(amount.minor).scaleb(-exponent):,.{exponent}f}"
    words = {
        ("KRW", "ko"): "{}원",
        ("KRW", "ja"): "{}ウォン",
        ("JPY", "ko"): "{}엔",
        ("JPY", "ja"): "{}円",
    }
    return words.get((amount.currency, language), f"{amount.currency} {{}}").format(number)


def _read(file: str) -> dict[str, object]:
    return tomllib.loads(resources.files("hub.policy").joinpath(file).read_text(encoding="utf-8"))
