"""The steps of a purchase abroad on the page of a case, and by file: every form works without a script."""

import html
import re

import pytest

from tests.web.conftest import Browser


@pytest.fixture
def case(agent: Browser) -> str:
    return f"/cases/{agent.case_id('japan-main', order_no='J-1')}"


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the first form of facts, untouched."""
    form = re.search(r'<form class="facts-form".*?</form>', page, re.DOTALL)
    assert form is not None
    found = {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'<input(?: type="\w+")? name="([^"]+)" value="([^"]*)"', form[0])
    }
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'value="(\w*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    found.pop("_csrf_token")
    return found


def test_facts_are_told_on_the_page_and_the_stage_is_shown(agent: Browser, case: str):
    page = agent.get(case).text
    assert "입력된 사실 없음" in page

    told = fields(page) | {
        "overseas_ordered.state": "happened",
        "overseas_ordered.day": "2026-11-18",
        "overseas_ordered.time": "09:30",
        "overseas_ordered.number": "112-7 <b>",
        "overseas_dispatched.state": "not_happened",
    }
    answer = agent.post(f"{case}/facts", **told)

    assert (answer.status_code, answer.headers["location"]) == (303, f"{case}#line-facts")
    page = agent.get(case).text
    assert "1단계 · 해외 발송 전" in page
    assert "112-7 &lt;b&gt;" in page
    assert fields(page)["overseas_ordered.was"] == "happened|2026-11-18|09:30|112-7 <b>"
    swapped = agent.post(f"{case}/facts", swap=True, **fields(page))
    assert "바뀐 값이 없습니다" in swapped.text
    assert "<html" not in swapped.text


def test_a_day_alone_means_that_it_happened_and_another_state_forgets_it(agent: Browser, case: str):
    agent.post(f"{case}/facts", **fields(agent.get(case).text) | {"overseas_ordered.day": "2026-11-18"})
    typed = fields(agent.get(case).text)
    assert (typed["overseas_ordered.state"], typed["overseas_ordered.day"], typed["overseas_ordered.time"]) == (
        "happened", "2026-11-18", "",
    )  # fmt: skip

    agent.post(f"{case}/facts", **typed | {"overseas_ordered.state": ""})

    page = agent.get(case).text
    assert fields(page)["overseas_ordered.was"] == "|||"
    assert "이력 2건" in page


def test_what_somebody_else_told_meanwhile_is_not_overwritten(agent: Browser, case: str):
    old = fields(agent.get(case).text)
    agent.post(f"{case}/facts", **old | {"forwarder_in.state": "not_happened"})

    agent.post(f"{case}/facts", **old | {"overseas_ordered.day": "2026-11-18"})

    now = fields(agent.get(case).text)
    assert (now["forwarder_in.state"], now["overseas_ordered.state"]) == ("not_happened", "happened")


@pytest.mark.parametrize("swap", [True, False])
def test_a_mistake_is_named_and_what_was_typed_stays(agent: Browser, case: str, swap: bool):
    typed = fields(agent.get(case).text) | {
        "overseas_dispatched.day": "2026-11-18", "forwarder_in.day": "2026-11-17", "forwarder_in.number": "F-1",
    }  # fmt: skip

    answer = agent.post(f"{case}/facts", swap=swap, **typed)

    assert answer.status_code == 422
    assert "배대지 입고 시각이 그 앞 단계 해외 발송보다 빠릅니다" in answer.text
    assert fields(answer.text)["forwarder_in.number"] == "F-1"
    assert ("<html" in answer.text) is not swap
    assert "입력된 사실 없음" in agent.get(case).text


@pytest.mark.parametrize(
    "change",
    [
        {"forwarder_in.day": "2099-01-01"},
        {"forwarder_in.state": "happened"},
        {"forwarder_in.day": "soon"},
        {"line_no": "X"},
    ],
)
def test_what_cannot_be_is_refused(agent: Browser, case: str, change: dict[str, str]):
    assert agent.post(f"{case}/facts", **fields(agent.get(case).text) | change).status_code == 422


def test_a_case_without_an_order_has_no_facts(agent: Browser):
    page = agent.get(f"/cases/{agent.case_id('alpha-main', thread_no='Q-2')}").text

    assert 'id="line-facts"' not in page


def upload(agent: Browser, text: str, *, shop: str = "japan-main", **more: str):
    files = {"file": ("facts.csv", text.encode("cp949"))} if text else {}
    return agent.client.post("/facts", data={"shop": shop, "_csrf_token": agent.token(), **more}, files=files)


def test_a_file_is_looked_at_then_stored(agent: Browser):
    preview = upload(agent, "주문번호,해외주문일,입고일,메모\nJ-1,2026-11-18,아직,x\nJ-9,2026-11-18,,\nJ-1,,곧,\n")

    assert preview.status_code == 200
    assert "새로 저장될 사실 2건, 이미 아는 사실 0건, 문제 2건. 아직 저장하지 않았습니다." in preview.text
    assert "허브에 없는 주문 품목입니다" in preview.text
    assert "읽지 않음" in preview.text
    sealed = re.search(r'name="sealed" value="([^"]+)"', preview.text)
    assert sealed is not None
    stored = upload(agent, "", sealed=sealed[1])
    assert "사실 2건을 저장했습니다" in stored.text
    again = upload(agent, "", sealed=sealed[1])
    assert "이미 아는 사실 2건" in again.text
    assert upload(agent, "", shop="alpha-main", sealed=sealed[1]).status_code == 422


def test_a_preview_belongs_to_who_made_it(agent: Browser):
    preview = upload(agent, "주문번호,해외주문일\nJ-1,2026-11-18\n")
    sealed = re.search(r'name="sealed" value="([^"]+)"', preview.text)
    assert sealed is not None
    agent.sign_in("lee")

    assert "다시 고르세요" in upload(agent, "", sealed=sealed[1]).text


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64"])
def test_no_file_is_said(agent: Browser, sealed: str):
    assert upload(agent, "", sealed=sealed).status_code == 422


@pytest.mark.parametrize("locale", ["ko", "en"])
def test_the_page_says_which_columns_it_reads(agent: Browser, locale: str):
    agent.post("/locale", locale=locale, next="/facts")

    page = agent.get("/facts?shop=japan-main").text

    assert "배대지입고일" in page
    assert "<option selected>japan-main</option>" in page
