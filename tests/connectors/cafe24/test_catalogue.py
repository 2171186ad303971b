"""Suppliers, products, carriers: every page once, beyond the wall too, and who may not see them."""

import httpx
import pytest

from connectors.cafe24 import catalogue
from hub.core.catalogue import StockItem, Supplier
from hub.core.contract import Carrier
from hub.core.errors import AccessError, MalformedResponseError
from hub.core.model import InventoryHint, Party
from tests.connectors.cafe24.mall import Mall

SUPPLIER = {
    "shop_no": 1,
    "supplier_code": "S000000A",
    "supplier_name": "한빛유통",
    "status": "A",
    "trading_type": "C",
    "payment_type": "P",
    "manager_information": [
        {"no": 1, "name": "담당자", "phone": "010-0000-0002", "email": "p@example.com", "use_sms": "F"},
        {"no": 2, "name": "", "phone": None},
    ],
}


def product(number: int) -> dict[str, object]:
    return {
        "product_no": number,
        "product_code": f"P{number:07}",
        "custom_product_code": f"SKU-{number}",
        "product_name": f"셔츠 {number}",
        "supplier_code": "S000000A",
    }


def products(numbers: list[int]):
    """GET /products over ``numbers``: newest first by offset, by number from since_product_no on."""

    def answer(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        limit = int(params["limit"])
        if "since_product_no" in params:
            assert "offset" not in params
            rows = [number for number in sorted(numbers) if number > int(params["since_product_no"])][:limit]
        else:
            offset = int(params["offset"])
            assert offset <= catalogue.PRODUCT_WALL
            rows = sorted(numbers, reverse=True)[offset : offset + limit]
        return httpx.Response(200, json={"products": [product(number) for number in rows]})

    return answer


async def read(mall: Mall, *, cursor: str | None = None, **credentials: object):
    return [page async for page in mall.open(**credentials).read_catalogue(cursor=cursor)]


def mall_of(count: int) -> Mall:
    mall = Mall()
    mall.on("GET suppliers", {"suppliers": [SUPPLIER]})
    mall.on("GET products", products(list(range(1, count + 1))))
    return mall


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "LIMIT", 2)
    monkeypatch.setattr(catalogue, "PRODUCT_WALL", 4)


async def test_a_supplier_and_a_product_become_canonical() -> None:
    pages = await read(mall_of(1))

    supplier, item = (reading.record for page in pages for reading in page.readings)
    assert supplier == Supplier(
        code="S000000A",
        name="한빛유통",
        hints=(
            InventoryHint(name="supplier_trading", value="C"),
            InventoryHint(name="supplier_transaction", value="P"),
        ),
        contacts=(Party(name="담당자", phone="010-0000-0002", email="p@example.com"),),
    )
    assert item == StockItem(
        product_code="P0000001",
        name="셔츠 1",
        seller_sku="SKU-1",
        supplier_code="S000000A",
        hints=(InventoryHint(name="supplier", value="S000000A"),),
    )
    assert pages[-1].progress == 1.0


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7, 13])
async def test_every_product_comes_once_beyond_the_wall_too(count: int) -> None:
    pages = await read(mall_of(count))

    keys = [reading.key for page in pages for reading in page.readings if isinstance(reading.record, StockItem)]
    assert sorted(keys) == [f"product:P{number:07}" for number in range(1, count + 1)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("at", range(8))
async def test_a_run_goes_on_after_any_page(at: int) -> None:
    mall = mall_of(7)
    pages = await read(mall)

    rest = await read(mall, cursor=pages[at].cursor)

    seen = {reading.key for page in (*pages[: at + 1], *rest) for reading in page.readings}
    assert seen == {reading.key for page in pages for reading in page.readings}


@pytest.mark.usefixtures("small")
async def test_a_list_that_does_not_move_on_is_an_error() -> None:
    mall = mall_of(0)
    mall.on("GET products", {"products": [product(1), product(2)]})

    with pytest.raises(MalformedResponseError, match="does not move on"):
        await read(mall)


async def test_two_shop_numbers_show_a_product_once() -> None:
    mall = mall_of(3)

    pages = await read(mall, shop_no=[1, 2])

    assert len([reading for page in pages for reading in page.readings]) == 4
    assert {request.url.params["shop_no"] for request in mall.asked("GET products")} == {"1", "2"}


async def test_a_broken_row_is_reported_alone_and_new_letters_are_counted() -> None:
    mall = mall_of(1)
    odd = {"supplier_code": "S1", "trading_type": "Z", "status": "Q", "manager_information": None}
    mall.on("GET suppliers", {"suppliers": [SUPPLIER, {"supplier_name": "?"}, odd, {"supplier_code": {}}]})
    connector = mall.open()

    first = await anext(aiter(connector.read_catalogue(cursor=None)))

    assert [reading.error is None for reading in first.readings] == [True, False, True, False]
    assert first.readings[2].record == Supplier(
        code="S1", name="S1", hints=(InventoryHint(name="supplier_trading", value="Z"),)
    )
    assert connector.unknown_codes == {"supplier_trading:Z": 1, "supplier.status:Q": 1}


@pytest.mark.parametrize(("status", "is_active"), [("A", True), ("P", False), ("N", False), (None, True)])
async def test_a_paused_or_ended_supplier_is_not_active(status: str | None, is_active: bool) -> None:
    mall = mall_of(0)
    mall.on("GET suppliers", {"suppliers": [{**SUPPLIER, "status": status}]})

    record = (await read(mall))[0].readings[0].record

    assert isinstance(record, Supplier)
    assert record.is_active is is_active


@pytest.mark.parametrize(("route", "scope"), [("suppliers", "mall.read_supply"), ("products", "mall.read_product")])
async def test_a_missing_scope_is_named(route: str, scope: str) -> None:
    mall = mall_of(1)
    refused = {"error": {"code": 403, "message": "The app does not have permission."}}
    mall.on(f"GET {route}", lambda _request: httpx.Response(403, json=refused))

    with pytest.raises(AccessError, match=scope):
        await read(mall)


async def test_carriers_come_once_the_default_first() -> None:
    mall = Mall()
    rows = [
        {"carrier_id": 1, "shipping_carrier_code": "0001", "shipping_carrier": "자체배송", "track_shipment_url": ""},
        {"shipping_carrier_code": "0018", "shipping_carrier": "한진택배", "track_shipment_url": "javascript:x="},
        {
            "shipping_carrier_code": "0006",
            "shipping_carrier": "CJ대한통운",
            "track_shipment_url": "https://track.example/?no=",
            "default_shipping_carrier": "T",
        },
        {"shipping_carrier_code": "0012", "track_shipment_url": "https://track.example/[송장번호]/view"},
        {"shipping_carrier_code": None, "shipping_carrier": "?"},
    ]
    mall.on("GET carriers", {"carriers": rows})

    carriers = await mall.open(shop_no=[1, 2]).list_carriers()

    assert carriers == (
        Carrier(code="0006", name="CJ대한통운", tracking_url="https://track.example/?no={tracking_no}"),
        Carrier(code="0001", name="자체배송"),
        Carrier(code="0018", name="한진택배"),
        Carrier(code="0012", name="0012", tracking_url="https://track.example/{tracking_no}/view"),
    )


async def test_carriers_without_their_scope_name_it() -> None:
    mall = Mall()
    mall.on("GET carriers", lambda _request: httpx.Response(403, json={"error": {"code": 403, "message": "no"}}))

    with pytest.raises(AccessError, match=r"mall\.read_shipping"):
        await mall.open().list_carriers()


async def test_an_unreadable_carrier_keeps_nobody_from_another() -> None:
    mall = Mall()
    mall.on("GET carriers", {"carriers": [None, "x", {"shipping_carrier_code": "0006", "shipping_carrier": "CJ"}]})

    assert await mall.open().list_carriers() == (Carrier(code="0006", name="CJ"),)


@pytest.mark.parametrize("moves_on", [True, False])
async def test_more_carriers_than_a_page_are_all_listed(moves_on: bool) -> None:
    rows = [{"shipping_carrier_code": f"{number:04}"} for number in range(100 + 50 * moves_on)]
    mall = Mall()

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0)) if moves_on else 0
        return httpx.Response(200, json={"carriers": rows[offset : offset + 100]})

    mall.on("GET carriers", answer)

    assert len(await mall.open().list_carriers()) == len(rows)
    assert len(mall.asked("GET carriers")) == 2


@pytest.mark.parametrize("none", ["", None, {}, [], [None]])
async def test_a_supplier_without_people_is_read(none: object) -> None:
    mall = Mall()
    mall.on("GET suppliers", {"suppliers": [{**SUPPLIER, "manager_information": none}]})
    mall.on("GET products", {"products": []})

    readings = [reading async for page in mall.open().read_catalogue(cursor=None) for reading in page.readings]

    (record,) = [reading.record for reading in readings]
    assert isinstance(record, Supplier)
    assert record.contacts == ()
