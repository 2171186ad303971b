import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.web.conftest import PASSWORD, Browser

PAGES = [
    "/",
    "/cases",
    "/cases/1",
    "/cases/rows",
    "/cases/news",
    "/orders/1",
    "/search",
    "/shops",
    "/people",
    "/access-log",
]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_without_a_session(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")


def test_a_part_of_a_page_sends_the_whole_browser_to_sign_in(browser: Browser) -> None:
    answer = browser.get("/cases/rows", swap=True)

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?next=/cases")


def test_programs_are_told_in_json(browser: Browser) -> None:
    answer = browser.get("/api/v1/anything")

    # Without the API beside it the path does not exist; in both cases no page is sent.
    assert answer.status_code in (401, 404)
    assert answer.headers["content-type"].startswith("application/json")


def test_signing_in_and_out(browser: Browser) -> None:
    answer = browser.post("/sign-in", login="kim", password=PASSWORD, next="/cases?view=mine")

    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?view=mine")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("hub_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert browser.get("/cases").status_code == 200

    stolen = browser.client.cookies["hub_session"]
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    browser.client.cookies.set("hub_session", stolen)
    assert browser.get("/cases").status_code == 303


def test_a_session_key_that_the_browser_brings_is_never_taken_over(browser: Browser) -> None:
    browser.client.cookies.set("hub_session", "chosen-by-somebody-else")

    answer = browser.post("/sign-in", login="kim", password=PASSWORD, next="")

    assert "chosen-by-somebody-else" not in answer.headers["set-cookie"]


@pytest.mark.parametrize("login", ["kim", "nobody", "<script>alert(1)</script>"])
def test_a_wrong_password_says_the_same_for_all(browser: Browser, login: str) -> None:
    answer = browser.post("/sign-in", login=login, password="wrong", next="")

    assert answer.status_code == 403
    assert "로그인하지 못했습니다" in answer.text
    assert "<script>alert" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/sign-out", "/a\nb"],
)
def test_signing_in_leads_to_this_site_only(browser: Browser, target: str) -> None:
    answer = browser.post("/sign-in", login="kim", password=PASSWORD, next=target)

    assert answer.headers["location"] == "/cases"


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/locale", "/cases/1/take", "/cases/1/act", "/search", "/people"]
)
@pytest.mark.parametrize("token", ["", "0" * 128])
def test_no_form_is_taken_without_its_token(agent: Browser, path: str, token: str) -> None:
    agent.token()

    answer = agent.post(path, csrf=token, q="x", locale="en")

    assert answer.status_code == 403
    assert "저장하지 않았습니다" in answer.text


def test_every_answer_carries_the_headers(agent: Browser) -> None:
    for path in ("/cases", "/nowhere", "/static/desk.css", "/sign-in", "/cases/rows"):
        headers = agent.get(path).headers

        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert agent.get("/cases").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/cases", "/sign-in", "/shops", "/search"])
def test_a_page_keeps_its_own_policy(agent: Browser, path: str) -> None:
    text = agent.get(path).text

    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "style=" not in text
    assert "<style" not in text
    assert not re.search(r"\son\w+=", text)
    assert not re.search(r'(?:src|href)="https?://', text)


@pytest.mark.parametrize(
    "path", ["/static/desk.css", "/static/desk.js", "/static/icon.svg", "/vendor/htmx/htmx.min.js", "/marks.css"]
)
def test_what_a_page_needs_is_served_from_here(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 200


def test_the_language_is_the_accounts(agent: Browser) -> None:
    assert agent.post("/locale", locale="en", next="/cases").headers["location"] == "/cases"

    assert "All open" in agent.get("/cases").text
    agent.post("/locale", locale="xx", next="https://evil.example/")
    assert "전체 미처리" in agent.get("/cases").text


def test_an_unknown_page_says_so(agent: Browser) -> None:
    answer = agent.get("/nowhere")

    assert answer.status_code == 404
    assert "그런 화면이 없습니다" in answer.text


def test_a_browser_that_leaves_in_the_middle_of_a_form_is_no_failure_of_ours(browser: Browser):
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": "/sign-in",
        "raw_path": b"/sign-in",
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"9")],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }

    async def leave() -> Any:
        return {"type": "http.disconnect"}

    async def ignore(message: Any) -> None:
        del message

    with capture_logs() as logs:
        browser.client.blocking_portal.call(browser.client.app, scope, leave, ignore)

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("web.request.broken_off", "info")]
