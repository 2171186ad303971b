"""Mistakes of a routing book are named with place, reason and advice; a right book is the same text again."""

import string
import tomllib
from datetime import date
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import ConfigurationError
from hub.core.model import InventoryMode
from routing.book import SECTIONS, RoutingTables, decode, encode, fill_chain, find_problems, standard_tables
from routing.chain_table import ChainTable, standard_entries
from routing.entries import (
    AbsenceEntry,
    ChainEntry,
    ContactEntry,
    PartnerDefaultEntry,
    ProductEntry,
    RuleEntry,
    ShopDefaultEntry,
)
from routing.matter import Matter, Role
from routing.rules_file import read_tables

CONSIGNMENT = InventoryMode.CONSIGNMENT
DIRECT = InventoryMode.DIRECT_PURCHASE
DAY = date(2026, 11, 23)
LATER = date(2026, 12, 31)


def rule(name, **fields):
    return RuleEntry(**({"name": name, "mode": CONSIGNMENT} | fields))


def person(name, **fields):
    return ContactEntry(**({"name": name, "role": Role.MD, "phone": "02-1"} | fields))


def place(role, **fields):
    return ChainEntry(**({"mode": CONSIGNMENT, "matter": Matter.STOCK, "place": 1, "role": role} | fields))


def away(name, **fields):
    return AbsenceEntry(**({"contact": name, "absent_from": DAY, "absent_to": LATER} | fields))


def found(**sections):
    tables = RoutingTables(**{name: tuple(rows) for name, rows in sections.items()})
    problems = find_problems(tables, malls=("cafe24", "qoo10"), shops={"main": "cafe24", "tokyo": "qoo10"})
    return [(each.section, each.row, each.column, each.key) for each in problems]


@pytest.mark.parametrize(
    ("rules", "row", "column", "key"),
    [
        pytest.param([rule("a")], 0, None, "no_condition", id="no condition"),
        pytest.param([rule("a", sku_prefix=" ")], 0, "sku_prefix", "empty", id="empty prefix"),
        pytest.param([rule("a", mall="coupang")], 0, "mall", "unknown_mall", id="unknown mall"),
        pytest.param([rule("a", shop="osaka")], 0, "shop", "unknown_shop", id="unknown shop"),
        pytest.param(
            [rule("a", shop="main", mall="qoo10")], 0, "mall", "shop_of_other_mall", id="shop of another mall"
        ),
        pytest.param([rule("a", hints=("supplier_trading",))], 0, "hints", "hint", id="fact without a value"),
        pytest.param([rule("a", hints=("x=1", "x=2"))], 0, "hints", "contradicts", id="two values of one fact"),
        pytest.param([rule("a", supplier="S1", hints=("supplier=S2",))], 0, "hints", "contradicts", id="two suppliers"),
        pytest.param([rule("a", mall="cafe24", mode=InventoryMode.UNKNOWN)], 0, "mode", "mode", id="mode unknown"),
        pytest.param(
            [rule("a", mall="cafe24", valid_from=LATER, valid_to=DAY)], 0, "valid_to", "dates", id="swapped dates"
        ),
        pytest.param([rule("a", mall="cafe24"), rule("a", mall="qoo10")], 1, "name", "twice", id="name twice"),
        pytest.param([rule("a", mall="cafe24"), rule("b", mall="cafe24")], 1, "name", "shadowed", id="the same twice"),
        pytest.param([rule("a", sku_prefix="HB"), rule("b", sku_prefix="ｈｂ-1")], 1, "name", "shadowed", id="prefix"),
        pytest.param(
            [rule("a", supplier="S1"), rule("b", hints=("supplier=s1",), shop="main")],
            1,
            "name",
            "shadowed",
            id="supplier as a fact",
        ),
        pytest.param([rule("a", hints=("x=*",)), rule("b", hints=("x=1",))], 1, "name", "shadowed", id="any value"),
        pytest.param([rule("a", mall="qoo10"), rule("b", shop="tokyo")], 1, "name", "shadowed", id="shop of that mall"),
        pytest.param(
            [rule("a", mall="qoo10", valid_to=LATER), rule("b", mall="qoo10", valid_from=DAY)],
            1,
            "valid_from",
            "overlap",
            id="overlap",
        ),
    ],
)
def test_a_rule_that_cannot_hold_is_named(rules, row, column, key):
    assert found(rules=rules) == [("rules", row, column, key)]


@pytest.mark.parametrize(
    "rules",
    [
        [rule("b", sku_prefix="HB-1"), rule("a", sku_prefix="HB")],
        [rule("a", mall="cafe24", sku_prefix="HB"), rule("b", sku_prefix="HB")],
        [rule("a", hints=("x=1",)), rule("b", hints=("x=*",))],
        [rule("a", mall="qoo10", valid_to=DAY), rule("b", mall="qoo10", valid_from=LATER)],
        [rule("a", shop="main"), rule("b", mall="cafe24")],
        [rule("a", supplier="S1", hints=("supplier=*",))],
    ],
    ids=["narrower first", "wider condition later", "one value first", "one after the other", "shop first", "any"],
)
def test_rules_that_can_hold_are_left_alone(rules):
    assert found(rules=rules) == []


def test_a_rule_is_not_shadowed_on_the_days_on_which_the_earlier_one_does_not_hold():
    assert found(rules=[rule("a", mall="qoo10", valid_to=DAY), rule("b", shop="tokyo")]) == []


@pytest.mark.parametrize(
    ("contacts", "row", "column", "key"),
    [
        pytest.param([person("A", phone=None)], 0, "phone", "no_way", id="no way"),
        pytest.param([person("A", role=Role.PARTNER)], 0, None, "partner_of_nobody", id="partner of nobody"),
        pytest.param([person("A", email="a@b")], 0, "email", "email", id="e-mail"),
        pytest.param([person("A", webhook_url="http://chat.example/x")], 0, "webhook_url", "webhook", id="plain http"),
        pytest.param([person("A", webhook_url="file:///etc/passwd")], 0, "webhook_url", "webhook", id="a file"),
        pytest.param([person("A", webhook_url="https://u:p@x.example")], 0, "webhook_url", "webhook", id="user in it"),
        pytest.param([person("A", webhook_url="https://[::1")], 0, "webhook_url", "webhook", id="broken address"),
        pytest.param([person("A", languages=("ko", "fr"))], 0, "languages", "language", id="language"),
        pytest.param([person("A", timezone="../etc")], 0, "timezone", "timezone", id="zone"),
        pytest.param([person("A", holidays="US")], 0, "holidays", "holidays", id="holidays"),
        pytest.param([person("A", hours="mon 9-18")], 0, "hours", "hours_period", id="period"),
        pytest.param([person("A", hours="moon 09:00-18:00")], 0, "hours", "hours_day", id="day"),
        pytest.param(
            [person("A", hours="mon 09:00-12:00 11:00-13:00")], 0, "hours", "hours_overlap", id="hours overlap"
        ),
        pytest.param([person("A", escalate_minutes=0)], 0, "escalate_minutes", "minutes", id="no minutes"),
        pytest.param([person("A", malls=("x",))], 0, "malls", "unknown_mall", id="mall"),
        pytest.param([person("A", shops=("x",))], 0, "shops", "unknown_shop", id="shop"),
        pytest.param([person("A"), person("A")], 1, "key", "twice", id="key twice"),
        pytest.param([person("A", deputy="B")], 0, "deputy", "no_deputy", id="no deputy"),
        pytest.param([person("A", deputy="A")], 0, "deputy", "no_deputy", id="own deputy"),
        pytest.param(
            [person("A", deputy="B"), person("B", role=Role.LOGISTICS)], 0, "deputy", "deputy_role", id="other role"
        ),
        pytest.param(
            [person("A", deputy="B"), person("B", deputy="C"), person("C", deputy="A")],
            0,
            "deputy",
            "deputy_loop",
            id="loop of three",
        ),
        pytest.param(
            [person("D", deputy="A"), person("A", deputy="B"), person("B", deputy="A")],
            1,
            "deputy",
            "deputy_loop",
            id="into a loop",
        ),
        pytest.param([person("x" * 201)], 0, "name", "too_long", id="long name"),
        pytest.param([person("A\x00")], 0, "name", "control", id="control character"),
    ],
)
def test_a_contact_that_cannot_be_asked_is_named(contacts, row, column, key):
    assert found(contacts=contacts) == [("contacts", row, column, key)]


def test_the_loop_is_spelled_out():
    tables = RoutingTables(contacts=(person("A", deputy="B"), person("B", deputy="A")))

    (problem,) = find_problems(tables)

    assert problem.told("en") == (
        "the deputies form a loop: A → B → A",
        "Remove the deputy of one of them, or name somebody outside the loop.",
    )
    assert problem.told("ko")[0] == "대리인이 서로 돌아옵니다: A → B → A"


def test_deputies_several_deep_and_shared_are_right():
    contacts = [person("A", deputy="C"), person("B", deputy="C"), person("C", deputy="D"), person("D")]

    assert found(contacts=contacts) == []


PEOPLE = [person("A"), person("B"), person("L", role=Role.LOGISTICS)]


@pytest.mark.parametrize(
    ("absences", "row", "column", "key"),
    [
        pytest.param([away("X")], 0, "contact", "no_contact", id="of nobody"),
        pytest.param([away("A", absent_from=LATER, absent_to=DAY)], 0, "absent_to", "dates", id="swapped"),
        pytest.param([away("A", deputy="X")], 0, "deputy", "no_deputy", id="no such deputy"),
        pytest.param([away("A", deputy="L")], 0, "deputy", "deputy_role", id="other role"),
        pytest.param([away("A", deputy="B"), away("B")], 0, "deputy", "deputy_away", id="the deputy is away too"),
        pytest.param([away("A"), away("A", absent_from=LATER)], 1, "absent_from", "overlap", id="twice"),
    ],
)
def test_an_absence_that_cannot_be_is_named(absences, row, column, key):
    assert found(contacts=PEOPLE, absences=absences) == [("absences", row, column, key)]


@pytest.mark.parametrize(
    ("chain", "row", "column", "key"),
    [
        pytest.param([place(Role.PARTNER, mode=DIRECT)], 0, "role", "partner_shown", id="partner of purchased stock"),
        pytest.param(
            [place(Role.MD, mode=InventoryMode.UNKNOWN), place(Role.PARTNER, mode=InventoryMode.UNKNOWN, place=2)],
            1,
            "role",
            "partner_shown",
            id="partner of unknown stock",
        ),
        pytest.param(
            [place(Role.LOGISTICS, mode=InventoryMode.UNKNOWN)], 0, "role", "unknown_needs_md", id="unknown without md"
        ),
        pytest.param([place(Role.MD, place=2)], 0, "place", "place", id="no first place"),
        pytest.param([place(Role.MD), place(Role.MD, place=2)], 1, "role", "role_twice", id="role twice"),
        pytest.param([place(Role.MD, together=True)], 0, "together", "alone_together", id="hot line of one"),
        pytest.param([place(Role.MD, escalate_minutes=99_999)], 0, "escalate_minutes", "minutes", id="minutes"),
    ],
)
def test_a_cell_of_the_chain_that_cannot_be_is_named(chain, row, column, key):
    assert found(chain=chain) == [("chain", row, column, key)]


def test_the_standard_chain_is_right_as_a_book_too():
    assert find_problems(standard_tables()) == ()
    assert standard_tables().chain == standard_entries()


def test_a_book_is_filled_with_the_shipped_cells_that_it_does_not_replace():
    own = place(Role.MD)

    chain = fill_chain(RoutingTables(chain=(own,))).chain

    assert [row for row in chain if (row.mode, row.matter) == (CONSIGNMENT, Matter.STOCK)] == [own]
    assert {(row.mode, row.matter) for row in chain} == {(mode, matter) for mode in InventoryMode for matter in Matter}
    assert ChainTable(chain).replaced == {(CONSIGNMENT, Matter.STOCK)}
    assert ChainTable(standard_entries()).replaced == frozenset()


@pytest.mark.parametrize(
    ("section", "rows", "column"),
    [
        ("partner_defaults", [PartnerDefaultEntry(partner=name, mode=DIRECT) for name in ("S1", " s１ ")], "partner"),
        ("shop_defaults", [ShopDefaultEntry(mode=DIRECT), ShopDefaultEntry(mode=DIRECT, valid_from=DAY)], "shop"),
        ("products", [ProductEntry(mode=DIRECT, seller_sku=sku) for sku in ("A", "a")], "seller_sku"),
    ],
)
def test_the_same_thing_twice_on_one_day_is_named(section, rows, column):
    assert found(**{section: rows}) == [(section, 1, column, "overlap")]


def test_the_same_thing_one_period_after_the_other_is_right():
    rows = [PartnerDefaultEntry(partner="S1", mode=DIRECT, valid_to=DAY)]
    rows.append(PartnerDefaultEntry(partner="S1", mode=CONSIGNMENT, valid_from=LATER))

    assert found(partner_defaults=rows) == []
    defaults = [ShopDefaultEntry(mode=DIRECT, **scope) for scope in ({}, {"shop": "main"}, {"mall": "cafe24"})]
    assert found(shop_defaults=defaults) == []


def test_a_product_without_a_code_is_named():
    assert found(products=[ProductEntry(mode=DIRECT)]) == [("products", 0, "seller_sku", "no_product")]


def test_a_book_that_is_far_too_long_is_refused_before_its_rows_are_read():
    assert found(rules=[rule(str(number)) for number in range(5_001)]) == [("rules", None, None, "too_many")]


def test_unknown_names_are_not_looked_at_where_nobody_tells_the_known_ones():
    assert find_problems(RoutingTables(rules=(rule("a", mall="anything", shop="any"),))) == ()


def test_the_demo_is_the_same_book_after_a_round_trip():
    tables = read_tables(resources.files("routing").joinpath("demo.toml").read_bytes(), file="demo.toml")

    text = encode(tables)

    assert decode(text.encode()) == tables
    assert encode(decode(text.encode())) == text
    assert encode(RoutingTables()) == "{}"


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"rules": [{}]}', b'{"colour": 1}', b'{"contacts": 1}'])
def test_what_is_no_book_is_refused(data):
    with pytest.raises(ConfigurationError, match="routing book"):
        decode(data)


def test_every_sentence_is_there_in_both_languages_with_the_same_gaps():
    def walk(tree, path):
        for key, value in tree.items():
            if isinstance(value, dict) and set(value) != {"ko", "en"}:
                yield from walk(value, f"{path}.{key}")
            else:
                yield f"{path}.{key}", value

    sentences = dict(walk(tomllib.loads(resources.files("routing").joinpath("words.toml").read_text("utf-8")), ""))

    def gaps(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert len(sentences) > 150
    for key, said in sentences.items():
        assert set(said) == {"ko", "en"}, key
        assert key == ".step.own" or gaps(said["ko"]) == gaps(said["en"]), key


def test_every_section_of_the_book_has_its_rows():
    names = {name for name in RoutingTables.__struct_fields__ if isinstance(getattr(RoutingTables(), name), tuple)}

    assert set(SECTIONS) == names


TEXT = st.text(max_size=12)
MAYBE = st.none() | TEXT
DAYS = st.none() | st.dates()
ENTRIES = {
    "rules": st.builds(
        RuleEntry, name=TEXT, mode=st.sampled_from(InventoryMode), shop=MAYBE, mall=MAYBE, supplier=MAYBE,
        sku_prefix=MAYBE, hints=st.lists(TEXT, max_size=2).map(tuple), valid_from=DAYS, valid_to=DAYS,
    ),
    "contacts": st.builds(
        ContactEntry, name=TEXT, role=st.sampled_from(Role), phone=MAYBE, email=MAYBE, webhook_url=MAYBE, hours=MAYBE,
        holidays=MAYBE, timezone=TEXT, deputy=MAYBE, escalate_minutes=st.none() | st.integers(),
    ),
    "absences": st.builds(AbsenceEntry, contact=TEXT, absent_from=st.dates(), absent_to=st.dates(), deputy=MAYBE),
    "chain": st.builds(
        ChainEntry, mode=st.sampled_from(InventoryMode), matter=st.sampled_from(Matter), place=st.integers(),
        role=st.sampled_from(Role), together=st.booleans(),
    ),
}  # fmt: skip


@settings(deadline=None)
@given(
    tables=st.builds(RoutingTables, **{name: st.lists(rows, max_size=4).map(tuple) for name, rows in ENTRIES.items()})
)
def test_no_book_breaks_the_checks_and_every_mistake_has_place_reason_and_advice(tables):
    for problem in find_problems(tables, malls=("cafe24",)):
        assert problem.row is None or 0 <= problem.row < len(getattr(tables, problem.section))
        assert problem.column is None or problem.column in SECTIONS[problem.section].__struct_fields__
        assert all((problem.reason, problem.reason_ko, problem.fix, problem.fix_ko))
        assert all(text.isprintable() for text in (problem.reason, problem.reason_ko))
