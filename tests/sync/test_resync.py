"""Resync: a part of a shop read again, and nothing that the runs by schedule rely on is moved."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from hub.bootstrap import Hub
from hub.core.contract import Feed
from hub.core.errors import ConfigurationError
from hub.store.tables import feed_states, lines, orders, raw_payloads
from hub.sync.resync import read_again, resync_order, resync_span
from tests.sync.mall_town import NOON, Town, assert_complete

SHOPS = ("main-cafe24", "main-qoo10", "main-smartstore")
FAR = timedelta(days=100)


async def states(hub: Hub) -> Sequence[Any]:
    async with hub.database.reading() as connection:
        return (await connection.execute(select(feed_states).order_by(*feed_states.primary_key.columns))).all()


async def lose_newest_orders(hub: Hub, shop_id: int, *, share: int = 3) -> None:
    """Every third order of the shop is gone from the store."""
    query = select(orders.c.id).where(orders.c.shop_id == shop_id)
    async with hub.database.writing() as connection:
        ids = (await connection.scalars(query.order_by(orders.c.id))).all()
        await connection.execute(delete(orders).where(orders.c.id.in_(ids[::share])))


@pytest.mark.parametrize("name", SHOPS)
async def test_a_span_brings_back_what_was_lost(tmp_path: Path, database_url: str, name: str) -> None:
    town = Town(orders=200)
    async with town.hub(tmp_path, database_url) as hub:
        assert_complete(await hub.sync())
        shop, before = await hub.shop_store.named(name), await states(hub)
        await lose_newest_orders(hub, shop.id)
        now = hub.now()

        report = await resync_span(hub, shop, since=now - FAR, until=now)

        assert (report.complete, report.error) == (True, None)
        assert await states(hub) == before
        await town.assert_true(hub)
        assert {feed.feed for feed in report.feeds} == set(Feed)
        for feed in report.feeds:
            assert feed.complete
            assert feed.read == feed.new + feed.changed + feed.unchanged + feed.quarantined
            assert feed.data_as_of is not None
        assert report.feeds[0].new > 0
        assert sum(feed.calls for feed in report.feeds) > 0

        again = await resync_span(hub, shop, since=now - FAR, until=now)

        assert [(feed.new, feed.changed, feed.vanished) for feed in again.feeds] == [(0, 0, 0)] * 3


@pytest.mark.parametrize("name", SHOPS)
async def test_a_short_span_judges_nothing_outside_it(tmp_path: Path, sqlite_url: str, name: str) -> None:
    town = Town(orders=200)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        shop, now = await hub.shop_store.named(name), hub.now()

        report = await resync_span(hub, shop, since=now - timedelta(days=2), until=now - timedelta(days=1))

        assert report.complete
        assert [(feed.new, feed.changed, feed.vanished) for feed in report.feeds] == [(0, 0, 0)] * 3
        await town.assert_true(hub)


@pytest.mark.parametrize("name", SHOPS)
async def test_one_order_is_read_with_the_lines_that_are_known(tmp_path: Path, database_url: str, name: str) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, database_url) as hub:
        assert_complete(await hub.sync())
        shop, before = await hub.shop_store.named(name), await states(hub)
        query = select(orders.c.id, orders.c.order_no).where(orders.c.shop_id == shop.id).order_by(orders.c.id).limit(1)
        async with hub.database.writing() as connection:
            row = (await connection.execute(query)).one()
            spoilt = {"status": "unknown", "raw_status": "?", "content_hash": b"?"}
            await connection.execute(update(lines).where(lines.c.order_id == row.id).values(**spoilt))

        report = await resync_order(hub, shop, row.order_no)

        assert (report.complete, report.error) == (True, None)
        assert [feed.feed for feed in report.feeds] == [Feed.ORDERS, Feed.CLAIMS]
        assert report.feeds[0].changed > 0
        assert report.feeds[0].calls > 0
        assert await states(hub) == before
        async with hub.database.reading() as connection:
            found = await connection.scalars(select(lines.c.status).where(lines.c.order_id == row.id))
            assert "unknown" not in set(found)


@pytest.mark.parametrize("name", SHOPS)
async def test_an_order_that_the_mall_has_not_got_is_said(tmp_path: Path, sqlite_url: str, name: str) -> None:
    town = Town(orders=20)
    async with town.hub(tmp_path, sqlite_url) as hub:
        report = await resync_order(hub, await hub.shop_store.named(name), "1999999999999999")

        assert not report.complete
        assert report.error is not None
        assert report.error.kind == "not_found"


async def test_a_mall_that_is_down_is_said_and_nothing_is_lost(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=60)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        town.lines["cafe24"].is_down = True
        shop, before = await hub.shop_store.named("main-cafe24"), await states(hub)

        report = await resync_span(hub, shop, since=hub.now() - FAR, until=hub.now())

        assert not report.complete
        assert report.error is not None
        assert [feed.complete for feed in report.feeds] == [False] * 3
        assert await states(hub) == before
        await town.assert_true(hub)


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        (NOON, NOON - timedelta(days=1), "before it begins"),
        (NOON, NOON, "before it begins"),
        (NOON - timedelta(days=1), NOON + timedelta(days=30), "in the future"),
    ],
    ids=["reversed", "empty", "future"],
)
async def test_a_span_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, sqlite_url: str, since: Any, until: Any, said: str
) -> None:
    town = Town(orders=5)
    async with town.hub(tmp_path, sqlite_url) as hub:
        shop = await hub.shop_store.named("main-cafe24")
        with pytest.raises(ConfigurationError, match=said) as refused:
            await resync_span(hub, shop, since=since, until=until)
        assert refused.value.fix


async def test_what_an_agent_looks_at_is_read_at_once(tmp_path: Path, sqlite_url: str) -> None:
    town = Town(orders=120)
    async with town.hub(tmp_path, sqlite_url) as hub:
        assert_complete(await hub.sync())
        town.clock.pass_time(timedelta(hours=30))
        shop = await hub.shop_store.named("main-cafe24")
        inquiry = next(row for row in town.malls["cafe24"].truth().inquiries)
        async with hub.database.writing() as connection:
            await connection.execute(delete(raw_payloads))

        await read_again(hub, shop, inquiry_no=inquiry["inquiry_no"])

        async with hub.database.reading() as connection:
            assert await connection.scalar(select(raw_payloads.c.key)) == inquiry["inquiry_no"]
