"""Runs over orders, claims and inquiries: which calls are made, what is shown, how a run continues."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.qoo10.mapping import read_inquiry
from connectors.qoo10.plan import LONGEST_WINDOW, even_windows
from hub.core.contract import OpenKeys, Span
from hub.core.errors import AccessError, MalformedResponseError, NotFoundAtMallError
from hub.core.model import Inquiry, InquiryState, LineStatus
from tests.connectors.qoo10.conftest import NOW, Call, Mall, all_pages, all_readings, ok, refused

FULL = Span(since=NOW - timedelta(days=90), until=NOW)
NIGHT = Span(since=NOW - timedelta(hours=1), until=NOW, is_full=False)
NOTHING = OpenKeys()
LIST = "ShippingBasic.GetShippingInfo_v3"
BY_NUMBER = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2"


def row(number: int, status: str = "On request(2)", **more: object) -> dict[str, object]:
    return {"ShippingStatus": status, "PackNo": 242000101, "OrderNo": number, "OrderQty": 1, "Total": 100.0, **more}


async def test_a_full_run_reads_each_status_in_windows_of_at_most_89_days(mall: Mall):
    connector = mall.open()

    await all_pages(connector.read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert [call.form["ShippingStatus"] for call in mall.calls] == ["1", "2", "3", "4", "5"] * 2
    assert {call.form["SearchCondition"] for call in mall.calls} == {"1"}
    assert [(call.form["SearchStartDate"], call.form["SearchEndDate"]) for call in mall.calls[::5]] == [
        ("20260824120000", "20260825120000"),
        ("20260825120000", "20261122120000"),
    ]


async def test_a_busy_shop_is_read_in_lists_that_stay_short(mall: Mall):
    """Every row once, and no answer much longer than 4,000 rows, though a day gives 1,700."""
    since = datetime(2026, 8, 24, 3, tzinfo=UTC)
    # 90 days of 1,701 orders: one every 50.8 seconds, all delivered.
    every = timedelta(seconds=50.8)

    def answer(call: Call):
        if call.form["ShippingStatus"] != "5":
            return ok([])
        first, last = (
            datetime.strptime(call.form[name] + "+0900", "%Y%m%d%H%M%S%z")
            for name in ("SearchStartDate", "SearchEndDate")
        )
        numbers = range(max(1, -(-(first - since) // every)), (last - since) // every + 1)
        lengths.append(len(numbers))
        return ok([{"ShippingStatus": "Delivered(5)", "OrderNo": number} for number in numbers])

    lengths: list[int] = []
    mall.answer = answer
    met: set[str] = set()
    async for page in mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None):
        met.update(reading.key for reading in page.readings)

    assert len(met) == timedelta(days=90) // every
    assert max(lengths) < 4_100
    assert len(mall.calls) < 5 * 60


async def test_a_call_is_a_form_post_with_key_version_and_return_type(mall: Mall):
    connector = mall.open()

    await all_pages(connector.read_orders(FULL, open_keys=NOTHING, cursor=None))

    call = mall.calls[0]
    assert call.url.endswith("/GMKT.INC.Front.QAPIService/ebayjapan.qapi/ShippingBasic.GetShippingInfo_v3")
    assert call.headers["giosiscertificationkey"] == "S5bnEXAMPLE_g_2_AbCd"
    assert call.headers["qapiversion"] == "1.0"
    assert call.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert call.form["returnType"] == "application/json"


async def test_one_bad_row_is_reported_alone(mall: Mall):
    rows = [row(1), {"ShippingStatus": "On request(2)", "PackNo": 5}, row(3, OrderQty="many"), "text", row(4)]
    mall.answer = lambda call: ok(rows if call.form["ShippingStatus"] == "2" else [])
    connector = mall.open()

    readings = await all_readings(connector.read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert [(reading.key, reading.error) for reading in readings] == [
        ("1", None),
        ("", "OrderNo: missing"),
        ("3", "OrderQty: not a whole number"),
        ("", "the row is no readable object of plain values"),
        ("4", None),
    ]


async def test_a_run_continued_from_any_cursor_shows_the_rest(mall: Mall):
    def answer(call: Call):
        windows = ["20260824120000", "20260825120000"]
        number = int(call.form["ShippingStatus"]) + 10 * windows.index(call.form["SearchStartDate"])
        return ok([row(number)])

    mall.answer = answer
    pages = await all_pages(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))
    keys = [reading.key for page in pages for reading in page.readings]

    for index, page in enumerate(pages):
        rest = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=page.cursor))
        assert [reading.key for reading in rest] == keys[index + 1 :]
    assert keys == [str(tens + ones) for tens in (0, 10) for ones in (1, 2, 3, 4, 5)]
    assert [page.progress for page in pages] == sorted(page.progress for page in pages)
    assert pages[-1].progress == 1.0


@pytest.mark.parametrize(("cap", "minutes"), [(500, 60), (200, 60), (100, 1)])
async def test_a_list_of_a_round_count_is_read_again_in_halves(mall: Mall, cap: int, minutes: int):
    """A hidden cap: every row must come all the same, also those of a rush."""
    since, step = datetime(2026, 8, 24, 3, tzinfo=UTC), timedelta(minutes=minutes)
    held = {
        f"{since + step * number:%Y%m%d%H%M%S}": row(number, OrderDate=f"{since + step * number:%Y-%m-%d %H:%M:%S}")
        for number in range(1, 1500)
    }

    def answer(call: Call):
        if call.form["ShippingStatus"] != "2":
            return ok([])
        first, last = (
            f"{datetime.strptime(call.form[name] + '+0900', '%Y%m%d%H%M%S%z').astimezone(UTC):%Y%m%d%H%M%S}"
            for name in ("SearchStartDate", "SearchEndDate")
        )
        return ok([held[at] for at in sorted(held) if first <= at <= last][:cap])

    mall.answer = answer

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert {reading.key for reading in readings} == {str(number) for number in range(1, 1500)}


async def test_a_rush_of_one_minute_does_not_cut_the_months_after_it(mall: Mall):
    """A hundred orders in the first minute, at a mall that never lists more than a hundred."""
    rush = [row(number) for number in range(1, 101)]
    mall.answer = lambda call: ok(
        rush if call.form["ShippingStatus"] == "2" and call.form["SearchStartDate"] == "20260824120000" else []
    )

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert len(readings) == 100
    assert len(mall.calls) < 60


async def test_a_change_run_reads_open_statuses_whole_and_looks_up_what_no_list_shows(mall: Mall):
    def answer(call: Call):
        if call.method == BY_NUMBER:
            number = int(call.form["OrderNo"])
            if number == 8:
                return ok([])
            return ok([{"shippingStatus": "3", "packNo": 1, "orderNo": number, "orderQty": 2, "claimStatus": "3"}])
        return ok([row(7)] if call.form["ShippingStatus"] == "2" else None)

    mall.answer = answer
    open_keys = OpenKeys(orders=(("242000101", ("7", "8")), ("1", ("9",))))

    readings = await all_readings(mall.open().read_orders(NIGHT, open_keys=open_keys, cursor=None))

    lists = [(call.form["ShippingStatus"], call.form["SearchCondition"]) for call in mall.calls if call.method == LIST]
    assert lists == [
        ("1", "1"),
        ("2", "1"),
        ("2", "2"),
        ("3", "1"),
        ("3", "2"),
        ("4", "1"),
        ("4", "3"),
        ("5", "4"),
    ]
    assert [call.form["OrderNo"] for call in mall.calls if call.method == BY_NUMBER] == ["8", "9"]
    assert [reading.key for reading in readings] == ["7", "9"]
    assert readings[1].record.lines[0].status is LineStatus.CANCELLED
    assert readings[1].record.claims_are_complete is True
    assert readings[0].record.claims_are_complete is False


async def test_many_open_lines_are_sought_among_the_delivered_before_any_look_up(mall: Mall):
    def answer(call: Call):
        if call.method == BY_NUMBER:
            return ok([])
        is_whole = (call.form["ShippingStatus"], call.form["SearchCondition"]) == ("5", "1")
        return ok([row(number, "Delivered(5)") for number in range(1, 100)] if is_whole else [])

    mall.answer = answer
    open_keys = OpenKeys(orders=(("242000101", tuple(str(number) for number in range(1, 102))),))

    pages = await all_pages(mall.open().read_orders(NIGHT, open_keys=open_keys, cursor=None))

    assert sum(len(page.readings) for page in pages) == 99
    assert [call.form["OrderNo"] for call in mall.calls if call.method == BY_NUMBER] == ["100", "101"]
    assert [page.progress for page in pages] == sorted(page.progress for page in pages)


async def test_a_failed_call_ends_the_run(mall: Mall):
    mall.answer = lambda call: refused(-90002)

    with pytest.raises(AccessError) as caught:
        await all_pages(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert (caught.value.mall_code, len(mall.calls)) == ("-90002", 1)


async def test_claims_are_read_by_request_and_completion_and_shown_once(mall: Mall):
    claim = {"claimStatus": "4", "packNo": 1, "orderNo": 2, "orderQty": 1, "requestDate": "2026-11-08 09:12:00"}
    mall.answer = lambda call: ok({"ClaimInfo": [claim]})

    readings = await all_readings(mall.open().read_claims(NIGHT, open_keys=NOTHING, cursor=None))

    assert [(call.form["ClaimStat"], call.form["search_condition"]) for call in mall.calls] == [("", "2"), ("", "3")]
    assert [(reading.key, reading.record.claim_no) for reading in readings] == [("2:20261108091200", None)]


def inquiry_row(seq: int, status: str, **more: object) -> dict[str, object]:
    return {
        "INQ_TYPE": "MSG",
        "QUESTION_NO": 10,
        "SEQ_NO": seq,
        "INQ_DT": "2026-10-01 09:00:00",
        "STATUS": status,
    } | more


async def test_an_open_inquiry_that_no_list_shows_is_sought_among_all_answered(mall: Mall):
    def answer(call: Call):
        is_wide = call.form["search_start_dt"] < "20261001"
        return ok([inquiry_row(11, "S3")] if call.form["proc_status"] == "S3" and is_wide else [])

    mall.answer = answer
    open_keys = OpenKeys(inquiries=("MSG:10:11", "MSG:10:12"))

    readings = await all_readings(mall.open().read_inquiries(NIGHT, open_keys=open_keys, cursor=None))

    assert [call.form["proc_status"] for call in mall.calls] == ["S1", "S2", "S3", "S3"]
    assert [(reading.key, reading.record.state) for reading in readings] == [("MSG:10:11", InquiryState.ANSWERED)]


async def test_one_order_is_read_by_its_lines_and_related_lines(mall: Mall):
    def answer(call: Call):
        number = int(call.form["OrderNo"])
        if number > 2:
            return refused(-10001)
        return ok({"shippingStatus": "5", "packNo": 1, "orderNo": number, "orderQty": 1, "relatedOrder": "1, 2"})

    mall.answer = answer
    connector = mall.open()

    assert [reading.key for reading in await connector.read_order("1", ())] == ["1", "2"]
    assert [reading.key for reading in await connector.read_order("9", ("2", "3"))] == ["2"]
    with pytest.raises(NotFoundAtMallError):
        await connector.read_order("9", ("3",))


async def test_new_fields_are_counted_and_documented_ones_are_not(mall: Mall):
    order = row(1, EstimatedShippingDate="", cart_Discount_Seller=0, HOPEDATE="", GiftWrap="x", newThing={"a": 1})
    claim = {"claimStatus": "4", "packNo": 1, "orderNo": 2, "orderQty": 1, "nrDutyTarget": "", "refundRoute": "card"}
    mall.answer = lambda call: ok([order] if call.method == LIST else [claim])
    connector = mall.open()

    await all_pages(connector.read_orders(NIGHT, open_keys=NOTHING, cursor=None))
    await all_pages(connector.read_claims(NIGHT, open_keys=NOTHING, cursor=None))

    assert connector.unknown_codes == {
        "new_field:order.GiftWrap": 1,
        "new_field:order.newThing": 1,
        "new_field:claim.refundRoute": 1,
    }


async def test_calls_keep_to_three_a_second(mall: Mall):
    at = []

    def answer(call: Call):
        at.append(mall.clock())
        return ok()

    mall.answer = answer

    await all_pages(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert min(later - earlier for earlier, later in pairwise(at)) >= timedelta(seconds=0.33)


@given(
    days=st.floats(min_value=0.001, max_value=800),
    start=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2026, 1, 1)),
)
def test_windows_join_without_gap_and_keep_the_limit(days: float, start: datetime):
    since = start.replace(tzinfo=UTC)
    until = since + timedelta(days=days)

    found = even_windows(since, until)

    assert (found[0].since, found[-1].until) == (since, until)
    assert all(before.until == after.since for before, after in pairwise(found))
    assert all(window.until - window.since <= LONGEST_WINDOW for window in found)


def asked_at_nine(seq: int) -> Inquiry:
    record = read_inquiry(json.dumps(inquiry_row(seq, "S1")).encode(), unknown={}).record
    assert isinstance(record, Inquiry)
    return record


async def test_an_inquiry_is_gone_when_no_status_shows_it_and_every_row_can_be_read(mall: Mall):
    rows: list[dict[str, object]] = [inquiry_row(11, "S1")]
    mall.answer = lambda call: ok(rows if call.form["proc_status"] == "S1" else [])
    connector = mall.open()

    assert (await connector.read_inquiry(asked_at_nine(11))).key == "MSG:10:11"
    with pytest.raises(NotFoundAtMallError):
        await connector.read_inquiry(asked_at_nine(12))
    assert [call.form["proc_status"] for call in mall.calls] == ["S1", "S2", "S3"] * 2
    rows.append(inquiry_row(13, "S1", INQ_DT="someday"))
    with pytest.raises(MalformedResponseError):
        await connector.read_inquiry(asked_at_nine(12))


async def test_an_inquiry_is_not_gone_because_a_list_was_cut(mall: Mall):
    """A list of a round number of rows may have been cut: it is read again in halves."""
    rows = [inquiry_row(seq, "S1", INQ_DT=f"2026-10-01 {seq // 60:02}:{seq % 60:02}:00") for seq in range(120)]
    most = 100

    def answer(call: Call):
        since, until = call.form["search_start_dt"], call.form["search_end_dt"]
        found = [row for row in rows if since <= re.sub(r"\D", "", str(row["INQ_DT"])) <= until]
        return ok(found[:most] if call.form["proc_status"] == "S1" else [])

    mall.answer = answer

    assert (await mall.open().read_inquiry(asked_at_nine(119))).key == "MSG:10:119"
