"""Inventory mode of a product: own table, then rules, then the shop's default, else unknown.

A pure look-up over data given from outside; nothing is guessed. Keys are compared after NFKC,
without case, with runs of blanks as one blank.
"""

import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from msgspec import Struct

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.facts import CatalogueFacts, told, with_facts
from routing.words import shown

#: Value of a rule's hint that only asks for the hint to be there.
PRESENT: Final = "*"
_LONGEST_STEP: Final = 200
_KEYS: Final = (("seller_sku", "Seller SKU"), ("option_code", "Option code"), ("product_code", "Product code"))


class ModeRow(Struct, frozen=True, kw_only=True):
    """One row of the house's own table. It counts under the first key it has: seller SKU, option code,
    product code. ``shop`` limits it to one shop; ``valid_from`` and ``valid_to`` are both inclusive.
    ``partner`` and ``logistics`` are codes or names that contacts are found by.
    """

    mode: InventoryMode
    seller_sku: str | None = None
    option_code: str | None = None
    product_code: str | None = None
    shop: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    partner: str | None = None
    logistics: str | None = None

    @property
    def key(self) -> tuple[str, str] | None:
        """(kind, normalised key), ``None`` for a row without any."""
        for kind, value in (
            ("seller_sku", self.seller_sku),
            ("option_code", self.option_code),
            ("product_code", self.product_code),
        ):
            if value and (key := normalise(value)):
                return kind, key
        return None

    def is_valid(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


class ModeRule(Struct, frozen=True, kw_only=True):
    """All conditions that are set must hold. ``hints`` compare with the mall's facts about the line;
    the value ``*`` asks only that the fact is there.
    """

    name: str
    mode: InventoryMode
    shop: str | None = None
    mall: str | None = None
    supplier: str | None = None
    sku_prefix: str | None = None
    hints: tuple[InventoryHint, ...] = ()
    partner: str | None = None
    logistics: str | None = None


class ModeDefault(Struct, frozen=True, kw_only=True):
    """The mode of a shop, or of every shop when ``shop`` is ``None``, where nothing else tells."""

    mode: InventoryMode
    shop: str | None = None
    partner: str | None = None
    logistics: str | None = None


class ModeDecision(Struct, frozen=True, kw_only=True):
    """``rule`` names what decided, ``steps`` tells in order what was tried. ``partner`` and
    ``logistics`` are codes or names of those who deal with the stock, ``None`` when not known.
    """

    mode: InventoryMode
    rule: str
    steps: tuple[str, ...]
    partner: str | None = None
    logistics: str | None = None


class ModeTable:
    """Rows, rules and defaults, indexed once so that a look-up never scans the rows.

    Rules keep their order: the first that holds decides. A row of the product's own shop comes
    before a row for every shop.
    """

    def __init__(
        self,
        *,
        rows: Iterable[ModeRow] = (),
        rules: Iterable[ModeRule] = (),
        defaults: Iterable[ModeDefault] = (),
    ) -> None:
        self._rows: dict[tuple[str, str], list[ModeRow]] = {}
        for row in rows:
            if (key := row.key) is not None:
                self._rows.setdefault(key, []).append(row)
        for same_key in self._rows.values():
            same_key.sort(key=lambda row: row.shop is None)
        self._rules = tuple(_PreparedRule(rule) for rule in rules)
        self._rules_of_shop: dict[tuple[str, str], tuple[_PreparedRule, ...]] = {}
        self._defaults = {default.shop: default for default in defaults}

    def row_of(self, kind: str, value: str, *, shop: str, on: date) -> ModeRow | None:
        """The row for one key of a product, valid on that day and in that shop."""
        for row in self._rows.get((kind, normalise(value)), ()):
            if row.shop in (None, shop) and row.is_valid(on):
                return row
        return None

    def rule_of(self, product: Product, *, shop: str, mall: str) -> ModeRule | None:
        """The first rule that holds for a product as sold by that shop."""
        rules = self._rules_of_shop.get((shop, mall))
        if rules is None:
            rules = tuple(rule for rule in self._rules if rule.serves(shop=shop, mall=mall))
            self._rules_of_shop[shop, mall] = rules
        if not rules:
            return None
        sku = normalise(product.seller_sku) if product.seller_sku else ""
        hints = {hint.name: normalise(hint.value) for hint in product.hints if hint.value}
        for prepared in rules:
            if prepared.holds(sku, hints):
                return prepared.rule
        return None

    def default_of(self, shop: str) -> ModeDefault | None:
        return self._defaults.get(shop) or self._defaults.get(None)


class _PreparedRule:
    """A rule with its values normalised once."""

    def __init__(self, rule: ModeRule) -> None:
        self.rule: Final = rule
        self._prefix = normalise(rule.sku_prefix) if rule.sku_prefix else None
        hints = list(rule.hints)
        if rule.supplier:
            hints.append(InventoryHint(name="supplier", value=rule.supplier))
        self._hints = tuple((hint.name, normalise(hint.value)) for hint in hints)

    def serves(self, *, shop: str, mall: str) -> bool:
        return self.rule.shop in (None, shop) and self.rule.mall in (None, mall)

    def holds(self, sku: str, hints: dict[str, str]) -> bool:
        if self._prefix is not None and not sku.startswith(self._prefix):
            return False
        for name, wanted in self._hints:
            found = hints.get(name)
            if found is None or wanted not in (PRESENT, found):
                return False
        return True


def resolve_mode(
    product: Product, *, shop: str, mall: str, on: date, table: ModeTable, facts: CatalogueFacts | None = None
) -> ModeDecision:
    """Decide how the stock of ``product`` is kept, as sold by ``shop`` of ``mall`` on that day.

    ``facts`` of the mall's catalogue count like the line's own, which come first. Partner and
    logistics firm fall back to what the mall says about the line.
    """
    steps = [shown(step, longest=_LONGEST_STEP) for step in told(product, facts)]
    product = with_facts(product, facts)
    values = (product.seller_sku, product.option_code, product.code)
    for (kind, label), value in zip(_KEYS, values, strict=True):
        if not value:
            continue
        row = table.row_of(kind, value, shop=shop, on=on)
        if row is not None:
            steps.append(f"{label} {shown(value)} stands in the table: {row.mode}.")
            return _decide(row, f"table:{kind}={shown(value)}", steps, product)
        steps.append(f"{label} {shown(value)} is not in the table.")
    rule = table.rule_of(product, shop=shop, mall=mall)
    if rule is not None:
        steps.append(f"Rule {rule.name} holds: {rule.mode}.")
        return _decide(rule, f"rule:{rule.name}", steps, product)
    steps.append("No rule holds.")
    default = table.default_of(shop)
    if default is not None:
        steps.append(f"Default of {'every shop' if default.shop is None else f'shop {default.shop}'}: {default.mode}.")
        return _decide(default, f"default:{default.shop or '*'}", steps, product)
    steps.append("No table row, no rule and no default: the mode is unknown.")
    return ModeDecision(
        mode=InventoryMode.UNKNOWN,
        rule="unknown",
        steps=tuple(steps),
        partner=_hint(product, "supplier"),
        logistics=_hint(product, "logistics_company"),
    )


def _decide(source: ModeRow | ModeRule | ModeDefault, rule: str, steps: list[str], product: Product) -> ModeDecision:
    return ModeDecision(
        mode=source.mode,
        rule=rule,
        steps=tuple(steps),
        partner=source.partner or _hint(product, "supplier"),
        logistics=source.logistics or _hint(product, "logistics_company"),
    )


def _hint(product: Product, name: str) -> str | None:
    for hint in product.hints:
        if hint.name == name and hint.value:
            return hint.value
    return None


@lru_cache(maxsize=65_536)
def normalise(text: str) -> str:
    """One spelling of a key: NFKC, case folded, blanks trimmed and runs of them made one."""
    if not text.isascii():
        # Folding case can undo NFKC, so it is applied again after it.
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.casefold().split())
