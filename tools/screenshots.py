"""Take the pictures of the documentation from `hub demo`: ``python -m tools.screenshots [FOLDER]``.

Starts the demo in a folder of its own, waits for its first sync and its telephone, walks through the desk
(tools/screens.py) in the system's Chromium and writes two WebP files of each screen to FOLDER (``docs/screenshots``),
light at 1440 px and dark at 1024 px, with a page that lists them. ``--all`` writes light and dark at both widths, to
be looked at. Needs the extra ``e2e``, Chromium and a Korean and Japanese font. People, orders and numbers in the
pictures are invented.
"""

import argparse
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, Route, sync_playwright

from hub.cli.demo import LOGINS
from tools.screens import walk

_FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
_ORDERS = 4000
_WAIT_SECONDS = 300
_QUALITY = 62
_MOST_BYTES = 6_000_000
_PASSWORDS = {login: password for login, _, _, password in LOGINS}
_LIST = """# Screens

{count} screens of `hub demo`, each light at 1440 px and dark at 1024 px, taken by `python -m tools.screenshots`. \
People, orders and numbers are invented.

| Screen | Light, 1440 px | Dark, 1024 px |
| --- | --- | --- |
{rows}
"""


@dataclass(frozen=True)
class View:
    """One way to look at a screen; ``suffix`` is of its file's name."""

    scheme: Literal["light", "dark"]
    width: int
    suffix: str


_KEPT = (View("light", 1440, ""), View("dark", 1024, "-dark"))
_ALL = tuple(View(scheme, width, f"-{scheme}-{width}") for scheme in ("light", "dark") for width in (1440, 1024))


@dataclass
class Camera:
    """Takes each screen in all its views, as it stands, without loading it again."""

    folder: Path
    views: Sequence[View]
    taken: dict[str, str] = field(default_factory=dict)

    def __call__(self, page: Page, name: str, title: str) -> None:
        for view in self.views:
            page.set_viewport_size({"width": view.width, "height": 900})
            page.emulate_media(color_scheme=view.scheme, reduced_motion="reduce")
            page.evaluate(
                "document.activeElement?.closest('main')?.contains(document.activeElement)"
                " && document.activeElement.scrollIntoView({block: 'nearest'})"
            )
            page.wait_for_timeout(150)  # what listens to the width draws
            session = page.context.new_cdp_session(page)
            shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
            session.detach()
            (self.folder / f"{name}{view.suffix}.webp").write_bytes(base64.b64decode(shot["data"]))
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.taken[name] = title

    def write_list(self) -> None:
        rows = (
            f"| {title} | [{name}]({name}.webp) | [{name}]({name}-dark.webp) |" for name, title in self.taken.items()
        )
        text = _LIST.format(count=len(self.taken), rows="\n".join(rows))
        (self.folder / "README.md").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Demo:
    url: str
    home: Path
    browser: Browser

    def callers(self) -> list[str]:
        """Phone numbers of invented customers, the newest orders' first."""
        return (self.home / "demo" / "kit" / "callers.txt").read_text(encoding="utf-8").split()

    def page(self, login: str | None = None, *, has_telephone: bool = False) -> Page:
        """A window of its own, signed in. Without a telephone no call of the demo covers what is to be seen."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": 1440, "height": 900},
            locale="ko-KR",
            timezone_id="Asia/Seoul",
            color_scheme="light",
            reduced_motion="reduce",
        )
        if not has_telephone:
            context.route("**/phone", _keep_still)
        page = context.new_page()
        page.goto("/sign-in")
        if login is not None:
            page.get_by_label("아이디").fill(login)
            page.get_by_label("비밀번호").fill(_PASSWORDS[login])
            page.keyboard.press("Enter")
            page.wait_for_url("**/cases")
        return page


def _keep_still(route: Route) -> None:
    """The bar of the telephone is a part of every page, fetched by itself; the page of the same address is none."""
    if "hx-request" in route.request.headers:
        route.fulfill(status=204)
    else:
        route.continue_()


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation from `hub demo`.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER)
    parser.add_argument("--all", action="store_true", help="light and dark at both widths")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    camera = Camera(given.folder, _ALL if given.all else _KEPT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--lang=ko-KR"]
        )
        with running_demo(browser) as demo:
            wait_for_calls(demo.page("supervisor"))
            walk(demo, camera)
        browser.close()
    if not given.all:
        camera.write_list()
    size = sum(picture.stat().st_size for picture in given.folder.glob("*.webp"))
    print(f"{len(camera.taken)} screens, {size / 1e6:.1f} MB{'  TOO LARGE' if size > _MOST_BYTES else ''}")


def wait_for_calls(page: Page) -> None:
    """The telephone is read beside the first sync."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        page.goto("/stats")
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
def running_demo(browser: Browser) -> Iterator[Demo]:
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
            yield Demo(url=f"http://127.0.0.1:{port}", home=Path(folder), browser=browser)
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
