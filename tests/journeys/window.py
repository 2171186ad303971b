"""What journeys need of playwright. Where it is not installed they are skipped, with the reason."""

import pytest

pytest.importorskip("playwright.sync_api", reason="needs the extra e2e: pip install -e '.[e2e]'")

from playwright.sync_api import Locator, Page, expect

__all__ = ["Locator", "Page", "expect"]
