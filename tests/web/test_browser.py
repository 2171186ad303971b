"""The desk in a real browser: keys, swaps, drafts; and no word of complaint in its console."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from hub.web.app import make_app
from tests.desk.invented import Rig
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.browser


class _Server(uvicorn.Server):
    """Runs in a thread of its own and tells its port."""

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
def desk(rig: Rig) -> Iterator[str]:
    app = make_app(rig)
    # Connections are closed on the loop that opened them.
    app.on_shutdown.append(rig.database.aclose)
    server = _Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said; nothing, at the end of a test."""
    return []


@pytest.fixture
def page(desk: str, chromium: str, complaints: list[str]) -> Iterator[Any]:
    """Signed in, at the worklist."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(desk)
        page.fill("[name=login]", "kim")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-row]")
        yield page
        browser.close()
    assert complaints == []


def test_a_question_is_answered_without_the_mouse(page: Any, rig: Rig) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("article[data-case]")
    assert "주문문의" in page.inner_text(".case-title")
    assert "/cases/" in page.url

    page.keyboard.press("r")
    page.keyboard.insert_text("내일 도착합니다. jjj")
    assert page.inner_text("[data-count-of=reply]") == "13"
    page.keyboard.press("Control+Enter")

    page.wait_for_selector(".notice-done")
    assert [sent.text for sent in rig.connectors["alpha-main"].sent] == ["내일 도착합니다. jjj"]  # type: ignore[union-attr]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id").startswith("row-")


def test_what_was_typed_waits_until_the_case_is_opened_again(page: Any) -> None:
    page.click("[data-row]:has-text('주문문의')")
    page.fill("#reply", "쓰다 만 답변")
    page.click("[data-row]:has-text('반품')")
    page.wait_for_selector(".case-title:has-text('반품')")

    page.click("[data-row]:has-text('주문문의')")
    page.wait_for_selector("#reply")

    assert page.input_value("#reply") == "쓰다 만 답변"


def test_keys_leave_the_input_method_alone(page: Any) -> None:
    composing = "new KeyboardEvent('keydown', {code: 'KeyJ', key: 'ㅓ', isComposing: true, bubbles: true})"
    page.evaluate(f"document.body.dispatchEvent({composing})")
    assert page.evaluate("document.activeElement.tagName") == "BODY"

    korean_layout = "new KeyboardEvent('keydown', {code: 'KeyJ', key: 'ㅓ', bubbles: true})"
    page.evaluate(f"document.body.dispatchEvent({korean_layout})")
    assert page.evaluate("document.activeElement.id").startswith("row-")

    page.keyboard.press("/")
    page.keyboard.type("jkra?")
    assert page.input_value("#find") == "jkra?"


def test_the_server_gone_is_said_and_stays(page: Any, complaints: list[str]) -> None:
    page.click("[data-row]:has-text('주문문의')")
    page.wait_for_selector("#reply")
    page.route("**/act*", lambda route: route.fulfill(status=500, body="broken"))
    page.fill("#reply", "답변")

    page.click(".reply .primary")

    page.wait_for_selector("#trouble:visible")
    assert "저장되지 않았습니다" in page.inner_text("#trouble")
    assert page.input_value("#reply") == "답변"

    # What is typed is looked at while it is typed, which is no new try.
    with page.expect_response("**/check-answer"):
        page.fill("#reply", "답변입니다")
    assert page.is_visible("#trouble")

    page.unroute("**/act*")
    page.route("**/act*", lambda route: route.fulfill(status=204))
    page.click(".reply .primary")
    page.wait_for_selector("#trouble", state="hidden")
    complaints.clear()


def test_a_case_and_its_filters_live_in_the_address(page: Any) -> None:
    page.click(".views a:has-text('취소')")
    page.wait_for_selector(".chip")
    page.click("[data-row]:has-text('린넨')")
    page.wait_for_selector("article[data-case]")
    address = page.url
    assert "kind=cancel" in address

    page.reload()
    assert page.locator("article[data-case]").count() == 1
    page.go_back()
    page.wait_for_selector(".case-empty")
    page.go_forward()
    page.wait_for_selector("article[data-case]")
    assert page.url == address


def test_a_narrow_screen_folds_the_customer_away(page: Any) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.click("[data-row]:has-text('주문문의')")
    page.wait_for_selector("article[data-case]")
    assert not page.is_visible(".side")

    page.click(".side-toggle")
    assert page.is_visible(".side")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024

    page.click(".side-close")
    assert not page.is_visible(".side")
