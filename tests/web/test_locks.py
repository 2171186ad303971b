"""The lock and the drafts as they stand in the pages, with and without script."""

import html
import re

import pytest

from hub.core.errors import RejectedByMallError
from tests.web.conftest import Browser


@pytest.fixture
def question(browser: Browser) -> str:
    return f"/cases/{browser.case_id('alpha-main', thread_no='Q-1')}"


def lock_of(text: str) -> str:
    found = re.search(r'<div id="case-lock"[^>]* data-lock="(\w+)"', text)
    assert found is not None
    return found[1]


def fields(text: str) -> dict[str, str]:
    form = re.search(r'<form id="reply-form".*?</form>', text, re.DOTALL)
    assert form is not None
    return {
        name: value
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
        if name != "_csrf_token"
    }


def box(text: str) -> str:
    found = re.search(r'<textarea id="reply"[^>]*>(.*?)</textarea>', text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def test_who_comes_second_reads_asks_and_is_told(browser: Browser, question: str) -> None:
    mine = browser.sign_in("kim").get(question).text
    assert lock_of(mine) == "mine"
    form = fields(mine)

    seen = browser.sign_in("lee").get(question).text

    assert lock_of(seen) == "others"
    assert "kim &lt;b&gt; 님이 처리 중" in seen
    assert 'id="reply-form"' not in seen
    assert "/act" not in seen.partition('id="case-offers"')[2].partition("</article>")[0]
    assert re.search(
        r'class="lock-mark" data-until="[^"]+" title="kim &lt;b&gt; 님이 처리 중"', browser.get("/cases").text
    )
    refused = browser.post(f"{question}/act", **form, text="둘째 답변", swap=True)
    assert refused.status_code == 422
    assert "kim &lt;b&gt; 님이 처리 중이라 보내지 않았습니다" in refused.text
    assert browser.rig.connectors["alpha-main"].sent == []
    # What was typed in vain is there to be read, and as a draft when the case is theirs.
    assert "둘째 답변" in browser.get(question).text
    asked = browser.post(f"{question}/lock/ask", swap=True).text
    assert 'data-asker="me"' in asked
    told = browser.sign_in("kim").get(f"{question}/lock", swap=True).text
    assert "lee &lt;b&gt; 님이 이 건을 넘겨 달라고 합니다" in told
    browser.post(f"{question}/lock/answer", grant="1")
    assert lock_of(browser.get(question).text) == "others"
    theirs = browser.sign_in("lee").get(question).text
    assert (lock_of(theirs), box(theirs)) == ("mine", "둘째 답변")


def test_a_supervisor_takes_over_and_an_agent_cannot(browser: Browser, question: str) -> None:
    browser.sign_in("kim").get(question)
    supervisor = browser.sign_in("lee")
    assert "바로 넘겨받기" in supervisor.get(question).text

    assert supervisor.post(f"{question}/lock/override").headers["location"] == f"{question}?notice=lock_taken"

    agent = browser.sign_in("kim")
    assert "슈퍼바이저 권한으로 넘겨받았습니다" in agent.get(question).text
    assert agent.post(f"{question}/lock/override").status_code == 403


def test_giving_back_without_script_leads_to_the_list(agent: Browser, question: str) -> None:
    agent.get(question)

    assert agent.post(f"{question}/lock/give-back").headers["location"] == "/cases"
    assert "lock-mark" not in agent.get("/cases").text
    assert lock_of(agent.get(f"{question}/lock", swap=True).text) == "free"
    assert lock_of(agent.post(f"{question}/lock/keep", screen="one", swap=True).text) == "mine"
    assert agent.post(f"{question}/lock/leave", screen="two").status_code == 204
    assert lock_of(agent.get(f"{question}/lock", swap=True).text) == "mine"
    assert agent.post(f"{question}/lock/leave", screen="one").status_code == 204
    assert lock_of(agent.get(f"{question}/lock", swap=True).text) == "free"


def test_a_draft_comes_back_and_is_gone_with_the_answer(agent: Browser, question: str) -> None:
    form = fields(agent.get(question).text)
    saved = agent.post(f"{question}/draft", screen="one", text="쓰다 <b>만", token=form["token"], swap=True)
    assert "data-saved" in saved.text

    again = agent.get(question).text

    assert box(again) == "쓰다 <b>만"
    assert re.search(r"초안 <time[^>]*>14:00</time> · 저장됨", again)
    assert 'class="draft-mark"' in again
    connector = agent.rig.connectors["alpha-main"]
    connector.outcome = RejectedByMallError("no", mall_message="잠시 뒤에")
    agent.post(f"{question}/act", **form, text="쓰다 만 답변", swap=True)
    refused = agent.get(question).text
    # What the mall refused is worth sending again.
    assert box(refused) == "쓰다 만 답변"
    connector.outcome = connector.outcomes.get("", "done")
    agent.post(f"{question}/act", **fields(refused), text="쓰다 만 답변", swap=True)
    assert 'class="draft-mark"' not in agent.get(question).text


def test_two_windows_of_one_person_send_once(agent: Browser, question: str) -> None:
    first, second = (fields(agent.get(question).text) for _ in range(2))
    agent.post(f"{question}/act", **first, text="내일 도착합니다.", swap=True)

    same = agent.post(f"{question}/act", **second, text="내일 도착합니다.", swap=True)
    other = agent.post(f"{question}/act", **second, text="모레 도착합니다.", swap=True)

    assert (same.status_code, other.status_code) == (200, 422)
    assert "다른 창에서 이미 다른 내용으로 보냈습니다" in other.text
    assert box(other.text) == "모레 도착합니다."
    assert [sent.text for sent in agent.rig.connectors["alpha-main"].sent] == ["내일 도착합니다."]


def test_a_reply_that_meets_an_ended_session_becomes_a_draft(agent: Browser, question: str) -> None:
    form = fields(agent.get(question).text)
    agent.client.cookies.delete("hub_session")

    door = agent.post(f"{question}/act", **form, text="긴 답변을 다 썼는데")

    assert door.status_code == 401
    assert "긴 답변" not in door.text
    (unsent,) = re.findall(r'name="unsent" value="([^"]+)"', door.text)
    back = agent.post("/sign-in", login="kim", password="correct horse", unsent=unsent)
    assert back.headers["location"] == question
    assert box(agent.get(question).text) == "긴 답변을 다 썼는데"
    assert agent.post("/sign-in", login="kim", password="correct horse", unsent="AAAA").headers["location"] == "/cases"
    agent.client.cookies.delete("hub_session")
    gone = agent.client.post(
        f"{question}/draft",
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver.local{question}?view=mine"},
        data={"_csrf_token": agent.token()},
    )
    assert (gone.status_code, gone.headers["hx-redirect"]) == (401, f"/sign-in?next={question}%3Fview%3Dmine")
