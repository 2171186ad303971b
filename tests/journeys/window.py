"""What journeys need of playwright. Where it is not installed they are skipped, with the reason."""

import pytest

pytest.importorskip("playwright.sync_api", reason="needs the extra e2e: pip install -e '.[e2e]'")

from playwright.sync_api import Locator, Page, expect

__all__ = ["HEIGHT", "NARROW", "WIDTH", "Locator", "Page", "assert_fits", "expect"]

#: of every window, and of the narrowest that is worked in
WIDTH, NARROW, HEIGHT = 1440, 1024, 900


_MEASURED = "() => document.readyState === 'complete' && [document.documentElement.scrollWidth, innerWidth]"


def assert_fits(page: Page) -> None:
    """Nothing sticks out at either width, and the window is as wide as before.

    A click returns when its page has come, and that page is still without anything in it; so the
    page is asked in one question whether it has loaded and how wide it is.
    """
    for width in (NARROW, WIDTH):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        wide, room = page.wait_for_function(_MEASURED).json_value()
        assert wide <= room, f"{page.url} is {wide} px wide in {room} px"
