"""Every source that ships has its Korean words; whatever a person wrote stays theirs."""

import re
import tomllib
from pathlib import Path

from hub import policy
from hub.policy.sources import told_source

FOLDER = Path(policy.__file__).parent
_LATER = re.compile(r"; confidence: \w+$")


def _shipped() -> set[str]:
    """The sources of the tables, and those that the code names."""
    found: set[str] = set()
    for name in ("rules.toml", "guard_words.toml", "mall_clocks.toml"):
        found |= set(re.findall(r'^source = "(.+)"$', (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE))
    for path in FOLDER.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'source="([^"{]+)"', text))
        found |= set(re.findall(r'Final = "((?:E-Commerce|Reserved|Act on)[^"]+)"', text))
    return found


def test_every_source_that_ships_is_told_in_korean() -> None:
    shipped = _shipped()
    known = tomllib.loads((FOLDER / "sources.toml").read_text(encoding="utf-8"))["ko"]

    assert len(shipped) > 60
    assert {source for source in shipped if _LATER.sub("", source) not in known} == set()


def test_how_sure_it_is_stands_behind_the_source() -> None:
    law = "E-Commerce Consumer Protection Act 18(9) (Korea); confidence: sure"
    mall = "SmartStore seller penalty table: not dispatched within 3 business days costs 1 point, later 3"

    assert told_source(law, language="ko") == "전자상거래법 제18조 제9항 · 확실"
    assert told_source(f"{mall} (confidence: likely)", language="ko").endswith("3점 · 대체로 확실")
    assert told_source(law, language="en") == law


def test_what_a_person_wrote_into_a_book_stays_as_it_is() -> None:
    assert told_source("2026 계약서 12조", language="ko") == "2026 계약서 12조"
    assert told_source("A contract", language="ko") == "A contract"
