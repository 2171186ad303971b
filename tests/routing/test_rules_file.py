import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.core.errors import ConfigurationError
from hub.core.model import InventoryHint, InventoryMode, Product
from routing.chain import Matter, explain
from routing.contacts import Absence, Contact, Hours, Period, Role
from routing.entries import PartnerDefaultEntry, ProductEntry, ShopDefaultEntry
from routing.modes import ModeRule
from routing.rules_file import WrongFileError, place_of, read_package_file, read_rules, standard_rules

FULL = """
standard_rules = false

[[rule]]
name = "hanbit"
mode = "위탁"
shop = "main"
mall = "malla"
supplier = "S000000A"
sku_prefix = "HB-"
hints = { supplier_trading = "C" }
partner = "한빛유통"

[[default]]
mode = "direct_purchase"

[[product]]
seller_sku = "HB-1"
mode = "3PL"
logistics = "EX01"
valid_from = 2026-01-01

[[contact]]
key = "p1"
name = "박지훈"
phone = "02-1"
role = "partner"
organisation = "한빛유통"
codes = ["S000000A"]
deputy = "최수아"
[contact.hours]
weekdays = ["13:00-18:00", "09:00-12:00"]
wed = ["00:00-24:00"]
sat = ["22:00-02:00"]
closed = [2026-12-31]

[[contact]]
name = "최수아"
chat = "sua"
role = "partner"
organisation = "한빛유통"
timezone = "Asia/Tokyo"
[contact.hours]
daily = ["18:00-22:00"]
holidays = "open"
"""


def test_a_full_file_is_read():
    office = (Period(540, 720), Period(780, 1080))

    found = read_rules(FULL.encode(), file="routing.toml")

    assert found.rules == (
        ModeRule(
            name="hanbit",
            mode=InventoryMode.CONSIGNMENT,
            shop="main",
            mall="malla",
            supplier="S000000A",
            sku_prefix="HB-",
            hints=(InventoryHint(name="supplier_trading", value="C"),),
            partner="한빛유통",
        ),
    )
    assert found.defaults == (ShopDefaultEntry(mode=InventoryMode.DIRECT_PURCHASE),)
    assert found.rows == (
        ProductEntry(
            mode=InventoryMode.THIRD_PARTY_LOGISTICS,
            seller_sku="HB-1",
            logistics="EX01",
            valid_from=date(2026, 1, 1),
        ),
    )
    assert found.contacts == (
        Contact(
            key="p1",
            name="박지훈",
            phone="02-1",
            role=Role.PARTNER,
            organisation="한빛유통",
            codes=("S000000A",),
            deputy="최수아",
            hours=Hours(
                week=(office, office, (Period(0, 1440),), office, office, (Period(1320, 1440),), (Period(0, 120),)),
                country="KR",
                closed=frozenset({date(2026, 12, 31)}),
            ),
        ),
        Contact(
            key="최수아",
            name="최수아",
            chat="sua",
            role=Role.PARTNER,
            organisation="한빛유통",
            timezone="Asia/Tokyo",
            hours=Hours(week=((Period(1080, 1320),),) * 7),
        ),
    )


def test_the_shipped_rules_stand_behind_the_own_ones():
    own = b'[[rule]]\nname = "mine"\nmode = "direct"\nmall = "malla"\n'

    found = read_rules(own, file="routing.toml")

    assert [rule.name for rule in found.rules] == ["mine", *(rule.name for rule in standard_rules().rules)]


@pytest.mark.parametrize(
    ("hint", "value", "mode"),
    [
        ("supplier_trading", "C", InventoryMode.CONSIGNMENT),
        ("supplier_trading", "D", InventoryMode.DIRECT_PURCHASE),
        ("supplier_trading", "X", InventoryMode.UNKNOWN),
        ("logistics_company", "EX77", InventoryMode.THIRD_PARTY_LOGISTICS),
        ("delivery_attribute", "ARRIVAL_GUARANTEE", InventoryMode.UNKNOWN),
    ],
)
def test_facts_of_the_mall_tell_the_mode_where_nothing_else_is_written(hint, value, mode):
    product = Product(name="x", hints=(InventoryHint(name=hint, value=value),))
    rules = standard_rules()

    found = explain(
        product,
        shop="main",
        mall="malla",
        matter=Matter.STOCK,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        table=rules.table(),
        directory=rules.directory(),
    )

    assert found.mode is mode


NEW_TABLES = """
[[partner_default]]
partner = "S1"
mode = "위탁"
valid_from = 2026-01-01

[[contact]]
name = "박지훈"
role = "partner"
organisation = "한빛유통"
webhook_url = "https://chat.example/x"
languages = ["ja", "ko"]
hours = "월-금 09:00-18:00"
holidays = "JP"
closed = [2026-12-31]
escalate_minutes = 20

[[absence]]
contact = "박지훈"
absent_from = 2026-12-01
absent_to = 2026-12-02

[[chain]]
mode = "위탁"
matter = "stock"
role = "md"
together = true

[[chain]]
mode = "위탁"
matter = "stock"
role = "partner"
together = true
why = "재고를 압니다."
"""


def test_partner_defaults_absences_and_cells_of_the_chain_are_read():
    found = read_rules(NEW_TABLES.encode(), file="routing.toml")

    assert found.partner_defaults == (
        PartnerDefaultEntry(partner="S1", mode=InventoryMode.CONSIGNMENT, valid_from=date(2026, 1, 1)),
    )
    assert found.contacts == (
        Contact(
            key="박지훈",
            name="박지훈",
            role=Role.PARTNER,
            organisation="한빛유통",
            webhook_url="https://chat.example/x",
            languages=("ja", "ko"),
            hours=Hours(
                week=((Period(540, 1080),),) * 5 + ((), ()), country="JP", closed=frozenset({date(2026, 12, 31)})
            ),
            escalate_minutes=20,
            absences=(Absence(since=date(2026, 12, 1), until=date(2026, 12, 2)),),
        ),
    )
    asks = found.chain.asks_for(InventoryMode.CONSIGNMENT, Matter.STOCK)
    assert [(ask.role, ask.together, ask.why.text("ko")) for ask in asks] == [
        (Role.MD, True, "슈퍼바이저가 연락 순서표에 정했습니다."),
        (Role.PARTNER, True, "재고를 압니다."),
    ]


def test_every_mistake_of_a_file_is_kept_and_the_first_is_told_in_both_languages():
    text = '[[contact]]\nname = "A"\nrole = "md"\n[[rule]]\nname = "r"\nmode = "위탁"\nmall = "coupang"\n'

    with pytest.raises(WrongFileError) as caught:
        read_rules(text.encode(), file="routing.toml", malls=["qoo10"])

    assert [place_of(problem) for problem in caught.value.problems] == ["contact 1, phone", "rule 1, mall"]
    assert caught.value.what == "routing.toml: contact 1, phone: a contact with no way to reach it (and 1 more)"
    assert caught.value.told("ko") == (
        "routing.toml: contact 1, phone: 연락할 방법이 없는 담당자입니다 (외 1건)",
        "전화, 메신저, 이메일, 웹훅 주소 중 하나를 넣으세요.",
    )


CONTACT = '[[contact]]\nname = "A"\nrole = "md"\nphone = "02-1"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("x = 1", "unknown field `x`", id="unknown table"),
        pytest.param('[[rule]]\nname = "a"\nmode = "위탁"\ncolour = 1', "rule 1", id="unknown key"),
        pytest.param('[[rule]]\nmode = "위탁"\nmall = "m"', "`name`", id="missing key"),
        pytest.param('[[rule]]\nname = "a"\nmode = "위탁"', "rule 1: a rule without a condition", id="no condition"),
        pytest.param('[[rule]]\nname = "a"\nmode = "?"\nmall = "m"', "rule 1, mode", id="no mode"),
        pytest.param('[[rule]]\nname = "a"\nmode = "위탁"\nmall = "m"\n' * 2, "rule 2, name", id="name twice"),
        pytest.param('[[default]]\nmode = "위탁"\n' * 2, "default 2, shop", id="default twice"),
        pytest.param('[[default]]\nmode = "위탁"\nmall = "qoo10"\n' * 2, "default 2, shop", id="mall default twice"),
        pytest.param('[[product]]\nmode = "위탁"', "product 1, seller_sku: it names no product", id="no product"),
        pytest.param('[[product]]\nseller_sku = "A"\nmode = "위탁"\n' * 2, "product 2, seller_sku", id="overlap"),
        pytest.param(
            '[[product]]\nseller_sku = "A"\nmode = "위탁"\nvalid_from = 2026-02-01\nvalid_to = 2026-01-01',
            "product 1, valid_to",
            id="swapped dates",
        ),
        pytest.param('[[contact]]\nname = "A"\nrole = "boss"', "contact 1, role", id="unknown role"),
        pytest.param(
            '[[contact]]\nname = "A"\nrole = "partner"\nphone = "1"',
            "contact 1: a partner without",
            id="partner of nobody",
        ),
        pytest.param(CONTACT + 'timezone = "Seoul"', "contact 1, timezone", id="unknown zone"),
        pytest.param(CONTACT + 'timezone = "../etc"', "contact 1, timezone", id="hostile zone"),
        pytest.param(CONTACT + 'deputy = "B"', "contact 1, deputy", id="unknown deputy"),
        pytest.param(CONTACT + 'deputy = "A"', "contact 1, deputy", id="own deputy"),
        pytest.param(
            CONTACT + 'deputy = "B"\n[[contact]]\nname = "B"\nrole = "logistics"\nchat = "b"',
            "contact 1, deputy",
            id="other role",
        ),
        pytest.param(CONTACT * 2, "contact 2, key", id="key twice"),
        pytest.param(CONTACT + 'hours = { mon = ["9-18"] }', "contact 1, hours.mon", id="no period"),
        pytest.param(CONTACT + 'hours = { mon = ["09:00-09:00"] }', "contact 1, hours.mon", id="empty period"),
        pytest.param(CONTACT + 'hours = { mon = ["09:00-12:00", "11:00-18:00"] }', "mon overlap", id="overlapping"),
        pytest.param(CONTACT + 'hours = { holidays = "XX" }', "contact 1, holidays", id="unknown country"),
        pytest.param(CONTACT + "hours = { moon = [] }", "contact 1, hours", id="unknown day"),
        pytest.param(CONTACT + 'hours = "mon 9-18"', "contact 1, hours", id="hours as a text"),
        pytest.param(
            '[[chain]]\nmode = "직매입"\nmatter = "stock"\nrole = "partner"', "chain 1, role", id="partner of our stock"
        ),
        pytest.param('[[chain]]\nmode = "?"\nmatter = "stock"\nrole = "md"', "chain 1, mode", id="no mode of a cell"),
        pytest.param(
            '[[absence]]\ncontact = "A"\nabsent_from = 2026-01-01\nabsent_to = 2026-01-02',
            "absence 1, contact",
            id="away",
        ),
        pytest.param('[[partner_default]]\npartner = "S"\nmode = "?"', "partner_default 1, mode", id="partner mode"),
        pytest.param("[[rule]", "line 1", id="broken TOML"),
        pytest.param("[rule]\na = 1", "rule", id="one table instead of a list"),
    ],
)
def test_a_mistake_is_refused_with_file_key_and_advice(text, named):
    with pytest.raises(ConfigurationError) as caught:
        read_rules(text.encode(), file="routing.toml")

    assert caught.value.what.startswith("routing.toml: ")
    assert named in caught.value.what
    assert caught.value.fix


def test_a_file_in_another_encoding_is_refused():
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_rules("# 위탁".encode("cp949"), file="routing.toml")


def test_the_demo_file_leads_every_supplier_to_a_person():
    demo = read_package_file("demo.toml")

    for supplier in ("S000000A", "S000000B", "S000000C", "S0000000"):
        for matter in Matter:
            found = explain(
                Product(name="x", hints=(InventoryHint(name="supplier", value=supplier),)),
                shop="main",
                mall="malla",
                matter=matter,
                at=datetime(2026, 11, 20, 3, tzinfo=UTC),
                table=demo.table(),
                directory=demo.directory(),
            )
            assert found.mode is not InventoryMode.UNKNOWN
            assert all(link.name for link in found.chain), (supplier, matter)


def test_the_file_in_the_documents_is_read():
    text = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")

    (example,) = re.findall(r"^```toml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)

    found = read_rules(example.encode(), file="docs/routing.md", malls=["smartstore"])
    assert [len(part) for part in (found.contacts, found.partner_defaults, found.defaults, found.rows)] == [2, 1, 1, 1]
