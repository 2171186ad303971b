"""Personal data stays covered until somebody says why; who looked stands in the log; rights hold."""

from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.scene import Scene
from tests.journeys.window import Page, expect


def _open_order(page: Page, scene: Scene) -> None:
    page.locator("#find").fill(scene.caller_lines["cafe24"]["order_no"])
    page.keyboard.press("Enter")
    expect(page.locator(".side .person").first).to_be_visible()
    page.wait_for_load_state()


def test_who_uncovers_a_customer_says_why_and_stands_in_the_log(open_window: OpenWindow, scene: Scene) -> None:
    page = open_window("agent").go("/cases")
    caller = scene.caller
    _open_order(page, scene)
    side = page.locator(".side")
    for secret in (caller.name, caller.phone, caller.phone.replace("-", ""), caller.email, caller.address_detail):
        assert secret not in page.content()

    side.get_by_text("개인정보 보기").click()
    side.get_by_role("button", name="보기", exact=True).click()
    expect(side.locator("input:invalid")).to_be_focused()
    assert caller.phone not in page.content()
    side.get_by_label("열람 사유").fill("고객이 주소를 다시 물음")
    page.keyboard.press("Enter")

    expect(side).to_contain_text("공개 중")
    expect(side).to_contain_text(caller.name)
    expect(side).to_contain_text(caller.address_detail)
    address = page.url.removesuffix("/unmask")

    page.goto(address)
    expect(side).not_to_contain_text(caller.name)
    log = open_window("supervisor").go("/access-log")
    entry = log.locator("tbody tr").filter(has_text="고객이 주소를 다시 물음")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("김상담")
    expect(entry).to_contain_text("개인정보 열람")
    assert caller.name not in log.content()


def test_what_an_agent_may_not_see_is_refused_with_a_reason(agent: Window) -> None:
    agent.expect_trouble("403")
    page = agent.go("/cases")
    expect(page.locator(".nav").get_by_role("link")).to_have_text(["상담 업무", "약속", "연동 상태", "규칙"])
    page.locator(".nav-more summary").click()
    more = ["파일", "보상", "고객 표시", "연동 범위", "전화기 상태"]
    expect(page.locator(".nav-more").get_by_role("link")).to_have_text(more)

    for path in ("/stats", "/stats/calls/export?from=2026-01-01&to=2026-01-02", "/access-log", "/people"):
        answer = page.goto(agent.desk.url + path)

        assert answer is not None
        assert answer.status == 403, path
        expect(page.get_by_role("heading")).to_contain_text("권한")
    page.locator("main").get_by_role("link").click()
    expect(page).to_have_url(f"{agent.desk.url}/cases")
