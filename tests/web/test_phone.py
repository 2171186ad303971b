from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.desk.phone.agents import LEASE, PhoneAgents
from hub.desk.phone.callbacks import take_callback
from hub.desk.phone.calls import PhoneCalls
from hub.desk.phone.topics import ABUSE, TOPICS
from hub.store.leases import Lease
from hub.store.tables import live_calls, users
from hub.web.words import LOCALES, Words
from ivr.check import load_spec
from ivr.phone import AgentState, LiveKind
from tests.desk.test_callbacks import demo_text, open_cases, wish
from tests.desk.test_phone_calls import BUYER, ROUTES, told
from tests.web.conftest import Browser

Ring = Callable[..., int]


@pytest.fixture
def ring(browser: Browser) -> Ring:
    """The phone of the agent who is signed in rings, or more."""

    async def run(kinds: tuple[LiveKind, ...], fields: dict[str, Any]) -> int:
        rig = browser.rig
        async with rig.database.writing() as connection:
            await connection.execute(update(users).where(users.c.login == "kim").values(phone_member="agent1001"))
        calls = PhoneCalls(rig, pbx="main", routes=ROUTES)
        for kind in kinds:
            await calls.apply(told(kind, **fields))
        async with rig.database.reading() as connection:
            return int(await connection.scalar(select(live_calls.c.id)) or 0)

    return lambda *kinds, **fields: browser.client.blocking_portal.call(run, kinds, fields)


def test_a_quiet_phone_takes_no_room(browser: Browser) -> None:
    assert browser.sign_in().get("/phone", swap=True).text.strip() == ""


def test_a_ringing_phone_shows_the_callers_orders_and_cases(browser: Browser, ring: Ring) -> None:
    browser.sign_in()
    ring(LiveKind.RINGING)
    page = browser.get("/phone", swap=True).text
    assert "전화 옴" in page
    assert 'href="/orders/' in page
    assert 'href="/cases/' in page
    assert "01012345678" not in page
    assert "data-matter" not in page, "a note is made of a call, not of a ring"


@pytest.mark.parametrize(("caller", "word"), [("", "발신번호 표시 제한"), ("01099990123", "찾은 주문이 없습니다")])
def test_an_unknown_caller_is_said_to_be_one(browser: Browser, ring: Ring, caller: str, word: str) -> None:
    browser.sign_in()
    ring(LiveKind.RINGING, caller=caller)
    page = browser.get("/phone", swap=True).text
    assert word in page
    assert "/orders/" not in page


def test_a_note_is_made_without_a_script(browser: Browser, ring: Ring) -> None:
    browser.sign_in()
    call_id = ring(LiveKind.RINGING, LiveKind.ANSWERED, LiveKind.ENDED)
    assert "<noscript>" in browser.get("/phone").text
    answer = browser.post(f"/phone/{call_id}/topic", topic="order_help.web_error")
    assert (answer.status_code, answer.headers["location"]) == (303, "/phone")
    assert "data-call" not in browser.get("/phone").text


def test_a_topic_that_is_none_is_refused(browser: Browser, ring: Ring) -> None:
    browser.sign_in()
    call_id = ring(LiveKind.RINGING, LiveKind.ANSWERED)
    assert browser.post(f"/phone/{call_id}/topic", swap=True, topic="a.b").status_code == 422


def test_the_call_of_another_is_not_there(browser: Browser, ring: Ring) -> None:
    browser.sign_in("lee")
    call_id = ring(LiveKind.RINGING, LiveKind.ANSWERED)
    assert browser.get("/phone", swap=True).text.strip() == ""
    assert browser.post(f"/phone/{call_id}/topic", topic="delivery.late").status_code == 404


def test_a_callback_is_worked_on_its_case(browser: Browser) -> None:
    browser.sign_in()

    async def ask() -> int:
        await take_callback(browser.rig, load_spec(demo_text(), source="demo"), wish(caller=BUYER))
        (case_id,) = await open_cases(browser.rig)
        return case_id

    case_id = browser.client.blocking_portal.call(ask)
    page = browser.get(f"/cases/{case_id}").text
    assert "콜백" in page
    assert BUYER not in page
    assert 'href="/orders/' in page, "the orders of whoever waits"
    answer = browser.post(f"/cases/{case_id}/call", swap=True)
    assert "ivr.yaml" in answer.text, "this hub has no spec"
    assert browser.post(f"/cases/{case_id}/call/outcome", swap=True, reached="").status_code == 200
    assert "콜백을 마쳤습니다" in browser.post(f"/cases/{case_id}/call/outcome", swap=True, reached="1").text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_topic_has_words(locale: str) -> None:
    words = Words(locale)
    assert all(words.has(f"call_topic.{matter}") for matter in (*TOPICS, ABUSE))
    assert all(words.has(f"call_reason.{reason}") for reasons in TOPICS.values() for reason in reasons)


def test_the_desk_shows_what_ones_own_telephone_does(browser: Browser, ring: Ring) -> None:
    browser.sign_in()
    ring()

    lease = Lease(browser.rig.database, f"{LEASE}main")

    async def pause() -> None:
        assert await lease.try_take()
        agents = PhoneAgents(browser.rig, pbx="main")
        for member, reason in (("agent1001", "<i>lunch"), ("agent1002", "")):
            await agents.apply(told(LiveKind.AGENT, member, agent=AgentState.PAUSED, detail=reason))

    browser.client.blocking_portal.call(pause)
    part = browser.get("/phone", swap=True).text
    assert 'id="phone-own" hx-swap-oob="true"' in part
    assert "이석" in part
    assert "&lt;i&gt;lunch" in part
    page = browser.get("/phone").text
    assert "agent1001" in page
    assert "agent1002" not in page, "an agent sees his own"
    everybody = browser.sign_in("lee").get("/phone/agents").text
    assert "agent1002" in everybody
    browser.client.blocking_portal.call(lease.give_back)


def test_the_telephone_is_left_and_taken_up_from_every_page(browser: Browser, ring: Ring) -> None:
    browser.sign_in()
    ring()
    lease = Lease(browser.rig.database, f"{LEASE}main")

    async def tell(state: AgentState, reason: str = "") -> None:
        await PhoneAgents(browser.rig, pbx="main").apply(told(LiveKind.AGENT, agent=state, detail=reason))

    call = browser.client.blocking_portal.call
    assert call(lease.try_take)
    call(tell, AgentState.READY)
    ready = browser.get("/phone", swap=True).text
    refused = browser.post("/phone/pause", swap=True, reason="lunch")
    call(tell, AgentState.PAUSED, "lunch")
    away = browser.get("/phone", swap=True).text
    call(lease.give_back)

    assert 'value="lunch"' in ready
    assert "/phone/resume" not in ready
    assert (refused.status_code, "교환기가 받아들이지 않았습니다" in refused.text) == (422, True), "there is none here"
    assert "<q>점심</q>" in away
    assert 'action="/phone/resume"' in away
    assert browser.post("/phone/pause", swap=True, reason="<b>").status_code == 422
    assert browser.post("/phone/resume", swap=True).status_code == 422


def test_an_administrator_puts_a_telephone_at_a_seat(browser: Browser) -> None:
    browser.sign_in("root")
    assert browser.post("/phone/seat", login="kim", member="agent1001").status_code == 303
    assert 'value="agent1001"' in browser.get("/people").text
    taken = browser.post("/phone/seat", login="lee", member="agent1001")
    assert (taken.status_code, "another seat" in taken.text) == (422, True)
    browser.sign_in("kim")
    assert browser.post("/phone/seat", login="kim", member="agent9").status_code == 403


def test_the_customer_of_an_order_can_be_called_by_who_has_a_telephone(browser: Browser, ring: Ring) -> None:
    browser.sign_in()
    path = f"/cases/{browser.case_id('alpha-main', order_no='A-1')}"
    assert 'data-key="call"' not in browser.get(path).text, "no telephone stands here"
    ring()
    assert f'action="{path}/call"' in browser.get(path).text
    answer = browser.post(f"{path}/call", swap=True)
    assert "ivr.yaml" in answer.text, "this hub has no spec"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_has_words(locale: str) -> None:
    assert all(Words(locale).has(f"agent_state.{state}") for state in AgentState)
