"""An inquiry is answered by keyboard, and the mall holds the answer once."""

import re
from typing import Any

from tests.journeys.conftest import Window
from tests.journeys.scene import HOSTILE, Scene
from tests.journeys.stack import Town
from tests.journeys.window import Locator, Page, expect

_LIST = "/cases?shop=main-smartstore&kind=inquiry"


def _row(page: Page, text: str) -> Locator:
    return page.locator("[data-row]").filter(has_text=text)


def _walk_to(page: Page, row: Locator) -> None:
    """With j alone, from the top of the list."""
    for _ in range(page.locator("[data-row]").count()):
        page.keyboard.press("j")
        if row.evaluate("row => row === document.activeElement"):
            return
    raise AssertionError("j did not reach the row")


def test_an_answer_by_keyboard_closes_the_case_and_reaches_the_mall_once(
    agent: Window, town: Town, scene: Scene
) -> None:
    answer = "안녕하세요, 고객님.\n오늘 오후에 출발합니다. 감사합니다 🙂"
    page = agent.go(_LIST)
    row = _row(page, scene.question.subject)

    _walk_to(page, row)
    page.keyboard.press("Enter")
    expect(page.locator(".message-text").filter(has_text=scene.question.text)).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#reply")).to_be_focused()
    page.keyboard.insert_text(answer)
    # The impatient press it twice.
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    expect(page.locator(".case-title .state")).to_have_text("답변 완료")
    expect(row).to_have_class("row mall-smartstore is-closed")
    assert [said.text for said in scene.question.answers] == [answer]
    assert town.inquiry_row("smartstore", scene.question.text)["state"] == "answered"
    assert len(town.heard("smartstore", answer.splitlines()[1])) == 1

    page.reload()
    expect(page.locator(".case-title .state")).to_have_text("답변 완료")
    expect(page.locator(".message.from-seller .message-text")).to_have_text(answer)
    assert len(scene.question.answers) == 1
    page.goto(agent.desk.url + _LIST)
    expect(_row(page, scene.question.subject)).to_have_count(0)


def test_a_form_sent_again_from_the_browsers_memory_answers_no_second_time(
    agent: Window, town: Town, scene: Scene
) -> None:
    page = agent.go(_LIST)
    _row(page, scene.sent_again.subject).click()
    page.locator("#reply").fill("다음 주에 들어옵니다.")
    form = page.locator(".reply form")
    address = f"{agent.desk.url}{form.get_attribute('action')}"
    fields = form.evaluate("form => new URLSearchParams(new FormData(form)).toString()")

    answers = [
        page.request.post(
            address, data=fields, headers={"content-type": "application/x-www-form-urlencoded"}, max_redirects=0
        )
        for _ in range(3)
    ]

    assert [answer.status for answer in answers] == [303, 303, 303]
    assert [said.text for said in scene.sent_again.answers] == ["다음 주에 들어옵니다."]
    assert len(town.heard("smartstore", "다음 주에 들어옵니다.")) == 1


def test_a_hostile_question_is_shown_as_text(agent: Window, scene: Scene) -> None:
    page = agent.go(_LIST)

    _row(page, "<b>제목</b>").click()

    message = page.locator(".message").filter(has_text="<script>")
    expect(message.locator(".message-subject")).to_have_text("<b>제목</b>")
    message.locator(".message-rest summary").click()
    shown = "".join(part.removesuffix("…") for part in message.locator(".message-text").all_inner_texts())
    assert "<script>window.hacked = 1</script><img src=x" in shown
    assert "{{ 7 * 7 }}" in shown
    assert shown.count("긴글") == HOSTILE.count("긴글")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".case script, .case img, .list img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#reply")).to_be_visible()


def test_an_answer_too_long_for_the_mall_cannot_be_typed(agent: Window, scene: Scene) -> None:
    page = agent.go(_LIST)
    _row(page, "<b>제목</b>").click()
    limit = int(page.locator("#reply").get_attribute("maxlength") or 0)

    page.locator("#reply").focus()
    page.keyboard.insert_text("가" * (limit + 5))

    assert len(page.locator("#reply").input_value()) == limit
    expect(page.locator("[data-count-of=reply]")).to_have_text(f"{limit:,}")
    assert scene.hostile.answers == []


def test_a_draft_waits_while_another_case_is_open(agent: Window) -> None:
    """Also where the server made the page that comes back before it had the text, and told of the text first."""
    page = agent.go(_LIST)
    # Other journeys may have left a draft at whatever stands first by now.
    rows = page.locator("[data-row]").filter(has_not_text=re.compile("초안|제목"))
    first, second = (page.locator(f"#{rows.nth(place).get_attribute('id')}") for place in (0, 1))
    first.click()
    page.locator("#reply").fill("쓰다 만 답변")
    number = page.locator("#reply").get_attribute("data-draft")
    held: list[Any] = []
    page.route(f"**/cases/{number}/draft", lambda route: route.continue_() if held else held.append(route))

    second.click()
    expect(page.locator("#reply")).to_have_value("")

    def come_late(route: Any) -> None:
        made = route.fetch()
        (saving,) = held
        saving.fulfill(response=saving.fetch())
        route.fulfill(response=made)

    page.route(f"**/cases/{number}?*", come_late, times=1)
    first.click()

    expect(page.locator("#reply")).to_have_value("쓰다 만 답변")
