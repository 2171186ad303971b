from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.model import InventoryHint, InventoryMode, Product
from routing.chain import Matter, build_chain, explain
from routing.chain_table import ChainTable, standard_entries
from routing.contacts import Contact, Directory, Hours, Period, Role
from routing.modes import ModeDecision, ModeRow, ModeTable

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


def explain_to(product, *, matter=Matter.STOCK, at=NOON, table):
    return explain(product, shop="main", mall="malla", matter=matter, at=at, table=table, directory=PEOPLE)


def test_the_decision_is_the_documented_json():
    table = ModeTable(rows=(ModeRow(mode=CONSIGNMENT, seller_sku="HB-1", partner="한빛유통"),))

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
        rows=(ModeRow(mode=DIRECT, seller_sku="A", valid_from=datetime(2026, 11, 21, tzinfo=UTC).date()),)
    )
    product = Product(name="x", seller_sku="A")

    before = explain_to(product, at=datetime(2026, 11, 20, 14, 59, tzinfo=UTC), table=table)
    after = explain_to(product, at=datetime(2026, 11, 20, 15, 0, tzinfo=UTC), table=table)

    assert (before.mode, after.mode) == (InventoryMode.UNKNOWN, DIRECT)


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        explain_to(Product(name="x"), at=datetime(2026, 11, 20), table=ModeTable())


@settings(deadline=None)
@given(
    mode=st.sampled_from(InventoryMode),
    matter=st.sampled_from(Matter),
    people=st.lists(st.sampled_from(PEOPLE.contacts), unique=True),
    supplier=st.sampled_from(["S1", "S9", "한빛유통", ""]),
    at=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
def test_every_chain_has_people_or_reasons_and_never_a_partner_of_purchased_goods(mode, matter, people, supplier, at):
    found = explain(
        Product(name="x", seller_sku="A", hints=(InventoryHint(name="supplier", value=supplier),)),
        shop="main",
        mall="malla",
        matter=matter,
        at=at,
        table=ModeTable(rows=(ModeRow(mode=mode, seller_sku="A"),)),
        directory=Directory(people),
    )

    assert found.chain
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
