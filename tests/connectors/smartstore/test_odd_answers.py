"""Answers that are legal HTTP and no data: nothing is lost in silence, and one bad value costs one record."""

import json
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from connectors.smartstore.mapping import read_detail, read_inquiry
from connectors.smartstore.orders import OrdersCursor
from hub.core.contract import Answer, Outcome
from hub.core.errors import AccessError, MalformedResponseError, MallError, RejectedByMallError, UnavailableError
from hub.core.model import ClaimState, Inquiry, Order
from hub.core.paging import encode_cursor

from . import test_inquiries, test_orders
from .conftest import (
    DETAIL,
    FEED,
    INQUIRIES,
    NOW,
    QNAS,
    TOKEN,
    Call,
    detail,
    details,
    feed,
    inquiry,
    kst,
    qna,
    qna_page,
    refusal,
)
from .test_actions import QNA_ANSWER, asked
from .test_write_oddities import LINES, Shelf, action

FAILURE = {"code": "INTERNAL_SERVER_ERROR", "message": "잠시 후 다시", "timestamp": 1772668021120}
REFUSAL = {"code": "9999", "message": "처리할 수 없습니다.", "traceId": "t-9"}


@pytest.fixture
def shelf(mall) -> Shelf:
    return Shelf(mall)


# -- an error under HTTP 200


@pytest.mark.parametrize("path", [FEED, DETAIL, INQUIRIES, QNAS])
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (FAILURE, UnavailableError),
        ({**FAILURE, "data": None, "contents": None}, UnavailableError),
        ({"code": "GW.BLOCK.01", "message": "x"}, UnavailableError),
        ({"code": "GW.AUTHN", "message": "x"}, AccessError),
        (REFUSAL, RejectedByMallError),
    ],
    ids=["server", "null beside it", "gateway", "access", "refusal"],
)
async def test_an_error_under_a_success_is_no_empty_list(shop, mall, path, body, error):
    mall.on(FEED, lambda _: feed(["1"]))
    mall.on(path, lambda _: httpx.Response(200, json=body))
    read = test_orders.pages if path in {FEED, DETAIL} else test_inquiries.pages

    with pytest.raises(MallError) as raised:
        await read(shop)

    assert type(raised.value) is error


async def test_a_code_beside_data_is_no_error(shop, mall):
    mall.on(
        FEED,
        lambda _: httpx.Response(
            200, json={"code": "OK", "message": "ok", "data": {"lastChangeStatuses": [{"productOrderId": 5}]}}
        ),
    )

    assert set(test_orders.keys(await test_orders.pages(shop))) == {"5"}


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_refusal_under_a_success_is_believed_only_where_reading_shows_nothing(shop, mall, shelf, is_done):
    shelf.product["placeOrderStatus"] = "NOT_YET"
    if is_done:
        shelf.after = {"productOrder": {"placeOrderStatus": "OK"}}
    shelf.answer = REFUSAL
    shelf.takes("/confirm")

    result = await shop.confirm(action())

    assert result.outcome is (Outcome.DONE if is_done else Outcome.REFUSED)
    assert is_done or result.lines[0].mall_message == REFUSAL["message"]
    assert len(mall.called(f"{LINES}/confirm")) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [(DETAIL, {}), (DETAIL, {"data": None}), (INQUIRIES, {}), (QNAS, {"page": 1, "size": 100})],
    ids=str,
)
async def test_an_answer_without_its_list_is_an_error(shop, mall, path, body):
    mall.on(FEED, lambda _: feed(["1"]))
    mall.on(path, lambda _: httpx.Response(200, json=body))
    read = test_orders.pages if path == DETAIL else test_inquiries.pages

    with pytest.raises(MalformedResponseError):
        await read(shop)


@pytest.mark.parametrize("answer", [httpx.Response(200), httpx.Response(204)], ids=["200", "204"])
async def test_an_answered_question_may_be_confirmed_by_an_empty_body(shop, mall, answer):
    standing: list[str] = []

    def put(call: Call) -> httpx.Response:
        standing.append(call.json["commentContent"])
        return answer

    mall.on(QNAS, lambda _: qna_page([qna(7, answered=bool(standing), answer=standing[-1] if standing else None)]))
    mall.on(QNA_ANSWER, put)

    result = await shop.answer_inquiry(Answer(inquiry=asked("qna:7"), text="내일 갑니다"))

    assert (result.outcome, standing) == (Outcome.DONE, ["내일 갑니다"])


async def test_a_byte_order_mark_says_nothing(shop, mall):
    mall.on(FEED, lambda _: httpx.Response(200, content=b"\xef\xbb\xbf" + feed(["1"]).content))

    assert set(test_orders.keys(await test_orders.pages(shop))) == {"1"}


# -- the feed


async def test_a_place_without_a_number_is_followed_by_its_time(shop, mall):
    later = "2026-03-10T10:00:00.000+09:00"

    def answer(call: Call) -> httpx.Response:
        if call.query["lastChangedFrom"] >= later:
            assert "moreSequence" not in call.query
            return feed(["2"])
        rows = [{"productOrderId": "1"}]
        return httpx.Response(200, json={"data": {"lastChangeStatuses": rows, "more": {"moreFrom": later}}})

    mall.on(FEED, answer)

    assert set(test_orders.keys(await test_orders.pages(shop))) == {"1", "2"}


async def test_a_place_without_a_time_is_an_error(shop, mall):
    data = {"lastChangeStatuses": [{"productOrderId": "1"}], "more": {"moreFrom": None, "moreSequence": "2"}}
    mall.on(FEED, lambda _: httpx.Response(200, json={"data": data}))

    with pytest.raises(MalformedResponseError):
        await test_orders.pages(shop)


async def test_a_feed_that_goes_back_in_time_is_an_error(shop, mall):
    mall.on(FEED, lambda call: feed(["1"], ("2026-03-01T00:00:00.000+09:00", str(len(mall.calls)))))

    with pytest.raises(MalformedResponseError):
        await test_orders.pages(shop)


@pytest.mark.parametrize("behind", [1, 4, 6])
async def test_a_mall_whose_clock_is_behind_takes_what_is_past_for_it(shop, mall, behind):
    """Up to the five minutes that a token allows; beyond, the run says what was refused."""

    def answer(call: Call) -> httpx.Response:
        is_future = call.query["lastChangedTo"] > kst(NOW - timedelta(minutes=behind))
        return refusal(400, "104139") if is_future else feed(["1"])

    mall.on(FEED, answer)

    if behind < 5:
        assert set(test_orders.keys(await test_orders.pages(shop))) == {"1"}
    else:
        with pytest.raises(RejectedByMallError):
            await test_orders.pages(shop)


async def test_days_that_the_mall_has_forgotten_are_counted_and_passed(shop, mall):
    def answer(call: Call) -> httpx.Response:
        is_forgotten = call.query["lastChangedFrom"] < kst(NOW - timedelta(days=40))
        return refusal(400, "104139") if is_forgotten else feed(["1"])

    mall.on(FEED, answer)

    assert set(test_orders.keys(await test_orders.pages(shop, days=50))) == {"1"}
    assert shop.unknown_codes["feed_too_old:104139"] == 11


async def test_days_that_the_mall_must_know_are_not_passed(shop, mall):
    mall.on(
        FEED,
        lambda call: (
            refusal(400, "104139") if call.query["lastChangedFrom"] < kst(NOW - timedelta(days=20)) else feed([])
        ),
    )

    with pytest.raises(RejectedByMallError):
        await test_orders.pages(shop, days=25)


async def test_a_place_that_the_mall_takes_no_more_is_left_for_the_windows_beginning(shop, mall):
    at = kst(NOW - timedelta(hours=5))

    def answer(call: Call) -> httpx.Response:
        if call.query.get("moreSequence") == "stale":
            return refusal(400, "4000")
        return feed(["1"])

    mall.on(FEED, answer)
    until = NOW - timedelta(minutes=2)
    cursor = encode_cursor(OrdersCursor(until=until, at=NOW - timedelta(hours=9), more=(at, "stale")))

    assert set(test_orders.keys(await test_orders.pages(shop, cursor=cursor))) == {"1"}


@pytest.mark.parametrize("bad", ["9" * 21, " ", "1,2", "상품주문", True], ids=repr)
async def test_a_number_that_is_none_does_not_spoil_the_call_for_the_others(shop, mall, bad):
    def answer(call: Call) -> httpx.Response:
        asked_for = call.json["productOrderIds"]
        return details([detail(no) for no in asked_for]) if asked_for == ["1"] else refusal(400, "4000")

    mall.on(FEED, lambda _: feed([bad, "1"]))
    mall.on(DETAIL, answer)

    readings = [reading for page in await test_orders.pages(shop) for reading in page.readings]

    assert {reading.key for reading in readings if reading.error is None} == {"1"}
    assert {reading.key.partition(":")[0] for reading in readings if reading.error} == {"unreadable"}


# -- one record


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 2**31},
        {"quantity": 10**30},
        {"quantity": -1},
        {"remainQuantity": -1},
        {"totalPaymentAmount": 10**20},
        {"totalPaymentAmount": "1e40"},
        {"productId": "7" * 201},
        {"claimType": "CANCEL", "claimStatus": "CANCEL_REQUEST", "claimId": "9" * 201},
    ],
    ids=str,
)
def test_a_value_that_no_database_takes_costs_its_own_record_only(wrong):
    reading = read_detail(json.dumps(detail("1", **wrong)).encode(), Counter())

    assert reading.record is None
    assert reading.error
    assert reading.key == "1"


def test_a_tracking_number_that_is_a_novel_is_none():
    reading = read_detail(json.dumps({**detail("1"), "delivery": {"trackingNumber": "가" * 3000}}).encode(), Counter())

    assert reading.error == "a code longer than any at delivery.trackingNumber"


def test_a_name_that_is_a_novel_is_shown_in_part():
    reading = read_detail(json.dumps(detail("1", productName="가" * 9000)).encode(), Counter())

    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].product.name == "가" * 499 + "…"
    assert len(reading.raw) > 9000


@pytest.mark.parametrize("told", ["1, 2,,2", ["1", 2, None, "2"]], ids=str)
def test_the_lines_of_an_inquiry_come_as_text_or_as_a_list(told):
    reading = read_inquiry(json.dumps(inquiry(1, productOrderIdList=told)).encode(), Counter())

    assert isinstance(reading.record, Inquiry)
    assert reading.record.line_nos == ("1", "2")


def test_an_exchange_that_is_over_is_not_on_its_way():
    record = {
        **detail("1"),
        "beforeClaim": {"exchange": {"claimId": "9", "claimStatus": "EXCHANGE_REDELIVERING"}},
        "completedClaims": [
            {
                "claimId": "9",
                "claimType": "EXCHANGE",
                "claimStatus": "EXCHANGE_DONE",
                "claimCompleteOperationDate": "2026-03-09T08:00:00.000+09:00",
            }
        ],
    }

    reading = read_detail(json.dumps(record).encode(), Counter())

    assert isinstance(reading.record, Order)
    (claim,) = reading.record.claims
    assert (claim.state, claim.ended_at is not None) == (ClaimState.DONE, True)


# -- the token


@pytest.mark.parametrize("life", ["nan", "inf", 0, -5, "1e300"])
async def test_a_token_without_a_life_is_no_token(shop, mall, life):
    mall.on(TOKEN, lambda _: httpx.Response(200, json={"access_token": "t", "expires_in": life}))

    with pytest.raises(UnavailableError):
        await shop._auth.token()
