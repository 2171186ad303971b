"""The pages of an order that two shops delivered, and of a line whose stock is known."""

import re

import pytest

from hub.core.catalogue import CatalogueReading, StockItem, Supplier
from hub.core.model import Party
from hub.store.catalogue import CatalogueWriter
from hub.store.twins import link_twins
from tests.desk.invented import NOW, Rig, claim, order
from tests.web.conftest import Browser

NUMBER = "2026112255550011"


@pytest.fixture
def pair(agent: Browser) -> Browser:
    async def fill(rig: Rig) -> None:
        await rig.write("japan-main", order(NUMBER, claims=(claim(NUMBER, f"{NUMBER}-1"),)))
        copied = order("A-9", claims=(claim("A-9", "A-9-1"),), market="japan", market_order_no=NUMBER)
        await rig.write("alpha-main", copied)
        writer = CatalogueWriter(rig.database, shop_id=rig.shops["alpha-main"].id)
        people = (Party(name="박담당", phone="010-0000-0002"),)
        records = (
            Supplier(code="S1", name="<b>한빛</b>", contacts=people),
            StockItem(product_code="P1", name="셔츠", supplier_code="S1", on_hand=7),
        )
        async with rig.database.writing() as connection:
            await link_twins(rig.database, connection, shop_id=rig.shops["alpha-main"].id, mall="alpha")
            await writer.write(connection, [CatalogueReading(key="1", record=each) for each in records], now=NOW)

    agent.client.blocking_portal.call(fill, agent.rig)
    return agent


def test_the_copys_case_warns_and_leads_to_the_original(pair: Browser) -> None:
    original = pair.case_id("japan-main", order_no=NUMBER)

    text = pair.get(f"/cases/{pair.case_id('alpha-main', order_no='A-9')}").text

    notice = re.search(r'<p class="notice notice-due" role="note">.*?</p>', text, re.DOTALL)
    assert notice is not None
    assert f'href="/cases/{original}"' in notice[0]
    assert NUMBER in notice[0]
    assert "원래 몰에서 처리하세요" in notice[0]


def test_the_originals_case_names_its_copy_without_a_warning(pair: Browser) -> None:
    text = pair.get(f"/cases/{pair.case_id('japan-main', order_no=NUMBER)}").text

    assert "같은 주문:" in text
    assert "A-9" in text
    assert "원래 몰에서 처리하세요" not in text


def test_the_list_marks_the_copy(pair: Browser) -> None:
    rows = re.findall(r'<a class="row .*?</a>', pair.get("/cases").text, re.DOTALL)

    assert sum("J몰 주문의 사본" in row for row in rows) == 1


def test_a_search_shows_both_numbers_in_one_row(pair: Browser) -> None:
    text = pair.post("/search", q="010-1234-5678").text

    rows = [row for row in re.findall(r"<tr><td>.*?</tr>", text, re.DOTALL) if NUMBER in row]
    assert len(rows) == 1
    assert "A-9" in rows[0]


def test_the_number_of_both_opens_the_original(pair: Browser) -> None:
    answer = pair.post("/search", q=NUMBER)

    assert "japan-main" in pair.get(answer.headers["location"]).text


def test_the_stock_of_a_line_is_shown_with_a_masked_partner(pair: Browser) -> None:
    text = pair.get(f"/cases/{pair.case_id('alpha-main', order_no='A-9')}").text

    assert "재고 7개" in text
    assert "&lt;b&gt;한빛&lt;/b&gt;" in text
    assert "010-0000-0002" not in text
