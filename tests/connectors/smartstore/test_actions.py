"""Writes: once at most, never over somebody's answer, settled by reading when the answer is lost."""

from datetime import UTC, datetime

import httpx
import pytest

from hub.core.contract import Answer, LineAction, Outcome
from hub.core.errors import AccessError, NotFoundAtMallError, RejectedByMallError
from hub.core.model import Inquiry, Line, Order, Product

from .conftest import DETAIL, INQUIRIES, QNAS, Call, detail, details, inquiry, inquiry_page, qna, qna_page, refusal

ANSWER = "/v1/pay-merchant/inquiries/7/answer"
QNA_ANSWER = "/v1/contents/qnas/7"
APPROVE = "/v1/pay-order/seller/product-orders/1/claim/cancel/approve"


def asked(number: str) -> Inquiry:
    return Inquiry(
        inquiry_no=number,
        thread_no=number,
        kind="order_inquiry",
        state="unanswered",
        raw_state="false",
        asked_at=datetime(2026, 3, 4, 23, 0, tzinfo=UTC),
        text="",
        write_ref=number.partition(":")[2],
    )


@pytest.fixture
def board(mall):
    """Question 7 on both lists; an answer that is sent stands there afterwards."""
    state: dict[str, str | None] = {"inquiry": None, "qna": None}

    def listed(make, kind: str):
        text = state[kind]
        return make(
            7,
            answered=text is not None,
            **({("answerContent" if kind == "inquiry" else "answer"): text} if text else {}),
        )

    def post(call: Call) -> httpx.Response:
        if state["inquiry"] is not None:
            return refusal(400, "ERR-NC-101010", "이미 답변이 등록된 문의입니다.")
        state["inquiry"] = call.json["answerComment"]
        return httpx.Response(200, json={"data": {"inquiryNo": 7, "inquiryCommentNo": 710000001}})

    def put(call: Call) -> httpx.Response:
        state["qna"] = call.json["commentContent"]
        return httpx.Response(200, json={})

    mall.on(INQUIRIES, lambda _: inquiry_page([listed(inquiry, "inquiry")]))
    mall.on(QNAS, lambda _: qna_page([listed(qna, "qna")]))
    mall.on(ANSWER, post)
    mall.on(QNA_ANSWER, put)
    return state


@pytest.mark.parametrize(
    ("number", "path", "method", "body"),
    [
        ("inquiry:7", ANSWER, "POST", {"answerComment": "내일 갑니다"}),
        ("qna:7", QNA_ANSWER, "PUT", {"commentContent": "내일 갑니다"}),
    ],
)
async def test_an_answer_is_sent_once_and_read_back(shop, mall, board, number, path, method, body):
    result = await shop.answer_inquiry(Answer(inquiry=asked(number), text=" 내일 갑니다\n"))

    (call,) = mall.called(path)
    assert (call.method, call.json) == (method, body)
    assert result.outcome is Outcome.DONE
    (reading,) = result.readings
    assert isinstance(reading.record, Inquiry)
    assert reading.record.answer == "내일 갑니다"


@pytest.mark.parametrize("kind", ["inquiry", "qna"])
@pytest.mark.parametrize(
    ("standing", "outcome"), [("같은 글", Outcome.DONE), ("다른 글", Outcome.REFUSED)], ids=["ours", "another"]
)
async def test_an_answer_that_stands_is_never_replaced(shop, mall, board, kind, standing, outcome):
    board[kind] = standing

    result = await shop.answer_inquiry(Answer(inquiry=asked(f"{kind}:7"), text="같은  글"))

    assert result.outcome is outcome
    assert mall.called(ANSWER) + mall.called(QNA_ANSWER) == []


@pytest.mark.parametrize(
    ("standing", "outcome", "message"),
    [
        ("우리 글", Outcome.DONE, None),
        ("남의 글", Outcome.REFUSED, "이미 답변이 등록된 문의입니다."),
        (None, Outcome.REFUSED, "이미 답변이 등록된 문의입니다."),
    ],
    ids=["ours", "another", "none shown"],
)
async def test_already_answered_is_settled_by_the_text(shop, mall, board, standing, outcome, message):
    def post(_call):
        board["inquiry"] = standing
        return refusal(400, "ERR-NC-101010", "이미 답변이 등록된 문의입니다.")

    mall.on(ANSWER, post)

    result = await shop.answer_inquiry(Answer(inquiry=asked("inquiry:7"), text="우리 글"))

    assert (result.outcome, result.lines[0].mall_message) == (outcome, message)
    assert len(mall.called(ANSWER)) == 1


@pytest.mark.parametrize("kind", ["inquiry", "qna"])
@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("lost", ["time-out", "500", "cut off"])
async def test_a_lost_answer_is_looked_for_and_never_repeated(shop, mall, board, kind, is_done, lost):
    def answer(call: Call) -> httpx.Response:
        if is_done:
            board[kind] = call.json.get("answerComment") or call.json["commentContent"]
        if lost == "time-out":
            raise httpx.ReadTimeout("slow")
        return refusal(500, "GW.PROXY.03") if lost == "500" else httpx.Response(200, content=b'{"data"')

    path = ANSWER if kind == "inquiry" else QNA_ANSWER
    mall.on(path, answer)

    result = await shop.answer_inquiry(Answer(inquiry=asked(f"{kind}:7"), text="글"))

    assert result.outcome is (Outcome.DONE if is_done else Outcome.UNKNOWN)
    assert len(mall.called(path)) == 1


async def test_a_limiter_that_refused_an_answer_did_not_act_so_it_is_sent_again(shop, mall, board):
    real = mall.handlers[ANSWER]
    answers = [lambda _: refusal(429, "GW.RATE_LIMIT"), real]

    def next_answer(call: Call) -> httpx.Response:
        return answers.pop(0)(call)

    mall.on(ANSWER, next_answer)

    result = await shop.answer_inquiry(Answer(inquiry=asked("inquiry:7"), text="글"))

    assert result.outcome is Outcome.DONE
    assert len(mall.called(ANSWER)) == 2


async def test_a_failed_reading_back_does_not_undo_a_done_answer(shop, mall, board):
    real = mall.handlers[ANSWER]

    def post(call: Call) -> httpx.Response:
        mall.on(INQUIRIES, lambda _: refusal(503, "GW.BLOCK.01"))
        return real(call)

    mall.on(ANSWER, post)

    result = await shop.answer_inquiry(Answer(inquiry=asked("inquiry:7"), text="글"))

    assert (result.outcome, result.readings) == (Outcome.DONE, ())


@pytest.mark.parametrize("text", ["", "  \n", "가" * 4001], ids=["empty", "blank", "too long"])
async def test_a_text_that_cannot_be_sent_is_refused_before_any_call(shop, mall, board, text):
    with pytest.raises(RejectedByMallError) as caught:
        await shop.answer_inquiry(Answer(inquiry=asked("inquiry:7"), text=text))

    assert "4000" in str(caught.value)
    assert mall.calls == []


async def test_an_answer_without_permission_is_a_matter_of_access(shop, mall, board):
    mall.on(ANSWER, lambda _: refusal(403, "GW.AUTHZ"))

    with pytest.raises(AccessError):
        await shop.answer_inquiry(Answer(inquiry=asked("inquiry:7"), text="글"))


async def test_an_inquiry_that_is_gone_is_not_answered(shop, mall, board):
    mall.on(INQUIRIES, lambda _: inquiry_page([]))

    with pytest.raises(NotFoundAtMallError):
        await shop.answer_inquiry(Answer(inquiry=asked("inquiry:7"), text="글"))

    assert mall.called(ANSWER) == []


# -- cancels


@pytest.fixture
def line(mall):
    """Line 1 with a cancel request; approving it cancels the line."""
    state = {"status": "CANCEL_REQUEST", "claim": "9"}

    def show(_call: Call) -> httpx.Response:
        claim = {"claimId": state["claim"], "claimStatus": state["status"], "cancelReason": "INTENT_CHANGED"}
        product = {"claimType": "CANCEL", "claimStatus": state["status"], "claimId": state["claim"]}
        return details([{**detail("1", **product), "currentClaim": {"cancel": claim}}])

    def approve(_call: Call) -> httpx.Response:
        state["status"] = "CANCEL_DONE"
        return httpx.Response(200, json={"data": {"successProductOrderIds": ["1"], "failProductOrderInfos": []}})

    mall.on(DETAIL, show)
    mall.on(APPROVE, approve)
    return state


async def decision(shop, *, with_claim: bool = True) -> LineAction:
    (reading,) = await shop.read_order("O1", ("1",))
    assert isinstance(reading.record, Order)
    claim = reading.record.claims[0] if with_claim else None
    line = Line(line_no="1", status="preparing", raw_status="PAYED", quantity=1, product=Product(name=""))
    return LineAction(order_no="O1", line=line, claim=claim)


@pytest.mark.parametrize("with_claim", [True, False])
@pytest.mark.parametrize("status", ["CANCEL_REQUEST", "CANCELING"])
async def test_a_cancel_is_approved_without_a_body_and_read_back(shop, mall, line, with_claim, status):
    line["status"] = status
    wanted = await decision(shop, with_claim=with_claim)

    result = await shop.approve_cancel(wanted)

    (call,) = mall.called(APPROVE)
    assert (call.method, call.body) == ("POST", b"")
    assert result.outcome is Outcome.DONE
    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    assert reading.record.claims[0].raw_state == "CANCEL_DONE"


@pytest.mark.parametrize("status", ["CANCEL_DONE", "CANCEL_REJECT", "SOMETHING_NEW"])
async def test_a_request_that_is_not_open_is_not_approved(shop, mall, line, status):
    wanted = await decision(shop)
    line["status"] = status

    result = await shop.approve_cancel(wanted)

    assert result.outcome is Outcome.REFUSED
    assert result.lines[0].mall_message
    assert len(result.readings) == 1
    assert mall.called(APPROVE) == []


async def test_another_request_than_the_agent_saw_is_not_approved(shop, mall, line):
    wanted = await decision(shop)
    line["claim"] = "10"

    result = await shop.approve_cancel(wanted)

    assert result.outcome is Outcome.REFUSED
    assert mall.called(APPROVE) == []


async def test_a_refusal_inside_a_good_answer_is_shown(shop, mall, line):
    failed = [{"productOrderId": "1", "code": "9999", "message": "배송 중인 주문입니다"}]
    mall.on(
        APPROVE,
        lambda _: httpx.Response(200, json={"data": {"successProductOrderIds": [], "failProductOrderInfos": failed}}),
    )

    result = await shop.approve_cancel(await decision(shop))

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.REFUSED, "배송 중인 주문입니다")


async def test_a_refusal_by_status_is_shown(shop, mall, line):
    mall.on(APPROVE, lambda _: refusal(400, "9999", "승인할 수 없는 상태"))

    result = await shop.approve_cancel(await decision(shop))

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.REFUSED, "승인할 수 없는 상태")


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {}}, {"data": {"successProductOrderIds": ["2"]}}, []], ids=str
)
@pytest.mark.parametrize(
    ("becomes", "outcome"),
    [
        ("CANCEL_REQUEST", Outcome.UNKNOWN),
        ("CANCELING", Outcome.DONE),
        ("CANCEL_DONE", Outcome.DONE),
        ("CANCEL_REJECT", Outcome.REFUSED),
    ],
)
async def test_an_answer_that_names_nothing_is_settled_by_reading(shop, mall, line, body, becomes, outcome):
    wanted = await decision(shop)

    def approve(_call: Call) -> httpx.Response:
        line["status"] = becomes
        return httpx.Response(200, json=body)

    mall.on(APPROVE, approve)

    result = await shop.approve_cancel(wanted)

    assert result.outcome is outcome
    assert len(mall.called(APPROVE)) == 1


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_lost_approval_is_looked_for_and_never_repeated(shop, mall, line, is_done):
    def approve(_call: Call) -> httpx.Response:
        if is_done:
            line["status"] = "CANCEL_DONE"
        raise httpx.ReadTimeout("slow")

    mall.on(APPROVE, approve)

    result = await shop.approve_cancel(await decision(shop))

    assert result.outcome is (Outcome.DONE if is_done else Outcome.UNKNOWN)
    assert len(mall.called(APPROVE)) == 1
