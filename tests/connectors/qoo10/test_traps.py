"""Traps of this mall that no other test holds."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.qoo10 import mapping
from hub.core.contract import OpenKeys, Span
from hub.core.errors import AccessError, MallError
from hub.core.model import ClaimState, LineStatus, Order

from .conftest import NOW, Call, Mall, all_readings, ok, refused

FULL = Span(since=NOW - timedelta(days=90), until=NOW)
NOTHING = OpenKeys()


def row(number: object = 1071000201, **more: object) -> dict[str, object]:
    return {
        "ShippingStatus": "On request(2)",
        "PackNo": 242000101,
        "OrderNo": number,
        "OrderQty": 1,
        "Total": 100,
    } | more


def read(fields: dict[str, object]) -> Order:
    reading = mapping.read_listed_order(json.dumps(fields).encode(), unknown=Counter())
    assert isinstance(reading.record, Order), reading.error
    return reading.record


@pytest.mark.parametrize(
    "body",
    [
        {"ResultObject": [], "ResultCode": -10001, "ResultMsg": "key"},
        {"ResultCode": "-10001", "ResultMsg": "key"},
        {"ErrorCode": "-10001", "ErrorMsg": "key", "ResultCode": 0, "ResultObject": []},
        {"errorCode": -10001, "errorMsg": "key"},
    ],
    ids=["result", "result as text", "error beside a success", "error alone"],
)
async def test_an_error_inside_a_200_is_an_error_in_either_envelope(mall: Mall, body: dict[str, object]):
    mall.answer = lambda call: httpx.Response(200, json=body)

    with pytest.raises(MallError) as caught:
        await all_readings(mall.open().read_claims(FULL, open_keys=NOTHING, cursor=None))

    assert caught.value.mall_code == "-10001"


def test_numbers_as_text_are_the_same_order():
    as_text = row("1071000201", PackNo="242000101", OrderQty="1", Total="100.00")

    assert read(row()) == read(as_text)


def test_the_pack_is_the_order_and_the_order_is_the_line():
    order = read(row())

    assert (order.order_no, order.lines[0].line_no) == ("242000101", "1071000201")


async def test_the_lines_of_one_pack_are_lines_of_one_order(mall: Mall):
    mall.answer = lambda call: ok([row(1), row(2)] if call.form.get("ShippingStatus") == "2" else [])

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert {reading.record.order_no for reading in readings} == {"242000101"}
    assert [reading.record.lines[0].line_no for reading in readings] == ["1", "2"]


async def test_status_five_is_delivered_and_not_all(mall: Mall):
    """A mall that listed only what is delivered under 5: nothing else may be missing."""
    by_status = {"1": 11, "2": 12, "3": 13, "4": 14, "5": 15}
    mall.answer = lambda call: ok([row(by_status[call.form["ShippingStatus"]])])

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert {reading.record.lines[0].line_no for reading in readings} == {"11", "12", "13", "14", "15"}


def test_claims_without_a_number_are_told_apart_by_their_request_and_keep_their_key():
    def claim(status: str, requested: str) -> object:
        fields = row(claimStatus=status, requestDate=requested)
        return mapping.read_claim(json.dumps(fields).encode(), unknown=Counter()).record

    first, later = claim("1", "2026-11-08 09:12:00"), claim("1", "2026-11-12 10:00:00")
    ended = claim("3", "2026-11-08 09:12:00")

    assert first.claim_no is None
    assert first.claim_key == ended.claim_key != later.claim_key
    assert first.state is not ended.state


def test_an_unknown_status_is_unknown_and_counted():
    unknown: Counter[str] = Counter()

    reading = mapping.read_listed_order(json.dumps(row(ShippingStatus="Teleported(77)")).encode(), unknown=unknown)
    claim = mapping.read_claim(json.dumps(row(claimStatus="77")).encode(), unknown=unknown)

    assert reading.record.lines[0].status is LineStatus.UNKNOWN
    assert claim.record.state is ClaimState.UNKNOWN
    assert unknown == {"ShippingStatus:Teleported(77)": 1, "claimStatus:77": 1}


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\u202e\u0007杯", "杯" * 3_500_000], ids=["script", "control", "10 MB"]
)
async def test_hostile_names_are_kept_as_text_beside_their_neighbours(mall: Mall, text: str):
    rows = [row(1), row(2, ItemTitle=text, Buyer=text), row(3)]
    mall.answer = lambda call: ok(rows if call.form["ShippingStatus"] == "2" else [])

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert [reading.error for reading in readings] == [None, None, None]
    assert readings[1].record.lines[0].product.name == text
    assert readings[1].record.buyer.name == text


@pytest.mark.parametrize("broken", [{"OrderNo": None}, {"OrderNo": {"a": 1}}, {"OrderQty": "many"}, {"Total": "a lot"}])
async def test_a_missing_number_or_a_wrong_type_costs_one_record(mall: Mall, broken: dict[str, object]):
    rows = [row(1), row(2) | broken, row(3)]
    mall.answer = lambda call: ok(rows if call.form["ShippingStatus"] == "2" else [])

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert [reading.error is None for reading in readings] == [True, False, True]


async def test_refused_credentials_are_a_matter_of_access(mall: Mall):
    mall.answer = lambda call: httpx.Response(200, json={"ResultCode": -90001, "ResultMsg": "no rights"})

    with pytest.raises(AccessError):
        await all_readings(mall.open().read_claims(FULL, open_keys=NOTHING, cursor=None))


@pytest.mark.parametrize(
    "empty", ["", None, " ", "-", "0000-00-00", "0000-00-00 00:00:00", "0001-01-01", "1900-01-01 00:00:00"]
)
def test_a_time_that_is_none_is_none(empty: object):
    order = read(row(EstimatedShippingDate=empty, PaymentDate=empty, DeliveredDate=empty))

    assert (order.paid_at, order.lines[0].planned_ship_at, order.lines[0].shipment) == (None, None, None)


@pytest.mark.parametrize("status", ["On delivery(4)", "On delivery（4）", "On delivery (4) ", "4", 4, "4.0", 4.0])
def test_a_status_is_its_number_however_it_is_written(status: object):
    assert read(row(ShippingStatus=status)).lines[0].status is LineStatus.DISPATCHED


def test_counts_and_amounts_may_be_written_for_people():
    line = read(row(OrderQty="1,200", Total="1,234,000.00")).lines[0]

    assert (line.quantity, line.amount.minor) == (1_200, 1_234_000)


def test_reserved_goods_say_from_which_day_on_they_can_be_sent():
    reserved = read(row(AvailableSendType="2", AvailableShippingDate="2026-12-01")).lines[0]
    prepared = read(row(AvailableSendType=1, AvailableShippingDate="20261201")).lines[0]
    usual = read(row(AvailableSendType="0", AvailableShippingDate="")).lines[0]

    assert (reserved.is_reserved, reserved.sendable_from) == (True, datetime(2026, 11, 30, 15, tzinfo=UTC))
    assert (prepared.is_reserved, prepared.sendable_from) == (True, reserved.sendable_from)
    assert (usual.is_reserved, usual.sendable_from) == (False, None)


def test_how_goods_are_sent_stays_unknown_where_the_mall_says_nothing_that_is_known():
    unknown: Counter[str] = Counter()
    given = row(AvailableSendType="7", AvailableShippingDate="soon")
    odd = mapping.read_listed_order(json.dumps(given).encode(), unknown=unknown).record.lines[0]
    looked_up = read(row()).lines[0]

    assert (odd.is_reserved, odd.sendable_from) == (None, None)
    assert unknown == {"AvailableSendType:7": 1, "AvailableShippingDate:unreadable": 1}
    assert (looked_up.is_reserved, looked_up.sendable_from) == (None, None)


@pytest.mark.parametrize("name", ["DesiredDeliveryDate", "hopeDate"])
def test_the_day_that_the_customer_wishes_for_is_a_hint_in_the_malls_words(name: str):
    hints = read(row(**{name: " 2026-12-01  14:00~16:00 "})).lines[0].product.hints

    assert [(hint.name, hint.value) for hint in hints] == [("wished_delivery", "2026-12-01 14:00~16:00")]


async def test_a_number_that_the_mall_refuses_is_one_broken_record_among_the_others(mall: Mall):
    def answer(call: Call) -> httpx.Response:
        match call.form.get("OrderNo"):
            case None:
                return ok()
            case "2":
                return refused(-10009, "?")
            case "3":
                return ok([row(33)])
            case number:
                return ok([row(number)])

    mall.answer = answer
    span = Span(since=NOW - timedelta(hours=1), until=NOW, is_full=False)
    known = OpenKeys(orders=(("242000101", ("1", "2", "3", "4")),))

    readings = await all_readings(mall.open().read_orders(span, open_keys=known, cursor=None))
    asked = await mall.open().read_order("242000101", ("2", "4"))

    assert [(reading.key, reading.record is None) for reading in readings] == [("1", False), ("2", True), ("4", False)]
    assert "-10009" in readings[1].error
    assert [reading.key for reading in asked] == ["2", "4"]


async def test_what_is_asked_of_a_wrong_key_is_no_broken_record(mall: Mall):
    mall.answer = lambda call: refused(-90003) if "OrderNo" in call.form else ok()

    with pytest.raises(AccessError):
        await mall.open().read_order("242000101", ("2",))


async def test_a_line_that_only_a_claim_has_shown_takes_its_name_from_it(mall: Mall):
    claim = row(claimStatus="3", requestDate="2026-11-19 08:02:11", itemTitle="ハンドソープ 詰替用")
    bare = {"shippingStatus": "2", "packNo": 242000101, "orderNo": 1071000201, "orderQty": 1, "claimStatus": "3"}
    mall.answer = lambda call: ok([bare] if "OrderNo" in call.form else [claim])
    connector = mall.open()
    await all_readings(connector.read_claims(FULL, open_keys=NOTHING, cursor=None))

    (reading,) = await connector.read_order("242000101", ("1071000201",))

    assert reading.record.lines[0].product.name == "ハンドソープ 詰替用"
    assert reading.record.lines[0].status is LineStatus.CANCELLED
