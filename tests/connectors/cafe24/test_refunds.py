"""A refund that no order date shows: found by the list of refunds, without breaking the feed where there is none."""

import httpx
import pytest

from connectors.cafe24 import refund_feed
from hub.core.contract import OpenKeys, Span
from hub.core.errors import AccessError, TransientMallError
from hub.core.model import Money, Order
from tests.connectors.cafe24.mall import NOW, Mall, item, order

FULL = Span(since=NOW.replace(day=1), until=NOW)
CHANGES = Span(since=NOW.replace(hour=2), until=NOW, is_full=False)
REFUNDED = "20261101-0000005"


def refunded_order() -> dict[str, object]:
    line = item(REFUNDED, order_status="C40", claim_code="C20261119-0000004", claim_quantity=1)
    claim = {
        "claim_code": "C20261119-0000004",
        "claim_reason_type": "A",
        "refund_amounts": [{"payment_method": "card", "amount": "20000.00"}, {"amount": "5800.00"}],
        "undone": "F",
        "items": [line],
    }
    return order(REFUNDED, items=[line], cancellation=[claim])


def mall_with(refunds: list[dict[str, object]]) -> Mall:
    """No order moved by any date; asked by number the refunded one is there."""
    mall = Mall()
    mall.on("GET refunds", {"refunds": refunds})
    mall.on("GET orders/count", {"count": 0})
    mall.on(
        "GET orders",
        lambda request: httpx.Response(
            200, json={"orders": [refunded_order()] if "order_id" in request.url.params else []}
        ),
    )
    return mall


async def collect(mall: Mall, span: Span = CHANGES, *, keys: OpenKeys | None = None, **credentials: object):
    connector = mall.open(**credentials)
    pages = [page async for page in connector.read_orders(span, open_keys=keys or OpenKeys(), cursor=None)]
    return [reading.record for page in pages for reading in page.readings], connector


async def test_an_order_whose_refund_moved_is_read_again_with_the_amount() -> None:
    mall = mall_with([{"order_id": REFUNDED, "refund_code": "C20261119-0000004"}, {"order_id": REFUNDED}])

    (record,), _ = await collect(mall)

    assert isinstance(record, Order)
    assert [claim.refund for claim in record.claims] == [Money(minor=25_800, currency="KRW")]
    asked = [request.url.params for request in mall.asked("GET refunds")]
    assert [params["date_type"] for params in asked] == ["accepted_refund_date", "refund_date"]
    assert asked[0]["start_date"] == "2026-11-22T10:50:00+09:00"  # ten minutes of overlap
    assert len([r for r in mall.asked("GET orders") if "order_id" in r.url.params]) == 1


async def test_a_full_run_asks_for_no_refunds() -> None:
    mall = mall_with([{"order_id": REFUNDED}])

    await collect(mall, FULL)

    assert mall.asked("GET refunds") == []


async def test_every_shop_number_is_asked_and_an_open_order_is_read_once() -> None:
    mall = mall_with([{"order_id": REFUNDED}])

    records, _ = await collect(mall, keys=OpenKeys(orders=((REFUNDED, ()),)), shop_no=[1, 2])

    assert len(records) == 1
    assert [request.url.params["shop_no"] for request in mall.asked("GET refunds")] == ["1", "1", "2", "2"]


async def test_many_refunds_are_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refund_feed, "REFUND_LIMIT", 2)
    mall = mall_with([])
    rows = [{"order_id": f"20261101-{number:07}"} for number in range(5)]
    mall.on(
        "GET refunds",
        lambda request: httpx.Response(
            200, json={"refunds": rows[int(request.url.params["offset"]) : int(request.url.params["offset"]) + 2]}
        ),
    )

    await collect(mall)

    (by_number,) = [request for request in mall.asked("GET orders") if "order_id" in request.url.params]
    assert by_number.url.params["order_id"] == ",".join(row["order_id"] for row in rows)


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_mall_that_lists_no_refunds_is_read_all_the_same(status: int) -> None:
    mall = mall_with([])
    mall.on("GET refunds", lambda _request: httpx.Response(status, json={"error": {"code": status, "message": "no"}}))

    records, connector = await collect(mall, keys=OpenKeys(orders=((REFUNDED, ()),)))

    assert len(records) == 1
    assert connector.unknown_codes[f"refunds not listed:{status}"] == 1
    assert len(mall.asked("GET refunds")) == 1


async def test_a_mall_that_is_down_ends_the_run() -> None:
    mall = mall_with([])
    mall.on("GET refunds", lambda _request: httpx.Response(503, text="down"))

    with pytest.raises(TransientMallError):
        await collect(mall)


async def test_a_refused_token_is_no_missing_list() -> None:
    mall = mall_with([])
    mall.on("GET refunds", lambda _request: httpx.Response(401, json={"error": {"code": 401, "message": "token"}}))

    with pytest.raises(AccessError):
        await collect(mall)


async def test_a_list_that_ignores_the_offset_is_read_once() -> None:
    mall = mall_with([{"order_id": REFUNDED, "refund_code": str(n)} for n in range(500)])

    records, _ = await collect(mall)

    assert len(records) == 1
    assert len(mall.asked("GET refunds")) == 4
