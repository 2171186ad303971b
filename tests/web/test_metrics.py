"""Figures for a monitoring system: in its format, without ids, and for those who may have them."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient
from pydantic import SecretStr

from hub.desk.services import Services
from hub.desk.shops.running import KEPT_FOR, Running, RunningBook, read_running
from hub.settings import Settings
from hub.store.database import to_ms
from hub.store.tables import actions, calls, feed_states, leases, rereads
from hub.web.app import make_app
from hub.web.service.exposition import BUCKETS, Family, Kind, Sample, Times, exposed
from tests.desk.invented import NOW, SHOPS, Rig
from tests.web.conftest import Browser
from tests.web.exposition import Read, read_exposition

TOKEN = "monitor-7f3a"


@pytest.fixture
def scraper(rig: Rig) -> Iterator[Browser]:
    """Of an application that has answered nobody yet."""
    rig.settings = Settings(metrics_token=SecretStr(TOKEN))
    with TestClient(make_app(rig)) as client:
        yield Browser(client, rig)
        client.blocking_portal.call(rig.database.aclose)


def _scrape(browser: Browser) -> Read:
    answer = browser.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return read_exposition(answer.text)


def test_every_feed_of_every_shop_has_its_figures(scraper: Browser):
    read = _scrape(scraper)

    feeds = {(labels["shop"], labels["feed"]) for labels in read.labels("hub_feed_complete")}
    assert feeds == {(shop, feed) for shop in SHOPS for feed in ("orders", "claims", "inquiries")}
    main = {"shop": "alpha-main", "feed": "orders"}
    assert read.value("hub_feed_data_age_seconds", **main) == 120
    assert read.value("hub_feed_complete", **main) == 1
    assert read.value("hub_feed_known", **main) == 3
    assert read.value("hub_feed_missing", **main) == 0
    assert read.labels("hub_feed_listed") == []
    assert read.value("hub_feed_quarantined", **main) == 0


def test_runs_the_outbox_the_queue_workers_and_calls(scraper: Browser):
    rig = scraper.rig
    shop = rig.shops["alpha-main"].id

    async def fill() -> None:
        at = to_ms(NOW)
        async with rig.database.writing() as connection:
            counts = '{"feed":"orders","read":9,"calls":4,"throttled":1,"seconds":2.5,"complete":true}'
            await connection.execute(
                feed_states.update()
                .where(feed_states.c.shop_id == shop, feed_states.c.feed == "orders")
                .values(last_counts=counts, listed=5)
            )
            for number, outcome in enumerate(("done", "done", "unknown")):
                row = {"shop_id": shop, "action": "dispatch", "lines": "[]", "created_at": at}
                await connection.execute(actions.insert(), [row | {"id": number, "outcome": outcome}])
            wish = {"shop_id": shop, "what": "order", "key": "A-1", "asked_at": at, "due_at": at, "tries": 0}
            await connection.execute(rereads.insert(), [wish])
            until = to_ms(NOW + timedelta(seconds=10))
            await connection.execute(leases.insert(), [{"name": "worker:w1", "owner": "x", "until_at": until}])
            call = {"entered_at": at, "is_short_abandon": False, "is_transferred": False, "content_hash": b""}
            await connection.execute(
                calls.insert(), [call | {"call_id": "1", "result": "answered"}, call | {"call_id": "2", "result": None}]
            )

    scraper.client.blocking_portal.call(fill)
    read = _scrape(scraper)

    main = {"shop": "alpha-main", "feed": "orders"}
    assert [read.value(f"hub_run_{name}", **main) for name in ("calls", "throttled", "seconds")] == [4, 1, 2.5]
    assert read.value("hub_feed_listed", **main) == 5
    assert read.value("hub_actions", shop="alpha-main", outcome="done") == 2
    assert read.value("hub_actions", shop="alpha-main", outcome="unknown") == 1
    assert read.value("hub_rereads_waiting", shop="alpha-main") == 1
    assert read.value("hub_rereads_waiting", shop="japan-main") == 0
    assert (read.value("hub_workers"), read.value("hub_calls", result="answered")) == (1, 1)
    assert read.value("hub_alerts", severity="critical") == 0


def test_times_of_answers_are_counted_by_route_and_no_id_is_in_a_label(scraper: Browser):
    scraper.sign_in("lee")
    case = scraper.case_id("alpha-main", order_no="A-1")
    for path in (f"/cases/{case}", f"/cases/{case}", "/orders/999999", "/no/such/page/4711", "/healthz"):
        scraper.get(path)

    read = _scrape(scraper)

    count = "hub_http_request_seconds_count"
    routes = {labels["route"]: labels for labels in read.labels(count)}
    assert read.value(count, route="/cases/{case_id}", method="GET", status="2xx") == 2
    assert read.value(count, route="/orders/{order_id}", method="GET", status="4xx") == 1
    assert not [route for route in routes if re.search(r"\d", route)]
    assert read.kinds["hub_http_request_seconds"] == "histogram"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer é"])
def test_a_wrong_token_gets_nothing(scraper: Browser, header: str):
    answer = scraper.client.get("/metrics", headers={"authorization": header.encode()})

    assert (answer.status_code, answer.text, answer.headers["www-authenticate"]) == (401, "", "Bearer")


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 403),
        ("127.0.0.1", {"forwarded": "for=203.0.113.9"}, 403),
        ("192.168.0.4", {}, 403),
        ("testclient", {}, 403),
    ],
)
def test_without_a_token_only_this_machine_may_read(rig: Rig, address: str, headers: dict[str, str], status: int):
    app = make_app(rig)
    inner = app.asgi_handler

    async def from_there(scope, receive, send):  # type: ignore[no-untyped-def]
        await inner(scope | {"client": (address, 5)} if scope["type"] == "http" else scope, receive, send)

    app.asgi_handler = from_there
    with TestClient(app) as client:
        assert client.get("/metrics", headers=headers).status_code == status
        client.blocking_portal.call(rig.database.aclose)


def test_hostile_names_do_not_break_the_format():
    shop = 'a"b\\c\nd{e="f"} 1'
    family = Family(
        name="hub_x", kind=Kind.GAUGE, text="one\ntwo\\", samples=(Sample(labels={"shop": shop}, value=1.5),)
    )

    assert read_exposition(exposed([family])).value("hub_x", shop=shop) == 1.5
    with pytest.raises(ValueError, match="hub x"):
        exposed([Family(name="hub x", kind=Kind.GAUGE, text="", samples=())])


def test_a_histogram_adds_up():
    times = Times(name="hub_t", text="t")
    for seconds in (0.001, 0.005, 0.3, 99):
        times.note(seconds, route="/a")

    read = read_exposition(exposed([times.family()]))

    buckets = [read.value("hub_t_bucket", route="/a", le=f"{bound:g}") for bound in BUCKETS]
    assert buckets == [2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]
    assert read.value("hub_t_bucket", route="/a", le="+Inf") == read.value("hub_t_count", route="/a") == 4
    assert read.value("hub_t_sum", route="/a") == pytest.approx(99.306)


def test_every_figure_is_documented(scraper: Browser):
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [name for name in _scrape(scraper).kinds if f"`{name}`" not in text] == []


def test_figures_are_counted_once_in_a_quarter_of_a_minute(scraper: Browser, monkeypatch: pytest.MonkeyPatch):
    counted = 0

    async def count(services: Services) -> Running:
        nonlocal counted
        counted += 1
        return await read_running(services)

    monkeypatch.setattr("hub.desk.shops.running.read_running", count)
    read = [_scrape(scraper) for _ in range(3)]
    assert counted == 1
    scraper.rig.at += KEPT_FOR - timedelta(seconds=1)
    _scrape(scraper)
    assert counted == 1
    scraper.rig.at += timedelta(seconds=1)
    later = _scrape(scraper)

    main = {"shop": "alpha-main", "feed": "orders"}
    assert counted == 2
    assert {each.value("hub_feed_data_age_seconds", **main) for each in read} == {120}
    assert later.value("hub_feed_data_age_seconds", **main) == 120 + KEPT_FOR.total_seconds()


async def test_many_scrapes_at_once_count_once(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    counted = 0

    async def count(services: Services) -> Running:
        nonlocal counted
        counted += 1
        return await read_running(services)

    monkeypatch.setattr("hub.desk.shops.running.read_running", count)
    book = RunningBook()

    read = await asyncio.gather(*(book.read(rig) for _ in range(5)))
    await rig.database.aclose()

    assert counted == 1
    assert all(each is read[0] for each in read)
