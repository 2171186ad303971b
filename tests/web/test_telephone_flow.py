"""The telephone's flow on a page: drawn, with what is wrong in the spec, for those who may see statistics."""

import re
from pathlib import Path

import pytest

from hub.desk.phone.flow import SPEC_FILE
from hub.store.database import to_ms
from hub.store.tables import calls
from ivr import demo_spec_text
from tests.web.conftest import Browser


@pytest.fixture(autouse=True)
def _own_home(browser: Browser, tmp_path: Path) -> None:
    browser.rig.settings = browser.rig.settings.model_copy(update={"home": tmp_path})


def write_spec(browser: Browser, text: str) -> None:
    (browser.rig.settings.home / SPEC_FILE).write_text(text, encoding="utf-8")


def test_the_flow_is_drawn_in_the_user_s_language(supervisor: Browser):
    write_spec(supervisor, demo_spec_text())

    page = supervisor.get("/telephone/flow").text

    assert '<svg xmlns="http://www.w3.org/2000/svg" class="flow"' in page
    assert "대기열 qoo10.inquiry" in page
    assert "<style>" not in page


def test_the_drawing_can_be_taken_away_with_its_colours(supervisor: Browser):
    write_spec(supervisor, demo_spec_text())

    file = supervisor.get("/telephone/flow.svg")

    assert file.headers["content-type"].startswith("image/svg+xml")
    assert "<style>" in file.text
    assert supervisor.get("/telephone/flow.css").headers["content-type"].startswith("text/css")


def test_a_spec_with_errors_is_told_and_not_drawn(supervisor: Browser):
    write_spec(supervisor, demo_spec_text().replace('"09:00-13:00"', '"09:00-24:00<b>"'))

    page = supervisor.get("/telephone/flow").text

    assert "시간 범위가 아닙니다" in page
    assert "24:00&lt;b&gt;" in page
    assert "24:00<b>" not in page
    assert 'class="flow"' not in page
    assert supervisor.get("/telephone/flow.svg").status_code == 404


def test_no_spec_is_said_so(supervisor: Browser):
    assert SPEC_FILE in supervisor.get("/telephone/flow").text


@pytest.mark.parametrize("path", ["/telephone/flow", "/telephone/flow.svg"])
def test_an_agent_may_not_see_it(agent: Browser, path):
    assert agent.get(path).status_code == 403


# ---------------------------------------------------------------- calls on each way


def write_calls(browser: Browser, *ways: str | None) -> None:
    """One answered call for each, today at noon."""
    noon = browser.rig.now().astimezone(browser.rig.settings.zone).replace(hour=12, minute=0)
    rows = [
        {
            "call_id": f"{index}.1",
            "mall": "cafe24",
            "line": "order",
            "result": "answered",
            "entered_at": to_ms(noon),
            "is_short_abandon": False,
            "is_transferred": False,
            "ways": way,
            "content_hash": b"x",
        }
        for index, way in enumerate(ways)
    ]

    async def write() -> None:
        async with browser.rig.database.writing() as connection:
            await connection.execute(calls.insert(), rows)

    browser.client.blocking_portal.call(write)


def test_calls_are_counted_on_each_way_and_open_from_there(supervisor: Browser):
    write_spec(supervisor, demo_spec_text())
    both = " cafe24.order.open cafe24-order.key.1 "
    write_calls(supervisor, both, both, " old-menu.key.7 cafe24-order.key.1 ", None)

    page = supervisor.get("/telephone/flow").text

    opened = {
        way: (href.replace("&amp;", "&"), int(number))
        for href, way, number in re.findall(r'<a href="(/stats/calls[^"]*way=([^"]+))">([0-9]+)</a>', page)
    }
    assert {way: number for way, (_, number) in opened.items()} == {
        "cafe24.order.open": 2,
        "cafe24-order.key.1": 3,
        "old-menu.key.7": 1,
        "-": 1,
    }
    assert "1 · 0 3건" in page
    for href, number in opened.values():
        assert f'<span class="rows-total">{number}건</span>' in supervisor.get(href).text
    today = f"{supervisor.rig.now().astimezone(supervisor.rig.settings.zone):%Y-%m-%d}"
    assert "1 · 0 3건" in supervisor.get(f"/telephone/flow.svg?first={today}&last={today}").text
    assert "3건" not in supervisor.get("/telephone/flow.svg").text


def test_days_without_calls_count_nothing(supervisor: Browser):
    write_spec(supervisor, demo_spec_text())
    write_calls(supervisor, " cafe24.order.open ")

    page = supervisor.get("/telephone/flow?first=2020-01-01&last=2020-01-02").text

    assert "0건" not in page
    assert 'class="flow"' in page


def test_days_that_are_none_are_refused(supervisor: Browser):
    write_spec(supervisor, demo_spec_text())

    assert supervisor.get("/telephone/flow?first=never").status_code == 422
    assert supervisor.get("/telephone/flow?first=2026-02-01&last=2026-01-01").status_code == 422
