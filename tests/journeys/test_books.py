"""A supervisor changes a switch, sees what it touches, puts it in force; a second one sees the history."""

from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.window import Page, assert_fits, expect


def _put_in_force(page: Page, note: str) -> None:
    page.get_by_role("link", name="미리보기").click()
    page.get_by_label("변경 사유").fill(note)
    page.get_by_role("button", name="적용하기").click()
    expect(page.get_by_text("적용했습니다.")).to_be_visible()


def test_a_switch_is_changed_with_a_preview(supervisor: Window) -> None:
    page = supervisor.go("/cases")
    page.locator(".nav").get_by_role("link", name="규칙").click()
    page.locator("[data-book=policy]").get_by_role("link", name="스위치").click()
    expect(page.get_by_role("link", name="줄 추가")).to_be_visible()
    assert_fits(page)
    page.get_by_role("link", name="줄 추가").click()
    expect(page.get_by_label("지연·품절 포인트")).to_be_visible()
    assert_fits(page)
    page.get_by_label("샵").fill("main-smartstore")
    page.get_by_label("지연·품절 포인트").fill("천 원")
    page.get_by_label("시작일").fill("2026-01-01")
    page.get_by_label("마지막 날").fill("2035-12-31")
    supervisor.expect_trouble("422")
    page.get_by_role("button", name="변경안에 저장").click()
    expect(page.get_by_text("‘천 원’은(는) 숫자가 아닙니다.")).to_be_visible()
    page.get_by_label("지연·품절 포인트").fill("1,000")
    page.get_by_label("구매대행", exact=True).select_option("true")
    page.get_by_role("button", name="변경안에 저장").click()
    expect(page.get_by_role("status").filter(has_text="변경안에 저장했습니다")).to_be_visible()

    page.get_by_role("link", name="미리보기").click()

    expect(page.locator(".book-changes")).to_contain_text("main-smartstore")
    expect(page.locator("#impact [data-touched]")).to_be_visible(timeout=30_000)
    assert_fits(page)
    page.get_by_label("변경 사유").fill("연말 지연 대비")
    page.get_by_role("button", name="적용하기").click()
    expect(page.get_by_text("적용했습니다.")).to_be_visible()
    assert_fits(page)


def test_a_second_supervisor_sees_the_history_and_brings_a_version_back(open_window: OpenWindow) -> None:
    page = open_window("supervisor").go("/books/templates/banned_words/new")
    page.get_by_label("금칙어").fill("무조건")
    page.get_by_role("button", name="변경안에 저장").click()
    _put_in_force(page, "과장 금지")
    first = page.url.partition("?")[0]
    page.goto(first.rpartition("/versions")[0] + "/banned_words/0")
    page.get_by_label("대신 쓸 말").fill("대체로")
    page.get_by_role("button", name="변경안에 저장").click()
    _put_in_force(page, "대신 쓸 말")

    other = open_window("admin").go("/books/templates/versions")
    expect(other.locator(".book-versions tbody tr").first).to_contain_text("박슈퍼")
    expect(other.locator(".book-versions tbody tr").first).to_contain_text("대신 쓸 말")
    other.locator(".book-versions tbody tr").first.get_by_role("link", name="바뀐 내용").click()
    expect(other.locator(".book-changes ins")).to_have_text(["대체로"])
    other.get_by_role("link", name="이전 판").click()
    other.get_by_role("button", name="이 판을 다시 적용").click()
    other.get_by_label("변경 사유").fill("되돌림")
    other.get_by_role("button", name="적용하기").click()
    expect(other.get_by_text("적용했습니다.")).to_be_visible()
    other.goto(page.url.rpartition("/versions")[0] + "/banned_words")
    expect(other.locator(".book-table tbody tr")).to_have_count(1)
    expect(other.locator(".book-table")).not_to_contain_text("대체로")


def test_an_agent_reads_the_rules(agent: Window) -> None:
    page = agent.go("/books")

    expect(page.get_by_text("상담사는 볼 수만 있습니다.")).to_be_visible()
    page.locator("[data-book=routing]").get_by_role("link", name="담당자").click()
    expect(page.locator(".book-table")).to_be_visible()
    expect(page.get_by_role("link", name="줄 추가")).to_have_count(0)
    assert_fits(page)
