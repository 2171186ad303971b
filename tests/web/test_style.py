"""The style page: whatever the pages are made of stands on it, twice."""

import re
from collections import Counter
from pathlib import Path

from hub.web import style as module
from tests.web.conftest import Browser

WEB = Path(module.__file__).parent


def _read(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def test_every_macro_and_every_colour_is_drawn_in_light_and_dark(browser: Browser) -> None:
    macros = set(re.findall(r"{% macro (\w+)\(", _read("templates/macros.html")))
    colours = set(re.findall(r"^  --([\w-]+): light-dark", _read("static/desk.css"), re.MULTILINE))

    page = browser.sign_in().get("/style").text

    called = set(re.findall(r"\bm\.(\w+)\(", _read("templates/pages/style.html")))
    shown = Counter(re.findall(r'data-of="(\w+)"', page))
    filled = Counter(re.findall(r'fill="var\(--([\w-]+)\)"', page))
    assert macros
    assert macros - called == set()
    assert {name: shown[name] for name in macros} == dict.fromkeys(macros, 2)
    assert len(colours) > 10
    assert filled == dict.fromkeys(colours, 2)
    assert re.findall(r'data-of="(\w+)"><h3[^>]*>\w+</h3><div class="specimen-body">\s*</div>', page) == []


def test_every_token_that_a_sheet_uses_is_defined() -> None:
    known = {
        name
        for sheet in (WEB / "static").glob("*.css")
        for name in re.findall(r"(--[\w-]+):", sheet.read_text(encoding="utf-8"))
    }
    set_by_the_script = {"--views-width", "--list-width", "--side-width"}

    for sheet in sorted((WEB / "static").glob("*.css")):
        text = sheet.read_text(encoding="utf-8")
        used = set(re.findall(r"var\((--[\w-]+)", text))
        assert used - known - set_by_the_script == set(), sheet.name
