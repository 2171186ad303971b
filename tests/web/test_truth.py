"""The badge of every list, what lacks, and incidents, as pages."""

from datetime import timedelta

import pytest

from hub.core.contract import Feed
from hub.core.errors import UnavailableError
from hub.desk.shops.incidents import Rule, evaluate
from hub.sync.breaker import Breaker
from hub.sync.feed_state import FeedStates
from tests.desk.invented import NOW
from tests.desk.test_incidents import claimed
from tests.web.conftest import Browser

BAD = "<script>alert(1)</script>"


def do(browser: Browser, work: object) -> None:
    browser.client.blocking_portal.call(work)  # type: ignore[arg-type]  # a function without arguments


def raise_incident(browser: Browser) -> None:
    async def work() -> None:
        await browser.rig.write("alpha-main", *[claimed(f"INC{number}", name=BAD) for number in range(6)])
        await evaluate(browser.rig.database, rule=Rule(), now=NOW)

    do(browser, work)


def take_down(browser: Browser, shop: str) -> None:
    async def work() -> None:
        shop_id = browser.rig.shops[shop].id
        breaker = Breaker(browser.rig.database, shop_id, now=lambda: NOW - timedelta(hours=2))
        for _ in range(2):
            await breaker.failed(UnavailableError("down"))
        await FeedStates(browser.rig.database, shop_id).fail(
            [Feed.ORDERS], kind="unavailable", message="down", now=NOW - timedelta(hours=2)
        )

    do(browser, work)


def test_the_badge_says_as_of_when_and_which_mall_is_down(agent: Browser) -> None:
    assert "기준" in agent.get("/shops/fresh", swap=True).text
    assert "is-failing" not in agent.get("/cases").text
    take_down(agent, "japan-main")

    badge = agent.get("/shops/fresh", swap=True).text

    assert "J몰 12:00부터 연결 안 됨" in badge
    assert badge.strip() in agent.get("/cases").text


@pytest.mark.parametrize("path", ["/search", "/shops", "/files", "/connectors"])
def test_every_list_asks_for_the_badge(agent: Browser, path: str) -> None:
    assert 'hx-get="/shops/fresh" hx-trigger="load' in agent.get(path).text


def test_the_shops_page_is_red_only_where_something_is_wrong(agent: Browser) -> None:
    main = agent.get("/shops").text.partition("<main")[2]
    assert 'class="wrong"' not in main
    take_down(agent, "japan-main")

    main = agent.get("/shops").text.partition("<main")[2]

    # The next run tries: half open.
    assert main.count("연결 확인 중 · 실패 시작") == 3
    assert "몰의 서버에 문제가 있습니다." in main
    assert 'href="/shops/japan-main/gaps"' in main


def test_the_page_of_what_lacks(agent: Browser) -> None:
    async def work() -> None:
        states = FeedStates(agent.rig.database, agent.rig.shops["alpha-main"].id)
        await states.note_listed(Feed.ORDERS, named=1204, held=1203, at=NOW)

    do(agent, work)

    page = agent.get("/shops/alpha-main/gaps")

    assert "1,204건 중 1,203건" in page.text
    assert agent.get("/shops/nowhere/gaps").status_code == 404


def test_an_incident_stands_on_its_cases_and_in_the_list(supervisor: Browser) -> None:
    raise_incident(supervisor)

    assert supervisor.get("/cases").text.count("동일 6건") == 6
    page = supervisor.get("/incidents").text
    assert BAD not in page
    assert "&lt;script&gt;" in page
    case = supervisor.get(f"/cases/{supervisor.case_id('alpha-main', order_no='INC0')}").text
    link = case.partition('href="/incidents/')[2].partition('"')[0]
    shown = supervisor.get(f"/incidents/{link}").text
    assert [f"INC{number}" in shown for number in range(6)] == [True] * 6
    assert supervisor.get("/incidents/1").status_code == 404


def test_an_agent_sees_the_badge_and_its_cases_but_not_the_list(agent: Browser) -> None:
    raise_incident(agent)

    assert "동일 6건" in agent.get("/cases").text
    assert agent.get("/incidents").status_code == 403
    assert 'href="/incidents"' not in agent.get("/cases").text
