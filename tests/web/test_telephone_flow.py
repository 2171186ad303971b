"""The telephone's flow on a page: drawn, with what is wrong in the spec, for those who may see statistics."""

from pathlib import Path

import pytest

from hub.desk.telephone import SPEC_FILE
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
