"""A caller says a number: the agent finds who it may be, on every mall."""

import pytest

from tests.journeys.conftest import Window
from tests.journeys.scene import Scene
from tests.journeys.window import Page, expect


def _find(page: Page, text: str) -> None:
    page.keyboard.press("Slash")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search")


@pytest.mark.parametrize("spelling", ["with dashes", "digits only", "from abroad"])
def test_a_phone_number_in_any_spelling_finds_the_orders_of_two_malls(
    agent: Window, scene: Scene, spelling: str
) -> None:
    phone = scene.caller.phone
    digits = phone.replace("-", "")
    spoken = {
        "with dashes": phone,
        "digits only": digits,
        "from abroad": f"+82 {digits[1:3]} {digits[3:7]} {digits[7:]}",
    }
    page = agent.go("/cases")

    _find(page, spoken[spelling])

    table = page.locator("table.found")
    for row in scene.caller_lines.values():
        expect(table).to_contain_text(row["order_no"])
    assert scene.caller.phone not in page.content().replace(f'value="{spoken[spelling]}"', "")
    assert digits not in page.url


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
