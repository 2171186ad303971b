"""Read this case again now: the mall's truth of the moment, or what is stored with its age."""

import asyncio
from typing import Any

import msgspec
import pytest

from hub.core.contract import Reading
from hub.core.errors import AccessError, MallError, NotFoundAtMallError, UnavailableError
from hub.core.model import Inquiry, InquiryState, LineStatus, Order
from hub.desk.acting import reread
from tests.desk.invented import inquiry, line, order
from tests.web.conftest import Browser

SHOP = "alpha-main"


class Mall:
    """Gives the connector of the shop what it takes to read one record."""

    def __init__(self, browser: Browser) -> None:
        self.asked: list[Any] = []
        self.error: Exception | None = None
        self.hangs = False
        self.records: dict[str, Order | Inquiry] = {}
        connector: Any = browser.rig.connectors[SHOP]
        connector.read_order = self.read_order
        connector.read_inquiry = self.read_inquiry

    async def read_order(self, order_no: str, line_nos: tuple[str, ...]) -> tuple[Reading, ...]:
        self.asked.append((order_no, line_nos))
        return (await self._reading(order_no),)

    async def read_inquiry(self, known: Inquiry) -> Reading:
        self.asked.append(known.inquiry_no)
        return await self._reading(known.inquiry_no)

    async def _reading(self, key: str) -> Reading:
        if self.hangs:
            await asyncio.sleep(60)
        if self.error:
            raise self.error
        return Reading(key=key, raw=b"{}", record=self.records[key])


@pytest.fixture
def mall(agent: Browser) -> Mall:
    return Mall(agent)


def test_an_order_is_read_again_at_once(agent: Browser, mall: Mall) -> None:
    case_id = agent.case_id(SHOP, order_no="A-1")
    assert "이 주문 지금 다시 읽기" in agent.get(f"/cases/{case_id}").text
    mall.records["A-1"] = order("A-1", line("A-1-1", name="빨간 우산", status=LineStatus.DISPATCHED))

    answer = agent.post(f"/cases/{case_id}/reread", swap=True)

    assert answer.status_code == 200
    assert mall.asked == [("A-1", ("A-1-1", "A-1-2"))]
    assert "빨간 우산" in answer.text
    assert "0초 전 몰에서 확인" in answer.text
    assert 'data-seconds="{n}초 전 몰에서 확인"' in answer.text
    assert "몰에서 지금 다시 읽었습니다" in answer.text


def test_a_plain_form_goes_back_to_the_case(agent: Browser, mall: Mall) -> None:
    case_id = agent.case_id(SHOP, order_no="A-1")
    mall.records["A-1"] = order("A-1", line("A-1-1"))

    answer = agent.post(f"/cases/{case_id}/reread")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case_id}?notice=reread")
    assert "몰에서 지금 다시 읽었습니다" in agent.get(answer.headers["location"]).text


def test_an_inquiry_is_read_again(agent: Browser, mall: Mall) -> None:
    case_id = agent.case_id(SHOP, thread_no="Q-1")
    known = inquiry("Q-1", "급해요", order_no="A-1")
    mall.records["A-1"] = order("A-1", line("A-1-1"))
    mall.records["Q-1"] = msgspec.structs.replace(known, text="그새 더 급해졌어요", state=InquiryState.IN_PROGRESS)

    answer = agent.post(f"/cases/{case_id}/reread", swap=True)

    assert mall.asked == ["Q-1", ("A-1", ("A-1-1", "A-1-2"))]
    assert "그새 더 급해졌어요" in answer.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnavailableError("a page of HTML", shop=SHOP), "몰의 서버에 문제가 있습니다"),
        (AccessError("refused", shop=SHOP, mall_message="토큰 만료"), "토큰 만료"),
        (NotFoundAtMallError("gone", shop=SHOP), "기준 자료입니다"),
    ],
    ids=["down", "refused", "gone"],
)
@pytest.mark.parametrize("swap", [True, False], ids=["part", "page"])
def test_a_mall_that_does_not_give_it_leaves_what_is_there(
    agent: Browser, mall: Mall, error: MallError, said: str, swap: bool
) -> None:
    case_id = agent.case_id(SHOP, order_no="A-1")
    mall.error = error

    answer = agent.post(f"/cases/{case_id}/reread", swap=swap)

    assert answer.status_code == 200
    assert "다시 읽지 못했습니다" in answer.text
    assert said in answer.text
    assert "기준 자료입니다" in answer.text
    assert "data-checked" not in answer.text
    assert "A-1" in answer.text


def test_nobody_waits_for_ever(agent: Browser, mall: Mall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reread, "_PATIENCE_SECONDS", 0.05)
    case_id = agent.case_id(SHOP, order_no="A-1")
    mall.hangs = True

    assert "다시 읽지 못했습니다" in agent.post(f"/cases/{case_id}/reread", swap=True).text


def test_a_mall_that_gives_no_single_record_has_no_button(agent: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = agent.case_id(SHOP, order_no="A-1")
    monkeypatch.setattr(reread, "_can", lambda *_: False)

    assert "/reread" not in agent.get(f"/cases/{case_id}").text


def test_a_case_that_is_not_there(agent: Browser) -> None:
    assert agent.post("/cases/99/reread", swap=True).status_code == 404


def test_a_question_that_the_mall_has_no_more_says_so_and_takes_no_answer(agent: Browser) -> None:
    portal = agent.client.blocking_portal
    case_id = agent.case_id(SHOP, thread_no="Q-1")
    portal.call(lambda: agent.rig.vanish(SHOP, "Q-1"))

    page = agent.get(f"/cases/{case_id}").text
    answer = agent.post(
        f"/cases/{case_id}/act", swap=True, action="answer-inquiry", inquiry_no="Q-1", text="내일 갑니다.", token="t"
    )

    assert "몰에 더 이상 없습니다" in page
    assert "문의가 몰에서 사라진 것을 확인" in page
    assert 'id="reply-form"' not in page
    assert "몰에 더 이상 없는 문의라서 답변을 보낼 수 없습니다" in answer.text
    assert agent.rig.connectors[SHOP].sent == []
    listed = agent.get("/cases?view=closed&state=vanished").text
    assert f"/cases/{case_id}" in listed
    assert "몰에서 사라짐" in listed
