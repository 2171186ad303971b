"""A caller says a number: the agent finds who it may be, on every mall."""

from tests.journeys.conftest import Window
from tests.journeys.keystrokes import Keys, Task
from tests.journeys.scene import Scene
from tests.journeys.window import Page, expect


def _find(page: Page, text: str) -> None:
    page.keyboard.press("Slash")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type(text)
    with page.expect_navigation(url="**/search"):
        page.keyboard.press("Enter")


def test_a_phone_number_in_any_spelling_finds_the_orders_of_two_malls(agent: Window, scene: Scene) -> None:
    keys = Keys(agent.page)
    phone = scene.caller.phone
    digits = phone.replace("-", "")

    for spoken in (f"+82 {digits[1:3]} {digits[3:7]} {digits[7:]}", phone, digits):
        page = agent.go("/cases")
        keys.start()
        _find(page, spoken)

        table = page.locator("table.found")
        for row in scene.caller_lines.values():
            expect(table).to_contain_text(row["order_no"])
        assert scene.caller.phone not in page.content().replace(f'value="{spoken}"', "")
        assert digits not in page.url
    keys.assert_told(Task.PHONE, typed=digits)


def test_the_order_of_one_mall_leads_to_the_order_of_the_other(agent: Window, scene: Scene) -> None:
    here, there = scene.caller_lines["cafe24"], scene.caller_lines["smartstore"]
    page = agent.go("/cases")
    _find(page, scene.caller.phone)

    page.get_by_role("link", name=here["order_no"]).click()

    expect(page.get_by_role("heading", name=here["order_no"])).to_be_visible()
    others = page.locator(".others")
    expect(page.get_by_text("같은 사람이 아닐 수 있습니다")).to_be_visible()
    expect(others).to_contain_text("전화 일치")
    others.locator(".mark.mall-smartstore").first.click()
    expect(page.locator(".case-sub").first).to_contain_text("main-smartstore")
    expect(page.locator(".case")).to_contain_text(there["mall"].replace("smartstore", "스마트스토어"))


def test_what_nobody_has_is_said_with_what_was_tried(agent: Window) -> None:
    page = agent.go("/cases")

    _find(page, "010-0999-9999")

    expect(page.get_by_text("찾지 못했습니다.")).to_be_visible()
    expect(page.get_by_text("찾아본 방법")).to_contain_text("전화번호")
