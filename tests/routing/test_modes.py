from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.considered import consider
from routing.entries import PartnerDefaultEntry, ProductEntry, ShopDefaultEntry
from routing.facts import CatalogueFacts
from routing.modes import ModeRule, ModeTable, normalise, resolve_mode
from routing.words import shown

CONSIGNMENT = InventoryMode.CONSIGNMENT
DIRECT = InventoryMode.DIRECT_PURCHASE
WAREHOUSE = InventoryMode.THIRD_PARTY_LOGISTICS
DAY = date(2026, 11, 20)


def product(**fields):
    hints = tuple(InventoryHint(name=name, value=value) for name, value in fields.pop("hints", {}).items())
    return Product(name="린넨 셔츠", hints=hints, **fields)


def resolve(table, given_product, *, shop="main", mall="malla", on=DAY):
    found = resolve_mode(given_product, shop=shop, mall=mall, on=on, table=table)
    return found.mode, found.rule


def test_the_seller_sku_comes_before_the_option_before_the_product():
    rows = (
        ProductEntry(mode=CONSIGNMENT, product_code="P1"),
        ProductEntry(mode=DIRECT, option_code="O1"),
        ProductEntry(mode=WAREHOUSE, seller_sku="S1"),
    )
    table = ModeTable(rows=rows)

    assert resolve(table, product(code="P1", option_code="O1", seller_sku="S1")) == (WAREHOUSE, "table:seller_sku=S1")
    assert resolve(table, product(code="P1", option_code="O1", seller_sku="S2")) == (DIRECT, "table:option_code=O1")
    assert resolve(table, product(code="P1", option_code="O2")) == (CONSIGNMENT, "table:product_code=P1")


def test_a_row_with_two_keys_counts_under_the_narrower_one_only():
    table = ModeTable(rows=(ProductEntry(mode=DIRECT, option_code="O1", product_code="P1"),))

    assert resolve(table, product(code="P1", option_code="O2")) == (InventoryMode.UNKNOWN, "unknown")


@pytest.mark.parametrize(
    "written",
    ["ab-001 x", "AB-001  X", "ＡＢ－００１　ｘ", "\tab-001 x\u00a0"],
)
def test_keys_compare_whatever_their_width_case_and_blanks(written):
    table = ModeTable(rows=(ProductEntry(mode=DIRECT, seller_sku=" Ab-001 X "),))

    assert resolve(table, product(seller_sku=written))[0] is DIRECT


def test_a_row_holds_from_its_first_to_its_last_day():
    rows = (
        ProductEntry(mode=CONSIGNMENT, seller_sku="S1", valid_to=date(2026, 11, 19)),
        ProductEntry(mode=DIRECT, seller_sku="S1", valid_from=date(2026, 11, 20), valid_to=date(2026, 11, 21)),
    )
    table = ModeTable(rows=rows)

    found = [resolve(table, product(seller_sku="S1"), on=date(2026, 11, day))[0] for day in (19, 20, 21, 22)]

    assert found == [CONSIGNMENT, DIRECT, DIRECT, InventoryMode.UNKNOWN]


def test_a_row_of_the_shop_comes_before_a_row_for_all():
    rows = (ProductEntry(mode=CONSIGNMENT, seller_sku="S1"), ProductEntry(mode=DIRECT, seller_sku="S1", shop="second"))
    table = ModeTable(rows=rows)

    assert resolve(table, product(seller_sku="S1"), shop="second")[0] is DIRECT
    assert resolve(table, product(seller_sku="S1"), shop="main")[0] is CONSIGNMENT


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"shop": "main"}, True),
        ({"shop": "other"}, False),
        ({"mall": "malla"}, True),
        ({"mall": "mallb"}, False),
        ({"supplier": "s000000a"}, True),
        ({"supplier": "S1"}, False),
        ({"sku_prefix": "hb-"}, True),
        ({"sku_prefix": "HB-0011"}, False),
        ({"hints": (InventoryHint(name="supplier_trading", value="C"),)}, True),
        ({"hints": (InventoryHint(name="supplier_trading", value="D"),)}, False),
        ({"hints": (InventoryHint(name="supplier_trading", value="*"),)}, True),
        ({"hints": (InventoryHint(name="logistics_company", value="*"),)}, False),
        ({"mall": "malla", "sku_prefix": "XX"}, False),
    ],
    ids=str,
)
def test_a_rule_holds_when_all_its_conditions_do(condition, holds):
    table = ModeTable(rules=(ModeRule(name="r", mode=CONSIGNMENT, **condition),))
    given_product = product(seller_sku="HB-001", hints={"supplier": "S000000A", "supplier_trading": "C"})

    expected = (CONSIGNMENT, "rule:r") if holds else (InventoryMode.UNKNOWN, "unknown")
    assert resolve(table, given_product) == expected


def test_an_sku_prefix_needs_an_sku():
    table = ModeTable(rules=(ModeRule(name="r", mode=CONSIGNMENT, sku_prefix="A"),))

    assert resolve(table, product(code="A1"))[0] is InventoryMode.UNKNOWN


def test_the_first_rule_that_holds_decides_and_the_table_beats_it():
    rules = (ModeRule(name="one", mode=DIRECT, mall="malla"), ModeRule(name="two", mode=WAREHOUSE, shop="main"))
    table = ModeTable(rows=(ProductEntry(mode=CONSIGNMENT, seller_sku="S1"),), rules=rules)

    assert resolve(table, product(seller_sku="S2")) == (DIRECT, "rule:one")
    assert resolve(table, product(seller_sku="S1")) == (CONSIGNMENT, "table:seller_sku=S1")
    assert resolve(table, product(seller_sku="S2"), mall="mallb") == (WAREHOUSE, "rule:two")


def test_the_default_of_the_shop_comes_before_the_default_of_all():
    table = ModeTable(defaults=(ShopDefaultEntry(mode=DIRECT), ShopDefaultEntry(mode=CONSIGNMENT, shop="main")))

    assert resolve(table, product(), shop="main") == (CONSIGNMENT, "default:main")
    assert resolve(table, product(), shop="other") == (DIRECT, "default:*")


def test_the_default_of_a_mall_stands_between_that_of_the_shop_and_that_of_all():
    defaults = (ShopDefaultEntry(mode=DIRECT), ShopDefaultEntry(mode=WAREHOUSE, mall="malla"))
    table = ModeTable(defaults=(*defaults, ShopDefaultEntry(mode=CONSIGNMENT, shop="main")))
    told = resolve_mode(product(), shop="b", mall="malla", on=DAY, table=table).steps[-1]

    assert resolve(table, product(), shop="main") == (CONSIGNMENT, "default:main")
    assert resolve(table, product(), shop="b") == (WAREHOUSE, "default:mall=malla")
    assert resolve(table, product(), shop="b", mall="mallb") == (DIRECT, "default:*")
    assert (told.text("en"), told.text("ko")) == (
        "Default of mall malla: third_party_logistics.",
        "malla 몰의 기본값 → 물류(3PL).",
    )


def test_the_default_of_a_partner_on_one_mall_is_that_of_its_shops_alone():
    of_partner = (
        PartnerDefaultEntry(partner="S1", mode=CONSIGNMENT),
        PartnerDefaultEntry(partner="S1", mode=WAREHOUSE, mall="malla"),
    )
    table = ModeTable(partner_defaults=of_partner)

    assert resolve(table, product(hints={"supplier": "S1"}))[0] is WAREHOUSE
    assert resolve(table, product(hints={"supplier": "S1"}), mall="mallb")[0] is CONSIGNMENT


def test_the_order_is_table_rule_partner_shop_unknown():
    row = ProductEntry(mode=CONSIGNMENT, product_code="P1")
    rule = ModeRule(name="r", mode=DIRECT, mall="malla")
    of_partner = PartnerDefaultEntry(partner="S1", mode=WAREHOUSE)
    default = ShopDefaultEntry(mode=CONSIGNMENT, shop="main")
    given_product = product(code="P1", hints={"supplier": "s1"})

    found = [
        resolve(table, given_product)
        for table in (
            ModeTable(rows=[row], rules=[rule], partner_defaults=[of_partner], defaults=[default]),
            ModeTable(rules=[rule], partner_defaults=[of_partner], defaults=[default]),
            ModeTable(partner_defaults=[of_partner], defaults=[default]),
            ModeTable(defaults=[default]),
            ModeTable(),
        )
    ]

    assert found == [
        (CONSIGNMENT, "table:product_code=P1"),
        (DIRECT, "rule:r"),
        (WAREHOUSE, "partner:S1"),
        (CONSIGNMENT, "default:main"),
        (InventoryMode.UNKNOWN, "unknown"),
    ]


def test_a_partner_has_its_default_by_code_or_by_the_name_that_the_catalogue_tells():
    table = ModeTable(partner_defaults=[PartnerDefaultEntry(partner="한빛 유통", mode=WAREHOUSE)])
    facts = CatalogueFacts(supplier_code="S1", supplier_name="한빛  유통")

    found = resolve_mode(product(), shop="main", mall="malla", on=DAY, table=table, facts=facts)

    assert (found.mode, found.rule) == (WAREHOUSE, "partner:한빛 유통")
    assert resolve(table, product(hints={"supplier": "S1"})) == (InventoryMode.UNKNOWN, "unknown")


def test_a_decision_keeps_every_name_of_its_partner_and_none_of_another():
    facts = CatalogueFacts(supplier_code="S1", supplier_name="한빛유통")

    def decide(partner: str | None):
        table = ModeTable(defaults=(ShopDefaultEntry(mode=CONSIGNMENT, partner=partner),))
        found = resolve_mode(product(), shop="main", mall="malla", on=DAY, table=table, facts=facts)
        return found.partner, found.partner_names

    assert decide(None) == ("S1", ("한빛유통",))
    assert decide("한빛유통") == ("한빛유통", ("S1",))
    assert decide("다른상사") == ("다른상사", ())


def test_the_name_of_another_supplier_is_not_taken_for_the_lines_own():
    table = ModeTable(partner_defaults=[PartnerDefaultEntry(partner="한빛유통", mode=WAREHOUSE)])
    facts = CatalogueFacts(supplier_code="S1", supplier_name="한빛유통")

    found = resolve_mode(product(hints={"supplier": "S9"}), shop="main", mall="malla", on=DAY, table=table, facts=facts)

    assert found.mode is InventoryMode.UNKNOWN


@pytest.mark.parametrize(("day", "mode"), [(19, CONSIGNMENT), (20, DIRECT), (21, DIRECT), (22, InventoryMode.UNKNOWN)])
@pytest.mark.parametrize("kind", ["rules", "partner_defaults", "defaults"])
def test_rules_and_defaults_hold_from_their_first_to_their_last_day(kind, day, mode):
    fields = {
        "rules": lambda **dates: ModeRule(name=str(dates), mall="malla", **dates),
        "partner_defaults": lambda **dates: PartnerDefaultEntry(partner="S1", **dates),
        "defaults": ShopDefaultEntry,
    }[kind]
    before = fields(mode=CONSIGNMENT, valid_to=date(2026, 11, 19))
    after = fields(mode=DIRECT, valid_from=date(2026, 11, 20), valid_to=date(2026, 11, 21))
    table = ModeTable(**{kind: [before, after]})

    assert resolve(table, product(hints={"supplier": "S1"}), on=date(2026, 11, day))[0] is mode


def test_the_default_of_a_partner_in_one_shop_comes_before_his_default_everywhere():
    table = ModeTable(
        partner_defaults=[
            PartnerDefaultEntry(partner="S1", mode=CONSIGNMENT),
            PartnerDefaultEntry(partner="S1", mode=WAREHOUSE, shop="main"),
        ]
    )

    assert resolve(table, product(hints={"supplier": "S1"}))[0] is WAREHOUSE
    assert resolve(table, product(hints={"supplier": "S1"}), shop="other")[0] is CONSIGNMENT


def test_whom_purchased_stock_was_bought_from_is_in_no_step_and_no_rule():
    table = ModeTable(partner_defaults=[PartnerDefaultEntry(partner="한빛유통", mode=DIRECT)])
    facts = CatalogueFacts(
        supplier_code="S1", supplier_name="한빛유통", supplier=(InventoryHint(name="supplier_trading", value="D"),)
    )

    found = resolve_mode(product(), shop="main", mall="malla", on=DAY, table=table, facts=facts)

    assert (found.mode, found.rule) == (DIRECT, "partner:withheld")
    for locale in ("ko", "en"):
        told = " ".join(step.text(locale) for step in found.steps)
        assert "한빛" not in told
        assert "S1" not in told


@pytest.mark.parametrize("about", [{"supplier": "S1"}, {"mall": "malla", "partner": "한빛유통"}])
def test_nor_is_it_told_by_the_name_of_a_rule_about_him(about):
    table = ModeTable(rules=[ModeRule(name="hanbit-한빛유통", mode=DIRECT, **about)])
    given_product = product(hints={"supplier": "S1"})

    found = resolve_mode(given_product, shop="main", mall="malla", on=DAY, table=table)

    assert (found.mode, found.rule) == (DIRECT, "rule:withheld")
    assert not any("한빛" in step.text(locale) for step in found.steps for locale in ("ko", "en"))
    assert consider(given_product, decision=found, shop="main", mall="malla", on=DAY, table=table) == ()


def test_every_step_of_the_way_is_told():
    table = ModeTable(defaults=(ShopDefaultEntry(mode=DIRECT, shop="main"),))

    found = resolve_mode(product(seller_sku="S1", code="P1"), shop="main", mall="malla", on=DAY, table=table)

    assert tuple(step.text("en") for step in found.steps) == (
        "Seller SKU S1 is not in the table.",
        "Product code P1 is not in the table.",
        "No rule holds.",
        "Default of shop main: direct_purchase.",
    )


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, ()),
        ({"shop": "main"}, ("That row is for shop main alone.",)),
        ({"valid_from": DAY}, ("That row holds from 2026-11-20 on.",)),
        ({"valid_to": DAY}, ("That row holds until 2026-11-20.",)),
        ({"valid_from": DAY, "valid_to": DAY}, ("That row holds from 2026-11-20 to 2026-11-20.",)),
    ],
    ids=["none", "shop", "from", "to", "both"],
)
def test_the_limits_of_the_row_that_decided_are_told(limits, told):
    table = ModeTable(rows=(ProductEntry(mode=DIRECT, seller_sku="S1", **limits),))

    found = resolve_mode(product(seller_sku="S1"), shop="main", mall="malla", on=DAY, table=table)

    assert tuple(step.text("en") for step in found.steps[1:]) == told


def test_partner_and_logistics_come_from_the_decision_then_from_the_mall():
    table = ModeTable(rows=(ProductEntry(mode=WAREHOUSE, seller_sku="S1", partner="한빛유통"),))
    given_product = product(seller_sku="S1", hints={"supplier": "S000000A", "logistics_company": "EX01"})

    found = resolve_mode(given_product, shop="main", mall="malla", on=DAY, table=table)

    assert (found.partner, found.logistics) == ("한빛유통", "EX01")


def test_a_hostile_key_stays_one_short_line():
    assert shown("a\nb\x1b[31m" + "x" * 100) == "a\ufffdb\ufffd[31m" + "x" * 51 + "…"


TEXT = st.text(max_size=30)


@settings(deadline=None)
@given(text=TEXT)
def test_normalising_twice_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@settings(deadline=None)
@given(sku=TEXT, option_code=TEXT, code=TEXT, hint=TEXT)
def test_no_product_breaks_the_look_up_and_every_decision_has_steps(sku, option_code, code, hint):
    table = ModeTable(
        rows=(ProductEntry(mode=DIRECT, seller_sku="0"),), rules=(ModeRule(name="r", mode=WAREHOUSE, supplier="a"),)
    )
    given_product = product(seller_sku=sku, option_code=option_code, code=code, hints={"supplier": hint})

    found = resolve_mode(given_product, shop="main", mall="malla", on=DAY, table=table)

    assert found.rule.split(":")[0] in {"table", "rule", "unknown"}
    assert found.steps


def test_a_large_table_finds_each_of_its_products():
    table = ModeTable(
        rows=[ProductEntry(mode=CONSIGNMENT, seller_sku=f"SKU-{number}") for number in range(20_000)],
        rules=[ModeRule(name=f"r{number}", mode=DIRECT, sku_prefix=f"Z{number}") for number in range(20)],
    )
    products = [product(seller_sku=f"sku-{number * 2}", code=f"P{number}") for number in range(20_000)]

    found = [resolve_mode(one, shop="main", mall="malla", on=DAY, table=table).mode for one in products]

    assert found.count(CONSIGNMENT) == 10_000
