"""The style page: whatever the pages are made of stands on it, twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from hub.web import style as module
from hub.web.colours import contrast, ink_on
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


def test_the_letter_of_each_mall_can_be_read_on_its_colour(browser: Browser) -> None:
    drawn = re.findall(r"--mall: (#\w{6}); --mall-ink: (#\w{6})", browser.get("/marks.css").text)

    assert len(drawn) == len(browser.rig.registry.manifests)
    assert [(colour, ink) for colour, ink in drawn if contrast(colour, ink) < 4.5] == []


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#ffffff", "#000000") == 21
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert ink_on("#03c75a") == "#000000"
    assert ink_on("#1b5fd9") == "#ffffff"
