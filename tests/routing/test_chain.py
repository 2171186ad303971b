from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.chain import Matter, build_chain, explain
from routing.chain_table import ChainTable, standard_entries
from routing.considered import Considered
from routing.contacts import Absence, Contact, Directory, Hours, Period, Role
from routing.entries import ChainEntry, PartnerDefaultEntry, ProductEntry, ShopDefaultEntry
from routing.modes import ModeDecision, ModeRule, ModeTable
from routing.words import step

CONSIGNMENT = InventoryMode.CONSIGNMENT
DIRECT = InventoryMode.DIRECT_PURCHASE
WAREHOUSE = InventoryMode.THIRD_PARTY_LOGISTICS
DAY_SHIFT = Hours(week=((Period(540, 1080),),) * 7)
LATE_SHIFT = Hours(week=((Period(1080, 1320),),) * 7)
MD = Contact(key="md", name="김민서", role=Role.MD, organisation="MD 1팀", hours=DAY_SHIFT)
PARTNER = Contact(
    key="p",
    name="박지훈",
    role=Role.PARTNER,
    organisation="한빛유통",
    codes=("S1",),
    phone="02-1",
    hours=DAY_SHIFT,
    deputy="p2",
)
LATE_PARTNER = Contact(key="p2", name="최수아", role=Role.PARTNER, organisation="한빛 야간", hours=LATE_SHIFT)
WAREHOUSE_DESK = Contact(key="l", name="오세진", role=Role.LOGISTICS, organisation="물류센터", hours=DAY_SHIFT)
PEOPLE = Directory((MD, PARTNER, LATE_PARTNER, WAREHOUSE_DESK))
NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def chain(mode, matter, *, at=NOON, directory=PEOPLE, partner="S1"):
    decision = ModeDecision(mode=mode, rule="rule:r", steps=(), partner=partner)
    links = build_chain(decision, matter=matter, shop="main", mall="malla", at=at, directory=directory)
    return [(link.role.value, link.contact and link.contact.key, link.open_now) for link in links]


@pytest.mark.parametrize(
    ("matter", "consignment", "direct", "warehouse"),
    [
        (Matter.STOCK, "partner", "logistics md", "logistics partner"),
        (Matter.DISPATCH_DELAY, "partner", "logistics", "logistics"),
        (Matter.MISSING_PARCEL, "partner", "logistics", "logistics"),
        (Matter.DEFECT, "partner", "logistics md", "logistics partner"),
        (Matter.PRODUCT_DETAIL, "md", "md", "md"),
        (Matter.PRICE_PROMOTION, "md", "md", "md"),
        (Matter.COMPENSATION, "partner", "md", "partner"),
        (Matter.HARD_CASE, "md partner", "md", "md partner logistics"),
        (Matter.OTHER, "md", "md", "md"),
    ],
)
def test_the_roles_of_each_matter_and_mode(matter, consignment, direct, warehouse):
    table = ChainTable()

    found = [" ".join(ask.role for ask in table.asks_for(mode, matter)) for mode in (CONSIGNMENT, DIRECT, WAREHOUSE)]

    assert found == [consignment, direct, warehouse]
    assert [ask.role for ask in table.asks_for(InventoryMode.UNKNOWN, matter)] == [Role.MD]


def test_the_table_of_roles_knows_every_matter_and_mode_with_reasons_and_minutes():
    rows = standard_entries()

    assert {(row.mode, row.matter) for row in rows} == {(mode, matter) for mode in InventoryMode for matter in Matter}
    assert all(row.why and row.why_en and row.escalate_minutes for row in rows)


def test_a_closed_contact_is_followed_by_its_deputy():
    assert chain(CONSIGNMENT, Matter.STOCK) == [("partner", "p", True)]
    assert chain(CONSIGNMENT, Matter.STOCK, at=EVENING) == [("partner", "p", False), ("partner", "p2", True)]


def test_a_role_without_a_contact_says_so_and_the_md_follows_when_nobody_is_left():
    decision = ModeDecision(mode=CONSIGNMENT, rule="rule:r", steps=(), partner="S9")

    links = build_chain(decision, matter=Matter.STOCK, shop="main", mall="malla", at=NOON, directory=PEOPLE)

    assert [(link.role, link.contact) for link in links] == [(Role.PARTNER, None), (Role.MD, MD)]
    assert links[0].told("en") == (
        "The partner owns and holds the stock. No contact with the role partner for S9 is in the directory."
    )
    assert links[0].told("ko") == "협력사가 재고를 소유하고 보관합니다. S9의 협력사 담당자가 연락처에 없습니다."


def test_a_partner_is_found_by_the_name_that_the_catalogue_tells_where_the_line_has_a_code():
    decision = ModeDecision(mode=CONSIGNMENT, rule="rule:r", steps=(), partner="S9", partner_names=("한빛유통",))

    (link,) = build_chain(decision, matter=Matter.STOCK, shop="main", mall="malla", at=NOON, directory=PEOPLE)

    assert link.contact is PARTNER


@pytest.mark.parametrize("mode", [DIRECT, InventoryMode.UNKNOWN])
def test_no_reason_names_a_supplier_that_may_not_be_shown(mode):
    decision = ModeDecision(mode=mode, rule="rule:r", steps=(), partner="S9", partner_names=("한빛유통",))

    links = build_chain(decision, matter=Matter.OTHER, shop="m", mall="m", at=NOON, directory=Directory())

    assert [link.role for link in links] == [Role.MD]
    assert not any(name in link.told(locale) for link in links for locale in ("ko", "en") for name in ("S9", "한빛"))


def test_an_empty_directory_still_names_roles_and_reasons():
    empty = Directory()

    assert chain(WAREHOUSE, Matter.HARD_CASE, directory=empty) == [
        ("md", None, False),
        ("partner", None, False),
        ("logistics", None, False),
    ]


def test_unknown_hours_are_told():
    decision = ModeDecision(mode=DIRECT, rule="rule:r", steps=())
    quiet = Directory((Contact(key="l", name="오세진", role=Role.LOGISTICS),))

    (link,) = build_chain(decision, matter=Matter.DISPATCH_DELAY, shop="m", mall="m", at=NOON, directory=quiet)

    assert link.told("en").endswith("The hours of 오세진 are not known.")
    assert (link.open_now, link.next_open_at) == (False, None)


TABLE_ROWS = (ProductEntry(mode=CONSIGNMENT, seller_sku="A", partner="S1"),)
TABLE = ModeTable(rows=TABLE_ROWS)


def explain_to(product, *, matter=Matter.STOCK, at=NOON, table, directory=PEOPLE, **others):
    return explain(product, shop="main", mall="malla", matter=matter, at=at, table=table, directory=directory, **others)


def test_the_decision_is_the_documented_json():
    table = ModeTable(rows=(ProductEntry(mode=CONSIGNMENT, seller_sku="HB-1", partner="한빛유통"),))

    found = explain_to(Product(name="린넨 셔츠", seller_sku="hb-1"), at=EVENING, table=table)

    assert msgspec.json.decode(msgspec.json.encode(found)) == {
        "mode": "consignment",
        "mode_rule": "table:seller_sku=hb-1",
        "matter": "stock",
        "chain": [
            {
                "role": "partner",
                "name": "박지훈",
                "organisation": "한빛유통",
                "open_now": False,
                "next_open_at": "2026-11-21T00:00:00Z",
                "why": "The partner owns and holds the stock.",
                "deputy_for": None,
                "reachable_by": ["phone"],
                "languages": [],
                "escalate_minutes": 30,
                "together": False,
            },
            {
                "role": "partner",
                "name": "최수아",
                "organisation": "한빛 야간",
                "open_now": True,
                "next_open_at": None,
                "why": "Deputy of 박지훈, who cannot be reached now.",
                "deputy_for": "박지훈",
                "reachable_by": [],
                "languages": [],
                "escalate_minutes": 30,
                "together": False,
            },
        ],
        "steps": [
            "No routing book was written: the shipped rules alone hold.",
            "Seller SKU hb-1 stands in the table: consignment.",
            "Matter stock with mode consignment: partner.",
            "partner 박지훈: closed now, opens tomorrow (Sat) 09:00.",
            "partner 최수아: open now.",
        ],
        "considered": [],
        "flags": [],
        "book": {"version": 0, "source": None, "problem": None},
    }


def test_an_unknown_mode_goes_to_the_md_with_a_flag():
    found = explain_to(Product(name="x", seller_sku="??"), table=ModeTable())

    assert (found.mode, found.mode_rule) == (InventoryMode.UNKNOWN, "unknown")
    assert [(link.role, link.name) for link in found.chain] == [(Role.MD, "김민서")]
    assert "unknown" in found.chain[0].why


def test_validity_is_read_on_the_day_of_seoul():
    table = ModeTable(
        rows=(ProductEntry(mode=DIRECT, seller_sku="A", valid_from=datetime(2026, 11, 21, tzinfo=UTC).date()),)
    )
    product = Product(name="x", seller_sku="A")

    before = explain_to(product, at=datetime(2026, 11, 20, 14, 59, tzinfo=UTC), table=table)
    after = explain_to(product, at=datetime(2026, 11, 20, 15, 0, tzinfo=UTC), table=table)

    assert (before.mode, after.mode) == (InventoryMode.UNKNOWN, DIRECT)


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        explain_to(Product(name="x"), at=datetime(2026, 11, 20), table=ModeTable())


def test_a_cell_of_the_book_replaces_the_standard_one_and_says_so():
    rows = [
        ChainEntry(mode=CONSIGNMENT, matter=Matter.STOCK, place=2, role=Role.PARTNER, why="그다음", escalate_minutes=5),
        ChainEntry(mode=CONSIGNMENT, matter=Matter.STOCK, place=1, role=Role.MD),
    ]

    found = explain_to(Product(name="x", seller_sku="A"), table=TABLE, chain=ChainTable(rows))

    assert [(link.role, link.why, link.escalate_minutes) for link in found.chain] == [
        (Role.MD, "A supervisor set it in the chain table.", None),
        (Role.PARTNER, "그다음", 5),
    ]
    assert "This order was set by a supervisor in the chain table." in found.steps


def test_a_cell_that_would_show_a_partner_of_purchased_stock_shows_none():
    rows = [ChainEntry(mode=DIRECT, matter=Matter.STOCK, place=1, role=Role.PARTNER)]

    assert [ask.role for ask in ChainTable(rows).asks_for(DIRECT, Matter.STOCK)] == [Role.LOGISTICS, Role.MD]


def test_a_hard_case_opens_a_hot_line_and_a_persons_own_minutes_come_first():
    quick = msgspec.structs.replace(PARTNER, escalate_minutes=3)

    found = explain_to(
        Product(name="x", seller_sku="A"), matter=Matter.HARD_CASE, table=TABLE, directory=Directory((MD, quick))
    )

    assert [(link.role, link.together, link.escalate_minutes) for link in found.chain] == [
        (Role.MD, True, 15),
        (Role.PARTNER, True, 3),
    ]
    assert "Hot line: md, then partner are asked together." in found.steps


def test_somebody_away_is_said_to_be_away_and_the_stand_in_follows():
    away = (Absence(since=date(2026, 11, 20), until=date(2026, 11, 21), deputy="p2"),)
    directory = Directory((msgspec.structs.replace(PARTNER, absences=away, deputy=None), LATE_PARTNER))

    found = explain_to(Product(name="x", seller_sku="A"), at=EVENING, table=TABLE, directory=directory, locale="ko")

    assert [(link.name, link.open_now, link.why) for link in found.chain] == [
        ("박지훈", False, "협력사가 재고를 소유하고 보관합니다. 2026-11-21까지 부재."),
        ("최수아", True, "박지훈 담당자가 2026-11-21까지 부재하여 대신합니다."),
    ]
    assert found.steps[-2:] == (
        "협력사 박지훈: 지금 연락 불가, 11-22 (일) 09:00 업무 시작.",
        "협력사 최수아: 지금 연락 가능.",
    )


def test_what_else_was_considered_is_told_with_the_reason():
    table = ModeTable(
        rows=(
            ProductEntry(mode=CONSIGNMENT, seller_sku="A", partner="S1", valid_from=date(2026, 11, 1)),
            ProductEntry(mode=WAREHOUSE, seller_sku="A", valid_to=date(2026, 10, 31)),
            ProductEntry(mode=WAREHOUSE, seller_sku="A", shop="other"),
            ProductEntry(mode=WAREHOUSE, product_code="P"),
        ),
        rules=(
            ModeRule(name="shop", mode=WAREHOUSE, shop="other"),
            ModeRule(name="mall", mode=WAREHOUSE, mall="mallb"),
            ModeRule(name="day", mode=WAREHOUSE, mall="malla", valid_to=date(2026, 1, 1)),
            ModeRule(name="prefix", mode=WAREHOUSE, sku_prefix="HB"),
            ModeRule(name="fact", mode=WAREHOUSE, hints=(InventoryHint(name="logistics_company", value="*"),)),
            ModeRule(name="later", mode=WAREHOUSE, mall="malla"),
        ),
        partner_defaults=(PartnerDefaultEntry(partner="S9", mode=WAREHOUSE),),
        defaults=(ShopDefaultEntry(mode=DIRECT),),
    )
    product = Product(name="x", seller_sku="A", code="P", hints=(InventoryHint(name="supplier", value="S9"),))

    found = explain_to(product, table=table)

    assert found.mode_rule == "table:seller_sku=A"
    assert [(each.kind, each.name, each.why) for each in found.considered] == [
        ("table", "seller_sku=A", "That row is for shop other."),
        ("table", "seller_sku=A", "That row ended on 2026-10-31."),
        ("table", "product_code=P", "A row of a narrower code comes first; this one says third_party_logistics."),
        ("rule", "shop", "It is for another shop."),
        ("rule", "mall", "It is for another mall."),
        ("rule", "day", "It does not hold on that day."),
        ("rule", "prefix", "The seller SKU does not begin with HB."),
        ("rule", "fact", "The fact logistics_company is not as the rule asks."),
        ("rule", "later", "It holds too, but what decided comes first; it says third_party_logistics."),
        ("partner_default", "S9", "What decided comes first; it says third_party_logistics."),
        ("default", "*", "What decided comes first; it says direct_purchase."),
    ]


def test_of_purchased_stock_no_supplier_is_named_among_what_was_considered():
    table = ModeTable(
        rows=(ProductEntry(mode=DIRECT, seller_sku="A"),),
        rules=(ModeRule(name="hanbit-consigned", mode=CONSIGNMENT, supplier="S1"),),
        partner_defaults=(PartnerDefaultEntry(partner="S1", mode=CONSIGNMENT),),
    )
    product = Product(name="x", seller_sku="A", hints=(InventoryHint(name="supplier", value="S1"),))

    found = explain_to(product, table=table)

    assert [(each.kind, each.name) for each in found.considered] == [
        ("rule", "withheld"),
        ("partner_default", "withheld"),
    ]
    assert "S1" not in msgspec.json.encode(found).decode()


def test_a_thousand_rules_are_told_as_the_first_twenty():
    rules = [ModeRule(name=f"r{number}", mode=WAREHOUSE, sku_prefix=f"Z{number}") for number in range(1_000)]

    found = explain_to(Product(name="x", seller_sku="A"), table=ModeTable(rows=TABLE_ROWS, rules=rules))

    assert len(found.considered) == 20


@settings(deadline=None)
@given(
    mode=st.sampled_from(InventoryMode),
    matter=st.sampled_from(Matter),
    people=st.lists(st.sampled_from(PEOPLE.contacts), unique=True),
    supplier=st.sampled_from(["S1", "S9", "한빛유통", ""]),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    cells=st.lists(
        st.builds(
            ChainEntry,
            mode=st.sampled_from(InventoryMode),
            matter=st.sampled_from(Matter),
            place=st.integers(1, 3),
            role=st.sampled_from(Role),
        ),
        max_size=6,
    ),
    locale=st.sampled_from(["ko", "en"]),
)
def test_every_chain_has_people_or_reasons_and_never_a_partner_of_purchased_goods(
    mode, matter, people, supplier, at, cells, locale
):
    found = explain(
        Product(name="x", seller_sku="A", hints=(InventoryHint(name="supplier", value=supplier),)),
        shop="main",
        mall="malla",
        matter=matter,
        at=at,
        table=ModeTable(rows=(ProductEntry(mode=mode, seller_sku="A"),)),
        directory=Directory(people),
        chain=ChainTable(cells),
        locale=locale,
    )

    assert found.chain
    assert any(link.role is Role.MD for link in found.chain) or any(link.name for link in found.chain)
    assert found.steps
    assert all(link.why for link in found.chain)
    assert all(link.name is None or link.name in {person.name for person in people} for link in found.chain)
    assert all(link.next_open_at is None or (not link.open_now and link.next_open_at > at) for link in found.chain)
    if mode is DIRECT:
        assert Role.PARTNER not in {link.role for link in found.chain}
        assert "한빛" not in msgspec.json.encode(found).decode()


def test_purchased_goods_never_show_their_supplier_even_where_the_md_is_missing():
    decision = ModeDecision(mode=DIRECT, rule="rule:r", steps=(), partner="한빛유통")

    (link,) = build_chain(
        decision, matter=Matter.COMPENSATION, shop="m", mall="m", at=NOON, directory=Directory((PARTNER,))
    )

    assert link.contact is None
    assert link.told("en").endswith("No contact with the role md is in the directory.")


def test_what_was_considered_has_a_title_in_both_languages():
    titles = [
        Considered(kind=kind, name=name, why=step("no_rule")).title(locale)
        for kind, name in (("table", "seller_sku=A"), ("rule", "hanbit"), ("rule", "withheld"), ("default", "*"))
        for locale in ("ko", "en")
    ]

    assert titles == [
        "판매자 상품코드 A",
        "Seller SKU A",
        "규칙 hanbit",
        "rule hanbit",
        "규칙 (표시하지 않음)",
        "rule (withheld)",
        "샵 기본값 *",
        "default of the shop *",
    ]
