"""An answer begins with a template; the guard finds what is wrong with it; it is mended and sent."""

import re

from tests.journeys.conftest import Window
from tests.journeys.scene import Scene
from tests.journeys.stack import Town
from tests.journeys.window import NARROW, Locator, Page, assert_fits, expect

_LIST = "/cases?shop=main-smartstore&kind=inquiry"


def _open(window: Window, subject: str) -> Page:
    page = window.go(_LIST)
    page.locator("[data-row]").filter(has_text=subject).click()
    expect(page.locator("#reply")).to_be_visible()
    return page


def _finding(page: Page, words: str) -> Locator:
    return page.locator("#findings .finding").filter(has_text=words)


def _caret(page: Page) -> int:
    return int(page.locator("#reply").evaluate("field => field.selectionStart"))


def test_a_template_is_chosen_by_keyboard_its_gap_filled_and_the_answer_sent(
    agent: Window, town: Town, scene: Scene
) -> None:
    agent.expect_trouble("422")
    page = _open(agent, scene.templated.subject)

    page.keyboard.press("t")
    find = page.locator("[data-template-find]")
    expect(find).to_be_focused()
    expect(page.locator("[data-template]").first).to_be_visible()
    page.keyboard.insert_text("확인 중")
    expect(page.locator("[data-template]:visible").first).to_contain_text("확인 중")
    page.keyboard.press("Enter")

    # The first gap is under the hand; nothing goes out before it is filled.
    expect(page.locator("#reply")).to_be_focused()
    expect(page.locator("#reply")).to_have_value(re.compile("⟦"))
    expect(_finding(page, "빈칸").first).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("답변을 보내지 않았습니다")
    assert scene.templated.answers == []

    answer = "고객님, 최대한 빨리 배송하겠습니다."
    page.locator("#reply").fill(answer)
    expect(_finding(page, "최대한 빨리")).to_be_visible()
    page.locator("#findings [data-span]").click()
    assert page.evaluate("getSelection().toString()") == "최대한 빨리"
    page.keyboard.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("아직 보내지 않았습니다")
    page.locator("input[name=warnings_read]").check()
    page.locator(".reply button.primary").click()

    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    assert [said.text for said in scene.templated.answers] == [answer]
    assert len(town.heard("smartstore", "최대한 빨리")) == 1


def test_the_guard_never_takes_the_caret(agent: Window, scene: Scene) -> None:
    page = _open(agent, scene.guarded.subject)
    page.locator("#reply").focus()
    page.keyboard.insert_text("단순 변심은 반품이 불가합니다")
    page.keyboard.press("Home")
    expect(_finding(page, "단순 변심")).to_be_visible()

    expect(page.locator("#reply")).to_be_focused()
    assert _caret(page) == 0
    page.locator("#reply").fill("받으신 날부터 7일 안에 반품하실 수 있습니다")
    expect(page.locator("#findings .finding")).to_have_count(0)
    assert scene.guarded.answers == []


def test_escape_closes_the_templates_and_undo_takes_one_back(agent: Window, scene: Scene) -> None:
    page = _open(agent, scene.guarded.subject)
    page.locator("#reply").fill("")
    page.locator("h1").first.click()
    page.keyboard.press("t")
    expect(page.locator("[data-template]").first).to_be_visible()

    page.keyboard.press("Escape")
    expect(page.locator("[data-templates]")).not_to_have_attribute("open", "")
    expect(page.locator("#reply")).to_be_focused()
    page.locator("[data-templates] summary").click()
    page.locator("[data-template]").first.click()
    expect(page.locator("#reply")).not_to_have_value("")
    page.keyboard.press("Control+z")

    expect(page.locator("#reply")).to_have_value("")


def test_findings_and_templates_fit_the_window(agent: Window, scene: Scene) -> None:
    page = _open(agent, scene.guarded.subject)
    page.locator("#reply").fill("위약금 010-1234-5678 최대한 빨리 배송하겠습니다. {tracking_no}")
    expect(_finding(page, "위약금")).to_be_visible()

    page.locator("[data-templates] summary").click()

    expect(page.locator("[data-template]").first).to_be_visible()
    assert_fits(page)
    page.set_viewport_size({"width": NARROW, "height": 800})
    expect(page.locator("#reply")).to_be_in_viewport()


def test_without_script_a_template_is_a_link(agent: Window, scene: Scene) -> None:
    page = _open(agent, scene.guarded.subject)
    case_id = page.locator(".case").get_attribute("data-case")

    page.goto(f"{agent.desk.url}/cases/{case_id}/templates")
    page.get_by_text("배송 조회 멈춤 - 확인 후 연락 약속").click()

    expect(page.locator("#reply")).to_contain_text("⟦연락 약속 시각⟧")
