"""Customer inquiries and product Q&A of the emulated SmartStore.

The mall knows single questions, no threads: a customer who writes again opens a new number (whether
the true mall does so is unknown). Customer inquiries show the latest answer, Q&A the first one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.smartstore import sandbox_render as render
from hub.core.model import InquiryKind
from hub.sandbox.facts import AnswerFact, InquiryFact
from hub.sandbox.world import World

_INQUIRY_BASE = 310_000_000
_QUESTION_BASE = 510_000_000
_ANSWER_BASE = 710_000_000
#: numbers kept for one thread of the World
_SPREAD = 10
_CATEGORIES = {"상품": "상품", "배송": "배송", "반품": "반품", "교환": "교환", "환불": "환불"}


@dataclass(slots=True)
class Question:
    """What a customer wrote at one time, with the answers to it."""

    fact: InquiryFact
    number: int
    asked_at: datetime
    text: str
    answers: list[AnswerFact] = field(default_factory=list)

    @property
    def day(self) -> date:
        """The Korean day of asking."""
        return self.asked_at.astimezone(render.KST).date()


class QuestionBook:
    """Reads the World's threads as single questions and remembers which answer was given to which."""

    def __init__(self, world: World, shop: str) -> None:
        self._world = world
        self._shop = shop
        self._answered: dict[int, int] = {}

    def questions(self, kind: InquiryKind) -> Iterator[Question]:
        for fact in self._world.inquiries(self._shop):
            if fact.kind is kind:
                yield from self._split(fact)

    def find(self, kind: InquiryKind, number: int) -> Question | None:
        base = _base(kind)
        try:
            fact = self._world.inquiry((number - base) // _SPREAD)
        except KeyError:
            return None
        if fact.shop != self._shop or fact.kind is not kind:
            return None
        return next((question for question in self._split(fact) if question.number == number), None)

    def answer(self, question: Question, text: str) -> AnswerFact:
        answer = self._world.answer(question.fact, text, "seller")
        self._answered[answer.number] = question.number
        return answer

    def _split(self, fact: InquiryFact) -> list[Question]:
        first = _base(fact.kind) + fact.number * _SPREAD
        questions = [Question(fact, first, fact.asked_at, fact.text)]
        for index, message in enumerate(self._world.said(fact.follow_ups), start=1):
            questions.append(Question(fact, first + index, message.at, message.text))
        for answer in self._world.said(fact.answers):
            given_to = self._answered.get(answer.number)
            for question in reversed(questions):
                if question.number == given_to or (given_to is None and question.asked_at <= answer.at):
                    question.answers.append(answer)
                    break
        return questions


def _base(kind: InquiryKind) -> int:
    return _INQUIRY_BASE if kind is InquiryKind.ORDER_INQUIRY else _QUESTION_BASE


def answer_id(answer: AnswerFact) -> int:
    """``answerContentId``, alias ``inquiryCommentNo``."""
    return _ANSWER_BASE + answer.number


def category(question: Question) -> str:
    return _CATEGORIES.get(question.fact.category, "기타")


def inquiry_row(question: Question) -> dict[str, Any]:
    """One element of ``content`` of pay-user/inquiries."""
    fact = question.fact
    row: dict[str, Any] = {
        "inquiryNo": question.number,
        "category": category(question),
        "title": fact.subject,
        "inquiryContent": question.text,
        "inquiryRegistrationDateTime": render.stamp(question.asked_at),
        "answered": bool(question.answers),
        "customerId": render.masked(fact.writer.member_id),
        "customerName": fact.writer.name,
    }
    order = fact.order
    if order is not None:
        lines = order.lines if fact.line is None else [fact.line]
        row["orderId"] = render.order_id(order)
        row["productOrderIdList"] = ",".join(render.line_id(order, line) for line in lines)
    if fact.item is not None:
        row["productNo"] = str(70_000_000 + fact.item.number)
        row["productName"] = fact.item.name
        row["productOrderOption"] = fact.item.option
    if question.answers:
        latest = question.answers[-1]
        row["answerContentId"] = answer_id(latest)
        row["answerContent"] = latest.text
        row["answerTemplateNo"] = None
        row["answerRegistrationDateTime"] = render.stamp(latest.at)
    return row


def question_row(question: Question) -> dict[str, Any]:
    """One element of ``contents`` of contents/qnas; ``answer`` is the first one, its date is not told."""
    fact = question.fact
    row: dict[str, Any] = {
        "questionId": question.number,
        "createDate": render.stamp(question.asked_at),
        "question": question.text,
        "answered": bool(question.answers),
        "maskedWriterId": render.masked(fact.writer.member_id),
    }
    if fact.item is not None:
        row["productId"] = 70_000_000 + fact.item.number
        row["productName"] = fact.item.name
    if question.answers:
        row["answer"] = question.answers[0].text
    return row
