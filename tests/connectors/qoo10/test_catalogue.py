"""The goods: real pages, statuses, options, and the bound on asking one by one."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.qoo10 import catalogue
from hub.core.catalogue import CatalogueReading, StockItem
from hub.core.errors import MallError
from hub.core.model import InventoryHint
from tests.connectors.qoo10.conftest import Call, Mall, ok, refused

LIST = "ItemsLookup.GetAllGoodsInfo"
DETAIL = "ItemsLookup.GetItemDetailInfo"
OPTIONS = "ItemsLookup.GetGoodsInventoryInfo"


class Shelf:
    """``goods`` by status; ``options`` and ``details`` by item code; pages of ``page_size``."""

    def __init__(self, mall: Mall) -> None:
        self.goods: dict[str, list[str]] = {}
        self.details: dict[str, dict[str, Any]] = {}
        self.options: dict[str, list[dict[str, Any]]] = {}
        self.page_size = 500
        mall.answer = self.answer

    def answer(self, call: Call) -> httpx.Response:
        if call.method == LIST:
            return self.page(call.form["ItemStatus"], int(call.form["Page"]))
        code = call.form["ItemCode"]
        if call.method == DETAIL:
            assert call.headers["qapiversion"] == "1.2"
            return ok([self.details[code]]) if code in self.details else refused(-10001, "no such item")
        return ok(self.options.get(code))

    def page(self, status: str, page: int) -> httpx.Response:
        codes = self.goods.get(status, [])
        shown = codes[(page - 1) * self.page_size : page * self.page_size]
        rows = [{"ItemCode": code, "SellerCode": f"SK-{code}", "ItemStatus": status} for code in shown]
        total = -(-len(codes) // self.page_size)
        return ok({"TotalItems": len(codes), "TotalPages": str(total), "PresentPage": page, "Items": rows})


@pytest.fixture
def shelf(mall: Mall) -> Shelf:
    return Shelf(mall)


async def pages_of(mall: Mall, cursor: str | None = None):
    return [page async for page in mall.open().read_catalogue(cursor=cursor)]


async def readings_of(mall: Mall, cursor: str | None = None) -> list[CatalogueReading]:
    return [reading for page in await pages_of(mall, cursor) for reading in page.readings]


async def test_an_item_is_told_with_its_name_stock_and_status(mall: Mall, shelf: Shelf):
    shelf.goods = {"S2": ["1100000002"]}
    shelf.details["1100000002"] = {
        "ItemCode": "1100000002",
        "ItemStatus": "S2",
        "ItemTitle": "ハンドソープ 詰替用",
        "SellerCode": "SK-4711 ",
        "ItemQty": "1,204",
        "AvailableDateType": "1",
        "AvailableDateValue": "5",
        "Anything": {"else": []},
    }

    (reading,) = await readings_of(mall)

    assert reading == CatalogueReading(
        key="1100000002",
        record=StockItem(
            product_code="1100000002",
            name="ハンドソープ 詰替用",
            seller_sku="SK-4711",
            on_hand=1204,
            hints=(
                InventoryHint(name="item_status", value="S2"),
                InventoryHint(name="available_date_type", value="1"),
                InventoryHint(name="available_date_value", value="5"),
            ),
        ),
    )
    asked = [call.form["ItemStatus"] for call in mall.calls if call.method == LIST]
    assert asked == ["S2", "S1", "S3", "S0", "S5", "S8"]


async def test_each_option_with_a_code_is_an_item_of_its_own(mall: Mall, shelf: Shelf):
    shelf.goods = {"S2": ["1"]}
    shelf.details["1"] = {"ItemTitle": "T", "ItemQty": "9"}
    shelf.options["1"] = [
        {"Name1": "色", "Value1": "白", "Qty": "3", "ItemTypeCode": "W"},
        {"Name1": "色", "Value1": "黒", "Qty": 4.0, "ItemTypeCode": "B"},
        {"Name1": "色", "Value1": "赤", "Qty": "1", "ItemTypeCode": ""},
        {"Name1": "色", "Value1": "青", "Qty": "1", "ItemTypeCode": None},
    ]

    found = await readings_of(mall)

    assert [(each.key, each.record.option_code, each.record.on_hand) for each in found] == [
        ("1", None, 2),
        ("1:W", "W", 3),
        ("1:B", "B", 4),
    ]


async def test_pages_are_followed_to_their_end_and_continued_from_any_cursor(mall: Mall, shelf: Shelf):
    codes = [str(number) for number in range(1, 46)]
    shelf.goods, shelf.page_size = {"S2": codes[:42], "S3": codes[42:]}, 21

    pages = await pages_of(mall)

    keys = [reading.key for page in pages for reading in page.readings]
    assert keys == codes
    assert [page.progress for page in pages] == sorted(page.progress for page in pages)
    for index, page in enumerate(pages):
        told = [reading.key for each in pages[: index + 1] for reading in each.readings]
        assert told + [reading.key for reading in await readings_of(mall, page.cursor)] == codes


async def test_goods_that_leave_while_pages_are_read_hide_no_others(mall: Mall, shelf: Shelf):
    """One item is stopped after the first page was read: the first of the second page slips into it."""
    codes = [str(number) for number in range(1, 10)]
    shelf.goods, shelf.page_size = {"S2": list(codes)}, 3
    seen: list[str] = []

    def answer(call: Call) -> httpx.Response:
        shown = shelf.answer(call)
        if call.method == LIST and not seen and call.form["ItemStatus"] == "S2":
            seen.append(shelf.goods["S2"].pop(0))
            shelf.goods["S3"] = list(seen)
        return shown

    mall.answer = answer
    start = catalogue.encode_cursor(catalogue.Place(details_left=0))

    assert {reading.key for reading in await readings_of(mall, start)} == set(codes)


async def test_a_total_that_is_never_reached_ends(mall: Mall):
    mall.answer = lambda call: ok({"TotalItems": 5, "TotalPages": 1, "Items": [{"ItemCode": "1"}, {"ItemCode": "1"}]})
    start = catalogue.encode_cursor(catalogue.Place(details_left=0))

    assert {reading.key for reading in await readings_of(mall, start)} == {"1"}
    assert len(mall.calls) == 3 * 6


async def test_asking_one_by_one_is_bounded_over_the_whole_run(mall: Mall, shelf: Shelf):
    codes = [str(number) for number in range(1, 8)]
    shelf.goods = {"S2": codes[:2], "S3": codes[2:]}
    shelf.details = {code: {"ItemTitle": f"T{code}", "ItemQty": "1"} for code in codes}

    start = catalogue.encode_cursor(catalogue.Place(details_left=3))
    found = await readings_of(mall, start)

    assert [(each.key, each.record.name, each.record.on_hand) for each in found] == [
        ("1", "T1", 1),
        ("2", "T2", 1),
        ("3", "T3", 1),
        *((code, "", None) for code in codes[3:]),
    ]
    assert sum(call.method == DETAIL for call in mall.calls) == 3


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        {"TotalItems": 0, "TotalPages": 0, "PresentPage": 1, "Items": None},
        {"totalItems": "0", "totalPages": "0", "items": []},
    ],
)
async def test_every_form_of_no_goods_is_none(mall: Mall, result: Any):
    mall.answer = lambda call: ok(result)

    assert await readings_of(mall) == []
    assert len(mall.calls) == 6


async def test_one_bad_item_is_set_aside_alone(mall: Mall, shelf: Shelf):
    shelf.goods = {"S2": ["1", "", "3", "4"]}
    shelf.details = {"1": {"ItemTitle": "T"}, "3": {"ItemTitle": "T", "ItemQty": "many"}, "4": {"ItemTitle": ["T"]}}

    found = await readings_of(mall)

    assert [(each.key, each.error) for each in found] == [
        ("1", None),
        ("", "ItemCode: missing"),
        ("3", "ItemQty: not a whole number"),
        ("4", "the details are no readable object of plain values"),
    ]


async def test_an_item_that_is_gone_keeps_what_the_list_told(mall: Mall, shelf: Shelf):
    shelf.goods = {"S2": ["1"]}

    (reading,) = await readings_of(mall)

    assert (reading.record.product_code, reading.record.seller_sku, reading.record.name) == ("1", "SK-1", "")


async def test_an_item_of_which_no_options_are_known_keeps_its_name(mall: Mall, shelf: Shelf):
    shelf.goods, shelf.details = {"S2": ["1"]}, {"1": {"ItemTitle": "T", "ItemQty": "4"}}
    mall.answer = lambda call: refused(-10001) if call.method == OPTIONS else shelf.answer(call)

    (reading,) = await readings_of(mall)

    assert (reading.record.name, reading.record.on_hand) == ("T", 4)


async def test_a_mall_that_names_no_number_of_pages_is_read_until_a_short_page(mall: Mall):
    def answer(call: Call) -> httpx.Response:
        if call.method != LIST:
            return refused(-10001)
        first = (int(call.form["Page"]) - 1) * 500
        codes = range(first, min(first + 500, 700)) if call.form["ItemStatus"] == "S2" else ()
        return ok({"Items": [{"ItemCode": str(code + 1)} for code in codes]})

    mall.answer = answer
    start = catalogue.encode_cursor(catalogue.Place(details_left=0))

    assert len(await readings_of(mall, start)) == 700


async def test_a_failed_call_ends_the_reading(mall: Mall, shelf: Shelf):
    shelf.goods = {"S2": ["1"]}
    mall.answer = lambda call: refused(-90002) if call.method == OPTIONS else shelf.answer(call)
    shelf.details["1"] = {"ItemTitle": "T"}

    with pytest.raises(MallError):
        await readings_of(mall)


async def test_each_item_of_a_big_shop_has_its_day(mall: Mall, shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "MOST_DETAILS", 10)
    monkeypatch.setattr(catalogue, "_PART", 8)
    codes = [str(number) for number in range(1_100_000_001, 1_100_000_037)]
    shelf.goods = {"S2": codes}
    shelf.details = {code: {"ItemTitle": f"T{code}", "ItemQty": "1"} for code in codes}
    asked: list[list[str]] = []

    for _ in range(5):
        found = await readings_of(mall)
        named = [each.key for each in found if not each.is_partial]
        assert [each.key for each in found if each.record.name] == named
        assert [each.key for each in found] == codes
        asked.append(named)
        mall.clock.at += timedelta(days=1)

    assert sorted(code for part in asked for code in part) == codes
    assert all(0 < len(part) <= 10 for part in asked)
