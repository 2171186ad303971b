"""How old what is shown may be: per shop and feed, and in one line over all of them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import and_, bindparam, func, select, union

from hub.core.contract import Feed
from hub.desk.access import Actor, Permission, require
from hub.desk.marks import mall_mark
from hub.desk.services import Malls, Services
from hub.desk.shops.cadence import is_stale
from hub.desk.views import FeedView, MallMark, ShopView
from hub.store.database import among, from_ms, read_rows
from hub.store.questions import Answer, Asking, Question, ask_one, asking
from hub.store.tables import cases, feed_states, quarantine, reconciliations, shops
from hub.sync.breaker import BreakerState, BreakerView, breakers_of


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
    async with services.database.reading() as connection, asking(connection) as ask:
        views, troubles = ask(active_shops(services.registry)), ask_troubles(ask, services)
    return freshness_of(services, views.found, troubles)


class Troubles(Struct, frozen=True, kw_only=True):
    """What :func:`freshness_of` needs besides the shops, once it is answered: by shop id."""

    breakers: Answer[dict[int, BreakerView]]
    lacking: Answer[set[int]]


def ask_troubles(ask: Asking, services: Services) -> Troubles:
    lacking = Question(_LACKING, {}, lambda rows: {row.shop_id for row in rows})
    return Troubles(breakers=ask(breakers_of(now=services.now())), lacking=ask(lacking))


def freshness_of(services: Services, views: Sequence[ShopView], troubles: Troubles) -> Freshness:
    """As :func:`read_freshness`, of the active shops."""
    now, breakers, lacking = services.now(), troubles.breakers.found, troubles.lacking.found
    of_mall = Counter(view.mark.mall for view in views)
    found = []
    for view in views:
        breaker = breakers.get(view.shop_id, BreakerView())
        trouble = _trouble(services, view, breaker, now, is_lacking=view.shop_id in lacking)
        if trouble is not None:
            is_only = of_mall[view.mark.mall] == 1
            found.append(
                ShopTrouble(
                    trouble=trouble[0],
                    since=trouble[1],
                    shop=view.shop,
                    mark=view.mark,
                    is_only_shop=is_only,
                    as_of=view.data_as_of,
                )
            )
    order = list(Trouble)
    found.sort(key=lambda each: (order.index(each.trouble), each.shop))
    bad = {each.shop for each in found if each.trouble is not Trouble.LACKING}
    sound = [view for view in views if view.shop not in bad] or views
    times = [view.data_as_of for view in sound if view.data_as_of is not None]
    return Freshness(shops=len(views), as_of=min(times, default=None), troubles=tuple(found))


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
    """Every active shop with its feeds, by name."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await ask_one(connection, active_shops(services.registry))


def active_shops(malls: Malls) -> Question[tuple[ShopView, ...]]:
    """As :func:`read_shops`."""
    return Question(_ACTIVE, {"feeds": list(Feed)}, lambda rows: _views(rows, malls))


def one_shop(malls: Malls, shop_id: int) -> Question[ShopView]:
    """Whether active or not."""
    return Question(_ONE, {"feeds": list(Feed), "shop_id": shop_id}, lambda rows: _views(rows, malls)[0])


def _views(rows: Sequence[Any], malls: Malls) -> tuple[ShopView, ...]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.id].append(row)
    return tuple(
        ShopView(
            shop_id=of_shop[0].id,
            shop=of_shop[0].name,
            mark=mall_mark(malls, of_shop[0].mall),
            is_active=of_shop[0].is_active,
            feeds=tuple(_feed(row) for row in of_shop if row.feed is not None),
        )
        for of_shop in found.values()
    )


async def count_open_cases(services: Services, *, actor: Actor) -> dict[int, int]:
    """By shop id; a shop without open cases has no entry."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return {row.shop_id: row.open for row in await read_rows(connection, _OPEN)}


_FEEDS: Final = (
    select(
        shops.c.id,
        shops.c.name,
        shops.c.mall,
        shops.c.is_active,
        feed_states.c.feed,
        feed_states.c.data_as_of,
        feed_states.c.error_kind,
        feed_states.c.failing_since,
    )
    .select_from(
        shops.outerjoin(
            feed_states,
            and_(feed_states.c.shop_id == shops.c.id, among(feed_states.c.feed, "feeds")),
        )
    )
    .order_by(shops.c.name, shops.c.id, feed_states.c.feed)
)
_ACTIVE: Final = _FEEDS.where(shops.c.is_active)
_ONE: Final = _FEEDS.where(shops.c.id == bindparam("shop_id"))
_OPEN: Final = select(cases.c.shop_id, func.count().label("open")).where(cases.c.is_open).group_by(cases.c.shop_id)


def _feed(row: Any) -> FeedView:
    return FeedView(
        feed=row.feed,
        data_as_of=from_ms(row.data_as_of),
        error_kind=row.error_kind,
        failing_since=from_ms(row.failing_since),
    )
