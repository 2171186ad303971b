"""Requests to cancel: refused, approved, or sent on to where the mall allows it."""

import re

from hub.core.model import ClaimState
from tests.journeys.conftest import Window
from tests.journeys.keystrokes import Keys, Task, stand_before
from tests.journeys.scene import Request, Scene
from tests.journeys.stack import Town
from tests.journeys.window import Page, expect


def _open(window: Window, request: Request) -> Page:
    """By the number that the customer reads out."""
    page = window.go("/cases")
    page.locator("#find").fill(request.row["order_no"])
    page.keyboard.press("Enter")
    page.locator(".case-links").get_by_role("link", name="취소", exact=True).click()
    expect(page.locator(".case-title h1")).to_have_text("취소")
    expect(page.locator(".case-title .state")).to_have_text("요청")
    # The keys are bound once the page has loaded.
    page.wait_for_load_state()
    return page


def test_a_refused_cancel_is_refused_at_the_mall(agent: Window, town: Town, scene: Scene) -> None:
    keys = Keys(agent.page)
    page = _open(agent, scene.to_refuse)
    page.keyboard.press("x")
    page.get_by_role("button", name="다음: 내용 확인").click()
    # Without a reason nothing is sent.
    expect(page.locator("details[open] textarea:invalid")).to_be_focused()
    case = page.locator(".case").get_attribute("data-case")
    page = agent.go("/cases?kind=cancel&shop=main-cafe24")
    stand_before(page.locator(f"#row-{case}"))
    keys.start()

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".case-title .state")).to_have_text("요청")
    page.keyboard.press("x")
    expect(page.locator("[data-ready]:visible")).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("details[open] textarea[name=text]")).to_have_value(re.compile("출고 준비가 끝나"))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".review")).to_contain_text("출고 준비가 끝나")
    assert town.heard("cafe24", "cancellationrequests") == []
    page.keyboard.press("Control+Enter")

    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    keys.assert_told(Task.REFUSE)
    expect(page.locator(".case-title .state")).to_have_text("거부")
    expect(page.locator(".event.action.outcome-done")).to_contain_text("출고 준비가 끝나")
    assert scene.to_refuse.claim.steps[-1].state is ClaimState.REJECTED
    assert town.claim_row("cafe24", scene.to_refuse.row["line_no"])["state"] == "rejected"
    (sent,) = town.heard("cafe24", "cancellationrequests")
    assert "출고 준비가 끝나" in str(sent.body)


def test_an_approved_cancel_says_first_what_it_does_then_ends_the_line(agent: Window, town: Town, scene: Scene) -> None:
    page = _open(agent, scene.to_approve)

    page.keyboard.press("a")
    button = page.get_by_role("button", name="다음: 내용 확인")
    expect(button).to_be_focused()
    # Thought better of it, then went on.
    page.keyboard.press("Escape")
    expect(button).to_be_hidden()
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator(".review")).to_contain_text("되돌릴 수 없습니다")
    assert scene.to_approve.claim.steps[-1].state is ClaimState.REQUESTED
    # The second look begins at the way back: a key pressed twice does not approve.
    expect(page.get_by_role("link", name="돌아가기")).to_be_focused()
    page.keyboard.press("Control+Enter")

    expect(page.locator("#notice")).to_contain_text("처리했습니다")
    expect(page.locator(".case-title .due-none")).to_have_text("종료")
    assert town.claim_row("smartstore", scene.to_approve.row["line_no"])["state"] == "done"
    assert len(town.heard("smartstore", "cancel/approve")) == 1
    page.reload()
    expect(page.locator(".case-title .state")).to_have_text("완료")


def test_a_qoo10_cancel_shows_the_way_to_qsm_and_no_button_to_press(agent: Window, town: Town, scene: Scene) -> None:
    page = _open(agent, scene.at_qsm)

    offers = page.locator(".offers")
    for name in ("취소 승인", "취소 거부"):
        expect(offers.get_by_role("button", name=name, exact=True)).to_be_disabled()
    assert offers.locator("form[action*='/act']").count() == 0
    expect(offers).to_contain_text("이 몰은 API로 할 수 없습니다")
    link = offers.get_by_role("link").first
    expect(link).to_have_attribute("href", re.compile(r"^https://qsm\.qoo10\.jp/"))
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    page.keyboard.press("a")
    page.keyboard.press("x")
    offers.get_by_role("button", name="어드민에서 처리함: 취소 승인").click()
    # Another journey may have ticked the refusal of the same request.
    expect(page.locator(".ticked").filter(has_text="취소 승인")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("취소 승인: 몰 어드민에서 처리함")
    assert town.claim_row("qoo10", scene.at_qsm.row["line_no"])["state"] == "requested"
