"""Answers that are odd, but come: other shapes, lists that do not move on, numbers that no row can hold."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import msgspec
import pytest

from connectors.cafe24 import order_feed
from connectors.cafe24.decoding import decode
from connectors.cafe24.mapping import map_order
from connectors.cafe24.wire import order_decoder
from hub.core.contract import Feed, LineAction, OpenKeys, Outcome, Span
from hub.core.errors import MalformedResponseError, RejectedByMallError
from hub.core.model import ClaimState, Order
from tests.connectors.cafe24.mall import Mall, item, order
from tests.connectors.cafe24.test_orders import SPAN, collect, keys, number, paged

ORDER = "20261118-0000021"
LINE = f"{ORDER}-01"
SHIPMENTS = f"POST orders/{ORDER}/shipments"


async def dispatched(answer: httpx.Response, *, is_done: bool) -> tuple[Outcome, str | None, int]:
    """What becomes of a dispatch that the mall answers with ``answer``."""
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", {"order": order()})

    def act(_request: httpx.Request) -> httpx.Response:
        if is_done:
            mall.on(f"GET orders/{ORDER}", {"order": order(items=[item(order_status="N30", tracking_no="600")])})
        return answer

    mall.on(SHIPMENTS, act)
    connector = mall.open()
    (reading,) = await connector.read_order(ORDER, ())
    assert isinstance(reading.record, Order)
    action = LineAction(order_no=ORDER, line=reading.record.lines[0], carrier="0006", tracking_no="600")
    result = await connector.dispatch(action)
    return result.outcome, result.lines[0].mall_message, len(mall.asked(SHIPMENTS))


@pytest.mark.parametrize("content", [b"[]", b'"ok"', b"null", b"", b"<html>", b'{"shipments":'])
async def test_a_write_that_acted_is_not_called_refused_for_the_shape_of_its_answer(content: bytes) -> None:
    assert await dispatched(httpx.Response(201, content=content), is_done=True) == (Outcome.DONE, None, 1)


@pytest.mark.parametrize(
    "answer",
    [
        {"shipments": [{"status": 422, "message": "no"}]},
        {"shipments": {"status": "422", "message": "no"}},
        {"shipments": [], "errors": [{"code": 422, "message": "no"}]},
        {"shipments": [{"error": {"code": 422, "message": "no"}}]},
    ],
)
async def test_a_failed_element_is_found_wherever_it_stands(answer: dict[str, object]) -> None:
    assert await dispatched(httpx.Response(207, json=answer), is_done=False) == (Outcome.REFUSED, "no", 1)


async def test_a_list_that_does_not_move_on_ends_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_feed, "ORDER_LIMIT", 2)
    mall = Mall()
    mall.on("GET orders", {"orders": [order(number(1)), order(number(2))]})
    mall.on("GET orders/count", {"count": 7})

    pages = await collect(mall)

    *given, told = [reading for page in pages for reading in page.readings]
    assert [reading.key for reading in given] == [number(1), number(2)]
    assert told.error is not None
    assert "counts 7 orders but listed 2" in told.error
    assert len(mall.asked("GET orders")) == 2 * order_feed.TURNS


@pytest.mark.parametrize("count", [11, 25])
async def test_a_row_that_leaves_the_list_between_two_pages_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """The count shrinks with it, so it cannot tell: only rows that are read twice can."""
    monkeypatch.setattr(order_feed, "ORDER_LIMIT", 10)
    ids = [number(n) for n in range(count)]
    mall = Mall()
    listed = paged(ids, 10)

    def leaving(request: httpx.Request) -> httpx.Response:
        answer = listed(request)
        if len(ids) == count:
            ids.remove(number(3))
        return answer

    mall.on("GET orders", leaving)
    mall.on("GET orders/count", lambda _request: httpx.Response(200, json={"count": len(ids)}))

    assert sorted(keys(await collect(mall))) == [number(n) for n in range(count)]


async def test_a_second_with_more_orders_than_the_wall_lets_see_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A night job of the mall stamps thousands of orders with one moment."""
    monkeypatch.setattr(order_feed, "ORDER_LIMIT", 2)
    monkeypatch.setattr(order_feed, "ORDER_WALL", 4)
    moment = SPAN.since + timedelta(days=3)
    ids = [number(n) for n in range(9)]
    mall = Mall()

    def inside(request: httpx.Request) -> list[str]:
        since, until = (datetime.fromisoformat(request.url.params[name]) for name in ("start_date", "end_date"))
        return ids if since <= moment <= until else []

    def listed(request: httpx.Request) -> httpx.Response:
        assert int(request.url.params["offset"]) <= 4
        return paged(inside(request), 2)(request)

    mall.on("GET orders", listed)
    mall.on("GET orders/count", lambda request: httpx.Response(200, json={"count": len(inside(request))}))

    readings = [reading for page in await collect(mall) for reading in page.readings]

    assert [reading.key for reading in readings if reading.record] == ids[:6]
    assert any("counts 9 orders but listed 6" in (reading.error or "") for reading in readings)


def _of_two_shops(request: httpx.Request) -> dict[str, object]:
    shop_no = int(request.url.params["shop_no"])
    return order(shop_no=shop_no, items=[item(product_name=f"shop {shop_no}")])


async def test_two_shop_numbers_may_number_an_order_alike() -> None:
    """A line is known by its shop number too."""
    mall = Mall()
    mall.on("GET orders", lambda request: httpx.Response(200, json={"orders": [_of_two_shops(request)]}))

    pages = await collect(mall, shop_no=[1, 2])

    records = [reading.record for page in pages for reading in page.readings]
    told = [(record.sub_shop, record.lines[0].product.name) for record in records if isinstance(record, Order)]
    assert told == [("1", "shop 1"), ("2", "shop 2")]


async def test_what_two_shop_numbers_number_alike_is_kept_apart() -> None:
    """Claims asked for in the same second, payloads, and orders that cannot be read."""

    def answer(request: httpx.Request) -> httpx.Response:
        told = _of_two_shops(request)
        asked = {"order_status": "C00", "cancel_request_date": "2026-11-19T09:00:00+09:00"}
        broken = order(number(7), shop_no=told["shop_no"], items=[])
        return httpx.Response(200, json={"orders": [told | {"items": [item(**asked)]}, broken]})

    mall = Mall()
    mall.on("GET orders", answer)
    connector = mall.open(shop_no=[1, 2])

    readings = [reading for page in await collect(mall, shop_no=[1, 2]) for reading in page.readings]

    claims = [
        claim.claim_key for reading in readings if isinstance(reading.record, Order) for claim in reading.record.claims
    ]
    assert claims == [f"{LINE}:cancel:20261119090000", f"shop2:{LINE}:cancel:20261119090000"]
    assert [reading.key for reading in readings] == [ORDER, number(7), f"shop2:{ORDER}", f"shop2:{number(7)}"]
    again = [connector.remap(Feed.ORDERS, reading.key, reading.raw) for reading in readings]
    assert [(reading.key, reading.record) for reading in again] == [
        (reading.key, reading.record) for reading in readings
    ]


async def test_a_broken_order_that_is_shown_under_each_shop_number_is_set_aside_once() -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": [order(shop_no=2, items=[])]})

    readings = [reading for page in await collect(mall, shop_no=[1, 2]) for reading in page.readings]

    assert [reading.key for reading in readings if reading.error] == [f"shop2:{ORDER}"]


async def test_nothing_is_sent_while_two_shop_numbers_have_the_order() -> None:
    mall = Mall()
    mall.on(f"GET orders/{ORDER}", lambda request: httpx.Response(200, json={"order": _of_two_shops(request)}))
    connector = mall.open(shop_no=[1, 2])
    readings = await connector.read_order(ORDER, ())
    assert isinstance(readings[0].record, Order)
    action = LineAction(order_no=ORDER, line=readings[0].record.lines[0], carrier="0006", tracking_no="600")

    with pytest.raises(RejectedByMallError, match="several shop numbers"):
        await connector.dispatch(action)

    assert len(readings) == 2
    assert mall.asked(SHIPMENTS) == []


async def test_a_mall_that_knows_no_shop_numbers_gives_each_order_once() -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": [order()]})
    mall.on(f"GET orders/{ORDER}", {"order": order(shop_no=None)})

    pages = await collect(mall, shop_no=[1, 2])
    readings = await mall.open(shop_no=[1, 2]).read_order(ORDER, ())

    assert (keys(pages), len(readings)) == ([ORDER], 1)


async def test_an_empty_answer_to_a_read_is_asked_for_again() -> None:
    mall = Mall()
    answers = [httpx.Response(200, content=b""), httpx.Response(200, json={"orders": [order()]})]
    mall.on("GET orders", lambda _request: answers.pop(0))
    mall.on("GET orders/count", {"count": 1})

    assert keys(await collect(mall)) == [ORDER]


async def test_a_claim_that_the_mall_will_not_show_stops_no_run() -> None:
    refused = {"error": {"code": 422, "message": "Invalid value. (claim_code)"}}
    claimed = order(items=[item(order_status="C10", claim_code="C20261119-0000004")])
    del claimed["cancellation"]
    mall = Mall()
    mall.on("GET orders", {"orders": [claimed, order(number(2))]})
    mall.on("GET cancellation/C20261119-0000004", lambda _request: httpx.Response(422, json=refused))
    connector = mall.open()

    span = Span(since=SPAN.since, until=SPAN.until)
    pages = [page async for page in connector.read_orders(span, open_keys=OpenKeys(), cursor=None)]

    records = [reading.record for page in pages for reading in page.readings]
    assert isinstance(records[0], Order)
    assert [claim.state for claim in records[0].claims] == [ClaimState.APPROVED]
    assert not records[0].claims_are_complete
    assert len(records) == 2
    assert connector.unknown_codes["claim not read:422"] == 1


async def test_every_call_says_what_its_body_is() -> None:
    """Reads too: the mall asks for the header on all of them."""
    mall = Mall()
    mall.on("GET orders", {"orders": []})

    await collect(mall)

    assert {request.headers["content-type"] for request in mall.asked("GET orders")} == {"application/json"}


@pytest.mark.parametrize("none", [None, "", [], {}, [None], [""]])
@pytest.mark.parametrize("embed", ["buyer", "receivers", "cancellation", "return", "exchange"])
async def test_an_embed_may_be_none_in_any_of_the_malls_words(embed: str, none: object) -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": [order(**{embed: none})]})

    (reading,) = (await collect(mall))[0].readings

    assert isinstance(reading.record, Order), reading.error
    assert reading.record.claims == ()
    assert reading.record.claims_are_complete


@pytest.mark.parametrize(
    "broken",
    [
        {"quantity": 10**30},
        {"quantity": 2**31},
        {"quantity": -1},
        {"product_price": "9" * 22},
        {"quantity": 2_000_000_000, "product_price": "2000000.00"},
        {"order_status": "C00", "claim_quantity": 2**40, "cancel_request_date": "2026-11-19T09:00:00+09:00"},
    ],
)
async def test_a_number_that_no_row_could_hold_costs_its_order_alone(broken: dict[str, object]) -> None:
    mall = Mall()
    mall.on("GET orders", {"orders": [order(items=[item(**broken)]), order(number(2))]})

    readings = (await collect(mall))[0].readings

    assert [reading.error is None for reading in readings] == [False, True]


async def test_no_quantity_of_a_request_is_none_and_not_nothing() -> None:
    requested = item(order_status="C00", claim_quantity=0, cancel_request_date="2026-11-19T09:00:00+09:00")
    mall = Mall()
    mall.on("GET orders", {"orders": [order(items=[requested])]})

    (reading,) = (await collect(mall))[0].readings

    assert isinstance(reading.record, Order)
    assert [(claim.state, claim.quantity) for claim in reading.record.claims] == [(ClaimState.REQUESTED, None)]


ODD = (None, "", 0, -1, 2**40, 1.5, True, "0000-00-00", "2026-13-45", "0001-01-01T00:00:00+09:00", "\x00", [], {})
ODD += ([None], [{}], "1e400", "NaN", "²", "C00", "R40", "N01", " 2026-11-19 ")


def places(value: object, above: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*above, key)
        yield from places(below, (*above, key))


def with_odd(value: object, place: tuple[object, ...], odd: object) -> object:
    """A copy of ``value`` that holds ``odd`` in one place."""
    if not place:
        return odd
    changed = dict(value) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    changed[place[0]] = with_odd(changed[place[0]], place[1:], odd)
    return changed


def test_an_odd_value_in_any_place_is_read_or_refused_and_nothing_else() -> None:
    claimed = item(order_status="C10", claim_code="C1", claim_quantity=1, original_item_no=[201], tracking_no="")
    claimed |= {"cancel_request_date": "2026-11-19T09:00:00+09:00", "refund_date": "2026-11-20 10:00:00"}
    claim = {"claim_code": "C1", "items": [claimed], "refund_amounts": [{"amount": "1.00"}], "undone": "F"}
    whole = order(items=[claimed, item(number=2)], cancellation=[claim])
    outcomes = set[bool]()

    for place in places(whole):
        for odd in ODD:
            row = msgspec.json.encode(with_odd(whole, place, odd))
            try:
                record = map_order(decode(order_decoder, row), codes=Counter())
            except MalformedResponseError:
                outcomes.add(False)
                continue
            outcomes.add(True)
            assert all(0 <= line.quantity < 2**31 for line in record.lines)
            assert all(line.amount is None or abs(line.amount.minor) < 2**53 for line in record.lines)

    assert outcomes == {True, False}
