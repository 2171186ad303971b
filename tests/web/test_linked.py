"""A conversation without an order: the desk offers what may be meant, an agent links it and can undo it."""

import pytest
from sqlalchemy import select

from hub.core.model import InquiryKind, Message, MessageAuthor
from hub.store.tables import thread_orders
from tests.desk.invented import NOW, inquiry, line, order
from tests.web.conftest import Browser

NUMBER = "2026112000001"


@pytest.fixture
def chat(agent: Browser) -> int:
    """A chat whose customer wrote the number of an order of another shop."""

    async def write() -> int:
        await agent.rig.write("alpha-outlet", order(NUMBER, line("2026112000001-1", name="여름 모자 <b>")))
        messages = (
            Message(message_no="1", author=MessageAuthor.CUSTOMER, text=f"주문번호 {NUMBER} 언제 와요?", sent_at=NOW),
            Message(message_no="2", author=MessageAuthor.SELLER, text="A-1 말씀이신가요?", sent_at=NOW),
        )
        talk = inquiry("talk-1", "언제 와요?", kind=InquiryKind.CHAT, writer=None, messages=messages)
        await agent.rig.write("alpha-main", talk)
        return await agent.rig.case_id("alpha-main", thread_no="talk-1")

    return agent.client.blocking_portal.call(write)


def _linked(page: str) -> tuple[str, str]:
    """The part of the linked orders, up to and from the words that suggest one."""
    part = page.partition('id="linked"')[2].partition("</section>")[0]
    before, _, after = part.partition("고객이 적은 번호")
    return before, after


def test_a_number_that_the_customer_wrote_is_only_suggested(agent: Browser, chat: int) -> None:
    before, after = _linked(agent.get(f"/cases/{chat}").text)

    assert NUMBER not in before
    assert NUMBER in after
    assert "A-1<" not in after
    assert "여름 모자 &lt;b&gt;" in after


def test_an_agent_links_it_and_takes_it_back(agent: Browser, chat: int) -> None:
    assert "연결했습니다" in agent.post(f"/cases/{chat}/link", swap=True, number=f" {NUMBER} ").text
    agent.post(f"/cases/{chat}/link", number="2026112000001-1")
    before, after = _linked(agent.get(f"/cases/{chat}").text)
    assert before.count(f"{NUMBER}<") == 1
    assert NUMBER not in after
    order_id = before.partition('name="order_id" value="')[2].partition('"')[0]

    answer = agent.post(f"/cases/{chat}/unlink", order_id=order_id)

    assert answer.headers["location"] == f"/cases/{chat}?notice=unlinked"
    before, after = _linked(agent.get(f"/cases/{chat}").text)
    assert (NUMBER in before, NUMBER in after) == (False, True)
    (row,) = agent.client.blocking_portal.call(_rows, agent)
    assert row.linked_by == row.ended_by
    assert row.ended_at is not None


async def _rows(agent: Browser) -> list:
    async with agent.rig.database.reading() as connection:
        return list((await connection.execute(select(thread_orders))).all())


@pytest.mark.parametrize("number", ["", "nothing", "' OR 1=1", "x" * 500, "1\x00"])
def test_a_number_of_nothing_links_nothing(agent: Browser, chat: int, number: str) -> None:
    answer = agent.post(f"/cases/{chat}/link", swap=True, number=number)

    assert "아무것도 연결하지 않았습니다" in answer.text
    assert agent.client.blocking_portal.call(_rows, agent) == []


def test_a_claim_is_no_conversation(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    assert agent.post(f"/cases/{case_id}/link", number="A-1").status_code == 404
    assert 'id="linked"' not in agent.get(f"/cases/{case_id}").text
    assert agent.post("/cases/1/unlink", order_id="1").status_code == 404
