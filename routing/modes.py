"""Inventory mode of a product: own table, then rules, then the partner's default, then the shop's, else unknown.

A pure look-up over data given from outside; nothing is guessed. Keys are compared after NFKC,
without case, with runs of blanks as one blank.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.entries import PartnerDefaultEntry, ProductEntry, ShopDefaultEntry
from routing.facts import CatalogueFacts, told, with_facts, without_supplier
from routing.words import Step, shown, step

#: Value of a rule's hint that only asks for the hint to be there.
PRESENT: Final = "*"
KEYS: Final = ("seller_sku", "option_code", "product_code")


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
    valid_from: date | None = None
    valid_to: date | None = None


#: what holds from day to day, both inclusive; ``None`` is open on that side
Dated = ProductEntry | ModeRule | PartnerDefaultEntry | ShopDefaultEntry


class ModeDecision(Struct, frozen=True, kw_only=True):
    """``rule`` names what decided, ``steps`` tells in order what was tried. ``partner`` and
    ``logistics`` are codes or names of those who deal with the stock, ``None`` when not known.
    ``partner_names`` are what the mall calls the same partner otherwise.
    """

    mode: InventoryMode
    rule: str
    steps: tuple[Step, ...]
    partner: str | None = None
    logistics: str | None = None
    partner_names: tuple[str, ...] = ()


class ModeTable:
    """Rows, rules and defaults, indexed once so that a look-up never scans the rows.

    Rules keep their order: the first that holds decides. What is limited to the product's own shop
    comes before what is for its mall, and that before what is for every shop.
    """

    def __init__(
        self,
        *,
        rows: Iterable[ProductEntry] = (),
        rules: Iterable[ModeRule] = (),
        partner_defaults: Iterable[PartnerDefaultEntry] = (),
        defaults: Iterable[ShopDefaultEntry] = (),
    ) -> None:
        self._rows: dict[tuple[str, str], list[ProductEntry]] = {}
        for row in rows:
            if (key := key_of(row)) is not None:
                self._rows.setdefault(key, []).append(row)
        for same_key in self._rows.values():
            same_key.sort(key=lambda row: row.shop is None)
        self._rules = tuple(PreparedRule(rule) for rule in rules)
        self._rules_of_shop: dict[tuple[str, str], tuple[PreparedRule, ...]] = {}
        self._of_partner: dict[str, list[PartnerDefaultEntry]] = {}
        for of_partner in sorted(partner_defaults, key=_width):
            self._of_partner.setdefault(normalise(of_partner.partner), []).append(of_partner)
        self._defaults = tuple(sorted(defaults, key=_width))

    @property
    def days_of_change(self) -> tuple[date, ...]:
        """In order, the days on which something else may hold than on the day before."""
        entries: list[Dated] = [row for rows in self._rows.values() for row in rows]
        entries += [prepared.rule for prepared in self._rules]
        entries += [default for defaults in self._of_partner.values() for default in defaults]
        entries += self._defaults
        begun = {entry.valid_from for entry in entries if entry.valid_from is not None}
        ended = {entry.valid_to + timedelta(days=1) for entry in entries if entry.valid_to not in (None, date.max)}
        return tuple(sorted(begun | ended))

    @property
    def prepared_rules(self) -> tuple["PreparedRule", ...]:
        return self._rules

    def rows_of(self, kind: str, value: str) -> Sequence[ProductEntry]:
        """All rows for one key of a product, whatever their shop and days; those of one shop first."""
        return self._rows.get((kind, normalise(value)), ())

    def row_of(self, kind: str, value: str, *, shop: str, on: date) -> ProductEntry | None:
        """The row for one key of a product, valid on that day and in that shop."""
        for row in self.rows_of(kind, value):
            if row.shop in (None, shop) and is_valid(row, on):
                return row
        return None

    def rule_of(self, product: Product, *, shop: str, mall: str, on: date) -> ModeRule | None:
        """The first rule that holds for a product as sold by that shop on that day."""
        rules = self._rules_of_shop.get((shop, mall))
        if rules is None:
            rules = tuple(rule for rule in self._rules if rule.serves(shop=shop, mall=mall))
            self._rules_of_shop[shop, mall] = rules
        if not rules:
            return None
        sku, facts = asked_of(product)
        for prepared in rules:
            if is_valid(prepared.rule, on) and prepared.holds(sku, facts):
                return prepared.rule
        return None

    def partner_default_of(
        self, partners: Iterable[str], *, shop: str, mall: str, on: date
    ) -> PartnerDefaultEntry | None:
        """The default of the first of ``partners`` (codes or names of the same partner) that has one."""
        for partner in partners:
            for default in self._of_partner.get(normalise(partner), ()):
                if _serves(default, shop=shop, mall=mall, on=on):
                    return default
        return None

    def default_of(self, *, shop: str, mall: str, on: date) -> ShopDefaultEntry | None:
        return next((default for default in self._defaults if _serves(default, shop=shop, mall=mall, on=on)), None)


def key_of(row: ProductEntry) -> tuple[str, str] | None:
    """(kind, normalised code): a row counts under the first code it has; ``None`` for a row without any."""
    for kind in KEYS:
        value = getattr(row, kind)
        if value and (key := normalise(value)):
            return kind, key
    return None


def is_valid(entry: Dated, on: date) -> bool:
    return (entry.valid_from is None or entry.valid_from <= on) and (entry.valid_to is None or on <= entry.valid_to)


def _serves(default: PartnerDefaultEntry | ShopDefaultEntry, *, shop: str, mall: str, on: date) -> bool:
    return default.shop in (None, shop) and default.mall in (None, mall) and is_valid(default, on)


def _width(default: PartnerDefaultEntry | ShopDefaultEntry) -> tuple[bool, bool]:
    """What holds for fewer comes first: one shop, the shops of one mall, every shop."""
    return default.shop is None, default.mall is None


def asked_of(product: Product) -> tuple[str, dict[str, str]]:
    """Seller SKU and facts of a product as rules compare them."""
    sku = normalise(product.seller_sku) if product.seller_sku else ""
    return sku, {hint.name: normalise(hint.value) for hint in product.hints if hint.value}


class PreparedRule:
    """A rule with its values normalised once."""

    def __init__(self, rule: ModeRule) -> None:
        self.rule: Final = rule
        self._prefix = normalise(rule.sku_prefix) if rule.sku_prefix else None
        hints = list(rule.hints)
        if rule.supplier:
            hints.append(InventoryHint(name="supplier", value=rule.supplier))
        self._facts = tuple((hint.name, normalise(hint.value)) for hint in hints)

    def serves(self, *, shop: str, mall: str) -> bool:
        return self.rule.shop in (None, shop) and self.rule.mall in (None, mall)

    def holds(self, sku: str, facts: Mapping[str, str]) -> bool:
        return (self._prefix is None or sku.startswith(self._prefix)) and self.missed_fact(facts) is None

    def missed_fact(self, facts: Mapping[str, str]) -> str | None:
        """The name of the first fact that is not as the rule asks."""
        for name, wanted in self._facts:
            found = facts.get(name)
            if found is None or wanted not in (PRESENT, found):
                return name
        return None


def resolve_mode(
    product: Product, *, shop: str, mall: str, on: date, table: ModeTable, facts: CatalogueFacts | None = None
) -> ModeDecision:
    """Decide how the stock of ``product`` is kept, as sold by ``shop`` of ``mall`` on that day.

    ``facts`` of the mall's catalogue count like the line's own, which come first. Partner and
    logistics firm fall back to what the mall says about the line.
    """
    steps = [*told(product, facts)]
    product = with_facts(product, facts)
    partners = partners_of(product, facts)
    for kind, value in zip(KEYS, codes_of(product), strict=True):
        if not value:
            continue
        words = {"label": f"@label.{kind}", "value": shown(value)}
        row = table.row_of(kind, value, shop=shop, on=on)
        if row is not None:
            steps += (step("in_table", **words, mode=f"@mode.{row.mode}"), *_limits(row))
            return _decide(row, f"table:{kind}={shown(value)}", steps, product, partners)
        steps.append(step("not_in_table", **words))
    rule = table.rule_of(product, shop=shop, mall=mall, on=on)
    if rule is not None:
        # The name of a rule about one supplier tells who that is.
        is_ours = rule.mode is InventoryMode.DIRECT_PURCHASE and bool(rule.supplier or rule.partner)
        key = "rule_holds_withheld" if is_ours else "rule_holds"
        steps.append(step(key, rule="" if is_ours else shown(rule.name), mode=f"@mode.{rule.mode}"))
        return _decide(rule, "rule:withheld" if is_ours else f"rule:{rule.name}", steps, product, partners)
    steps.append(step("no_rule"))
    of_partner = table.partner_default_of(partners, shop=shop, mall=mall, on=on)
    if of_partner is not None:
        named = shown(of_partner.partner)
        steps.append(step("partner_default", partner=named, mode=f"@mode.{of_partner.mode}"))
        # Whom purchased stock was bought from is shown nowhere, so not as the name of the rule either.
        is_ours = of_partner.mode is InventoryMode.DIRECT_PURCHASE
        return _decide(of_partner, "partner:withheld" if is_ours else f"partner:{named}", steps, product, partners)
    if partners:
        steps.append(step("no_partner_default", partner=shown(partners[-1])))
    default = table.default_of(shop=shop, mall=mall, on=on)
    if default is not None:
        key = "default_of_shop" if default.shop else "default_of_mall" if default.mall else "default_of_all"
        words = {"shop": shown(default.shop or "*"), "mall": default.mall or "*", "mode": f"@mode.{default.mode}"}
        steps.append(step(key, **words))
        return _decide(default, f"default:{default_name(default)}", steps, product, partners)
    steps.append(step("unknown"))
    partner = _hint(product, "supplier")
    return ModeDecision(
        mode=InventoryMode.UNKNOWN,
        rule="unknown",
        steps=tuple(steps),
        partner=partner,
        logistics=_hint(product, "logistics_company"),
        partner_names=_other_names(partner, partners),
    )


def codes_of(product: Product) -> tuple[str | None, str | None, str | None]:
    """Seller SKU, option code, product code: the narrowest first."""
    return product.seller_sku, product.option_code, product.code


def partners_of(product: Product, facts: CatalogueFacts | None) -> tuple[str, ...]:
    """The code and the name of the one partner whose goods these are, as far as the mall tells them."""
    code = _hint(product, "supplier")
    name = facts.supplier_name if facts is not None and facts.supplier_code in (None, code) else None
    return tuple(each for each in (code, name) if each)


def default_name(default: ShopDefaultEntry) -> str:
    """Whose default it is: "main" of a shop, "mall=qoo10" of a mall, "*" of all."""
    return default.shop or (f"mall={default.mall}" if default.mall else "*")


def _limits(row: ProductEntry) -> Iterable[Step]:
    if row.shop:
        yield step("row_of_shop", shop=shown(row.shop))
    if row.valid_from and row.valid_to:
        yield step("row_between", since=str(row.valid_from), until=str(row.valid_to))
    elif row.valid_from:
        yield step("row_since", since=str(row.valid_from))
    elif row.valid_to:
        yield step("row_until", until=str(row.valid_to))


def _decide(
    source: Dated,
    rule: str,
    steps: Iterable[Step],
    product: Product,
    partners: Sequence[str],
) -> ModeDecision:
    partner = source.partner or _hint(product, "supplier")
    return ModeDecision(
        mode=source.mode,
        rule=rule,
        steps=without_supplier(steps) if source.mode is InventoryMode.DIRECT_PURCHASE else tuple(steps),
        partner=partner,
        logistics=source.logistics or _hint(product, "logistics_company"),
        partner_names=_other_names(partner, partners),
    )


def _other_names(partner: str | None, partners: Sequence[str]) -> tuple[str, ...]:
    """What else the mall calls this partner: none where the house has named another one."""
    called = [normalise(each) for each in partners]
    if partner is None or normalise(partner) not in called:
        return ()
    return tuple(each for each, name in zip(partners, called, strict=True) if name != normalise(partner))


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
