"""How old what is shown may be: per shop and feed, and in one line over all of them."""

from collections import Counter, defaultdict
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed
from hub.desk.access import Actor, Permission, require
from hub.desk.cadence import is_stale
from hub.desk.marks import mall_mark
from hub.desk.services import Malls, Services
from hub.desk.views import FeedView, MallMark, ShopView
from hub.store.database import from_ms
from hub.store.tables import cases, feed_states, quarantine, reconciliations, shops
from hub.sync.breaker import BreakerState, BreakerView, read_breakers


class Trouble(StrEnum):
    """Why a list may not show a shop as it is, the gravest first."""

    DOWN = "down"
    FAILING = "failing"
    NEVER = "never"
    STALE = "stale"
    LACKING = "lacking"


class ShopTrouble(Struct, frozen=True, kw_only=True):
    """``since`` it lasts, where that is known; ``as_of``: what is shown of the shop is of then.

    ``is_only_shop``: the mall's name says which shop it is.
    """

    trouble: Trouble
    shop: str
    mark: MallMark
    is_only_shop: bool
    since: datetime | None
    as_of: datetime | None


class Freshness(Struct, frozen=True, kw_only=True):
    """``as_of``: the oldest of the shops that are in no trouble; of all, when every one is."""

    shops: int
    as_of: datetime | None
    troubles: tuple[ShopTrouble, ...]


async def read_freshness(services: Services, *, actor: Actor) -> Freshness:
    """One line for every list: as of when, and which shops are not as they should be."""
    require(actor, Permission.WORK_CASES)
    now = services.now()
    async with services.database.reading() as connection:
        views = await shop_views(connection, malls=services.registry)
        breakers = await read_breakers(connection, now=now)
        named = await connection.execute(select(shops.c.name, shops.c.id).where(shops.c.is_active))
        ids = {row.name: row.id for row in named}
        lacking = set(await connection.scalars(_LACKING))
    of_mall = Counter(view.mark.mall for view in views)
    troubles = []
    for view in views:
        shop_id = ids.get(view.shop, 0)
        found = _trouble(services, view, breakers.get(shop_id, BreakerView()), now, is_lacking=shop_id in lacking)
        if found is not None:
            is_only = of_mall[view.mark.mall] == 1
            troubles.append(
                ShopTrouble(
                    trouble=found[0],
                    since=found[1],
                    shop=view.shop,
                    mark=view.mark,
                    is_only_shop=is_only,
                    as_of=view.data_as_of,
                )
            )
    order = list(Trouble)
    troubles.sort(key=lambda each: (order.index(each.trouble), each.shop))
    bad = {each.shop for each in troubles if each.trouble is not Trouble.LACKING}
    sound = [view for view in views if view.shop not in bad] or views
    times = [view.data_as_of for view in sound if view.data_as_of is not None]
    return Freshness(shops=len(views), as_of=min(times, default=None), troubles=tuple(troubles))


def _trouble(
    services: Services, view: ShopView, breaker: BreakerView, now: datetime, *, is_lacking: bool
) -> tuple[Trouble, datetime | None] | None:
    if breaker.state is not BreakerState.CLOSED:
        return Trouble.DOWN, breaker.since
    failing = [feed for feed in view.feeds if feed.error_kind]
    if failing:
        return Trouble.FAILING, min((feed.failing_since for feed in failing if feed.failing_since), default=None)
    if view.data_as_of is None:
        return Trouble.NEVER, None
    for feed in view.feeds:
        if is_stale(services.settings, Feed(feed.feed), data_as_of=feed.data_as_of, now=now):
            return Trouble.STALE, None
    return (Trouble.LACKING, None) if is_lacking else None


#: shops of which something is known to be missing
_LACKING = union(
    select(quarantine.c.shop_id).where(quarantine.c.resolved_at.is_(None)),
    select(reconciliations.c.shop_id).where(reconciliations.c.listed > reconciliations.c.held),
)


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
