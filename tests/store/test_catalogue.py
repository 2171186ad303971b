"""Suppliers and stock: written once per change, found in bulk, forgotten when the mall no longer shows them."""

from typing import Any

from hub.core.catalogue import CatalogueReading, StockItem, Supplier
from hub.core.model import InventoryHint, Party, Product
from hub.store.catalogue import CatalogueCounts, CatalogueWriter, StockFacts, read_stock_facts
from hub.store.tables import stock_items, suppliers
from tests.store.shapes import LATER, NOW, Shop, a_shop, rows

DIRECT = (InventoryHint(name="supplier_trading", value="C"),)
PERSON = Party(name="박담당", phone="010-0000-0002")
HANBIT = Supplier(code="S1", name="한빛유통", hints=DIRECT, contacts=(PERSON,))


def an_item(product_code: str = "P1", **fields: Any) -> StockItem:
    return StockItem(product_code=product_code, name=fields.pop("name", "찻잔"), **fields)


def shown(record: Supplier | StockItem) -> CatalogueReading:
    return CatalogueReading(key=record.code if isinstance(record, Supplier) else record.product_code, record=record)


async def write(
    shop: Shop, *records: Supplier | StockItem, writer: CatalogueWriter | None = None, now: Any = NOW
) -> Any:
    writer = writer or CatalogueWriter(shop.database, shop_id=shop.id)
    async with shop.database.writing() as connection:
        await writer.write(connection, [shown(record) for record in records], now=now)
    return writer


async def facts(shop: Shop, product: Product, **options: Any) -> StockFacts | None:
    async with shop.database.reading() as connection:
        return (await read_stock_facts(shop.database, connection, [(shop.id, product)], **options))[0]


async def test_the_second_reading_writes_nothing(shop: Shop) -> None:
    records = (HANBIT, an_item(option_code="A", supplier_code="S1", on_hand=3), an_item("P2", on_hand=0))

    first = await write(shop, *records)
    before = await rows(shop.database, suppliers), await rows(shop.database, stock_items)
    second = await write(shop, *records, now=LATER)

    assert first.counts == CatalogueCounts(read=3, suppliers=1, items=2, new=3)
    assert second.counts == CatalogueCounts(read=3, suppliers=1, items=2, unchanged=3)
    assert (await rows(shop.database, suppliers), await rows(shop.database, stock_items)) == before


async def test_only_what_changed_is_written(shop: Shop) -> None:
    await write(shop, an_item(on_hand=3), an_item("P2", on_hand=1))

    writer = await write(shop, an_item(on_hand=2), an_item("P2", on_hand=1), now=LATER)

    assert (writer.counts.changed, writer.counts.unchanged) == (1, 1)
    assert [row["on_hand"] for row in await rows(shop.database, stock_items)] == [2, 1]


async def test_a_record_twice_in_one_page_is_one(shop: Shop) -> None:
    writer = await write(shop, an_item(on_hand=3), an_item(on_hand=4))

    assert writer.counts == CatalogueCounts(read=2, items=1, new=1, unchanged=1)
    assert [row["on_hand"] for row in await rows(shop.database, stock_items)] == [4]


async def test_a_record_that_cannot_be_read_is_counted_alone(shop: Shop) -> None:
    writer = CatalogueWriter(shop.database, shop_id=shop.id)

    async with shop.database.writing() as connection:
        page = [CatalogueReading(key="P0", error="no product number"), shown(an_item())]
        await writer.write(connection, page, now=NOW)

    assert (writer.counts.read, writer.counts.broken, writer.counts.new) == (2, 1, 1)


async def test_what_a_whole_reading_no_longer_shows_is_forgotten_in_this_shop_only(shop: Shop) -> None:
    other = await a_shop(shop.database, "shop-b")
    gone = (HANBIT, an_item(option_code="A"), an_item(option_code="B"))
    await write(shop, *gone)
    await write(other, *gone)

    writer = await write(shop, an_item(option_code="A"))
    async with shop.database.writing() as connection:
        await writer.remove_unseen(connection)

    left = [(row["shop_id"], row["option_code"]) for row in await rows(shop.database, stock_items)]
    assert writer.counts.removed == 2
    assert sorted(left) == sorted([(shop.id, "A"), (other.id, "A"), (other.id, "B")])
    assert [row["shop_id"] for row in await rows(shop.database, suppliers)] == [other.id]


async def test_the_partners_people_are_sealed(shop: Shop) -> None:
    await write(shop, HANBIT, an_item(supplier_code="S1"))

    (row,) = await rows(shop.database, suppliers)
    closed = await facts(shop, Product(name="찻잔", code="P1"))
    opened = await facts(shop, Product(name="찻잔", code="P1"), people=True)

    assert "박담당".encode() not in row["contacts_sealed"]
    assert closed is not None
    assert closed.contacts == ()
    assert opened is not None
    assert opened.contacts == (PERSON,)


async def test_text_with_a_zero_byte_is_stored_without_it(shop: Shop) -> None:
    await write(shop, an_item(name="찻\0잔 \\u0000"), Supplier(code="S1", name="한\0빛"))

    assert [row["name"] for row in await rows(shop.database, stock_items)] == ["찻잔 \\u0000"]
    assert [row["name"] for row in await rows(shop.database, suppliers)] == ["한빛"]


async def test_a_product_is_found_by_option_then_code_then_the_sellers_own_number(shop: Shop) -> None:
    await write(
        shop,
        HANBIT,
        an_item(supplier_code="S1", on_hand=9, hints=(InventoryHint(name="of", value="product"),)),
        an_item(option_code="A", on_hand=3),
        an_item("P2", seller_sku="SKU-2", on_hand=5),
        an_item("P3", seller_sku="SKU-3", on_hand=6),
        an_item("P4", seller_sku="SKU-3", on_hand=7),
    )

    option = await facts(shop, Product(name="x", code="P1", option_code="A"))
    product = await facts(shop, Product(name="x", code="P1", option_code="Z"))
    by_sku = await facts(shop, Product(name="x", code="unknown", seller_sku="SKU-2"))

    assert option is not None
    assert (option.on_hand, option.supplier_name, option.supplier_hints) == (3, "한빛유통", DIRECT)
    assert [hint.value for hint in option.item_hints] == ["product"]
    assert product is not None
    assert product.on_hand == 9
    assert by_sku is not None
    assert by_sku.on_hand == 5
    assert await facts(shop, Product(name="x", seller_sku="SKU-3")) is None
    assert await facts(shop, Product(name="x")) is None


async def test_options_without_the_product_tell_only_what_is_true_of_all(shop: Shop) -> None:
    await write(shop, HANBIT, an_item(option_code="A", supplier_code="S1", on_hand=3))
    await write(shop, an_item(option_code="B", supplier_code="S1", on_hand=4))
    same = await facts(shop, Product(name="x", code="P1"))
    await write(shop, an_item(option_code="C", supplier_code="S2", on_hand=4))
    different = await facts(shop, Product(name="x", code="P1"))

    assert same is not None
    assert (same.on_hand, same.supplier_code) == (None, "S1")
    assert different is None


async def test_the_supplier_that_the_line_names_comes_first(shop: Shop) -> None:
    await write(shop, HANBIT, Supplier(code="S2", name="다온", is_active=False), an_item(supplier_code="S2"))
    line = Product(name="x", code="P1", hints=(InventoryHint(name="supplier", value="S1"),))

    named = await facts(shop, line)
    without_item = await facts(shop, Product(name="x", hints=line.hints))
    by_item = await facts(shop, Product(name="x", code="P1"))

    assert named is not None
    assert named.supplier_name == "한빛유통"
    assert without_item is not None
    assert without_item.supplier_hints == DIRECT
    assert by_item is not None
    assert (by_item.supplier_name, by_item.is_supplier_active) == ("다온", False)


async def test_shops_do_not_share_a_catalogue(shop: Shop) -> None:
    other = await a_shop(shop.database, "shop-b")
    await write(other, HANBIT, an_item(supplier_code="S1", on_hand=3))
    product = Product(name="x", code="P1", hints=(InventoryHint(name="supplier", value="S1"),))

    async with shop.database.reading() as connection:
        found = await read_stock_facts(shop.database, connection, [(shop.id, product), (other.id, product)])

    assert found[0] is None
    assert found[1] is not None
    assert found[1].on_hand == 3


async def test_an_item_that_is_told_in_part_keeps_its_name_and_options_but_not_its_stock(shop: Shop) -> None:
    on_sale, stopped = (InventoryHint(name="item_status", value=value) for value in ("S2", "S3"))
    days = InventoryHint(name="available_date_type", value="1")
    whole = [an_item(option_code=code, seller_sku="K", on_hand=3, hints=(on_sale, days)) for code in ("A", "B")]
    in_part = [an_item(name="", seller_sku="K2", hints=(stopped,)), an_item("P2", name="", seller_sku="L")]
    readings = [CatalogueReading(key=item.product_code, record=item, is_partial=True) for item in in_part]
    await write(shop, *whole)

    counts = []
    for _ in range(2):
        writer = CatalogueWriter(shop.database, shop_id=shop.id)
        async with shop.database.writing() as connection:
            await writer.write(connection, readings, now=LATER)
            await writer.remove_unseen(connection)
        counts.append(writer.counts)

    assert counts == [
        CatalogueCounts(read=3, items=3, new=1, changed=2),
        CatalogueCounts(read=3, items=3, unchanged=3),
    ]
    found = await rows(shop.database, stock_items)
    assert sorted((row["option_code"], row["name"], row["seller_sku"], row["on_hand"]) for row in found) == [
        ("", "", "L", None),
        ("A", "찻잔", "K2", None),
        ("B", "찻잔", "K2", None),
    ]
    assert (await facts(shop, Product(name="", code="P1"))).item_hints == (stopped, days)
