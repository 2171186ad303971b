"""What is wrong stands on every page of a supervisor, and on no agent's."""

import pytest

from hub.store.alerts import AlertStore, Finding, Severity
from tests.desk.invented import NOW
from tests.web.conftest import Browser


def _wrong(browser: Browser, *, shop: str = "main <i>", over: bool = False) -> None:
    finding = Finding(
        key="quarantine:main",
        kind="quarantine",
        severity=Severity.WARNING,
        facts={"shop": shop, "now": "31", "before": "2"},
        since=NOW,
    )
    store = AlertStore(browser.rig.database)

    async def settle() -> None:
        for found in ([finding], []) if over else ([finding],):
            await store.settle(found, now=NOW, channels=["mail"], is_daily=False)

    browser.client.blocking_portal.call(settle)


def test_a_supervisor_is_told_on_every_page(supervisor: Browser):
    _wrong(supervisor)

    page, strip = supervisor.get("/cases").text, supervisor.get("/alerts/strip", swap=True)

    assert 'hx-get="/alerts/strip"' in page
    assert "경보 1건" in strip.text
    assert "2건에서 31건으로" in strip.text
    assert "main &lt;i&gt;" in strip.text
    assert "<html" not in strip.text


def test_nothing_wrong_is_an_empty_strip(supervisor: Browser):
    _wrong(supervisor, over=True)

    assert supervisor.get("/alerts/strip", swap=True).text.strip() == ""


def test_the_list_shows_what_stands_and_what_is_over(supervisor: Browser):
    empty = supervisor.get("/alerts").text
    _wrong(supervisor, over=True)
    _wrong(supervisor, shop="again")

    text = supervisor.get("/alerts").text

    assert "지금 경보가 없습니다" in empty
    assert text.index("again") < text.index("지난 경보") < text.index("main &lt;i&gt;")


@pytest.mark.parametrize("path", ["/alerts", "/alerts/strip"])
def test_an_agent_sees_none(agent: Browser, path: str):
    assert "/alerts" not in agent.get("/cases").text.replace("/static/alerts.css", "")
    assert agent.get(path).status_code == 403
