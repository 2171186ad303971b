"""The forms beside each contact, and the page where a contact answers without an account."""

import html
import io
import logging
import re
import sys
from datetime import timedelta

import pytest
from litestar.testing import TestClient

from hub.desk.asks import sending as ask_sending
from hub.logging import configure_logging
from hub.settings import Settings
from hub.web.app import make_app
from hub.web.cases import answers
from hub.web.cases.answers import Limiter
from tests.desk.asking import SETTINGS, Mailbox, give_people
from tests.desk.invented import NOW, Rig
from tests.web.conftest import Browser

PRIVATE = ("김민지", "010-2222-3333", "2222")


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    box = Mailbox()
    monkeypatch.setattr(ask_sending, "MailSender", lambda _settings: box)
    return box


@pytest.fixture
def asking(agent: Browser, mailbox: Mailbox) -> Browser:
    give_people(agent.rig)
    return agent


def _ask(browser: Browser, case_id: int, *, swap: bool = False, **more: str) -> object:
    given = {"matter": "defect", "contact": "hanul", "way": "mail", "token": "one", "text": "봉제선이 터졌습니다"}
    return browser.post(f"/cases/{case_id}/asks", swap=swap, **(given | more))


def _link(mailbox: Mailbox) -> str:
    found = re.search(r"https://desk\.example(/answers/[\w-]+)", mailbox.text())
    assert found is not None
    return found[1]


def _stranger(rig: Rig) -> TestClient:
    """Whoever has the link: no session, no cookie."""
    return TestClient(make_app(rig))


def test_each_contact_has_a_form_with_the_text_ready(asking: Browser):
    page = asking.get(f"/cases/{asking.case_id('alpha-main', order_no='A-2')}?matter=defect").text

    assert page.count('class="ask-form"') == 2
    assert "고객이 상품에 이상이 있다고 합니다." in html.unescape(page)
    assert page.count('name="way" value="mail"') == 2
    assert "hot_line" not in page
    hard = asking.get(f"/cases/{asking.case_id('alpha-main', order_no='A-2')}?matter=hard_case").text
    assert hard.count('name="hot_line" value="1" checked') == 2, "whoever can be written to, of three"


def test_without_a_mail_server_one_line_says_why_there_is_no_mail(agent: Browser):
    address = f"/cases/{agent.case_id('alpha-main', order_no='A-2')}?matter=defect"
    give_people(agent.rig, settings=SETTINGS)
    assert "data-no-mail" not in agent.get(address).text

    give_people(agent.rig, settings=SETTINGS.model_copy(update={"smtp_host": None}))
    page = agent.get(address).text

    assert page.count('name="way" value="mail"') == 0
    assert page.count("data-no-mail") == 1
    assert "메일로 물을 수 없습니다" in page


@pytest.mark.parametrize("swap", [False, True], ids=["page", "part"])
def test_a_question_is_sent_and_stands_on_the_case_and_in_the_list(asking: Browser, mailbox: Mailbox, swap: bool):
    case_id = asking.case_id("alpha-main", order_no="A-2")

    answer = _ask(asking, case_id, swap=swap)

    assert answer.status_code == (200 if swap else 303)  # type: ignore[attr-defined]
    assert len(mailbox.letters) == 1
    page = asking.get(f"/cases/{case_id}").text
    assert "윤하늘에게 메일로 물음" in page
    assert "봉제선이 터졌습니다" in page
    assert "물류 답변 대기" in asking.get("/cases").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"contact": "hanbit"}, "담당자가 아닙니다"),
        ({"way": "webhook"}, "이 방법으로 물을 수 없습니다"),
        ({"way": "fax"}, "요청을"),
        ({"matter": "weather"}, "요청을"),
        ({"text": "김민지 고객 010-2222-3333"}, "이름, 전화"),
        ({"clear": "1"}, "사유를 적으세요"),
        ({"text": ""}, "문구가 비었거나"),
    ],
)
def test_a_wrong_question_is_refused_with_its_reason(
    asking: Browser, mailbox: Mailbox, fields: dict[str, str], said: str
):
    page = _ask(asking, asking.case_id("alpha-main", order_no="A-2"), swap=True, **fields)

    notice = re.search(r'<p class="notice notice-wrong"[^>]*>(.*?)</p>', page.text)  # type: ignore[attr-defined]
    assert notice is not None
    assert said in notice[1] or said == "요청을"
    assert mailbox.letters == []


def test_a_failed_message_says_so_and_can_be_sent_again(asking: Browser, mailbox: Mailbox):
    case_id = asking.case_id("alpha-main", order_no="A-2")
    mailbox.trouble = "SMTPServerDisconnected"
    _ask(asking, case_id)
    page = asking.get(f"/cases/{case_id}").text
    assert "보내지 못함 (SMTPServerDisconnected)" in page
    again = re.search(rf"/cases/{case_id}/asks/\d+/send", page)
    assert again is not None
    mailbox.trouble = None

    asking.post(again[0])

    assert len(mailbox.letters) == 1
    assert "보내지 못함" not in asking.get(f"/cases/{case_id}").text


def test_a_contact_answers_by_link_and_the_owner_sees_it_once_as_new(asking: Browser, mailbox: Mailbox):
    case_id = asking.case_id("alpha-main", order_no="A-2")
    _ask(asking, case_id)
    link = _link(mailbox)
    with _stranger(asking.rig) as stranger:
        page = stranger.get(link)
        assert page.status_code == 200
        assert "환불해 주세요" in page.text
        assert [datum for datum in PRIVATE if datum in page.text] == []
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in page.headers["x-robots-tag"]
        assert page.headers["cache-control"] == "no-store"
        assert "set-cookie" not in page.headers
        asking.rig.at = NOW + timedelta(minutes=22)
        sent = stranger.post(link, data={"choice": "refund_ok", "text": "<b>검수함</b>"}, follow_redirects=False)
        assert (sent.status_code, sent.headers["location"]) == (303, link)
        after = stranger.get(link).text
        assert "환불해 주세요 · &lt;b&gt;검수함&lt;/b&gt;" in after
        assert "상담사가 확인하기 전까지" in after

        assert "물류 답변 도착" in asking.get("/cases").text
        first = asking.get(f"/cases/{case_id}").text
        assert "새 답변" in first
        assert "영업시간 22분" in first
        assert "보통 22분 안에 답함 (n=1" in first
        assert "새 답변" not in asking.get(f"/cases/{case_id}").text
        assert "상담사가 답변을 확인했습니다" in stranger.get(link).text
        stranger.post(link, data={"choice": "not_defect"})
    assert "환불 승인" in asking.get(f"/cases/{case_id}").text


def test_looking_at_the_link_answers_nothing(asking: Browser, mailbox: Mailbox):
    case_id = asking.case_id("alpha-main", order_no="A-2")
    _ask(asking, case_id)
    with _stranger(asking.rig) as stranger:
        for address in (_link(mailbox), f"{_link(mailbox)}?choice=refund_ok&text=x"):
            assert stranger.get(address).status_code == 200
            assert stranger.head(address).status_code in {200, 405}

    assert "새 답변" not in asking.get(f"/cases/{case_id}").text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "버튼을 누르거나"),
        ({"choice": "nonsense"}, "버튼을 누르거나"),
        ({"text": "가" * 2001}, "2000자까지"),
        ({"text": "x" * 70_000}, "버튼을 누르거나"),
    ],
    ids=["empty", "unknown button", "too long", "endless body"],
)
def test_a_wrong_answer_is_told_on_the_page(asking: Browser, mailbox: Mailbox, data: dict[str, str], said: str):
    _ask(asking, asking.case_id("alpha-main", order_no="A-2"))
    with _stranger(asking.rig) as stranger:
        page = stranger.post(_link(mailbox), data=data)

    assert page.status_code == 422
    assert said in page.text


def test_forged_and_expired_links_get_one_and_the_same_page(asking: Browser, mailbox: Mailbox):
    _ask(asking, asking.case_id("alpha-main", order_no="A-2"))
    link = _link(mailbox)
    asking.rig.at = NOW + timedelta(hours=72)
    with _stranger(asking.rig) as stranger:
        pages = [
            stranger.request(method, address)
            for address in (link, "/answers/forged", f"/answers/{'x' * 3000}", "/answers/%F0%9F%92%A9")
            for method in ("GET", "POST")
        ]

    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert all(word in pages[0].text for word in ("쓸 수 없는 주소", "使えません", "does not work"))


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_neither_the_log_nor_an_error_names_the_link(
    asking: Browser, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, log_format: str
):
    _ask(asking, asking.case_id("alpha-main", order_no="A-2"))
    link = _link(mailbox)
    logged = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(sys, "stderr", logged)
    configure_logging(Settings(log_format=log_format, log_level="DEBUG"))

    async def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(answers, "find_by_link", broken)
    with _stranger(asking.rig) as stranger:
        answered = stranger.get(link)

    assert (answered.status_code, answered.content) == (500, b"")
    assert "web.answer.failed" in logged.getvalue()
    assert link.rpartition("/")[2] not in logged.getvalue()


def test_one_address_may_not_try_for_ever(asking: Browser):
    with _stranger(asking.rig) as stranger:
        found = [stranger.get(f"/answers/{number}").status_code for number in range(125)]
        asking.rig.at = NOW + timedelta(minutes=1)
        later = stranger.get("/answers/again").status_code

    assert found == [404] * 120 + [429] * 5
    assert later == 404


def test_a_limiter_forgets_and_does_not_grow_without_end():
    limiter = Limiter(limit=1, span=timedelta(minutes=1), most=3)

    assert [limiter.allows(key, at=NOW) for key in ("a", "a", "b", "c", "d")] == [True, False, True, True, False]
    assert limiter.allows("d", at=NOW + timedelta(minutes=1))


def test_an_agent_types_an_answer_or_withdraws_the_question(asking: Browser, mailbox: Mailbox):
    case_id = asking.case_id("alpha-main", order_no="A-2")
    _ask(asking, case_id)
    _ask(asking, case_id, contact="daon", token="two")
    found = re.findall(rf"/cases/{case_id}/asks/(\d+)/answer", asking.get(f"/cases/{case_id}").text)
    newest, oldest = list(dict.fromkeys(found))

    asking.post(f"/cases/{case_id}/asks/{oldest}/answer", text="회수해 달랍니다")
    asking.post(f"/cases/{case_id}/asks/{newest}/withdraw")

    page = asking.get(f"/cases/{case_id}").text
    assert "회수해 달랍니다" in page
    assert "취소함" in page
    assert asking.post(f"/cases/{case_id}/asks/{newest}/withdraw").status_code == 404
    assert asking.post(f"/cases/{case_id}/asks/1/answer", text="x").status_code == 404


def test_a_call_is_noted(asking: Browser, mailbox: Mailbox):
    case_id = asking.case_id("alpha-main", order_no="A-2")

    _ask(asking, case_id, way="call", answer="내일 검수한대요")

    page = asking.get(f"/cases/{case_id}").text
    assert "윤하늘에게 전화로 물음" in page
    assert "내일 검수한대요" in page
    assert mailbox.letters == []


def test_a_promise_names_the_question_whose_answer_it_waits_for(asking: Browser):
    case_id = asking.case_id("alpha-main", order_no="A-2")
    assert 'name="ask_id"' not in asking.get(f"/cases/{case_id}").text
    _ask(asking, case_id)
    chosen = re.search(
        r'<select name="ask_id">.*?<option value="(\d+)"', asking.get(f"/cases/{case_id}").text, re.DOTALL
    )
    assert chosen is not None

    asking.post(f"/cases/{case_id}/promises", due="+2h", ask_id=chosen[1], token="p")
    waiting = asking.get(f"/cases/{case_id}").text
    asking.post(f"/cases/{case_id}/asks/{chosen[1]}/answer", text="내일 들어온대요")
    answered = asking.get(f"/cases/{case_id}").text
    wrong = asking.post(f"/cases/{case_id}/promises", due="+2h", ask_id="1", token="q")

    assert re.search(r'href="#asks">답을 기다림:[^<]*답 없음</a>', waiting)
    assert re.search(r'href="#asks">답을 기다림:[^<]*답 옴</a>', answered)
    assert wrong.status_code == 404
