"""What else was looked at on the way to a mode, and why it did not decide."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Final

from msgspec import Struct

from hub.core.model import InventoryMode, Product
from routing.entries import ProductEntry
from routing.facts import CatalogueFacts, fact_word, with_facts
from routing.modes import (
    KEYS,
    ModeDecision,
    ModeTable,
    PreparedRule,
    asked_of,
    codes_of,
    default_name,
    is_valid,
    normalise,
    partners_of,
)
from routing.words import Step, say, shown, step

#: Of hundreds of rules the first ones are told; each was looked at all the same.
_MOST: Final = 20
#: Stands for a name that would tell who sold us purchased stock.
WITHHELD: Final = "withheld"


class ToldConsidered(Struct, frozen=True, kw_only=True):
    """``kind``: table, rule, partner_default or default; ``why`` in the reader's language."""

    kind: str
    name: str
    why: str


class Considered(Struct, frozen=True, kw_only=True):
    """One row, rule or default that did not decide, and why not."""

    kind: str
    name: str
    why: Step

    def title(self, locale: str) -> str:
        """What it is, in the words of ``locale``: "규칙 hanbit-consigned"."""
        kind = say(f"kind.{self.kind}", locale)
        if self.name == WITHHELD:
            return f"{kind} ({say('kind.withheld', locale)})"
        column, equals, value = self.name.partition("=")
        if self.kind == "table" and equals:
            return f"{say(f'label.{column}', locale)} {value}"
        return f"{kind} {self.name}"

    def told(self, locale: str) -> ToldConsidered:
        return ToldConsidered(kind=self.kind, name=self.name, why=self.why.text(locale))


def consider(
    product: Product,
    *,
    decision: ModeDecision,
    shop: str,
    mall: str,
    on: date,
    table: ModeTable,
    facts: CatalogueFacts | None = None,
) -> tuple[Considered, ...]:
    """At most twenty, in the order in which a mode is looked for. Of purchased stock no supplier is named."""
    known = with_facts(product, facts)
    found = (
        *_rows(known, shop=shop, on=on, table=table),
        *islice(_rules(known, decision, shop=shop, mall=mall, on=on, table=table), _MOST),
        *_defaults(known, facts, decision, shop=shop, mall=mall, on=on, table=table),
    )
    # Rules about suppliers that may not be named look alike.
    return tuple(dict.fromkeys(found))[:_MOST]


def _rows(product: Product, *, shop: str, on: date, table: ModeTable) -> Iterator[Considered]:
    has_decided = False
    for kind, value in zip(KEYS, codes_of(product), strict=True):
        if not value:
            continue
        chosen = None if has_decided else table.row_of(kind, value, shop=shop, on=on)
        for row in table.rows_of(kind, value):
            if row is not chosen:
                yield Considered(kind="table", name=f"{kind}={shown(value)}", why=_why_not(row, shop=shop, on=on))
        has_decided = has_decided or chosen is not None


def _why_not(row: ProductEntry, *, shop: str, on: date) -> Step:
    if row.shop not in (None, shop):
        return step("considered.row_other_shop", shop=shown(row.shop or ""))
    if row.valid_from is not None and on < row.valid_from:
        return step("considered.row_not_yet", since=str(row.valid_from))
    if row.valid_to is not None and row.valid_to < on:
        return step("considered.row_over", until=str(row.valid_to))
    return step("considered.row_wider", mode=f"@mode.{row.mode}")


def _rules(
    product: Product, decision: ModeDecision, *, shop: str, mall: str, on: date, table: ModeTable
) -> Iterator[Considered]:
    sku, facts = asked_of(product)
    is_by_rule = decision.rule.startswith("rule:")
    chosen = table.rule_of(product, shop=shop, mall=mall, on=on) if is_by_rule else None
    for prepared in table.prepared_rules:
        rule = prepared.rule
        if rule is not chosen:
            why = _why_rule_not(prepared, sku, facts, shop=shop, mall=mall, on=on)
            # The name of a rule about one supplier tells who that is.
            is_withheld = decision.mode is InventoryMode.DIRECT_PURCHASE and (rule.supplier or rule.partner)
            yield Considered(kind="rule", name=WITHHELD if is_withheld else shown(rule.name), why=why)


def _why_rule_not(prepared: PreparedRule, sku: str, facts: dict[str, str], *, shop: str, mall: str, on: date) -> Step:
    rule = prepared.rule
    if rule.shop not in (None, shop):
        return step("considered.rule_shop")
    if rule.mall not in (None, mall):
        return step("considered.rule_mall")
    if not is_valid(rule, on):
        return step("considered.rule_day")
    if rule.sku_prefix and not sku.startswith(normalise(rule.sku_prefix)):
        return step("considered.rule_prefix", wanted=shown(rule.sku_prefix))
    missed = prepared.missed_fact(facts)
    if missed is not None:
        return step("considered.rule_hint", name=fact_word(missed))
    return step("considered.rule_later", mode=f"@mode.{rule.mode}")


def _defaults(
    product: Product,
    facts: CatalogueFacts | None,
    decision: ModeDecision,
    *,
    shop: str,
    mall: str,
    on: date,
    table: ModeTable,
) -> Iterator[Considered]:
    kind = decision.rule.partition(":")[0]
    of_partner = table.partner_default_of(partners_of(product, facts), shop=shop, mall=mall, on=on)
    if of_partner is not None and kind in ("table", "rule"):
        is_ours = decision.mode is InventoryMode.DIRECT_PURCHASE
        name = WITHHELD if is_ours else shown(of_partner.partner)
        yield Considered(kind="partner_default", name=name, why=_later(of_partner.mode))
    default = table.default_of(shop=shop, mall=mall, on=on)
    if default is not None and kind in ("table", "rule", "partner"):
        yield Considered(kind="default", name=shown(default_name(default)), why=_later(default.mode))


def _later(mode: InventoryMode) -> Step:
    return step("considered.default_later", mode=f"@mode.{mode}")
