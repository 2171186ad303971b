"""Answering questions of customers, and changing the answer that stands.

An answer is a post of the same board below its question, a comment where the mall answers that board so, or the
reply of an urgent inquiry.
Source: Cafe24 Admin API, version 2026-03-01, Boards articles, Boards articles comments, Urgentinquiry reply;
confidence: sure for the fields, likely for what an answer looks like in the list.
"""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from connectors.cafe24.client import Cafe24Client, Sent
from connectors.cafe24.inquiry_feed import InquiryFeed
from connectors.cafe24.inquiry_mapping import COMMENT, WITHDRAWN_QUESTION, WriteRef, read_write_ref
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import html_text, plain_text
from connectors.cafe24.writing import NOT_DONE, send_once
from hub.core.contract import Answer, LineOutcome, Outcome, Reading, WriteResult
from hub.core.errors import MalformedResponseError, MallError, RejectedByMallError
from hub.core.model import Inquiry, InquiryState, Message, MessageAuthor

#: longest title and writer of a post (confidence: sure)
TITLE_LIMIT = 256
WRITER_LIMIT = 100
#: of the password of a comment, which may have 20 characters (confidence: likely)
_PASSWORD_BYTES = 12
#: required by the mall; the hub has no address that would mean anything to it
CLIENT_IP = "127.0.0.1"


class Answering:
    def __init__(
        self,
        client: Cafe24Client,
        *,
        credentials: Cafe24Credentials,
        inquiries: InquiryFeed,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._inquiries = inquiries
        self._now = now

    async def answer(self, answer: Answer) -> WriteResult:
        """Post the answer below its question.

        Refused without sending when the question is answered; done without sending when this very
        answer stands there already. A question that the customer took up again can be answered again.
        """
        ref = _place_of(answer)
        before, reading = await self._read(answer.inquiry)
        if answer.is_only_look:
            return _looked(_answers(before, answer.text) > _answers(answer.inquiry, answer.text), reading)
        if before.raw_state == WITHDRAWN_QUESTION:
            return _result(Outcome.REFUSED, reading, message="the question was deleted (삭제된 문의입니다)")
        if before.state is InquiryState.ANSWERED and before.answer is not None:
            if _same(before.answer, answer.text):
                return _result(Outcome.DONE, reading)
            return _result(Outcome.REFUSED, reading, message="answered already (이미 답변되었습니다)")
        return await self._write(
            answer.inquiry,
            lambda: self._post(ref, before, answer),
            lambda after: _answers(after, answer.text) > _answers(before, answer.text),
        )

    async def change(self, answer: Answer) -> WriteResult:
        """Put ``text`` in the place of the shop's newest answer; the question's state stays as it is."""
        ref = _place_of(answer)
        before, reading = await self._read(answer.inquiry)
        standing = _newest(before)
        if standing is None:
            return _result(
                Outcome.REFUSED, reading, message="no answer of the shop stands there (등록된 답변이 없습니다)"
            )
        if _same(standing.text, answer.text):
            return _result(Outcome.DONE, reading)
        if answer.is_only_look:
            return _looked(False, reading)
        if standing.message_no.startswith(COMMENT):
            said = "the mall changes no comment: use its admin (댓글 답변은 관리자 화면에서 수정하세요)"
            return _result(Outcome.REFUSED, reading, message=said)

        def shows(after: Inquiry) -> bool:
            now = next((message for message in after.messages if message.message_no == standing.message_no), None)
            return now is not None and _same(now.text, answer.text)

        return await self._write(answer.inquiry, lambda: self._put(ref, standing, answer), shows)

    async def _write(
        self, inquiry: Inquiry, send: Callable[[], Awaitable[Sent]], shows: Callable[[Inquiry], bool]
    ) -> WriteResult:
        outcome, message = await send_once(send)
        try:
            after, reading = await self._read(inquiry)
        except MallError:
            return _result(outcome, None, message=message)  # what was sent was sent: nothing may raise now
        if outcome is Outcome.REFUSED:
            return _result(outcome, reading, message=message)
        if shows(after):
            return _result(Outcome.DONE, reading)
        if outcome is Outcome.DONE:
            outcome = Outcome.PENDING  # accepted, not yet on the board
        return _result(outcome, reading, message=message)

    async def _post(self, ref: WriteRef, question: Inquiry, answer: Answer) -> Sent:
        mall_id = self._credentials.mall_id
        if ref.board_no is None:
            reply = {"content": html_text(answer.text), "status": "T", "user_id": mall_id}
            return await self._client.send("POST", _reply(ref), shop_no=ref.shop_no, request=reply)
        signed = {
            "writer": (self._credentials.writer or answer.author or mall_id)[:WRITER_LIMIT],
            "member_id": mall_id,
            # The answer to a secret question is only secret when it says so itself.
            "secret": "F" if question.is_public else "T",
        }
        path = f"boards/{ref.board_no}/articles"
        if self._credentials.answers_by_comment(ref.board_no):
            # The password is for whoever changes a comment on the board; the shop's people need none in the admin.
            comment = {**signed, "content": html_text(answer.text), "password": secrets.token_urlsafe(_PASSWORD_BYTES)}
            path = f"{path}/{ref.article_no}/comments"
            return await self._client.send("POST", path, shop_no=ref.shop_no, request=comment)
        article: dict[str, Any] = {
            **signed,
            "title": f"RE: {question.subject or ''}".strip()[:TITLE_LIMIT],
            "content": html_text(answer.text),
            "client_ip": CLIENT_IP,
            "reply_article_no": ref.article_no,
            "reply_status": "C",
            "reply_user_id": mall_id,
        }
        if question.order_no is not None:
            article["order_id"] = question.order_no
        return await self._client.send_many("POST", path, shop_no=ref.shop_no, request=article)

    async def _put(self, ref: WriteRef, standing: Message, answer: Answer) -> Sent:
        content = html_text(answer.text)
        if ref.board_no is None:
            reply = {"content": content, "status": "T", "user_id": self._credentials.mall_id}
            return await self._client.send("PUT", _reply(ref), shop_no=ref.shop_no, request=reply)
        path = f"boards/{ref.board_no}/articles/{int(standing.message_no)}"
        return await self._client.send("PUT", path, shop_no=ref.shop_no, request={"content": content})

    async def _read(self, inquiry: Inquiry) -> tuple[Inquiry, Reading]:
        reading = await self._inquiries.read_one(inquiry, until=self._now())
        if not isinstance(reading.record, Inquiry):
            raise MalformedResponseError(reading.error or "the question cannot be read")
        return reading.record, reading


def _place_of(answer: Answer) -> WriteRef:
    """Where the question stands. Raises: RejectedByMallError when that is not known, or the text is empty."""
    ref = read_write_ref(answer.inquiry.write_ref)
    if ref is None:
        raise RejectedByMallError("this inquiry cannot be answered: its place at the mall is not known")
    if not answer.text.strip():
        raise RejectedByMallError("text: the answer is empty (답변 내용을 입력하세요)")
    return ref


def _reply(ref: WriteRef) -> str:
    return f"urgentinquiry/{ref.article_no}/reply"


def _same(shown: str, sent: str) -> bool:
    """Whether a text of the mall is the text sent, whatever HTML did to its blanks."""
    return "".join(shown.split()) == "".join(plain_text(html_text(sent)).split())


def _answers(inquiry: Inquiry, text: str) -> int:
    """How often the shop says this text in the thread."""
    return sum(message.author is MessageAuthor.SELLER and _same(message.text, text) for message in inquiry.messages)


def _newest(inquiry: Inquiry) -> Message | None:
    return next((found for found in reversed(inquiry.messages) if found.author is MessageAuthor.SELLER), None)


def _looked(is_there: bool, reading: Reading) -> WriteResult:
    """What became of an answer that was sent before."""
    if is_there:
        return _result(Outcome.DONE, reading)
    return _result(Outcome.REFUSED, reading, message=NOT_DONE)


def _result(outcome: Outcome, reading: Reading | None, *, message: str | None = None) -> WriteResult:
    return WriteResult(
        outcome=outcome,
        lines=(LineOutcome(line_no=None, outcome=outcome, mall_message=message),),
        readings=() if reading is None else (reading,),
    )
