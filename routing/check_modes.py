"""Mistakes of the sections that decide the inventory mode: rules, defaults, products."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from hub.core.book_problem import Problem
from hub.core.model import InventoryHint, InventoryMode
from routing.check_texts import check_dates, check_mall, check_overlaps, check_shop, is_within, overlaps
from routing.entries import PartnerDefaultEntry, ProductEntry, RuleEntry, ShopDefaultEntry
from routing.modes import KEYS, PRESENT, key_of, normalise
from routing.words import problem

_RULES = "rules"


def read_hint(text: str) -> InventoryHint | None:
    """The fact that "name=value" asks for, ``None`` for another text."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        return None
    return InventoryHint(name=name.strip(), value=value.strip())


class _Conditions(Struct, frozen=True):
    """What a rule asks of a line, in one spelling; the supplier is a fact like the others."""

    shop: str | None
    mall: str | None
    prefix: str
    facts: dict[str, str]

    def is_implied_by(self, other: "_Conditions") -> bool:
        """Whether every line that ``other`` fits fits these too."""
        return (
            self.shop in (None, other.shop)
            and self.mall in (None, other.mall)
            and other.prefix.startswith(self.prefix)
            and all(name in other.facts and value in (PRESENT, other.facts[name]) for name, value in self.facts.items())
        )


def _conditions(rule: RuleEntry, shops: Collection[str]) -> _Conditions:
    facts = {hint.name: normalise(hint.value) for text in rule.hints if (hint := read_hint(text))}
    if rule.supplier:
        facts["supplier"] = normalise(rule.supplier)
    mall = rule.mall or _mall_of(rule.shop, shops)
    return _Conditions(rule.shop, mall, normalise(rule.sku_prefix or ""), facts)


def _mall_of(shop: str | None, shops: Collection[str]) -> str | None:
    return shops.get(shop) if isinstance(shops, Mapping) and shop is not None else None


def check_rules(rules: Sequence[RuleEntry], *, malls: Collection[str], shops: Collection[str]) -> Iterator[Problem]:
    """Rules without a condition, with one that nothing fits, and rules behind another that always holds first."""
    names: dict[str, int] = {}
    earlier: list[tuple[RuleEntry, _Conditions]] = []
    for row, rule in enumerate(rules):
        if rule.name in names:
            yield problem(_RULES, row, "name", "twice", value=rule.name, other=str(names[rule.name] + 1))
        names.setdefault(rule.name, row)
        wrong = [*_check_conditions(row, rule, malls, shops)]
        yield from wrong
        if wrong:
            continue
        asked = _conditions(rule, shops)
        yield from _check_shadow(row, rule, asked, earlier, names)
        earlier.append((rule, asked))


def _check_conditions(row: int, rule: RuleEntry, malls: Collection[str], shops: Collection[str]) -> Iterator[Problem]:
    yield from _check_mode(_RULES, row, rule.mode)
    yield from check_dates(_RULES, row, rule.valid_from, rule.valid_to)
    if all(value is None for value in (rule.shop, rule.mall, rule.supplier, rule.sku_prefix)) and not rule.hints:
        yield problem(_RULES, row, None, "no_condition")
    yield from _check_scope(_RULES, row, rule.shop, rule.mall, malls, shops)
    asked: dict[str, str] = {"supplier": normalise(rule.supplier)} if rule.supplier else {}
    for text in rule.hints:
        hint = read_hint(text)
        if hint is None:
            yield problem(_RULES, row, "hints", "hint", value=text)
            continue
        wanted = normalise(hint.value)
        if PRESENT not in (wanted, asked.get(hint.name, wanted)) and asked.get(hint.name, wanted) != wanted:
            yield problem(_RULES, row, "hints", "contradicts", name=hint.name)
        asked[hint.name] = wanted


def _check_scope(
    section: str, row: int, shop: str | None, mall: str | None, malls: Collection[str], shops: Collection[str]
) -> Iterator[Problem]:
    """A shop and a mall that are known, and the shop one of that mall."""
    if mall is not None:
        yield from check_mall(section, row, "mall", mall, malls)
    if shop is not None:
        yield from check_shop(section, row, "shop", shop, shops)
        if mall is not None and (_mall_of(shop, shops) or mall) != mall:
            yield problem(section, row, "mall", "shop_of_other_mall", shop=shop, mall=mall)


def _check_shadow(
    row: int,
    rule: RuleEntry,
    asked: _Conditions,
    earlier: Sequence[tuple[RuleEntry, _Conditions]],
    names: Mapping[str, int],
) -> Iterator[Problem]:
    for other, conditions in earlier:
        if not conditions.is_implied_by(asked):
            continue
        if is_within(rule, other):
            yield problem(_RULES, row, "name", "shadowed", other=other.name)
            return
        if conditions == asked and overlaps(rule, other):
            yield problem(_RULES, row, "valid_from", "overlap", other=str(names[other.name] + 1))
            return


def check_partner_defaults(
    rows: Sequence[PartnerDefaultEntry], *, malls: Collection[str], shops: Collection[str]
) -> Iterator[Problem]:
    yield from _check_defaults("partner_defaults", rows, malls, shops)
    yield from check_overlaps(
        "partner_defaults",
        (
            (row, (normalise(entry.partner), _scope(entry)), entry.valid_from, entry.valid_to)
            for row, entry in enumerate(rows)
        ),
        column="partner",
    )


def check_shop_defaults(
    rows: Sequence[ShopDefaultEntry], *, malls: Collection[str], shops: Collection[str]
) -> Iterator[Problem]:
    yield from _check_defaults("shop_defaults", rows, malls, shops)
    yield from check_overlaps(
        "shop_defaults",
        ((row, _scope(entry), entry.valid_from, entry.valid_to) for row, entry in enumerate(rows)),
        column="shop",
    )


def _scope(entry: PartnerDefaultEntry | ShopDefaultEntry) -> tuple[str | None, str | None]:
    """For whom a default holds; of a shop its mall says nothing more."""
    return entry.shop, None if entry.shop else entry.mall


def check_products(rows: Sequence[ProductEntry], *, shops: Collection[str]) -> Iterator[Problem]:
    yield from _check_defaults("products", rows, (), shops)
    keyed = [(row, entry, key_of(entry)) for row, entry in enumerate(rows)]
    for row, _, key in keyed:
        if key is None:
            yield problem("products", row, "seller_sku", "no_product")
    for column in KEYS:
        same = (
            (row, (key[1], entry.shop), entry.valid_from, entry.valid_to)
            for row, entry, key in keyed
            if key and key[0] == column
        )
        yield from check_overlaps("products", same, column=column)


def _check_defaults(
    section: str,
    rows: Sequence[PartnerDefaultEntry | ShopDefaultEntry | ProductEntry],
    malls: Collection[str],
    shops: Collection[str],
) -> Iterator[Problem]:
    for row, entry in enumerate(rows):
        yield from _check_mode(section, row, entry.mode)
        yield from check_dates(section, row, entry.valid_from, entry.valid_to)
        mall = None if isinstance(entry, ProductEntry) else entry.mall
        yield from _check_scope(section, row, entry.shop, mall, malls, shops)


def _check_mode(section: str, row: int, mode: InventoryMode) -> Iterator[Problem]:
    if mode is InventoryMode.UNKNOWN:
        yield problem(section, row, "mode", "mode")
