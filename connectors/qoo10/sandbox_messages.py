"""Inquiries of the emulated Qoo10: rows of CSCenter.GetInquiryMessage, one per message of a customer.

A thread keeps its QUESTION_NO, each message of the customer has its own SEQ_NO. Answers are not
shown, only their effect on STATUS. Which status a follow-up has is a choice of the emulator:
S2 (in progress) when the thread was answered before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.qoo10 import sandbox_render as render
from hub.core.model import InquiryKind
from hub.sandbox.facts import AnswerFact, InquiryFact
from hub.sandbox.world import World

_BASE = 61_000_000
#: numbers kept for one thread of the World: the question's own, then the messages from the third on
_SPREAD = 10
_FIRST_MESSAGE = 2
_CATEGORY_CODES = {"配送": "D1", "キャンセル": "C1", "商品": "I1"}


@dataclass(slots=True)
class CustomerMessage:
    fact: InquiryFact
    seq_no: int
    sent_at: datetime
    text: str
    is_follow_up_of_answer: bool = False
    answers: list[AnswerFact] = field(default_factory=list)

    @property
    def question_no(self) -> int:
        return _BASE + self.fact.number * _SPREAD

    @property
    def type(self) -> str:
        if self.fact.kind is InquiryKind.PRODUCT_INQUIRY:
            return "ITEM"
        return "HELP" if self.fact.number % 2 else "MSG"

    @property
    def status(self) -> str:
        if self.answers:
            return "S3"
        return "S2" if self.is_follow_up_of_answer else "S1"


class MessageBook:
    """Reads the World's threads as messages and remembers which answer was given to which."""

    def __init__(self, world: World, shop: str) -> None:
        self._world = world
        self._shop = shop
        self._answered: dict[int, int] = {}

    def messages(self) -> Iterator[CustomerMessage]:
        for fact in self._world.inquiries(self._shop):
            yield from self._split(fact)

    def find(self, kind: str, question_no: int, seq_no: int) -> CustomerMessage | None:
        try:
            fact = self._world.inquiry((question_no - _BASE) // _SPREAD)
        except KeyError:
            return None
        if fact.shop != self._shop:
            return None
        for message in self._split(fact):
            if (message.type, message.question_no, message.seq_no) == (kind, question_no, seq_no):
                return message
        return None

    def answer(self, message: CustomerMessage, text: str) -> int:
        """Post an answer, again if there is one already. Returns its SEQ_NO."""
        answer = self._world.answer(message.fact, text, "seller")
        self._answered[answer.number] = message.seq_no
        return 2 * _BASE + answer.number

    def _split(self, fact: InquiryFact) -> list[CustomerMessage]:
        first = _BASE + fact.number * _SPREAD + _FIRST_MESSAGE
        messages = [CustomerMessage(fact, first, fact.asked_at, fact.text)]
        answers = self._world.said(fact.answers)
        for index, said in enumerate(self._world.said(fact.follow_ups), start=1):
            is_after_answer = any(answer.at <= said.at for answer in answers)
            messages.append(CustomerMessage(fact, first + index, said.at, said.text, is_after_answer))
        for answer in answers:
            given_to = self._answered.get(answer.number)
            for message in reversed(messages):
                if message.seq_no == given_to or (given_to is None and message.sent_at <= answer.at):
                    message.answers.append(answer)
                    break
        return messages


def message_row(message: CustomerMessage, now: datetime, *, seed: int) -> dict[str, Any]:
    fact = message.fact
    shapes = render.Shapes(message.seq_no, seed)
    line = fact.line or (fact.order.lines[0] if fact.order else None)
    has_claim = line is not None and bool(render.claims_shown(line, now))
    return {
        "INQ_TYPE": message.type,
        "SEQ_NO": shapes.whole(message.seq_no),
        "QUESTION_NO": shapes.whole(message.question_no),
        "INQ_DT": shapes.claim_date(message.sent_at),
        "CUST_NM": fact.writer.name,
        "CATE_NM": fact.category,
        "CATE_CD": _CATEGORY_CODES.get(fact.category, "Z1"),
        "TITLE": fact.subject,
        "CONTENTS": message.text,
        "GD_NO": render.item_no(fact.item) if fact.item else shapes.text(None),
        "GD_NM": fact.item.name if fact.item else shapes.text(None),
        "CONTR_NO": shapes.whole(render.order_no(line)) if line else (0 if fact.number % 2 else None),
        "CLAIM_YN": "Y" if has_claim else "N",
        "STATUS": message.status,
    }
