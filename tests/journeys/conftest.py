"""One service and one browser for all journeys, one clean window for each; an error in the page fails it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.scene import Scene, set_scene
from tests.journeys.stack import LOGINS, PASSWORD, Desk, Town, running_desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: what every window is; Korean, as most of the agents
WINDOW = {"width": 1440, "height": 900}
_PATIENCE_MS = 10_000
_DROPPED = r"^htmx:(sendAbort|afterRequest)$"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def town() -> Town:
    return Town(orders=400, days=15, seed=20261122)


@pytest.fixture(scope="package")
def scene(town: Town) -> Scene:
    return set_scene(town)


@pytest.fixture(scope="package")
def desk(town: Town, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    del scene  # stands in the World before the first sync
    with running_desk(tmp_path_factory.mktemp("hub"), town=town, calls_per_day=60) as desk:
        yield desk


@pytest.fixture(scope="package")
def empty_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A hub on its first day: people, but no shop."""
    with running_desk(tmp_path_factory.mktemp("empty")) as desk:
        yield desk


@pytest.fixture(scope="package")
def chrome(chromium: str) -> Iterator["Browser"]:
    # Closed with the package: while it is open, nothing else in this thread may run an event loop.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Window:
    """A browser window at the desk. ``trouble`` collects what the page itself complained about."""

    page: "Page"
    desk: Desk
    trouble: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def go(self, path: str) -> "Page":
        self.page.goto(self.desk.url + path)
        return self.page

    def expect_trouble(self, pattern: str) -> None:
        """The browser writes every refused request into its console, the intended ones too."""
        self.expected.append(pattern)

    def sign_in(self, login: str, password: str = PASSWORD) -> "Page":
        page = self.go("/sign-in")
        page.get_by_label("아이디").fill(login)
        page.get_by_label("비밀번호").fill(password)
        page.get_by_role("button", name="로그인").click()
        return page

    def unexpected(self) -> list[str]:
        """All trouble but that of a request which the page dropped because it was left meanwhile."""
        return [
            text for text in self.trouble if not any(re.search(pattern, text) for pattern in (_DROPPED, *self.expected))
        ]


OpenWindow = Callable[..., Window]


@pytest.fixture(scope="package")
def sessions() -> dict[tuple[str, str], Any]:
    """Cookies of those who signed in before, so that only one journey has to type a password."""
    return {}


@pytest.fixture
def open_window(chrome: "Browser", desk: Desk, sessions: dict[tuple[str, str], Any]) -> Iterator[OpenWindow]:
    opened: list[Window] = []

    def open_(login: str | None = None, *, at: Desk = desk, width: int = WINDOW["width"]) -> Window:
        key = (at.url, login or "")
        context = chrome.new_context(
            viewport={"width": width, "height": WINDOW["height"]},
            locale="ko-KR",
            timezone_id="Asia/Seoul",
            storage_state=sessions.get(key),
        )
        context.set_default_timeout(_PATIENCE_MS)
        window = Window(page=context.new_page(), desk=at)
        opened.append(window)
        window.page.on("pageerror", lambda error: window.trouble.append(f"page error: {error}"))
        window.page.on("console", lambda said: said.type == "error" and window.trouble.append(said.text))
        if login is not None and key not in sessions:
            assert login in LOGINS
            window.sign_in(login).wait_for_url("**/cases")
            sessions[key] = context.storage_state()
        return window

    yield open_
    for window in opened:
        window.page.context.close()
    assert [text for window in opened for text in window.unexpected()] == []


@pytest.fixture
def agent(open_window: OpenWindow) -> Window:
    return open_window("agent")


@pytest.fixture
def supervisor(open_window: OpenWindow) -> Window:
    return open_window("supervisor")
