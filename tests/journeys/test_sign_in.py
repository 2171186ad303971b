"""The door: in with the right password, told clearly with a wrong one, out again."""

from hub.desk.users import MAX_FAILURES
from tests.journeys.conftest import OpenWindow
from tests.journeys.window import expect


def test_an_agent_signs_in_works_and_signs_out(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.go("/cases?kind=cancel")
    expect(page).to_have_url(f"{window.desk.url}/sign-in?next=/cases%3Fkind%3Dcancel")

    page.get_by_label("아이디").fill("agent")
    page.get_by_label("비밀번호").fill("correct horse battery")
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{window.desk.url}/cases?kind=cancel")
    expect(page.locator(".top")).to_contain_text("김상담")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="로그아웃").click()
    expect(page).to_have_url(f"{window.desk.url}/sign-in")

    window.go("/cases")
    expect(page.get_by_label("비밀번호")).to_be_visible()
    page.go_back()
    expect(page.locator("[data-row]")).to_have_count(0)


def test_a_wrong_password_is_told_and_keeps_the_login(open_window: OpenWindow) -> None:
    window = open_window()
    window.expect_trouble("403")

    page = window.sign_in("agent", "wrong")

    expect(page.get_by_role("alert").filter(has_text="로그인하지 못했습니다")).to_be_visible()
    expect(page.get_by_label("아이디")).to_have_value("agent")
    expect(page.get_by_label("비밀번호")).to_have_value("")
    expect(page.get_by_label("비밀번호")).to_be_focused()


def test_after_many_wrong_passwords_the_right_one_is_refused_too(open_window: OpenWindow) -> None:
    window = open_window()
    window.expect_trouble("403")
    for _ in range(MAX_FAILURES):
        window.sign_in("locked", "wrong")

    page = window.sign_in("locked")

    expect(page.get_by_role("alert").filter(has_text="10분 동안 잠깁니다")).to_be_visible()


def test_a_window_whose_session_ended_is_sent_to_the_door(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.sign_in("agent")
    page.wait_for_url("**/cases")
    window.expect_trouble("401")
    page.context.clear_cookies(name="hub_session")

    page.locator("[data-row]").first.click()

    expect(page.get_by_label("비밀번호")).to_be_visible()


def test_a_stranger_sees_no_page(open_window: OpenWindow) -> None:
    window = open_window()

    for path in ("/cases", "/stats", "/shops", "/people", "/access-log", "/search"):
        page = window.go(path)
        expect(page.get_by_label("비밀번호")).to_be_visible()
