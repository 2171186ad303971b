"""Reading orders: windows, paging while rows move, the offset wall, other shop numbers."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.cafe24 import order_feed
from hub.core.contract import OpenKeys, Reading, Span
from hub.core.errors import NotFoundAtMallError
from hub.core.model import LineStatus, Order
from tests.connectors.cafe24.mall import Mall, item, order

SPAN = Span(since=datetime(2026, 11, 1, tzinfo=UTC), until=datetime(2026, 11, 22, tzinfo=UTC))
CHANGES = Span(since=SPAN.since, until=SPAN.until, is_full=False)


async def collect(mall: Mall, span: Span = SPAN, *, open_keys: OpenKeys | None = None, cursor=None, **credentials):
    connector = mall.open(**credentials)
    pages = [page async for page in connector.read_orders(span, open_keys=open_keys or OpenKeys(), cursor=cursor)]
    await connector.aclose()
    return pages


def keys(pages) -> list[str]:
    return [reading.key for page in pages for reading in page.readings]


def paged(ids: list[str], limit: int):
    """An endpoint over ``ids``, which the test may change between calls."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        return httpx.Response(200, json={"orders": [order(i) for i in ids[offset : offset + limit]]})

    return answer


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(order_feed, "ORDER_LIMIT", 2)
    return 2


def number(n: int) -> str:
    return f"20261118-{n:07}"


async def test_one_order_becomes_canonical() -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": [order()]})
    mall.on("GET orders/count", {"count": 1})

    pages = await collect(mall)

    (reading,) = pages[0].readings
    record = reading.record
    assert isinstance(record, Order)
    assert record.order_no == "20261118-0000021"
    assert record.ordered_at == datetime(2026, 11, 18, 2, 21, 35, tzinfo=UTC)
    assert record.lines[0].status is LineStatus.PREPARING
    assert record.lines[0].amount is not None
    assert record.lines[0].amount.minor == 25800
    assert record.sub_shop == "1"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
async def test_pages_are_complete(limit: int, count: int) -> None:
    mall = Mall()
    ids = [number(n) for n in range(count)]
    mall.on("GET orders", paged(ids, limit))
    mall.on("GET orders/count", {"count": count})

    pages = await collect(mall)

    assert keys(pages) == ids


async def test_an_order_that_slips_between_pages_is_read_in_a_second_turn(limit: int) -> None:
    mall = Mall()
    ids = [number(n) for n in range(6)]
    calls = 0

    def shifting(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        offset = int(request.url.params["offset"])
        rows = ids if calls == 1 else ids[1:] + ids[:1] if calls < 4 else ids
        return httpx.Response(200, json={"orders": [order(i) for i in rows[offset : offset + limit]]})

    mall.on("GET orders", shifting)
    mall.on("GET orders/count", {"count": 6})

    pages = await collect(mall)

    assert sorted(keys(pages)) == ids


async def test_a_page_that_comes_short_is_not_the_last(limit: int) -> None:
    mall = Mall()
    ids = [number(n) for n in range(9)]
    calls = 0

    def short(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        offset = int(request.url.params["offset"])
        rows = ids[offset : offset + limit]
        rows = rows[1:] if calls in {1, 3} else [*rows, rows[0]] if rows and calls == 4 else rows
        return httpx.Response(200, json={"orders": [order(i) for i in rows]})

    mall.on("GET orders", short)
    mall.on("GET orders/count", {"count": 9})

    pages = await collect(mall)

    assert sorted(keys(pages)) == ids


async def test_orders_that_the_mall_counts_but_never_lists_are_said_aloud(limit: int) -> None:
    mall = Mall()
    mall.on("GET orders", paged([number(n) for n in range(3)], limit))
    mall.on("GET orders/count", {"count": 4})

    pages = await collect(mall)

    broken = [reading for page in pages for reading in page.readings if reading.error]
    assert len(broken) == 1
    assert broken[0].error is not None
    assert "counts 4 orders but listed 3" in broken[0].error


async def test_a_window_beyond_the_offset_wall_is_halved(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_feed, "ORDER_WALL", 4)
    mall = Mall()
    moments = {number(n): SPAN.since + timedelta(days=n) for n in range(16)}

    def inside(request: httpx.Request) -> list[str]:
        since, until = (datetime.fromisoformat(request.url.params[name]) for name in ("start_date", "end_date"))
        return [i for i, moment in moments.items() if since <= moment <= until]

    def listed(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        assert offset <= 4
        return httpx.Response(200, json={"orders": [order(i) for i in inside(request)[offset : offset + limit]]})

    mall.on("GET orders", listed)
    mall.on("GET orders/count", lambda request: httpx.Response(200, json={"count": len(inside(request))}))

    pages = await collect(mall)

    assert sorted(keys(pages)) == sorted(moments)
    assert len(keys(pages)) == len(set(keys(pages)))


async def test_a_run_continues_in_another_process_after_any_page(limit: int) -> None:
    ids = [number(n) for n in range(7)]

    def mall() -> Mall:
        made = Mall()
        made.on("GET orders", paged(ids, limit))
        made.on("GET orders/count", {"count": 7})
        return made

    whole = await collect(mall())

    for stop in range(1, len(whole)):
        rest = await collect(mall(), cursor=whole[stop - 1].cursor)
        assert keys(whole[:stop]) + keys(rest) == ids


async def test_windows_are_shorter_than_three_months_and_join() -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": []})

    pages = await collect(mall, Span(since=SPAN.until - timedelta(days=365), until=SPAN.until))

    asked = [dict(request.url.params) for request in mall.asked("GET orders")]
    bounds = [(datetime.fromisoformat(a["start_date"]), datetime.fromisoformat(a["end_date"])) for a in asked]
    assert bounds[0][0] == SPAN.until - timedelta(days=365)
    assert bounds[-1][1] >= SPAN.until
    assert all(left[1] == right[0] for left, right in itertools.pairwise(bounds))
    assert all(until - since < timedelta(days=89) for since, until in bounds)
    assert [page.progress for page in pages] == sorted(page.progress for page in pages)


async def test_changes_sweep_every_date_and_open_orders_again() -> None:
    mall = Mall()

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params.get("order_id")
        rows = [order(i) for i in asked.split(",")] if asked else []
        return httpx.Response(200, json={"orders": rows})

    mall.on("GET orders", answer)
    open_keys = OpenKeys(orders=tuple((number(n), ()) for n in range(150)))

    pages = await collect(mall, CHANGES, open_keys=open_keys)

    asked = [request.url.params for request in mall.asked("GET orders")]
    sweeps = [params for params in asked if "date_type" in params]
    assert len({params["date_type"] for params in sweeps}) == len(sweeps) == 14
    latest = SPAN.since - timedelta(minutes=10)
    assert all(datetime.fromisoformat(params["start_date"]) <= latest for params in sweeps)
    assert [len(params["order_id"].split(",")) for params in asked if "order_id" in params] == [100, 50]
    assert len(keys(pages)) == 150
    assert pages[-1].progress == 1.0


async def test_open_orders_continue_after_a_cursor() -> None:
    mall = Mall()
    mall.on(
        "GET orders",
        lambda request: httpx.Response(
            200, json={"orders": [order(i) for i in request.url.params.get("order_id", "").split(",") if i]}
        ),
    )
    open_keys = OpenKeys(orders=tuple((number(n), ()) for n in range(150)))
    pages = await collect(mall, CHANGES, open_keys=open_keys)
    middle = next(page for page in pages if page.readings)

    rest = await collect(mall, CHANGES, open_keys=open_keys, cursor=middle.cursor)

    assert keys(rest) == [number(n) for n in range(100, 150)]


@pytest.mark.parametrize(("told", "shown"), [("2026-11-25", "2026-11-25"), ("", None), ("0000-00-00", None)])
async def test_the_day_that_the_customer_wishes_for_stands_on_every_line(told: str, shown: str | None) -> None:
    mall = Mall()
    items = [item(number=1), item(number=2)]
    mall.on("GET orders/20261118-0000021", {"order": order(items=items, wished_delivery_date=told)})

    (reading,) = await mall.open().read_order("20261118-0000021", ())

    assert isinstance(reading.record, Order)
    hints = [{hint.name: hint.value for hint in line.product.hints} for line in reading.record.lines]
    assert [hint.get("wished_delivery") for hint in hints] == [shown, shown]


async def test_each_shop_number_is_read() -> None:
    mall = Mall()

    def answer(request: httpx.Request) -> httpx.Response:
        shop_no = int(request.url.params["shop_no"])
        return httpx.Response(200, json={"orders": [order(number(shop_no), shop_no=shop_no)]})

    mall.on("GET orders", answer)

    pages = await collect(mall, shop_no=[1, 2])

    records = [reading.record for page in pages for reading in page.readings]
    assert [record.sub_shop for record in records if isinstance(record, Order)] == ["1", "2"]


async def test_one_order_is_looked_for_in_every_shop_number() -> None:
    mall = Mall()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["shop_no"] == "1":
            return httpx.Response(404, json={"error": {"code": 404, "message": "No order"}})
        return httpx.Response(200, json={"order": order(shop_no=2)})

    mall.on("GET orders/20261118-0000021", answer)
    connector = mall.open(shop_no=[1, 2])

    (reading,) = await connector.read_order("20261118-0000021", ())

    assert isinstance(reading.record, Order)
    assert reading.record.sub_shop == "2"
    with pytest.raises(NotFoundAtMallError):
        await connector.read_order("20261118-0000099", ())
    with pytest.raises(NotFoundAtMallError):
        await connector.read_order("../../oauth/token", ())


BROKEN = {
    "no number": {"shop_no": 1, "items": [item()]},
    "number of a wrong type": {"order_id": {"a": 1}, "items": [item()]},
    "no lines": {"order_id": "20261118-0000002", "items": []},
    "no line number": {"order_id": "20261118-0000002", "items": [{"quantity": 1}]},
    "no quantity": {"order_id": "20261118-0000002", "items": [{"order_item_code": "a"}]},
    "a date that is none": order(order_date="yesterday"),
    "an amount that is none": order(items=[item(product_price="a lot")]),
    "items of a wrong type": order(items="none"),  # type: ignore[arg-type]
    "a list": [1, 2],
    "null": None,
    "huge number": order(items=[item(quantity="1e400")]),
}


@pytest.mark.parametrize("record", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_record_is_reported_alone(record: object) -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": [order(number(1)), record, order(number(3))]})

    pages = await collect(mall)

    readings: list[Reading] = [reading for page in pages for reading in page.readings]
    assert [reading.error is None for reading in readings] == [True, False, True]
    kept = json.loads(readings[1].raw)
    # An order that can be parsed is kept with the claims that were read for it.
    assert record in (kept, kept.get("order") if isinstance(kept, dict) else None)


@pytest.mark.parametrize(
    "name", ["a\\u0000b", "\\ud83d", "\\ud83d\\ude00 \\udc00", "\\u0007\\u001b[31m", "x" * 1_000_000]
)
async def test_hostile_text_does_not_stop_the_page(name: str) -> None:
    mall = Mall()
    body = json.dumps({"orders": [order(items=[item(product_name="NAME")])]}).replace("NAME", name)
    mall.on("GET orders", lambda _request: httpx.Response(200, content=body.encode()))

    pages = await collect(mall)

    (reading,) = pages[0].readings
    assert isinstance(reading.record, Order)
    product_name = reading.record.lines[0].product.name
    assert "\x00" not in product_name
    product_name.encode()


async def test_bytes_that_are_not_utf8_cost_one_record() -> None:
    mall = Mall()
    body = json.dumps({"orders": [order(items=[item(product_name="NAME")]), order(number(2))]})
    mall.on("GET orders/count", {"count": 2})
    mall.on("GET orders", lambda _request: httpx.Response(200, content=body.encode().replace(b"NAME", b"\xff\xfe")))

    pages = await collect(mall)

    assert [reading.error is None for reading in pages[0].readings] == [False, True]
