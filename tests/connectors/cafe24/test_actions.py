"""Writes: the fresh state first, one call, the mall's truth after it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.core.contract import Answer, LineAction, Outcome, WriteResult
from hub.core.errors import AccessError, RejectedByMallError
from hub.core.model import ClaimState, EndedBy, Inquiry, Line, LineStatus, Order, Product
from tests.connectors.cafe24.mall import NOW, Mall, item, order
from tests.connectors.cafe24.test_inquiries import answer, board_of, inquiries, mall_with, post

ORDER = "20261118-0000021"
LINE = f"{ORDER}-01"
POST_CANCEL = f"POST orders/{ORDER}/cancellation"
PUT_REQUESTS = "PUT cancellationrequests"


class Cancels:
    """An order with an open cancel request, and a mall that acts on it."""

    def __init__(self, **fields: Any) -> None:
        self.mall = Mall()
        self.status = "C00"
        self.fields = {"cancel_request_date": "2026-11-19T09:00:00+09:00", "quantity": 3, "claim_quantity": 2} | fields
        self.answer = httpx.Response(201, json={"cancellation": {"claim_code": "C1", "status": "accepted"}})
        self.acts = True
        self.mall.on(f"GET orders/{ORDER}", self._read)
        self.mall.on(POST_CANCEL, lambda _request: self._act("C10"))
        self.mall.on(PUT_REQUESTS, lambda _request: self._act("N20"))

    def _read(self, _request: httpx.Request) -> httpx.Response:
        line = item(order_status=self.status, order_status_before_cs="N20", **self.fields)
        return httpx.Response(200, json={"order": order(items=[line])})

    def _act(self, status: str) -> httpx.Response:
        if self.acts:
            self.status = status
        return self.answer

    async def approve(self, **credentials: Any) -> WriteResult:
        return await self.mall.open(**credentials).approve_cancel(self.decision())

    async def refuse(self, reason_text: str = "이미 출고되었습니다.") -> WriteResult:
        return await self.mall.open().refuse_cancel(self.decision(reason_text))

    @staticmethod
    def decision(reason_text: str = "") -> LineAction:
        line = Line(
            line_no=LINE, status=LineStatus.PREPARING, raw_status="C00", quantity=3, product=Product(name="린넨 셔츠")
        )
        return LineAction(order_no=ORDER, line=line, text=reason_text)


async def test_approving_accepts_the_quantity_asked_for() -> None:
    cancels = Cancels()

    result = await cancels.approve()

    assert result.outcome is Outcome.DONE
    assert cancels.mall.sent(POST_CANCEL) == [
        {"shop_no": 1, "request": {"status": "accepted", "items": [{"order_item_code": LINE, "quantity": 2}]}}
    ]
    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    assert reading.record.lines[0].raw_status == "C10"


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_refused_request_is_refused_whether_the_mall_keeps_its_date_or_not(is_kept: bool) -> None:
    """Without a trace of it the request would pass for withdrawn by the customer."""
    cancels = Cancels()

    def forget(_request: httpx.Request) -> httpx.Response:
        if not is_kept:
            cancels.fields = {"quantity": 3}
        return cancels._act("N20")

    cancels.mall.on(PUT_REQUESTS, forget)

    result = await cancels.refuse()

    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    (claim,) = reading.record.claims
    assert claim.claim_key == f"{LINE}:cancel:20261119090000"
    assert (claim.state, claim.raw_state, claim.ended_by) == (ClaimState.REJECTED, "N20", EndedBy.SELLER)


@pytest.mark.parametrize("status", [422, 500])
async def test_a_request_that_was_not_refused_is_not_told_as_refused(status: int) -> None:
    cancels = Cancels()
    cancels.acts, cancels.answer = False, httpx.Response(status, json={"error": {"code": status, "message": "no"}})

    result = await cancels.refuse()

    (reading,) = result.readings
    assert isinstance(reading.record, Order)
    assert [claim.state for claim in reading.record.claims] == [ClaimState.REQUESTED]


async def test_versions_before_2026_know_no_accepted() -> None:
    cancels = Cancels()

    await cancels.approve(api_version="2025-12-01")

    (sent,) = cancels.mall.sent(POST_CANCEL)
    assert sent["request"]["status"] == "canceling"  # type: ignore[index]


async def test_refusing_tells_the_customer_why() -> None:
    cancels = Cancels()

    result = await cancels.refuse()

    assert result.outcome is Outcome.DONE
    assert cancels.mall.sent(PUT_REQUESTS) == [
        {
            "shop_no": 1,
            "requests": [
                {
                    "order_id": ORDER,
                    "order_item_code": [LINE],
                    "undone": "T",
                    "reason_type": "I",
                    "display_reject_reason": "T",
                    "reject_reason": "이미 출고되었습니다.",
                }
            ],
        }
    ]


@pytest.mark.parametrize("status", ["N20", "C10", "C11", "C40"])
async def test_nothing_is_sent_when_no_request_is_open(status: str) -> None:
    cancels = Cancels()
    cancels.status = status

    results = [await cancels.approve(), await cancels.refuse()]

    assert [result.outcome for result in results] == [Outcome.REFUSED] * 2
    assert status in (results[0].lines[0].mall_message or "")
    assert not cancels.mall.asked(POST_CANCEL)
    assert not cancels.mall.asked(PUT_REQUESTS)


@pytest.mark.parametrize(("acts", "outcome"), [(True, Outcome.DONE), (False, Outcome.UNKNOWN)])
@pytest.mark.parametrize("status", [500, 504, 409])
async def test_a_lost_answer_is_decided_by_reading(acts: bool, outcome: Outcome, status: int) -> None:
    cancels = Cancels()
    cancels.acts = acts
    cancels.answer = httpx.Response(status, json={"error": {"code": status, "message": "?"}})

    result = await cancels.approve()

    assert result.outcome is outcome
    assert len(cancels.mall.asked(POST_CANCEL)) == 1


async def test_a_refusal_is_shown_in_the_malls_words() -> None:
    cancels = Cancels()
    cancels.acts = False
    cancels.answer = httpx.Response(422, json={"error": {"code": 422, "message": "이미 처리된 주문입니다."}})

    result = await cancels.refuse()

    assert result.outcome is Outcome.REFUSED
    assert result.lines[0].mall_message == "이미 처리된 주문입니다."
    assert len(result.readings) == 1


async def test_a_failed_element_of_a_207_is_a_refusal() -> None:
    cancels = Cancels()
    cancels.acts = False
    element = {"order_id": ORDER, "status": 422, "message": "취소 요청이 없습니다."}
    cancels.answer = httpx.Response(207, json={"cancellationrequests": [element]})

    result = await cancels.refuse()

    assert (result.outcome, result.lines[0].mall_message) == (Outcome.REFUSED, "취소 요청이 없습니다.")


@pytest.mark.parametrize("status", [201, 202])
async def test_an_accepted_write_that_does_not_show_yet_is_pending(status: int) -> None:
    cancels = Cancels()
    cancels.acts = False
    cancels.answer = httpx.Response(status, json={"cancellation": {}})

    assert (await cancels.approve()).outcome is Outcome.PENDING


async def test_a_failed_read_back_does_not_undo_what_was_sent() -> None:
    cancels = Cancels()

    def act(_request: httpx.Request) -> httpx.Response:
        cancels.mall.on(f"GET orders/{ORDER}", lambda _request: httpx.Response(403, json={}))
        return cancels.answer

    cancels.mall.on(POST_CANCEL, act)

    result = await cancels.approve()

    assert (result.outcome, result.readings) == (Outcome.DONE, ())


async def test_a_reason_that_is_too_long_is_not_sent() -> None:
    cancels = Cancels()

    with pytest.raises(RejectedByMallError):
        await cancels.refuse("가" * 2001)

    assert cancels.mall.requests == []


async def test_a_missing_permission_is_not_an_outcome() -> None:
    cancels = Cancels()
    cancels.acts = False
    cancels.answer = httpx.Response(403, json={"error": {"code": 403, "message": "scope"}})

    with pytest.raises(AccessError):
        await cancels.approve()


class Question:
    """A question of the 1:1 board, and a mall that takes answers."""

    def __init__(self, **fields: Any) -> None:
        self.posts = [post(154, days=2, **fields)]
        self.mall = mall_with()
        self.mall.on("GET boards/9/articles", board_of(self.posts))
        self.mall.on("POST boards/9/articles", self._take)
        self.takes = True
        self.answer = httpx.Response(201, json={"articles": [{"article_no": 155, "parent_article_no": 154}]})

    def _take(self, _request: httpx.Request) -> httpx.Response:
        if self.takes:
            sent = self.mall.sent("POST boards/9/articles")[-1]["requests"][0]  # type: ignore[index]
            self.posts.append(answer(155, 154, days=0, content=sent["content"]))
        return self.answer

    async def inquiry(self) -> Inquiry:
        return (await inquiries(self.mall))["9:154"]

    async def reply(self, text: str = "내일 출고됩니다.\n감사합니다 <3", inquiry: Inquiry | None = None) -> WriteResult:
        known = inquiry or await self.inquiry()
        return await self.mall.open().answer_inquiry(Answer(inquiry=known, text=text, author="상담원 김"))


async def test_an_answer_is_posted_below_its_question() -> None:
    question = Question()

    result = await question.reply()

    assert result.outcome is Outcome.DONE
    (sent,) = question.mall.sent("POST boards/9/articles")
    assert sent == {
        "shop_no": 1,
        "requests": [
            {
                "writer": "상담원 김",
                "member_id": "demomall",
                "title": "RE: 배송 언제 되나요?",
                "content": "내일 출고됩니다.<br>\n감사합니다 &lt;3",
                "client_ip": "127.0.0.1",
                "reply_article_no": 154,
                "reply_status": "C",
                "reply_user_id": "demomall",
                "secret": "T",
                "order_id": ORDER,
            }
        ],
    }
    (reading,) = result.readings
    assert isinstance(reading.record, Inquiry)
    assert reading.record.answer == "내일 출고됩니다.\n감사합니다 <3"


@pytest.mark.parametrize(("takes", "outcome"), [(True, Outcome.DONE), (False, Outcome.UNKNOWN)])
async def test_a_lost_answer_to_an_answer_is_looked_up(takes: bool, outcome: Outcome) -> None:
    question = Question()
    question.takes = takes
    question.answer = httpx.Response(504, text="")

    result = await question.reply()

    assert result.outcome is outcome
    assert len(question.mall.asked("POST boards/9/articles")) == 1


async def test_the_same_answer_again_is_not_sent_again() -> None:
    question = Question()
    before = await question.inquiry()
    await question.reply(inquiry=before)

    result = await question.reply(inquiry=before)

    assert result.outcome is Outcome.DONE
    assert len(question.mall.asked("POST boards/9/articles")) == 1


async def test_an_answer_of_somebody_else_meanwhile_refuses_ours() -> None:
    question = Question()
    before = await question.inquiry()
    question.posts.append(answer(160, 154, days=0, content="다른 답변"))

    result = await question.reply(inquiry=before)

    assert result.outcome is Outcome.REFUSED
    assert not question.mall.asked("POST boards/9/articles")


async def test_a_public_question_gets_a_public_answer_with_a_short_title() -> None:
    question = Question(secret="F", title="긴 " * 300)

    await question.reply()

    sent = question.mall.sent("POST boards/9/articles")[0]["requests"][0]  # type: ignore[index]
    assert sent["secret"] == "F"
    assert len(sent["title"]) <= 256


async def test_an_empty_answer_is_not_sent() -> None:
    question = Question()

    with pytest.raises(RejectedByMallError):
        await question.reply(" \n")

    assert not question.mall.asked("POST boards/9/articles")


async def test_an_urgent_inquiry_is_replied_to() -> None:
    mall = mall_with()
    row = {"article_no": 2, "created_date": (NOW - timedelta(days=1)).isoformat(), "content": "급해요", "status": "F"}
    mall.on("GET urgentinquiry", lambda _request: httpx.Response(200, json={"urgentinquiry": [row]}))

    def take(_request: httpx.Request) -> httpx.Response:
        row["status"] = "T"
        reply = {"article_no": 2, "created_date": NOW.isoformat(), "content": "처리했습니다."}
        mall.on("GET urgentinquiry/2/reply", {"reply": reply})
        return httpx.Response(201, json={"reply": reply})

    mall.on("POST urgentinquiry/2/reply", take)
    known = (await inquiries(mall))["urgent:2"]

    result = await mall.open().answer_inquiry(Answer(inquiry=known, text="처리했습니다."))

    assert result.outcome is Outcome.DONE
    assert mall.sent("POST urgentinquiry/2/reply") == [
        {"shop_no": 1, "request": {"content": "처리했습니다.", "status": "T", "user_id": "demomall"}}
    ]


def test_the_admin_link_leads_to_the_order() -> None:
    connector = Mall().open()

    root = "https://demomall.cafe24.com/admin/php/shop1/"
    assert connector.admin_link(order_no=ORDER) == f"{root}s_new/order_detail.php?order_id={ORDER}"
    assert connector.admin_link(order_no="a&b=c/..") == f"{root}s_new/order_detail.php?order_id=a%26b%3Dc%2F.."
    assert connector.admin_link() == root
