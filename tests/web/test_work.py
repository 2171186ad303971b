import html
import re
from datetime import timedelta

import pytest

from hub.core.contract import LineAction
from hub.core.errors import OutcomeUnknownError, RejectedByMallError
from hub.desk.acting.action import Action
from hub.desk.acting.outbox import Letter, seal
from hub.desk.search.tending import take_all_in
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import actions
from tests.desk.invented import NOW, Rig, claim, inquiry, line, order
from tests.web.conftest import Browser


def _fields(text: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of one action."""
    form = next(form for form in re.findall(r"<form.*?</form>", text, re.DOTALL) if f'value="{action}"' in form)
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found if name != "_csrf_token"}


def _review_fields(text: str) -> dict[str, str]:
    """The hidden fields of the form that asks once more."""
    form = next(form for form in re.findall(r"<form.*?</form>", text, re.DOTALL) if 'name="is_sure"' in form)
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found if name != "_csrf_token"}


def test_the_list_shows_what_is_due_first_with_its_cause(agent: Browser) -> None:
    text = agent.get("/cases").text

    rows = re.findall(r'class="what">([^<]*)', text)
    assert rows[:2] == ["가죽 지갑", "배송 문의"]
    assert "목표" in text
    assert "지남" in text
    assert "홍•동" in text
    assert "홍길동" not in text


def test_a_part_is_the_same_as_in_the_page(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    page = agent.get(f"/cases/{case_id}?kind=cancel").text
    part = agent.get(f"/cases/{case_id}?kind=cancel", swap=True).text

    article = re.search(r"<article.*?</article>", part, re.DOTALL)
    assert article is not None
    without_tokens = re.compile(r'value="[^"]{20,}"')
    assert without_tokens.sub("", article[0]) in without_tokens.sub("", page)
    assert "<html" not in part
    assert f'id="row-{case_id}"' in part


def test_a_swap_of_history_gets_the_whole_page(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    answer = agent.client.get(f"/cases/{case_id}", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert "<html" in answer.text


def test_hostile_text_is_text(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-1")

    text = agent.get(f"/cases/{case_id}").text

    assert "&lt;b&gt;급해요&lt;/b&gt;" in text
    assert "<b>급해요" not in text
    assert "kim &lt;b&gt;" in text


def test_an_address_of_the_admin_with_a_script_is_no_link(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    agent.rig.connectors["alpha-main"].admin_link = lambda **_: "javascript:alert(1)"  # type: ignore[method-assign]

    assert "javascript:" not in agent.get(f"/cases/{case_id}").text


@pytest.mark.parametrize("query", ["view=xx&kind=yy&assignee=zz", "assignee=" + "9" * 30, "state=%00&shop=%ff&mall='"])
def test_a_strange_address_is_no_error(agent: Browser, query: str) -> None:
    assert agent.get(f"/cases?{query}").status_code == 200


def test_a_foreign_cursor_is_the_callers_mistake(agent: Browser) -> None:
    assert agent.get("/cases?after=x").status_code == 400
    assert agent.get("/cases/rows?after=1.x", swap=True).status_code == 400


@pytest.mark.parametrize("path", ["/cases/99", "/orders/99", "/cases/9223372036854775807"])
def test_what_is_not_there(agent: Browser, path: str) -> None:
    answer = agent.get(path)

    assert answer.status_code == 404
    assert "그런 건이나 주문이 없습니다" in answer.text


def test_a_cancel_is_approved_by_a_plain_form(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    fields = _fields(agent.get(f"/cases/{case_id}").text, "approve-cancel")

    asked = agent.post(f"/cases/{case_id}/act", **fields)

    assert asked.status_code == 200
    assert "취소 승인 — 보내기 전 확인" in asked.text
    assert agent.rig.connectors["alpha-main"].sent == []

    answer = agent.post(f"/cases/{case_id}/act", **_review_fields(asked.text))

    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case_id}?notice=done")
    assert len(agent.rig.connectors["alpha-main"].sent) == 1
    text = agent.get(answer.headers["location"]).text
    assert "처리했습니다" in text
    assert "취소 승인" in text


def test_a_form_sent_twice_acts_once(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-1")
    fields = _fields(agent.get(f"/cases/{case_id}").text, "answer-inquiry")

    for _ in range(3):
        answer = agent.post(f"/cases/{case_id}/act", **fields, text="내일 도착합니다.", swap=True)
        assert answer.status_code == 200
        assert "처리했습니다" in answer.text

    assert len(agent.rig.connectors["alpha-main"].sent) == 1


def test_two_forms_act_twice(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-1")

    for _ in range(2):
        fields = _fields(agent.get(f"/cases/{case_id}").text, "answer-inquiry")
        agent.post(f"/cases/{case_id}/act", **fields, text="내일 도착합니다.")

    assert len(agent.rig.connectors["alpha-main"].sent) == 2


@pytest.mark.parametrize(
    ("text", "says"), [("", "내용을 입력하세요"), ("   ", "내용을 입력하세요"), ("가" * 1001, "글자 수를 넘었습니다")]
)
def test_a_wrong_answer_is_kept_and_not_sent(agent: Browser, text: str, says: str) -> None:
    case_id = agent.case_id("alpha-main", thread_no="Q-1")
    fields = _fields(agent.get(f"/cases/{case_id}").text, "answer-inquiry")

    answer = agent.post(f"/cases/{case_id}/act", **fields, text=text)

    assert answer.status_code == 422
    assert says in answer.text
    assert f">{text}</textarea>" in answer.text
    assert agent.rig.connectors["alpha-main"].sent == []


def test_a_refusal_needs_its_reason(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    fields = _fields(agent.get(f"/cases/{case_id}").text, "refuse-cancel")

    assert agent.post(f"/cases/{case_id}/act", **fields, text="").status_code == 422
    assert agent.post(f"/cases/{case_id}/act", **fields, text="이미 출고", is_sure="1").status_code == 303

    (sent,) = agent.rig.connectors["alpha-main"].sent
    assert sent.text == "이미 출고"


def test_the_malls_refusal_is_shown_in_its_words(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    fields = _fields(agent.get(f"/cases/{case_id}").text, "approve-cancel")
    agent.rig.connectors["alpha-main"].outcome = RejectedByMallError("no", mall_message="이미 <발송>된 주문")

    answer = agent.post(f"/cases/{case_id}/act", **fields, is_sure="1", swap=True)

    assert "몰이 받아들이지 않았습니다" in answer.text
    assert "이미 &lt;발송&gt;된 주문" in answer.text


def test_a_lost_answer_says_not_to_repeat(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    fields = _fields(agent.get(f"/cases/{case_id}").text, "approve-cancel")
    agent.rig.connectors["alpha-main"].outcome = OutcomeUnknownError("lost")

    answer = agent.post(f"/cases/{case_id}/act", **fields, is_sure="1", swap=True)

    assert "다시 누르지 마세요" in answer.text
    assert "outcome-unknown" in answer.text


def test_what_the_mall_cannot_do_is_greyed_with_the_way_there(agent: Browser) -> None:
    case_id = agent.case_id("japan-main", order_no="J-1")

    text = agent.get(f"/cases/{case_id}").text

    off = re.search(r'<div class="offer-off">.*?</div>', text, re.DOTALL)
    assert off is not None
    assert "disabled" in off[0]
    assert "이 몰은 API로 할 수 없습니다." in off[0]
    assert 'href="https://admin.example/japan/J-1-1"' in off[0]
    assert "¥1,980" in text

    answer = agent.post(f"/cases/{case_id}/act", action="refuse-cancel", line_no="J-1-1", text="x", token="t")
    assert "이 몰은 API로 할 수 없습니다. 아무것도 보내지 않았습니다." in answer.text


@pytest.mark.parametrize("fields", [{"action": ""}, {"action": "drop"}, {"action": "approve-cancel", "line_no": "Z-9"}])
def test_a_form_made_up_does_nothing(agent: Browser, fields: dict[str, str]) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    answer = agent.client.post(
        f"/cases/{case_id}/act", data={**fields, "_csrf_token": agent.token()}, follow_redirects=False
    )

    assert answer.status_code == 422
    assert agent.rig.connectors["alpha-main"].sent == []


def test_taking_and_giving_back(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    assert agent.post(f"/cases/{case_id}/take?view=mine").headers["location"] == (
        f"/cases/{case_id}?view=mine&notice=taken"
    )
    assert f'id="row-{case_id}"' in agent.get("/cases?view=mine").text
    agent.sign_in("root")
    assert "내려놓았습니다" in agent.post(f"/cases/{case_id}/release", swap=True).text
    agent.sign_in("kim")
    assert f'id="row-{case_id}"' not in agent.get("/cases?view=mine").text


def test_a_case_that_a_colleague_has_says_whose_it_is(browser: Browser) -> None:
    case_id = browser.case_id("alpha-main", order_no="A-1")
    browser.sign_in("lee").post(f"/cases/{case_id}/take")

    answer = browser.sign_in("kim").post(f"/cases/{case_id}/take")

    assert "다른 상담사가 맡고 있습니다." in answer.text
    assert "lee &lt;b&gt;" in answer.text


def test_unmasking_shows_it_once_with_a_reason(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    assert "홍길동" not in agent.post(f"/cases/{case_id}/unmask", reason=" ").text

    answer = agent.post(f"/cases/{case_id}/unmask", reason="고객에게 전화")

    assert answer.status_code == 200
    assert "홍길동" in answer.text
    assert "010-1234-5678" in answer.text
    assert "홍길동" not in agent.get(f"/cases/{case_id}").text
    log = agent.sign_in("lee").get("/access-log").text
    assert f"건 {case_id}" in log
    assert "고객에게 전화" in log


def test_an_order_page_unmasks_the_same_way(agent: Browser) -> None:
    case = agent.get(f"/cases/{agent.case_id('alpha-main', order_no='A-1')}").text
    link = re.search(r"/orders/\d+", case)
    assert link is not None

    assert "홍길동" not in agent.get(link[0]).text
    assert "홍길동" in agent.post(f"{link[0]}/unmask", reason="본인 확인").text


@pytest.mark.parametrize(
    ("login", "path", "status"),
    [
        ("kim", "/people", 403),
        ("kim", "/access-log", 403),
        ("lee", "/access-log", 200),
        ("lee", "/people", 403),
        ("root", "/people", 200),
        ("root", "/access-log", 200),
    ],
)
def test_rights(browser: Browser, login: str, path: str, status: int) -> None:
    assert browser.sign_in(login).get(path).status_code == status
    nav = re.search(r'<nav class="nav".*?</nav>', browser.get("/cases").text, re.DOTALL)
    assert nav is not None
    assert (f'href="{path}"' in nav[0]) == (status == 200)


def test_an_agent_gives_no_case_to_others(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")

    assert agent.post(f"/cases/{case_id}/assign", user_id="1").status_code == 403


def test_people_are_added_and_closed(admin: Browser) -> None:
    short = admin.post("/people", login="new", name="새 상담사", role="agent", password="short")
    assert short.status_code == 422
    assert 'value="new"' in short.text
    assert "short" not in re.sub(r"shorter", "", short.text)

    assert admin.post("/people", login="new", name="새 상담사", role="agent", password="long enough").status_code == 303
    assert "새 상담사" in admin.get("/people").text
    admin.post("/people/change", login="new", change="close")
    assert "닫힘" in admin.get("/people").text


def test_search_keeps_phone_numbers_out_of_the_address(agent: Browser) -> None:
    assert re.search(r'<form class="find" method="post" action="/search"', agent.get("/cases").text)

    answer = agent.post("/search", q="010-1234-5678")

    assert {"A-1", "O-1"} <= set(re.findall(r">([AO]-\d)<", answer.text))
    assert "홍길동" not in answer.text


def test_a_number_that_is_one_order_opens_it(agent: Browser) -> None:
    answer = agent.post("/search", q="010-2222-3333")

    assert answer.status_code == 303
    assert "A-2" in agent.get(answer.headers["location"]).text


def test_the_box_shows_what_it_finds_while_one_types(agent: Browser) -> None:
    agent.client.blocking_portal.call(lambda: take_all_in(agent.rig))

    found = agent.post("/search/quick", swap=True, q="김민").text
    nothing = agent.post("/search/quick", swap=True, q=" ").text

    assert re.findall(r'href="/(\w+)/\d+" data-found', found) == ["orders"]
    assert "A-2" in found
    assert "김민지" not in found
    assert "<html" not in found
    assert not nothing.strip()


def test_a_search_without_result_says_how_to_search(agent: Browser) -> None:
    answer = agent.post("/search", q="<없는 것>")

    assert "찾지 못했습니다" in answer.text
    assert "&lt;없는 것&gt;" in answer.text


def test_new_cases_wait_behind_a_bar(agent: Browser) -> None:
    news = re.search(r'hx-get="(/cases/news[^"]*)"', agent.get("/cases?shop=alpha-main").text)
    assert news is not None
    address = html.unescape(news[1])
    assert agent.get(address, swap=True).text.strip() == ""

    agent.client.blocking_portal.call(lambda: agent.rig.write("alpha-main", inquiry("NEW", "새 문의")))

    assert "새 건 1개" in agent.get(address, swap=True).text


def test_reserved_goods_say_from_which_day_on_they_can_be_sent(agent: Browser) -> None:
    reserved = line("R-1-1", is_reserved=True, sendable_from=NOW + timedelta(days=20))
    told = order("R-1", reserved, claims=(claim("R-1", "R-1-1"),))
    agent.client.blocking_portal.call(lambda: agent.rig.write("alpha-main", told))

    page = agent.get(f"/cases/{agent.case_id('alpha-main', order_no='R-1')}").text

    assert re.search(r"예약상품</span>\s*<div[^>]*>발송 가능일 <time", page)


def test_an_empty_list_says_what_would_be_there(agent: Browser) -> None:
    assert "맡은 건이 없습니다" in agent.get("/cases?view=mine").text


async def _a_waiting_action(rig: Rig) -> int:
    """An action of which nothing has been sent: the process that stored it died at once."""
    letter = Letter(action=Action.MEMO, lines=(LineAction(order_no="A-1", line=line("A-1-1"), text="메모"),))
    row = {"id": new_id(), "shop_id": rig.shops["alpha-main"].id, "action": "memo", "order_no": "A-1"}
    row |= {"outcome": "pending", "lines": "[]", "created_at": to_ms(NOW)}
    async with rig.database.writing() as connection:
        await connection.execute(actions.insert(), [row | {"letter_sealed": seal(rig.database, letter)}])
    return int(row["id"])


def test_an_action_that_waits_can_be_taken_back_until_it_is_sent(agent: Browser) -> None:
    case_id = agent.case_id("alpha-main", order_no="A-1")
    action_id = agent.client.blocking_portal.call(lambda: _a_waiting_action(agent.rig))
    page = agent.get(f"/cases/{case_id}").text
    assert f'name="action_id" value="{action_id}"' in page

    cancelled = agent.post(f"/cases/{case_id}/cancel-action", action_id=str(action_id), swap=True)
    again = agent.post(f"/cases/{case_id}/cancel-action", action_id=str(action_id), swap=True)

    assert "보내기 전에 취소했습니다" in cancelled.text
    assert f'value="{action_id}"' not in cancelled.text
    assert "취소할 수 없습니다" in again.text
    assert agent.rig.connectors["alpha-main"].sent == []
