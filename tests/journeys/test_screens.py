"""Every screen in both languages and widths: it opens, nothing sticks out, no other host is asked for anything."""

import pytest

from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.stack import Desk
from tests.journeys.window import assert_fits, expect


def _visit_all(window: Window) -> list[str]:
    """Every page of the menu, a case, an order and a search."""
    page = window.go("/cases")
    menu = [link.get_attribute("href") or "" for link in page.locator(".nav a").all()]
    for path in [*menu, "/search", "/cases?view=overdue", "/cases?view=closed"]:
        answer = page.goto(window.desk.url + path)
        assert answer is not None
        assert answer.status == 200, path
        assert_fits(page)
    return menu


@pytest.mark.parametrize("login", ["admin", "english"])
def test_every_page_fits_its_window_and_asks_no_other_host(open_window: OpenWindow, login: str) -> None:
    window = open_window(login)
    page = window.page
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    if login == "english":
        window.go("/cases")
        if page.get_by_role("button", name="English").count():
            page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")

    assert " ".join(_visit_all(window)) == (
        "/cases /promises /stats /shops /alerts /books "
        "/board /files /compensations /customers /connectors /phone /incidents /telephone/flow /people /access-log"
    )

    window.go("/cases")
    page.locator("[data-row]").first.click()
    expect(page.locator(".case")).to_be_visible()
    assert_fits(page)
    page.goto(page.url)
    assert_fits(page)
    if page.locator(".case-sub a[href^='/orders/']").count():
        page.locator(".case-sub a[href^='/orders/']").first.click()
        expect(page.locator(".order-page")).to_be_visible()
        assert_fits(page)
        customer = page.locator(".side").bounding_box()
        assert customer is not None
        assert customer["width"] > 200, "who ordered is to be read"
    assert hosts == {window.desk.url.removeprefix("http://")}


def test_at_1024_px_the_customer_is_a_drawer(open_window: OpenWindow) -> None:
    window = open_window("agent", width=1024)
    page = window.go("/cases?kind=cancel")
    page.locator("[data-row]").first.click()
    expect(page.locator(".case")).to_be_visible()
    expect(page.locator(".side")).to_be_hidden()

    page.keyboard.press("i")
    expect(page.locator(".side")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Escape")

    expect(page.locator(".side")).to_be_hidden()


def test_english_and_back(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.go("/sign-in")

    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_role("button", name="한국어").click()

    expect(page.get_by_role("button", name="로그인")).to_be_visible()


def test_on_the_first_day_every_page_says_what_is_missing(open_window: OpenWindow, empty_desk: Desk) -> None:
    window = open_window("admin", at=empty_desk)

    _visit_all(window)

    page = window.go("/cases")
    expect(page.locator(".list .empty")).to_contain_text("여기에 해당하는 건이 없습니다.")
    expect(page.locator(".top")).to_contain_text("쇼핑몰 없음")
    window.go("/shops")
    expect(page.locator("main")).to_contain_text("hub shop import")
    window.go("/stats")
    expect(page.locator(".nothing").first).to_be_visible()
    page.locator("#find").fill("010-0000-0001")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("찾지 못했습니다.")


def test_a_page_that_does_not_exist_says_so_and_leads_back(agent: Window) -> None:
    agent.expect_trouble("404")

    page = agent.go("/cases/999999999999")

    expect(page.locator("main .empty")).to_be_visible()
    page.locator("main").get_by_role("link").click()
    expect(page).to_have_url(f"{agent.desk.url}/cases")
