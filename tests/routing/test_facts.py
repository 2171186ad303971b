"""The catalogue's facts count behind those of the line, and every one is told."""

from datetime import date

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.facts import CatalogueFacts, told, with_facts
from routing.modes import resolve_mode
from routing.rules_file import standard_rules

DAY = date(2026, 11, 22)
DIRECT = CatalogueFacts(
    supplier_code="S1", supplier_name="한빛유통", supplier=(InventoryHint(name="supplier_trading", value="C"),)
)


def decide(product, facts):
    return resolve_mode(product, shop="main", mall="malla", on=DAY, table=standard_rules().table(()), facts=facts)


def told_of(decision):
    return tuple(step.text("en") for step in decision.steps)


def test_a_supplier_that_ships_directly_makes_consignment():
    decision = decide(Product(name="찻잔"), DIRECT)

    assert decision.mode is InventoryMode.CONSIGNMENT
    assert decision.rule == "rule:supplier-ships-directly"
    assert decision.partner == "S1"
    assert told_of(decision)[:2] == (
        "The catalogue adds supplier = S1 (stock item).",
        "The catalogue adds supplier_trading = C (supplier 한빛유통).",
    )


def test_purchased_stock_is_ours():
    bought = CatalogueFacts(supplier=(InventoryHint(name="supplier_trading", value="D"),))

    assert decide(Product(name="찻잔"), bought).mode is InventoryMode.DIRECT_PURCHASE


def test_without_a_catalogue_nothing_changes():
    product = Product(name="찻잔", hints=(InventoryHint(name="logistics_company", value="EX01"),))

    assert decide(product, None) == decide(product, CatalogueFacts())
    assert with_facts(product, CatalogueFacts()) is product
    assert list(told(product, None)) == []


def test_what_the_line_says_holds_against_the_catalogue():
    line = Product(
        name="찻잔",
        hints=(InventoryHint(name="supplier", value="S9"), InventoryHint(name="supplier_trading", value="D")),
    )

    assert with_facts(line, DIRECT) is line
    assert decide(line, DIRECT).mode is InventoryMode.DIRECT_PURCHASE
    assert decide(line, DIRECT).partner == "S9"


def test_the_item_comes_before_its_supplier_and_an_empty_fact_counts_for_nothing():
    facts = CatalogueFacts(
        item=(InventoryHint(name="supplier_trading", value="D"), InventoryHint(name="empty", value="")),
        supplier=(InventoryHint(name="supplier_trading", value="C"),),
    )

    assert with_facts(Product(name="찻잔"), facts).hints == (InventoryHint(name="supplier_trading", value="D"),)


def test_a_hostile_name_stays_one_short_line():
    facts = CatalogueFacts(
        supplier_name="\n한빛\x00" * 500, supplier=(InventoryHint(name="supplier_trading", value="C"),)
    )

    (step,) = [step for step in told_of(decide(Product(name="찻잔"), facts)) if step.startswith("The catalogue")]
    assert step.isprintable()
    assert len(step) <= 200
