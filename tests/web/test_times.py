"""Times on screens: by the shop's clock, with the centre's where the pointer rests; on every page."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

import hub.web
from hub.web.moments import Moments
from hub.web.words import Words
from tests.web.conftest import Browser

TEMPLATES = Path(hub.web.__file__).parent / "templates"
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # 14:00 in Seoul, 06:00 in Berlin
MALLS = {"seoul": SimpleNamespace(timezone="Asia/Seoul"), "tokyo": SimpleNamespace(timezone="Asia/Tokyo")}


def _moments(zone: str, mall: str | None = None) -> Moments:
    return Moments(now=NOW, zone=ZoneInfo(zone), words=Words("en"), malls=MALLS, mall=mall)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "mall", "title", "text"),
    [
        ("Asia/Seoul", None, "2026-11-20 14:00 (Korea time)", "14:00"),
        ("Asia/Seoul", "seoul", "2026-11-20 14:00 (Korea time)", "14:00"),
        # The same hour: no zone beside it, but the pointer finds both.
        ("Asia/Seoul", "tokyo", "2026-11-20 14:00 (Japan time) · 2026-11-20 14:00 (Korea time)", "14:00"),
        ("Europe/Berlin", "tokyo", "2026-11-20 14:00 (Japan time) · 2026-11-20 06:00 (Europe/Berlin)", "14:00 JST"),
        ("Europe/Berlin", "gone", "2026-11-20 06:00 (Europe/Berlin)", "06:00"),
    ],
)
def test_a_time_is_the_shops_with_the_centres_on_hover(zone: str, mall: str | None, title: str, text: str) -> None:
    shown = f'<time datetime="2026-11-20T05:00:00+00:00" title="{title}">{text}</time>'

    assert _moments(zone).clock(NOW, mall) == shown
    assert _moments(zone, mall).clock(NOW) == shown


def test_what_was_typed_here_is_by_the_centres_clock() -> None:
    assert ">06:00</time>" in _moments("Europe/Berlin", "tokyo").own(NOW)
    assert _moments("Asia/Seoul").clock(None) == "<span>–</span>"


def test_a_case_shows_its_shops_clock(agent: Browser) -> None:
    agent.rig.settings = agent.rig.settings.model_copy(update={"timezone": "Europe/Berlin"})
    try:
        page = agent.get(f"/cases/{agent.case_id('japan-main', order_no='J-1')}", swap=True).text
    finally:
        agent.rig.settings = agent.rig.settings.model_copy(update={"timezone": "Asia/Seoul"})

    titles = re.findall(r'<time [^>]*title="([^"]*)"', page)
    told_by_the_mall = [title for title in titles if "(일본 시각) · " in title and title.endswith("(Europe/Berlin)")]
    assert len(told_by_the_mall) > 3
    assert re.search(r"<time[^>]*>[^<]* JST</time>", page)


def test_no_template_makes_a_time_of_its_own() -> None:
    """``when`` alone does, with its title; but for counters that a script moves on, and figures by the centre's day."""
    wrong = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            bare = [tag for tag in re.findall(r"<time[^>]*>", line) if "data-since" not in tag]
            formatted = re.sub(r"when\.tag\([^}]*\}\}", "", line)
            if bare or (".strftime(" in formatted and not path.name.startswith("stats")):
                wrong.append(f"{path.name}:{number}")
    assert wrong == []
