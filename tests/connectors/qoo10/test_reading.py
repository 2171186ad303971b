"""Runs over orders, claims and inquiries: which calls are made, what is shown, how a run continues."""

from datetime import UTC, datetime, timedelta

from hub.core.contract import OpenKeys, Span
from hub.core.model import LineStatus
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
    assert {(call.form["SearchStartDate"], call.form["SearchEndDate"]) for call in mall.calls} == {
        ("20260824120000", "20261008120000"),
        ("20261008120000", "20261122120000"),
    }


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
        number = int(call.form["ShippingStatus"]) + (10 if call.form["SearchStartDate"] > "202610" else 0)
        return ok([row(number)])

    mall.answer = answer
    pages = await all_pages(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))
    keys = [reading.key for page in pages for reading in page.readings]

    for index, page in enumerate(pages):
        rest = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=page.cursor))
        assert [reading.key for reading in rest] == keys[index + 1 :]
    assert keys == ["1", "2", "3", "4", "5", "11", "12", "13", "14", "15"]
    assert [page.progress for page in pages] == sorted(page.progress for page in pages)
    assert pages[-1].progress == 1.0


async def test_a_list_of_a_round_count_is_read_again_in_halves(mall: Mall):
    """A hidden cap of 500 rows: every row must come all the same."""
    since, step = datetime(2026, 8, 24, 3, tzinfo=UTC), timedelta(hours=1)
    held = {
        f"{since + step * number:%Y%m%d%H%M%S}": row(number, OrderDate=f"{since + step * number:%Y-%m-%d %H:%M:%S}")
        for number in range(1, 1500)
    }

    def answer(call: Call):
        if call.form["ShippingStatus"] != "2":
            return ok([])
        first, last = (
            f"{datetime.strptime(call.form[name], '%Y%m%d%H%M%S') - timedelta(hours=9):%Y%m%d%H%M%S}"
            for name in ("SearchStartDate", "SearchEndDate")
        )
        return ok([held[at] for at in sorted(held) if first <= at <= last][:500])

    mall.answer = answer

    readings = await all_readings(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))

    assert {reading.key for reading in readings} == {str(number) for number in range(1, 1500)}


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


async def test_a_failed_call_ends_the_run(mall: Mall):
    mall.answer = lambda call: refused(-90002)
    seen = None
    try:
        await all_pages(mall.open().read_orders(FULL, open_keys=NOTHING, cursor=None))
    except Exception as error:
        seen = error

    assert (seen.kind, seen.mall_code, len(mall.calls)) == ("access", "-90002", 1)
