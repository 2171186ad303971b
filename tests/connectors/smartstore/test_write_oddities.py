"""Writes at a mall that answers strangely: late, half, for others, or with somebody else in between."""

from datetime import date
from typing import Any

import httpx
import pytest

from hub.core.contract import Answer, HoldReason, LineAction, Outcome
from hub.core.errors import AccessError, TransientMallError
from hub.core.model import ClaimReason, Inquiry, Line, Order, Product

from .conftest import DETAIL, INQUIRIES, QNAS, Call, detail, details, inquiry, inquiry_page, qna, qna_page, refusal
from .test_actions import asked

LINES = "/v1/pay-order/seller/product-orders"
PARCEL = {"carrier": "CJGLS", "tracking_no": "600000000001"}


class Shelf:
    """Line 1 as the mall shows it; ``after`` is what it becomes when a write arrives."""

    def __init__(self, mall: Any) -> None:
        self._mall = mall
        self.product: dict[str, Any] = {}
        self.sections: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        self.answer: Any = {"data": {"successProductOrderIds": ["1"], "failProductOrderInfos": []}}
        mall.on(DETAIL, lambda _: details([{**detail("1", **self.product), **self.sections}]))

    def claim(self, kind: str, status: str, **fields: Any) -> None:
        word = kind.upper()
        self.product |= {"claimType": word, "claimStatus": status, "claimId": "9"}
        self.sections["currentClaim"] = {kind: {"claimId": "9", "claimStatus": status, **fields}}

    def takes(self, path: str) -> None:
        def act(_call: Call) -> httpx.Response:
            self.product |= self.after.get("productOrder", {})
            self.sections |= {name: value for name, value in self.after.items() if name != "productOrder"}
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer if isinstance(self.answer, httpx.Response) else httpx.Response(200, json=self.answer)

        self._mall.on(LINES + path, act)


@pytest.fixture
def shelf(mall) -> Shelf:
    return Shelf(mall)


def action(**fields: Any) -> LineAction:
    line = Line(line_no="1", status="preparing", raw_status="PAYED", quantity=1, product=Product(name=""))
    return LineAction(order_no="O1", line=line, **fields)


def sent(number: str = "600000000001", company: str = "CJGLS") -> dict[str, Any]:
    return {
        "productOrder": {"productOrderStatus": "DELIVERING"},
        "delivery": {"deliveryCompany": company, "trackingNumber": number},
    }


async def test_an_accepted_write_that_does_not_show_yet_is_pending(shop, mall, shelf):
    shelf.takes("/dispatch")

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.PENDING
    assert result.lines[0].mall_message
    assert len(mall.called(f"{LINES}/dispatch")) == 1


@pytest.mark.parametrize(
    ("claim", "outcome"),
    [("CANCEL_REJECT", Outcome.DONE), ("CANCEL_REQUEST", Outcome.PENDING), (None, Outcome.PENDING)],
)
async def test_a_refused_cancel_is_done_only_when_the_request_shows_withdrawn(shop, shelf, claim, outcome):
    shelf.claim("cancel", "CANCEL_REQUEST")
    shelf.after = sent()
    if claim is None:
        shelf.after |= {"currentClaim": None}
        shelf.after["productOrder"] |= {"claimType": None, "claimStatus": None, "claimId": None}
    else:
        shelf.after["productOrder"] |= {"claimStatus": claim}
        shelf.after["currentClaim"] = {"cancel": {"claimId": "9", "claimStatus": claim}}
    shelf.takes("/dispatch")

    result = await shop.refuse_cancel(action(**PARCEL))

    assert result.outcome is outcome


async def test_a_refused_cancel_that_cannot_be_read_back_is_not_called_done(shop, mall, shelf):
    shelf.claim("cancel", "CANCEL_REQUEST")

    def act(_call: Call) -> httpx.Response:
        mall.on(DETAIL, lambda _: refusal(503, "GW.BLOCK.01"))
        return httpx.Response(200, json=shelf.answer)

    mall.on(f"{LINES}/dispatch", act)

    result = await shop.refuse_cancel(action(**PARCEL))

    assert result.outcome is Outcome.PENDING


async def test_a_dispatch_that_cannot_be_read_back_is_done_by_the_malls_word(shop, mall, shelf):
    def act(_call: Call) -> httpx.Response:
        mall.on(DETAIL, lambda _: refusal(503, "GW.BLOCK.01"))
        return httpx.Response(200, json=shelf.answer)

    mall.on(f"{LINES}/dispatch", act)

    result = await shop.dispatch(action(**PARCEL))

    assert (result.outcome, result.readings) == (Outcome.DONE, ())


async def test_a_refund_in_progress_is_not_refused_by_sending(shop, mall, shelf):
    shelf.claim("cancel", "CANCELING")

    result = await shop.refuse_cancel(action(**PARCEL))

    assert result.outcome is Outcome.REFUSED
    assert mall.called(f"{LINES}/dispatch") == []


async def test_somebody_elses_parcel_after_a_lost_answer_is_not_ours(shop, shelf):
    shelf.after = sent("400000000009", "HANJIN")
    shelf.answer = httpx.ReadTimeout("slow")
    shelf.takes("/dispatch")

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.REFUSED


async def test_the_words_of_a_failing_server_are_kept_with_the_doubt(shop, shelf):
    shelf.answer = refusal(500, "9999", "일시적인 오류입니다.")
    shelf.takes("/dispatch")

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.UNKNOWN
    assert (result.lines[0].mall_message or "").startswith("일시적인 오류입니다. (")


@pytest.mark.parametrize("shown", ["6000-0000-0001", "600000000001", None])
async def test_a_parcel_may_show_with_hyphens_by_name_or_not_at_all(shop, shelf, shown):
    shelf.after = sent()
    shelf.after["delivery"] = {"deliveryCompany": "CJ대한통운", "trackingNumber": shown}
    shelf.answer = httpx.ReadTimeout("slow")
    shelf.takes("/dispatch")

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.DONE


async def test_a_return_refused_by_somebody_else_after_a_lost_refund(shop, shelf):
    shelf.product["productOrderStatus"] = "DELIVERED"
    shelf.claim("return", "COLLECT_DONE")
    shelf.after = {"currentClaim": {"return": {"claimId": "9", "claimStatus": "RETURN_REJECT"}}}
    shelf.answer = httpx.ReadTimeout("slow")
    shelf.takes("/1/claim/return/approve")

    result = await shop.complete_return(action())

    assert result.outcome is Outcome.REFUSED


async def test_a_refund_of_a_cancel_that_stays_in_progress_proves_nothing(shop, shelf):
    shelf.claim("cancel", "CANCELING")
    shelf.answer = httpx.ReadTimeout("slow")
    shelf.takes("/1/claim/cancel/approve")

    result = await shop.approve_cancel(action())

    assert result.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [{}, {"data": None}, {"data": {}}, {"data": {"successProductOrderInfos": [{"productOrderId": "2"}]}}, []],
    ids=str,
)
async def test_a_good_answer_that_names_nobody_is_no_yes(shop, mall, shelf, body):
    shelf.product["placeOrderStatus"] = "NOT_YET"
    shelf.answer = body
    shelf.takes("/confirm")

    result = await shop.confirm(action())

    assert result.outcome is Outcome.UNKNOWN
    assert len(mall.called(f"{LINES}/confirm")) == 1


async def test_a_failure_without_a_line_is_ours_and_one_of_another_is_not(shop, shelf):
    shelf.product["placeOrderStatus"] = "NOT_YET"
    shelf.takes("/confirm")
    shelf.answer = {"data": {"failProductOrderInfos": [{"code": "104443", "message": None}]}}
    ours = await shop.confirm(action())
    shelf.answer = {"data": {"failProductOrderInfos": [{"productOrderId": "2", "code": "9999", "message": "x"}]}}
    others = await shop.confirm(action())

    assert (ours.outcome, ours.lines[0].mall_message) == (Outcome.REFUSED, "104443")
    assert others.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["successProductOrderIds", "successProductOrderInfos"])
async def test_numbers_may_come_as_numbers_and_in_either_list(shop, shelf, name):
    shelf.product["placeOrderStatus"] = "NOT_YET"
    shelf.after = {"productOrder": {"placeOrderStatus": "OK"}}
    shelf.answer = {"data": {name: [1] if name.endswith("Ids") else [{"productOrderId": 1}]}}
    shelf.takes("/confirm")

    result = await shop.confirm(action())

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.DONE, None)


async def test_a_line_that_does_not_say_whether_it_is_confirmed_may_be_sent(shop, shelf):
    shelf.product["placeOrderStatus"] = None
    shelf.after = sent()
    shelf.takes("/dispatch")

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.DONE


@pytest.mark.parametrize("status", ["ADMIN_CANCELING", "SOMETHING_NEW"])
async def test_nothing_is_sent_over_a_claim_that_is_not_understood(shop, mall, shelf, status):
    shelf.product |= {"claimType": "ADMIN_CANCEL", "claimStatus": status}

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.REFUSED
    assert mall.called(f"{LINES}/dispatch") == []


async def test_a_line_that_cannot_be_read_is_left_alone(shop, mall, shelf):
    shelf.product["quantity"] = "many"

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.REFUSED
    assert mall.called(f"{LINES}/dispatch") == []
    assert result.readings[0].error


async def test_a_delay_without_words_says_what_its_reason_means(shop, mall, shelf):
    shelf.takes("/1/delay")

    await shop.delay(action(ship_on=date(2026, 3, 20)))
    await shop.delay(action(ship_on=date(2026, 3, 20), reason=ClaimReason.CHANGE_OF_MIND, text="휴가"))

    bodies = [call.json for call in mall.called(f"{LINES}/1/delay")]
    assert bodies == [
        {
            "dispatchDueDate": "2026-03-20T23:59:59.000+09:00",
            "delayedDispatchReason": "PRODUCT_PREPARE",
            "dispatchDelayedDetailedReason": "상품 준비 중",
        },
        {
            "dispatchDueDate": "2026-03-20T23:59:59.000+09:00",
            "delayedDispatchReason": "CUSTOMER_REQUEST",
            "dispatchDelayedDetailedReason": "휴가",
        },
    ]


async def test_a_delay_to_the_day_that_stands_is_not_sent(shop, mall, shelf):
    shelf.product["shippingDueDate"] = "2026-03-20T23:59:59.000+09:00"
    first = await shop.delay(action(ship_on=date(2026, 3, 20)))
    shelf.product["delayedDispatchReason"] = "PRODUCT_PREPARE"
    second = await shop.delay(action(ship_on=date(2026, 3, 20)))

    assert (first.outcome, second.outcome) == (Outcome.REFUSED, Outcome.DONE)
    assert mall.called(f"{LINES}/1/delay") == []


async def test_a_return_without_a_parcel_orders_no_courier(shop, mall, shelf):
    shelf.product["productOrderStatus"] = "DELIVERED"
    shelf.takes("/1/claim/return/request")

    await shop.file_return(action(reason=ClaimReason.DEFECT, text="전원이 안 켜져요"))

    (call,) = mall.called(f"{LINES}/1/claim/return/request")
    assert call.json == {"returnReason": "BROKEN", "collectDeliveryMethod": "RETURN_INDIVIDUAL"}


@pytest.mark.parametrize("act", ["complete_return", "release_return", "collect_exchange", "release_exchange"])
async def test_approvals_have_no_body(shop, mall, shelf, act):
    word = act.rpartition("_")[2]
    shelf.product["productOrderStatus"] = "DELIVERED"
    held = {"holdbackStatus": "HOLDBACK"} if act.startswith("release") else {}
    shelf.claim(word, f"{word.upper()}_REQUEST", **held)
    path = {
        "complete_return": "/1/claim/return/approve",
        "release_return": "/1/claim/return/holdback/release",
        "collect_exchange": "/1/claim/exchange/collect/approve",
        "release_exchange": "/1/claim/exchange/holdback/release",
    }[act]
    shelf.takes(path)

    await getattr(shop, act)(action())

    (call,) = mall.called(LINES + path)
    assert (call.method, call.body) == ("POST", b"")


async def test_a_number_of_a_line_stays_one_part_of_the_address(shop, mall, shelf):
    line = Line(line_no="../7?x=1", status="paid", raw_status="PAYED", quantity=1, product=Product(name=""))
    mall.on(DETAIL, lambda _: details([detail("../7?x=1")]))
    seen: list[bytes] = []

    def note(call: Call) -> httpx.Response:
        seen.append(call.body)
        return httpx.Response(200, json={})

    mall.on(f"{LINES}/../7?x=1/delay", note)

    await shop.delay(LineAction(order_no="O1", line=line, ship_on=date(2026, 3, 20)))

    assert len(seen) == 1


async def test_a_token_refused_before_a_write_is_renewed_and_the_write_sent_once_more(shop, mall, shelf):
    shelf.after = sent()
    shelf.takes("/dispatch")
    take = mall.handlers[f"{LINES}/dispatch"]

    def refuse_the_token(_call: Call) -> httpx.Response:
        mall.on(f"{LINES}/dispatch", take)
        return refusal(401, "GW.AUTHN")

    mall.on(f"{LINES}/dispatch", refuse_the_token)

    result = await shop.dispatch(action(**PARCEL))

    assert result.outcome is Outcome.DONE
    assert (len(mall.called(f"{LINES}/dispatch")), mall.tokens) == (2, 2)


async def test_a_write_without_permission_or_under_penalty_is_a_matter_of_access(shop, mall, shelf):
    for answer in (refusal(403, "GW.AUTHZ"), refusal(429, "GW.QUOTA_LIMIT", GNCP_GW_Quota_Period="HOURS")):
        shelf.answer = answer
        shelf.takes("/dispatch")
        with pytest.raises(AccessError):
            await shop.dispatch(action(**PARCEL))

    assert len(mall.called(f"{LINES}/dispatch")) == 2


async def test_a_mall_that_was_never_reached_did_nothing(shop, mall, shelf):
    shelf.answer = httpx.ConnectError("refused")
    shelf.takes("/dispatch")

    with pytest.raises(TransientMallError):
        await shop.dispatch(action(**PARCEL))


# -- changing an answer

EDIT = "/v1/pay-merchant/inquiries/7/answer/710000001"
QNA_EDIT = "/v1/contents/qnas/7"


@pytest.fixture
def board(mall):
    state: dict[str, Any] = {"inquiry": "옛 글", "qna": "옛 글", "number": 710000001}

    def change(kind: str):
        def put(call: Call) -> httpx.Response:
            state[kind] = call.json.get("answerComment") or call.json["commentContent"]
            return httpx.Response(200, json={"data": {"inquiryNo": 7, "inquiryCommentNo": 710000001}})

        return put

    mall.on(
        INQUIRIES,
        lambda _: inquiry_page(
            [
                inquiry(
                    7,
                    answered=state["inquiry"] is not None,
                    answerContent=state["inquiry"],
                    answerContentId=state["number"],
                )
            ]
        ),
    )
    mall.on(QNAS, lambda _: qna_page([qna(7, answered=state["qna"] is not None, answer=state["qna"])]))
    mall.on(EDIT, change("inquiry"))
    mall.on(QNA_EDIT, change("qna"))
    return state


PATHS = {"inquiry": EDIT, "qna": QNA_EDIT}


@pytest.mark.parametrize("kind", PATHS)
async def test_an_answer_is_changed_once_and_read_back(shop, mall, board, kind):
    result = await shop.change_answer(Answer(inquiry=asked(f"{kind}:7"), text="새 글"))

    (call,) = mall.called(PATHS[kind])
    assert call.method == "PUT"
    assert call.json == ({"answerComment": "새 글"} if kind == "inquiry" else {"commentContent": "새 글"})
    assert result.outcome is Outcome.DONE
    (reading,) = result.readings
    assert isinstance(reading.record, Inquiry)
    assert reading.record.answer == "새 글"


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize(
    ("standing", "outcome"), [("새 글", Outcome.DONE), (None, Outcome.REFUSED)], ids=["same words", "no answer"]
)
async def test_an_answer_that_need_not_or_cannot_change_is_not_sent(shop, mall, board, kind, standing, outcome):
    board[kind] = standing

    result = await shop.change_answer(Answer(inquiry=asked(f"{kind}:7"), text="새  글"))

    assert result.outcome is outcome
    assert mall.called(PATHS[kind]) == []


async def test_an_answer_without_a_number_is_left_to_the_seller_centre(shop, mall, board):
    board["number"] = None

    result = await shop.change_answer(Answer(inquiry=asked("inquiry:7"), text="새 글"))

    assert result.outcome is Outcome.REFUSED
    assert mall.called(EDIT) == []


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize(
    ("becomes", "outcome"),
    [("새 글", Outcome.DONE), ("옛 글", Outcome.UNKNOWN), ("남의 글", Outcome.REFUSED)],
    ids=["ours", "unchanged", "another"],
)
async def test_a_lost_change_is_settled_by_the_text(shop, mall, board, kind, becomes, outcome):
    def lose(_call: Call) -> httpx.Response:
        board[kind] = becomes
        raise httpx.ReadTimeout("slow")

    mall.on(PATHS[kind], lose)

    result = await shop.change_answer(Answer(inquiry=asked(f"{kind}:7"), text="새 글"))

    assert result.outcome is outcome
    assert len(mall.called(PATHS[kind])) == 1


async def test_a_question_that_shows_only_its_first_answer_leaves_the_change_pending(shop, mall, board):
    mall.on(QNA_EDIT, lambda _: httpx.Response(200, json={}))

    result = await shop.change_answer(Answer(inquiry=asked("qna:7"), text="새 글"))

    assert result.outcome is Outcome.PENDING


async def test_a_changed_address_is_told_and_read(shop, shelf):
    shelf.product["placeOrderStatus"] = "NOT_YET"
    shelf.after = {"productOrder": {"placeOrderStatus": "OK", "shippingAddress": {"baseAddress": "새 주소"}}}
    shelf.answer = {"data": {"successProductOrderInfos": [{"productOrderId": "1", "isReceiverAddressChanged": "true"}]}}
    shelf.takes("/confirm")

    result = await shop.confirm(action())

    assert result.outcome is Outcome.DONE
    assert "address has changed" in (result.lines[0].mall_message or "")
    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    assert reading.record.receiver is not None
    assert reading.record.receiver.address is not None
    assert reading.record.receiver.address.base == "새 주소"


@pytest.mark.parametrize(
    ("why", "fee", "sent"),
    [
        (HoldReason.EXTRA_FEE, 3_000, ("EXTRAFEEE", 3_000)),
        (HoldReason.FEE_UNPAID, 3_000, ("RETURN_DELIVERYFEE_AND_EXTRAFEEE", 3_000)),
        (HoldReason.FEE_UNPAID, None, ("RETURN_DELIVERYFEE", 0)),
        (HoldReason.OTHER, None, ("ETC", 0)),
    ],
)
async def test_a_hold_asks_for_its_fee(shop, mall, shelf, why, fee, sent):
    shelf.claim("return", "RETURN_REQUEST")
    shelf.after = {
        "currentClaim": {"return": {"claimId": "9", "claimStatus": "COLLECTING", "holdbackStatus": "HOLDBACK"}}
    }
    shelf.takes("/1/claim/return/holdback")

    result = await shop.hold_return(action(text="도서산간 추가 비용", hold_reason=why, fee=fee))

    (call,) = mall.called(f"{LINES}/1/claim/return/holdback")
    assert (call.json["holdbackClassType"], call.json["extraReturnFeeAmount"]) == sent
    assert result.outcome is Outcome.DONE
