"""The owner's consent in a real browser: its policy on forms must let the mall's page through, and back."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.desk.invented import Rig
from tests.web.conftest import PASSWORD
from tests.web.test_browser import desk as desk  # noqa: PLC0414  a fixture
from tests.web.test_consent import PAGE, SHOP, Consenting

pytestmark = pytest.mark.browser


class Owner(BaseHTTPRequestHandler):
    """The mall's own page: the owner agrees at once."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.send_response(302)
        back = urlencode({"code": "one-time", "state": query["state"][0]})
        self.send_header("Location", f"{query['redirect_uri'][0]}?{back}")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def owner() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Owner)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_button_leads_to_the_mall_and_back(desk: str, chromium: str, rig: Rig, owner: str) -> None:
    from playwright.sync_api import sync_playwright

    class Near(Consenting):
        def consent_url(self, *, state: str, redirect_uri: str) -> str:
            return f"{owner}/ask?{urlencode({'state': state, 'redirect_uri': redirect_uri})}"

    known = rig.connectors[SHOP]
    connector = rig.connectors[SHOP] = Near(shop=known.shop, manifest=known.manifest)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(desk)
        page.fill("[name=login]", "lee")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-row]")
        page.goto(desk + "/shops")
        page.click(f'a[href="{PAGE}"]')
        page.click("text=동의 받기 >> visible=true")
        page.wait_for_selector(".notice-done")

        assert page.inner_text("[data-consent]").startswith("동의가 유효합니다")
        assert "one-time" not in page.url
        browser.close()

    assert connector.redeemed == [("one-time", f"{desk}/consent/{SHOP}/callback")]
    assert complaints == []
