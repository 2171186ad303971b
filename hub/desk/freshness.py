"""How old what is shown may be: per shop and feed."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed
from hub.desk.access import Actor, Permission, require
from hub.desk.marks import mall_mark
from hub.desk.services import Malls, Services
from hub.desk.views import FeedView, ShopView
from hub.store.database import from_ms
from hub.store.tables import cases, feed_states, shops


async def read_shops(services: Services, *, actor: Actor) -> tuple[ShopView, ...]:
    """Every active shop with its feeds and the number of its open cases, by name."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await shop_views(connection, malls=services.registry)


async def shop_views(connection: AsyncConnection, *, malls: Malls, shop_id: int | None = None) -> tuple[ShopView, ...]:
    """All active shops, or the one of ``shop_id`` whether active or not."""
    query = select(shops.c.id, shops.c.name, shops.c.mall, shops.c.is_active).order_by(shops.c.name)
    query = query.where(shops.c.is_active if shop_id is None else shops.c.id == shop_id)
    rows = (await connection.execute(query)).all()
    ids = [row.id for row in rows]
    feeds: dict[int, list[Row[Any]]] = defaultdict(list)
    of_feeds = feed_states.c.shop_id.in_(ids) & feed_states.c.feed.in_([feed.value for feed in Feed])
    feed_query = select(feed_states).where(of_feeds).order_by(feed_states.c.feed)
    for feed in await connection.execute(feed_query):
        feeds[feed.shop_id].append(feed)
    open_query = (
        select(cases.c.shop_id, func.count().label("open"))
        .where(cases.c.is_open, cases.c.shop_id.in_(ids))
        .group_by(cases.c.shop_id)
    )
    open_cases = {row.shop_id: row.open for row in await connection.execute(open_query)}
    return tuple(
        ShopView(
            shop=row.name,
            mark=mall_mark(malls, row.mall),
            is_active=row.is_active,
            feeds=tuple(_feed(feed) for feed in feeds[row.id]),
            open_cases=open_cases.get(row.id, 0),
        )
        for row in rows
    )


def _feed(row: Row[Any]) -> FeedView:
    return FeedView(
        feed=row.feed,
        data_as_of=from_ms(row.data_as_of),
        error_kind=row.error_kind,
        failing_since=from_ms(row.failing_since),
    )
