"""What the mall's catalogue knows of a line stands beside it, and decides whom to ask."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.core.catalogue import CatalogueReading, StockItem, Supplier
from hub.core.model import InventoryHint, Party
from hub.desk.access import Actor
from hub.desk.asks.contact import contact_card
from hub.desk.books.routing import RoutingBook
from hub.desk.cases.case import read_case, unmask_case
from hub.desk.export import ExportKind, ExportRequest, export_rows
from hub.store.catalogue import CatalogueWriter
from routing.chain import Matter
from routing.contacts import Directory
from routing.modes import resolve_mode
from routing.rules_file import standard_rules
from tests.desk.invented import NOW, Rig

SUPPLIER = Supplier(
    code="S1",
    name="한빛유통",
    is_active=False,
    hints=(InventoryHint(name="supplier_trading", value="C"),),
    contacts=(Party(name="박담당", phone="010-0000-0002"),),
)


@pytest.fixture
async def stocked(sample: Rig) -> Rig:
    writer = CatalogueWriter(sample.database, shop_id=sample.shops["alpha-main"].id)
    records = (SUPPLIER, StockItem(product_code="P1", name="린넨 셔츠", supplier_code="S1", on_hand=7))
    async with sample.database.writing() as connection:
        await writer.write(connection, [CatalogueReading(key="1", record=each) for each in records], now=NOW)
    return sample


async def test_stock_and_supplier_stand_at_the_line_masked(stocked: Rig, agent: Actor) -> None:
    case = await read_case(stocked, actor=agent, case_id=await stocked.case_id("alpha-main", order_no="A-1"))

    assert case.dossier.order is not None
    shirt, socks = case.dossier.order.lines
    assert shirt.stock is not None
    assert (shirt.stock.on_hand, shirt.stock.supplier_name, shirt.stock.is_supplier_active) == (7, "한빛유통", False)
    assert [person.name for person in shirt.stock.contacts] == ["박•당"]
    assert shirt.stock.contacts[0].phone != "010-0000-0002"
    assert socks.stock is None


async def test_the_partner_is_shown_to_who_opens_the_case_with_a_reason(stocked: Rig, supervisor: Actor) -> None:
    case_id = await stocked.case_id("alpha-main", order_no="A-1")

    case = await unmask_case(stocked, actor=supervisor, case_id=case_id, reason="call the partner")

    assert case.dossier.order is not None
    assert case.dossier.order.lines[0].stock is not None
    assert case.dossier.order.lines[0].stock.contacts == SUPPLIER.contacts


async def test_the_card_asks_by_the_suppliers_trading(stocked: Rig, agent: Actor) -> None:
    stocked.routing = RoutingBook(table=standard_rules().table(()), directory=Directory(), stamp=(0.0, 0, 0))
    case_id = await stocked.case_id("alpha-main", order_no="A-1")

    card = await contact_card(stocked, actor=agent, case_id=case_id, matter=Matter.STOCK)

    assert card is not None
    assert (card.mode, card.mode_rule) == ("consignment", "rule:supplier-ships-directly")
    assert "카탈로그에서 확인: 공급사 거래 형태 = C (공급사 한빛유통)." in card.steps


async def test_exported_lines_bear_the_mode_that_the_catalogue_tells(stocked: Rig) -> None:
    table = standard_rules().table(())

    def mode_of(product: Any, shop: str, mall: str, on: Any) -> str:
        return resolve_mode(product, shop=shop, mall=mall, on=on, table=table).mode.value

    request = ExportRequest(kind=ExportKind.LINES, shop="alpha-main")
    rows = export_rows(stocked.database, request, mode_of=mode_of, zone=stocked.settings.zone)
    found = {row["line_no"]: row["inventory_mode"] async for row in rows}

    assert found == {"A-1-1": "consignment", "A-1-2": "unknown", "A-2-1": "unknown"}


async def test_exported_lines_bear_the_mode_of_the_day_at_the_centre(stocked: Rig) -> None:
    def mode_of(_product: Any, _shop: str, _mall: str, on: date) -> str:
        return on.isoformat()

    request = ExportRequest(kind=ExportKind.LINES, shop="alpha-main")
    days = [
        {row["inventory_mode"] async for row in export_rows(stocked.database, request, mode_of=mode_of, zone=zone)}
        for zone in (ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago"))
    ]

    # A day apart and more, whatever the hour: in no zone of the world is it earlier than in the second.
    assert days[0].isdisjoint(days[1])
