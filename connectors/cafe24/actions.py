"""What the hub does at a Cafe24 mall: answer, approve a cancel, refuse a cancel.

Every action reads the fresh state first, sends once and reads back. Nothing is sent twice: when the
answer to a write is lost, only what the mall shows afterwards decides.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.cafe24.claim_mapping import origins
from connectors.cafe24.client import Cafe24Client, Sent
from connectors.cafe24.inquiry_feed import InquiryFeed
from connectors.cafe24.inquiry_mapping import WriteRef, read_write_ref
from connectors.cafe24.order_feed import OrderFeed
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import code, html_text, plain_text, whole
from connectors.cafe24.wire import ItemWire, OrderWire
from hub.core.contract import Answer, LineAction, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import (
    MalformedResponseError,
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
)
from hub.core.model import Inquiry, InquiryState, MessageAuthor

#: first version whose claims know the status "accepted" (confidence: likely)
ACCEPTED_SINCE = "2026"
#: longest title of a post, reason of a claim (confidence: sure)
TITLE_LIMIT = 256
REASON_LIMIT = 2000
#: required by the mall; the hub has no address that would mean anything to it
CLIENT_IP = "127.0.0.1"
ACCEPTED = 202
CONFLICT = 409
#: a cancel request of the customer that nobody decided yet
OPEN_CANCEL = "C00"


class Actions:
    def __init__(
        self,
        client: Cafe24Client,
        *,
        credentials: Cafe24Credentials,
        orders: OrderFeed,
        inquiries: InquiryFeed,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._orders = orders
        self._inquiries = inquiries
        self._now = now

    async def answer(self, answer: Answer) -> WriteResult:
        """Post the answer below its question.

        The post is an article of the board (or the reply of an urgent inquiry). Refused without
        sending when the question is answered; done without sending when this very answer stands
        there already. A question that the customer took up again can be answered again.
        """
        ref = read_write_ref(answer.inquiry.write_ref)
        if ref is None:
            raise RejectedByMallError("this inquiry cannot be answered: its place at the mall is not known")
        if not answer.text.strip():
            raise RejectedByMallError("the answer is empty")
        before, reading = await self._read_inquiry(answer.inquiry)
        if before.state is InquiryState.ANSWERED and before.answer is not None:
            if _same(before.answer, answer.text):
                return _result(Outcome.DONE, (reading,))
            return _result(Outcome.REFUSED, (reading,), message="answered already (이미 답변되었습니다)")
        outcome, message = await self._send(lambda: self._post_answer(ref, before, answer))
        try:
            after, reading = await self._read_inquiry(answer.inquiry)
        except MallError:
            return _result(outcome, (), message=message)  # what was sent was sent: nothing may raise now
        if outcome is not Outcome.REFUSED:
            shows_it = _answers(after, answer.text) > _answers(before, answer.text)
            if shows_it:
                outcome = Outcome.DONE
            elif outcome is Outcome.DONE:
                outcome = Outcome.PENDING  # accepted, not yet on the board
        return _result(outcome, (reading,), message=message)

    async def approve_cancel(self, action: LineAction) -> WriteResult:
        """Accept the customer's cancel request: the same POST that makes a claim.

        Status "accepted" (취소접수): it can still be withdrawn, asks for none of the fields that market,
        Naver Pay and Kakao Pay orders forbid, and never marks a refund as done that nobody paid. The
        refund itself is closed in the mall's admin. Older versions have "canceling" for it.
        """
        return await self._decide(action, is_approval=True)

    async def refuse_cancel(self, action: LineAction) -> WriteResult:
        """Refuse the customer's cancel request; ``text`` is shown to the customer."""
        return await self._decide(action, is_approval=False)

    async def _decide(self, action: LineAction, *, is_approval: bool) -> WriteResult:
        line_no = action.line.line_no
        if len(action.text) > REASON_LIMIT:
            too_long = f"the reason is longer than {REASON_LIMIT} characters"
            raise RejectedByMallError(too_long)
        reading, wire, item = await self._read_line(action.order_no, line_no)
        if code(item.order_status) != OPEN_CANCEL:
            said = f"no open cancel request: the line is {code(item.order_status)} (취소신청 상태가 아닙니다)"
            return _result(Outcome.REFUSED, (reading,), line_no=line_no, message=said)
        send = self._approve if is_approval else self._refuse
        outcome, message = await self._send(lambda: send(action, wire, item))
        try:
            reading, wire, item = await self._read_line(action.order_no, line_no)
        except MallError:
            return _result(outcome, (), line_no=line_no, message=message)
        if outcome is not Outcome.REFUSED:
            status_now = code(item.order_status) or ""
            is_accepted = _is_accepted(wire, item)
            is_refused = status_now != OPEN_CANCEL and not is_accepted
            if is_accepted if is_approval else is_refused:
                outcome = Outcome.DONE
            elif outcome is Outcome.DONE:
                outcome = Outcome.PENDING if status_now == OPEN_CANCEL else Outcome.UNKNOWN
            elif status_now != OPEN_CANCEL:
                message = f"the line is {status_now} now"
        return _result(outcome, (reading,), line_no=line_no, message=message)

    async def _approve(self, action: LineAction, wire: OrderWire, item: ItemWire) -> Sent:
        quantity = whole(item.claim_quantity, path="claim_quantity") or whole(item.quantity, path="quantity")
        version = self._credentials.api_version
        body: dict[str, Any] = {
            "status": "accepted" if version >= ACCEPTED_SINCE else "canceling",
            "items": [{"order_item_code": item.order_item_code, "quantity": quantity}],
        }
        if action.text:
            body["reason"] = action.text
        return await self._client.post_cancellation(
            order_no=wire.order_id, shop_no=self._shop_no(wire), cancellation=body
        )

    async def _refuse(self, action: LineAction, wire: OrderWire, item: ItemWire) -> Sent:
        body: dict[str, Any] = {
            "order_id": wire.order_id,
            "order_item_code": [item.order_item_code],
            "undone": "T",
            "reason_type": "I",
            "display_reject_reason": "T" if action.text else "F",
        }
        if action.text:
            body["reject_reason"] = action.text
        return await self._client.put_cancellation_request(shop_no=self._shop_no(wire), decision=body)

    async def _post_answer(self, ref: WriteRef, question: Inquiry, answer: Answer) -> Sent:
        mall_id = self._credentials.mall_id
        if ref.board_no is None:
            reply = {"content": html_text(answer.text), "status": "T", "user_id": mall_id}
            return await self._client.post_urgent_reply(article_no=ref.article_no, shop_no=ref.shop_no, reply=reply)
        article: dict[str, Any] = {
            "writer": self._credentials.writer or answer.author or mall_id,
            "member_id": mall_id,
            "title": f"RE: {question.subject or ''}".strip()[:TITLE_LIMIT],
            "content": html_text(answer.text),
            "client_ip": CLIENT_IP,
            "reply_article_no": ref.article_no,
            "reply_status": "C",
            "reply_user_id": mall_id,
            # The answer to a secret question is only secret when it says so itself.
            "secret": "F" if question.is_public else "T",
        }
        if question.order_no is not None:
            article["order_id"] = question.order_no
        return await self._client.post_articles(board_no=ref.board_no, shop_no=ref.shop_no, article=article)

    async def _send(self, call: Callable[[], Any]) -> tuple[Outcome, str | None]:
        """Send once. UNKNOWN and 409 ("the same again") are decided by the read that follows."""
        try:
            sent: Sent = await call()
        except OutcomeUnknownError as error:
            return Outcome.UNKNOWN, error.mall_message
        except (RejectedByMallError, NotFoundAtMallError) as error:
            if error.status == CONFLICT:
                return Outcome.UNKNOWN, error.mall_message
            return Outcome.REFUSED, error.mall_message or error.message
        if sent.refused:
            return Outcome.REFUSED, "; ".join(sent.refused)
        return (Outcome.PENDING if sent.status == ACCEPTED else Outcome.DONE), None

    async def _read_inquiry(self, inquiry: Inquiry) -> tuple[Inquiry, Reading]:
        reading = await self._inquiries.read_one(inquiry, until=self._now())
        if not isinstance(reading.record, Inquiry):
            raise MalformedResponseError(reading.error or "the question cannot be read")
        return reading.record, reading

    async def _read_line(self, order_no: str, line_no: str) -> tuple[Reading, OrderWire, ItemWire]:
        reading, wire = await self._orders.read_one(order_no)
        if wire is None:
            raise MalformedResponseError(reading.error or "the order cannot be read")
        for item in wire.items or ():
            if item.order_item_code == line_no:
                return reading, wire, item
        raise NotFoundAtMallError("the order has no such line", operation="orders")

    def _shop_no(self, wire: OrderWire) -> int:
        return whole(wire.shop_no, path="shop_no") or self._credentials.shop_no[0]


_ACCEPTED_CANCELS = frozenset({"C10", "C34", "C35", "C36", "C40", "C41", "C42", "C43"})


def _is_accepted(wire: OrderWire, item: ItemWire) -> bool:
    """Whether the cancel stands now, on the line or on the part of it that was split off."""
    if code(item.order_status) in _ACCEPTED_CANCELS:
        return True
    number = code(item.item_no)
    return any(
        code(other.order_status) in _ACCEPTED_CANCELS and number is not None and number in origins(other)
        for other in wire.items or ()
    )


def _same(shown: str, sent: str) -> bool:
    """Whether a text of the mall is the text sent, whatever HTML did to its blanks."""
    return "".join(shown.split()) == "".join(plain_text(html_text(sent)).split())


def _answers(inquiry: Inquiry, text: str) -> int:
    """How often the shop says this text in the thread."""
    return sum(message.author is MessageAuthor.SELLER and _same(message.text, text) for message in inquiry.messages)


def _result(
    outcome: Outcome, readings: tuple[Reading, ...], *, line_no: str | None = None, message: str | None = None
) -> WriteResult:
    line = LineOutcome(line_no=line_no, outcome=outcome, mall_message=message)
    return WriteResult(outcome=outcome, lines=(line,), readings=readings)
