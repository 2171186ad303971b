"""Take the README's pictures from `hub demo`: ``python -m tools.screenshots [FOLDER]``.

Starts the demo in a folder of its own, waits for its first sync and its telephone, walks through the desk in the
system's Chromium and writes PNG files of 1440 px to FOLDER (``docs/screenshots``). Needs the extra ``e2e``, Chromium
and a Korean and Japanese font. People, orders and numbers in the pictures are invented.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from hub.cli.demo import LOGINS

_FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
_ORDERS = 4000
_WAIT_SECONDS = 180
_MOST_BYTES = 300_000
_PASSWORDS = {login: password for login, _, _, password in LOGINS}


@dataclass(frozen=True)
class Demo:
    url: str
    home: Path

    def callers(self) -> list[str]:
        """Phone numbers of invented customers, the newest orders' first."""
        return (self.home / "demo" / "kit" / "callers.txt").read_text(encoding="utf-8").split()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with running_demo() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--lang=ko-KR"]
        )
        agent = sign_in(browser, demo, "agent")
        supervisor = sign_in(browser, demo, "supervisor")
        wait_for_calls(supervisor, demo)
        take_pictures(agent, supervisor, demo, folder)
        browser.close()
    for picture in sorted(folder.glob("*.png")):
        size = picture.stat().st_size
        print(f"{picture.name}  {size // 1000} kB{'  TOO LARGE' if size > _MOST_BYTES else ''}")


def take_pictures(agent: Page, supervisor: Page, demo: Demo, folder: Path) -> None:
    def save(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    open_first(agent, demo, "/cases?kind=cancel&shop=main-smartstore&state=requested")
    save(agent, "cancel-request")

    open_first(agent, demo, "/cases?kind=inquiry&shop=main-cafe24&state=unanswered")
    agent.keyboard.press("r")
    agent.keyboard.insert_text("안녕하세요, 고객님. 담당자에게 확인하고 오늘 안에 다시 안내해 드리겠습니다.")
    save(agent, "inquiry")

    open_first(agent, demo, "/cases?kind=cancel&shop=main-qoo10&state=requested")
    save(agent, "qoo10-cancel")

    find_caller(agent, demo)
    save(agent, "caller")

    supervisor.goto(f"{demo.url}/stats")
    save(supervisor, "statistics")
    supervisor.goto(f"{demo.url}/shops")
    save(supervisor, "shops")


def open_first(page: Page, demo: Demo, path: str) -> None:
    page.goto(demo.url + path)
    if not page.locator("[data-row]").count():
        message = f"nothing to show at {path}; more orders would help"
        raise SystemExit(message)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(".case").wait_for()


def find_caller(page: Page, demo: Demo) -> None:
    """Search by phone until somebody comes up who bought at two malls and waits for something."""
    bought_at_two = []
    for phone in demo.callers():
        if search(page, demo, phone) > 1:
            if page.locator("table.found a[href^='/cases/']").count():
                return
            bought_at_two.append(phone)
    if not bought_at_two:
        raise SystemExit("nobody in this demo bought at two malls")
    search(page, demo, bought_at_two[-1])


def search(page: Page, demo: Demo, phone: str) -> int:
    """How many malls know the number."""
    page.goto(f"{demo.url}/search")
    page.locator("main input[name=q]").fill(phone)
    page.keyboard.press("Enter")
    page.locator("table.found, main .empty").first.wait_for()
    page.locator("main input[name=q]").evaluate("field => field.blur()")
    return len(set(page.locator("table.found .mark").all_inner_texts()))


def sign_in(browser: Browser, demo: Demo, login: str) -> Page:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="ko-KR", timezone_id="Asia/Seoul", color_scheme="light"
    )
    page = context.new_page()
    page.goto(f"{demo.url}/sign-in")
    page.get_by_label("아이디").fill(login)
    page.get_by_label("비밀번호").fill(_PASSWORDS[login])
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases")
    return page


def wait_for_calls(page: Page, demo: Demo) -> None:
    """The telephone is read beside the first sync."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        page.goto(f"{demo.url}/stats")
        if page.locator("[aria-labelledby=handled-title]").count():
            return
        time.sleep(1)
    raise SystemExit("the demo has no calls")


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("needs Chromium: apt-get install chromium")
    return found


@contextmanager
def running_demo() -> Iterator[Demo]:
    """`hub demo` in a temporary HUB_HOME; the block starts after its first sync."""
    with tempfile.TemporaryDirectory(prefix="hub-pictures-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        said = Path(folder) / "said.txt"
        with said.open("wb") as out:
            command = [
                sys.executable,
                "-m",
                "hub",
                "demo",
                "--orders",
                str(_ORDERS),
                "--port",
                str(port),
                "--no-browser",
            ]
            environment = {**os.environ, "HUB_HOME": folder}
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            wait_for_sync(process, said)
            yield Demo(url=f"http://127.0.0.1:{port}", home=Path(folder))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def wait_for_sync(process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while "first sync" not in said.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(said.read_text(encoding="utf-8", errors="replace"))
        time.sleep(0.5)


if __name__ == "__main__":
    main()
