"""What journeys need of playwright. Where it is not installed they are skipped, with the reason."""

import pytest

pytest.importorskip("playwright.sync_api", reason="needs the extra e2e: pip install -e '.[e2e]'")

from playwright.sync_api import Locator, Page, expect

__all__ = ["HEIGHT", "NARROW", "WIDTH", "Locator", "Page", "assert_fits", "expect"]

#: of every window, and of the narrowest that is worked in
WIDTH, NARROW, HEIGHT = 1440, 1024, 900


def assert_fits(page: Page) -> None:
    """Nothing sticks out at either width, and the window is as wide as before."""
    # A click returns once the new page is there, and that is before it has anything in it.
    page.wait_for_load_state()
    for width in (NARROW, WIDTH):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= room, f"{page.url} is {wide} px wide in {room} px"
