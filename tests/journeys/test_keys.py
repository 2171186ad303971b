"""The keyboard: the physical keys count, a text field and the Korean input keep theirs."""

import sqlite3
from datetime import timedelta

from tests.journeys.conftest import Window
from tests.journeys.keystrokes import stand_before
from tests.journeys.scene import Scene
from tests.journeys.stack import Desk
from tests.journeys.window import Locator, Page, expect


def _press_with_korean_input(page: Page, code: str, key: str, *, is_composing: bool) -> None:
    """What the browser sends for a key while the Korean input is on."""
    page.evaluate(
        """([code, key, isComposing]) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { code, key, isComposing, bubbles: true, cancelable: true }))""",
        [code, key, is_composing],
    )


def _row(page: Page, number: int) -> Locator:
    return page.locator("[data-row]").nth(number)


def test_j_k_enter_and_escape_walk_the_list(agent: Window) -> None:
    page = agent.go("/cases")

    page.keyboard.press("j")
    expect(_row(page, 0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(_row(page, 1)).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator(".case")).to_be_visible()
    expect(_row(page, 1)).to_have_attribute("aria-current", "true")
    href = _row(page, 1).get_attribute("href")
    expect(page).to_have_url(f"{agent.desk.url}{href}")
    page.keyboard.press("Slash")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(_row(page, 1)).to_be_focused()


def test_the_list_ends_hold_the_cursor(agent: Window) -> None:
    page = agent.go("/cases")

    page.keyboard.press("k")
    page.keyboard.press("k")

    expect(_row(page, 0)).to_be_focused()


def test_keys_work_by_place_while_the_korean_input_is_on(agent: Window) -> None:
    page = agent.go("/cases")
    page.keyboard.press("j")

    _press_with_korean_input(page, "KeyJ", "ㅓ", is_composing=False)

    expect(_row(page, 1)).to_be_focused()


def test_keys_rest_while_a_syllable_is_being_composed(agent: Window) -> None:
    page = agent.go("/cases")
    page.keyboard.press("j")

    _press_with_korean_input(page, "KeyJ", "ㅓ", is_composing=True)
    _press_with_korean_input(page, "Slash", "/", is_composing=True)

    expect(_row(page, 0)).to_be_focused()


def test_a_text_field_keeps_every_letter(agent: Window) -> None:
    page = agent.go("/cases")
    page.keyboard.press("j")
    page.keyboard.press("Slash")

    page.keyboard.type("jkraxtcig?/m")

    expect(page.locator("#find")).to_have_value("jkraxtcig?/m")
    expect(page.locator("#find")).to_be_focused()
    expect(page.locator("#keys")).to_be_hidden()
    expect(page).to_have_url(f"{agent.desk.url}/cases")


def test_keys_with_control_stay_the_browsers(agent: Window) -> None:
    page = agent.go("/cases")
    page.keyboard.press("j")

    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+j")

    expect(_row(page, 0)).to_be_focused()


def test_the_question_mark_lists_the_keys_and_escape_closes_the_list(agent: Window) -> None:
    page = agent.go("/cases")

    page.keyboard.press("Shift+Slash")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("j")
    expect(_row(page, 0)).not_to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()


def test_g_and_a_letter_change_the_view(agent: Window) -> None:
    page = agent.go("/cases")

    page.keyboard.press("g")
    page.keyboard.press("l")

    expect(page).to_have_url(f"{agent.desk.url}/cases?view=overdue")
    expect(page.locator(".list h1")).to_have_text("기한 지남")


def _let_time_pass(desk: Desk, hours: int) -> None:
    """As if what is laid aside had been so much earlier: nobody can wait here."""
    earlier = int(timedelta(hours=hours) / timedelta(milliseconds=1))
    with sqlite3.connect(desk.hub.settings.home / "hub.db", timeout=30) as database:
        database.execute(
            "UPDATE cases SET snoozed_until = snoozed_until - ?, snoozed_at = snoozed_at - ?, updated_at = updated_at - ?"
            " WHERE snoozed_until IS NOT NULL",
            (earlier, earlier, earlier),
        )
    database.close()


def test_a_case_is_taken_laid_aside_comes_back_and_is_handed_over(
    agent: Window, supervisor: Window, scene: Scene
) -> None:
    page = agent.go("/cases?view=unassigned&kind=inquiry")
    row = page.locator("[data-row]", has_text=scene.handed.subject)
    stand_before(row)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".message-text").first).to_have_text(scene.handed.text)
    case_id = page.locator(".case").get_attribute("data-case")

    page.keyboard.press("l")
    expect(page.locator("#notice")).to_contain_text("내 담당이 되었습니다.")
    page.keyboard.press("g")
    page.keyboard.press("m")

    expect(page).to_have_url(f"{agent.desk.url}/cases?view=mine&kind=inquiry")
    row = page.locator(f"#row-{case_id}")
    row.click()
    expect(page.locator(f"[data-case='{case_id}']")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator(".case-work input[name=until]")).to_be_focused()
    page.keyboard.type("+30m")
    page.keyboard.press("Enter")
    expect(page.locator(".case-work")).to_contain_text("미룸")
    agent.go("/cases?view=mine")
    expect(row).to_have_count(0)
    _let_time_pass(agent.desk, hours=1)
    page.reload()
    expect(page.locator("[data-row]").first).to_have_id(f"row-{case_id}")

    agent.go("/hand-over")
    page.locator("select[name=to_id]").select_option(label="박슈퍼")
    page.locator("textarea[name=note]").fill("내일 오전에 전화")
    page.get_by_role("button", name="모두 넘기기").click()
    expect(page.get_by_role("status").filter(has_text="넘겼습니다")).to_be_visible()
    theirs = supervisor.go("/cases?view=mine")
    theirs.locator(f"#row-{case_id}").click()
    expect(theirs.locator(".timeline")).to_contain_text("내일 오전에 전화")


def test_after_an_act_the_keyboard_stands_on_what_was_told(agent: Window) -> None:
    page = agent.go("/cases")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".case")).to_be_visible()

    page.keyboard.press("n")
    expect(page.locator(".case-work textarea[name=text]")).to_be_focused()
    page.keyboard.type("확인했습니다")
    page.keyboard.press("Control+Enter")

    told = page.locator("#notice .notice")
    expect(told).to_be_focused()
    expect(told).to_have_text("내부 메모를 남겼습니다.")

    # A row has a name of its own: the hand stays there, and the ear is told.
    page.keyboard.press("j")
    page.keyboard.press("j")
    row = page.locator("[data-row]:focus")
    expect(row).to_have_count(1)
    page.keyboard.press("x")
    page.keyboard.press("e")
    expect(page.locator("#said")).to_contain_text("1건")
    expect(row).to_have_count(1)
