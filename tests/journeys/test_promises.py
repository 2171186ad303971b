"""A promise kept and one broken, as agents meet them; handed over at the end of a shift; a complaint and its points."""

import re
import sqlite3
from datetime import timedelta

from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.scene import Scene
from tests.journeys.stack import Desk
from tests.journeys.window import Page, expect


def _open(window: Window, number: str) -> Page:
    page = window.go("/cases")
    page.locator("#find").fill(number)
    page.keyboard.press("Enter")
    page.locator(".case-links").get_by_role("link", name="취소", exact=True).first.click()
    expect(page.locator(".case-title h1")).to_have_text("취소")
    # The keys are bound once the page has loaded.
    page.wait_for_load_state()
    return page


def _promise(page: Page, due: str) -> None:
    """Three strokes: the key, the time, Enter."""
    page.keyboard.press("p")
    expect(page.locator("#promises input[name=due]").last).to_be_focused()
    page.keyboard.type(due)
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("약속을 남겼습니다")


def _let_time_pass(desk: Desk, hours: int) -> None:
    """As if the open promises had been made so much earlier: nobody can wait here."""
    earlier = int(timedelta(hours=hours) / timedelta(milliseconds=1))
    with sqlite3.connect(desk.hub.settings.home / "hub.db", timeout=30) as database:
        moved = "UPDATE promises SET due_at = due_at - ?, made_at = made_at - ? WHERE state = 'open'"
        database.execute(moved, (earlier, earlier))
    database.close()


def test_a_promise_is_made_with_three_strokes_and_kept_by_a_call(agent: Window, scene: Scene) -> None:
    page = _open(agent, scene.at_qsm.row["order_no"])

    page.keyboard.press("p")
    page.keyboard.type("어제")
    page.keyboard.press("Enter")
    agent.expect_trouble("422")
    part = page.locator("#promises")
    expect(part.get_by_role("alert")).to_contain_text("시각을 알 수 없습니다")
    expect(part.locator("input[name=due]").last).to_have_value("어제")
    page.keyboard.press("Escape")
    page.reload()
    _promise(page, "+30m")
    expect(page.locator(".promise")).to_contain_text("고객에게 전화")
    expect(page.locator(".case-title .due, .dues").first).to_contain_text("약속")
    part.locator("[data-key=promise-kept]").click()
    part.locator("input[name=who]").fill("고객 본인")
    page.keyboard.press("Enter")

    expect(page.locator("#notice")).to_contain_text("지킨 것으로 기록")
    expect(page.locator(".timeline")).to_contain_text("약속 지킴: 고객에게 전화")
    expect(part.locator(".promise")).to_have_count(0)


def test_a_broken_promise_stays_broken_and_asks_why(agent: Window, desk: Desk, scene: Scene) -> None:
    page = _open(agent, scene.at_qsm.row["order_no"])
    _promise(page, "+2h")
    _let_time_pass(desk, hours=3)

    page.reload()
    broken = page.locator(".promise.is-broken")
    expect(broken).to_contain_text("어김")
    expect(page.locator("#promise-strip")).to_contain_text("사유를 적으세요")
    broken.locator("summary", has_text="늦게 연락함").click()
    broken.locator("input[name=who]").fill("고객 본인")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("어긴 약속으로 남습니다")
    expect(broken).to_contain_text("늦게 연락")
    broken.locator("select[name=reason]").select_option("too_busy")
    broken.get_by_role("button", name="사유 저장").click()

    expect(broken).to_contain_text("다른 상담 중")
    page.keyboard.press("Escape")
    page.goto(desk.url + "/promises?view=broken")
    expect(page.locator(".promise-table")).to_contain_text("다른 상담 중")
    # Other journeys at the same desk may have left a promise behind.
    expect(page.locator(".care-figures")).to_contain_text(re.compile(r"어긴 약속 [1-9]"))


def test_at_the_end_of_a_shift_promises_are_given_to_a_colleague(
    agent: Window, open_window: OpenWindow, desk: Desk, scene: Scene
) -> None:
    page = _open(agent, scene.at_qsm.row["order_no"])
    _promise(page, "내일 10:00")

    page.goto(desk.url + "/promises")
    expect(page.locator(".promise-table tbody tr")).to_have_count(1)
    page.get_by_label("넘길 사람").select_option(label="박슈퍼")
    page.get_by_role("button", name="넘기기").click()

    expect(page.locator(".notice")).to_contain_text("약속을 넘겼습니다")
    expect(page.locator(".empty")).to_contain_text("열린 약속이 없습니다")
    theirs = open_window("supervisor").go("/promises")
    expect(theirs.locator(".promise-table tbody tr")).to_have_count(1)


def test_a_complaint_goes_its_steps_and_points_wait_for_the_supervisor(
    agent: Window, open_window: OpenWindow, desk: Desk, scene: Scene
) -> None:
    page = _open(agent, scene.at_qsm.row["order_no"])
    complaint = page.locator("#complaint")
    complaint.locator("summary").first.click()
    complaint.get_by_placeholder("내용").fill("두 번째 지연이라고 항의함")
    complaint.get_by_role("button", name="단계 저장").click()
    expect(complaint.locator(".is-taken")).to_have_count(1)

    agent.expect_trouble("422")
    complaint.locator("select[name=step]").select_option("solution")
    complaint.get_by_placeholder("내용").fill("오늘 출고")
    complaint.get_by_role("button", name="단계 저장").click()
    expect(complaint.get_by_role("alert")).to_contain_text("먼저 '원인' 단계가 남아 있습니다")
    expect(complaint.get_by_placeholder("내용")).to_have_value("오늘 출고")
    complaint.locator("select[name=step]").select_option("cause")
    complaint.locator("select[name=cause]").select_option("late")
    complaint.get_by_label("앞 단계 없이 저장").check()
    complaint.get_by_role("button", name="단계 저장").click()
    expect(complaint.locator(".is-taken")).to_have_count(2)
    expect(complaint).to_contain_text("배송 · 배송 지연")

    gifts = page.locator("#compensation")
    gifts.locator("summary").first.click()
    gifts.locator("input[name=amount]").fill("500")
    gifts.locator("select[name=reason]").select_option("late")
    gifts.get_by_role("button", name="보상", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("슈퍼바이저 승인을 기다립니다")
    theirs = open_window("supervisor").go("/compensations")
    theirs.get_by_role("button", name="승인").click()
    expect(theirs.locator(".ledger-sums")).to_contain_text(re.compile("500"))
    page.reload()
    expect(gifts).to_contain_text("승인 박슈퍼")
