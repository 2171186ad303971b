"""What has happened in the malls before the journeys begin: each journey has a matter of its own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.sandbox.facts import ClaimFact, InquiryFact, Person
from hub.sandbox.kit import Row
from tests.journeys.stack import Town

#: a question that tries everything a page could fall for
HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    "{{ 7 * 7 }} \u202eمرحبا\u202c RTL \u2066 ' \" &amp; \x07\n\n" + "긴글" * 2400
)

#: before the first day that the World has: nothing waits longer
_LONG_AGO: Final = timedelta(days=20)


@dataclass(frozen=True)
class Request:
    """A customer's wish to cancel, and the mall's own row of it."""

    claim: ClaimFact
    row: Row


@dataclass(frozen=True)
class Scene:
    caller: Person
    caller_lines: dict[str, Row]
    question: InquiryFact
    sent_again: InquiryFact
    hostile: InquiryFact
    templated: InquiryFact
    guarded: InquiryFact
    to_refuse: Request
    to_approve: Request
    at_qsm: Request
    abroad: Request
    watched: InquiryFact
    raced: InquiryFact
    promised: InquiryFact
    delayed: InquiryFact
    handed: InquiryFact
    urgent: InquiryFact


def set_scene(town: Town) -> Scene:
    """All that journeys need is placed here: what the World holds of itself depends on the hour."""
    with town.staging(ago=_LONG_AGO):
        urgent = town.ask_about_sent("smartstore", subject="불량 문의", text="받은 상품이 불량입니다. 어떻게 하나요?")
    with town.staging():
        return _placed(town, urgent)


def _placed(town: Town, urgent: InquiryFact) -> Scene:
    def request(mall: str, text: str) -> Request:
        _, claim, row = town.request_cancel(mall, text=text)
        return Request(claim, row)

    to_refuse = request("cafe24", "생각이 바뀌었어요")
    to_approve = request("smartstore", "다른 곳에서 샀어요")
    at_qsm = request("qoo10", "注文を間違えました")
    question = town.ask("smartstore", subject="배송 문의드려요", text="주문한 상품은 언제 출발하나요?")
    again = town.ask("smartstore", subject="재입고 문의", text="파란색은 언제 다시 들어오나요?")
    templated = town.ask_about_sent("smartstore", subject="배송 조회 문의", text="배송 조회가 며칠째 그대로예요")
    guarded = town.ask_about_sent("smartstore", subject="반품 조건 문의", text="마음이 바뀌면 반품할 수 있나요?")
    hostile = town.ask("smartstore", subject="<b>제목</b>", text=HOSTILE)
    abroad = request("cafe24", "더 싼 곳을 찾았어요")
    watched = town.ask_about_sent("smartstore", subject="영수증 문의", text="현금영수증을 다시 받을 수 있나요?")
    raced = town.ask_about_sent("smartstore", subject="포장 문의", text="선물 포장도 되나요?")
    promised = town.ask_about_sent("smartstore", subject="세탁 방법 문의", text="물세탁해도 되나요?")
    delayed = town.ask_about_sent("smartstore", subject="보증서 문의", text="보증서도 함께 오나요?")
    handed = town.ask_about_sent("smartstore", subject="수선 문의", text="수선도 해 주시나요?")
    caller, lines = town.customer_of_two_malls("cafe24", "smartstore")
    return Scene(
        caller=caller,
        caller_lines=lines,
        question=question,
        sent_again=again,
        hostile=hostile,
        templated=templated,
        guarded=guarded,
        to_refuse=to_refuse,
        to_approve=to_approve,
        at_qsm=at_qsm,
        abroad=abroad,
        watched=watched,
        raced=raced,
        promised=promised,
        delayed=delayed,
        handed=handed,
        urgent=urgent,
    )
