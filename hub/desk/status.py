"""How complete and how fresh each feed of each shop is: the figures behind `hub status` and every badge."""

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed
from hub.desk.consent import ConsentStatus, consent_status
from hub.desk.services import Services
from hub.store.database import from_ms, to_ms
from hub.store.tables import claims, feed_states, inquiries, leases, lines, quarantine, rereads, shops
from hub.store.webhooks import webhook_states

#: name of the lease that a living worker holds
WORKER_LEASE = "worker:"
_SHOWN_IDS = 100
_OUTAGES = frozenset({"transient", "unavailable", "timeout", "rate_limited"})


class FeedError(Struct, frozen=True, kw_only=True):
    kind: str
    message: str
    since: datetime | None


class FeedStatus(Struct, frozen=True, kw_only=True):
    """``known`` records stand in the hub. ``missing`` are ids that the mall has named and the hub could not
    read (at most 100 shown; ``missing_count`` is all). ``next_run`` is ``None`` while no worker is seen.
    """

    feed: Feed
    data_as_of: datetime | None
    complete: bool
    known: int
    missing: list[str]
    missing_count: int
    quarantined: int
    breaker: str
    next_run: datetime | None
    error: FeedError | None
    unknown_codes: dict[str, int]


class WebhookStatus(Struct, frozen=True, kw_only=True):
    """What the mall tells by itself. ``refused``: a wrong key, or a body that is none of the mall's.

    ``waiting`` things are still to be read again, ``failing`` of them could not be read at least once.
    """

    received_at: datetime | None
    received: int
    refused_at: datetime | None
    refused: int
    waiting: int
    failing: int


class ShopStatus(Struct, frozen=True, kw_only=True):
    """``consent`` is ``None`` where the mall needs none, ``webhook`` where the shop has no address for one."""

    shop: str
    mall: str
    complete: bool
    feeds: list[FeedStatus]
    consent: ConsentStatus | None = None
    webhook: WebhookStatus | None = None


class Status(Struct, frozen=True, kw_only=True):
    """``worker_seen`` tells whether anybody reads the shops by schedule."""

    at: datetime
    complete: bool
    worker_seen: bool
    shops: list[ShopStatus]


async def read_status(services: Services) -> Status:
    """Every active shop, by name. A feed never read is not complete."""
    now = services.now()
    async with services.database.reading() as connection:
        worker_seen = await _is_worker_seen(connection, now)
        told = await _webhooks(connection)
        found = []
        for shop in (await connection.execute(select(shops).where(shops.c.is_active).order_by(shops.c.name))).all():
            manifest = services.registry.manifests.get(shop.mall)
            period = timedelta(minutes=services.settings.sync_minutes) if worker_seen else None
            feeds = [
                await _feed_status(connection, shop.id, feed, now, period)
                for feed in Feed
                if manifest is not None and feed in manifest.feeds
            ]
            found.append(
                ShopStatus(
                    shop=shop.name,
                    mall=shop.mall,
                    complete=bool(feeds) and all(f.complete for f in feeds),
                    feeds=feeds,
                    webhook=told.get(shop.id),
                )
            )
    found = [
        msgspec.structs.replace(shop, consent=await consent_status(services, shop.shop, shop.mall)) for shop in found
    ]
    return Status(at=now, complete=all(shop.complete for shop in found), worker_seen=worker_seen, shops=found)


async def _webhooks(connection: AsyncConnection) -> dict[int, WebhookStatus]:
    """By shop id."""
    query = select(
        rereads.c.shop_id,
        func.count().label("waiting"),
        func.sum(case((rereads.c.tries > 0, 1), else_=0)).label("failing"),
    ).group_by(rereads.c.shop_id)
    queued = {row.shop_id: row for row in await connection.execute(query)}
    return {
        shop_id: WebhookStatus(
            received_at=state.received_at,
            received=state.received,
            refused_at=state.refused_at,
            refused=state.refused,
            waiting=queued[shop_id].waiting if shop_id in queued else 0,
            failing=queued[shop_id].failing if shop_id in queued else 0,
        )
        for shop_id, state in (await webhook_states(connection)).items()
    }


async def _is_worker_seen(connection: AsyncConnection, now: datetime) -> bool:
    query = (
        select(func.count())
        .select_from(leases)
        .where(leases.c.name.startswith(WORKER_LEASE), leases.c.until_at > (to_ms(now) or 0))
    )
    return bool(await connection.scalar(query))


async def _feed_status(
    connection: AsyncConnection, shop_id: int, feed: Feed, now: datetime, period: timedelta | None
) -> FeedStatus:
    state = (
        await connection.execute(
            select(feed_states).where(feed_states.c.shop_id == shop_id, feed_states.c.feed == feed.value)
        )
    ).first()
    table = {Feed.ORDERS: lines, Feed.CLAIMS: claims, Feed.INQUIRIES: inquiries}[feed]
    known = await connection.scalar(select(func.count()).select_from(table).where(table.c.shop_id == shop_id))
    broken = list(
        await connection.scalars(
            select(quarantine.c.key)
            .where(quarantine.c.shop_id == shop_id, quarantine.c.feed == feed.value, quarantine.c.resolved_at.is_(None))
            .order_by(quarantine.c.key)
        )
    )
    missing = broken + (await _named_but_unread(connection, shop_id) if feed is Feed.ORDERS else [])
    data_as_of = from_ms(state.data_as_of) if state else None
    error = _error(state)
    return FeedStatus(
        feed=feed,
        data_as_of=data_as_of,
        complete=data_as_of is not None and error is None,
        known=known or 0,
        missing=missing[:_SHOWN_IDS],
        missing_count=len(missing),
        quarantined=len(broken),
        breaker="open" if error is not None and error.kind in _OUTAGES else "closed",
        next_run=max(now, data_as_of + period) if data_as_of and period else None,
        error=error,
        unknown_codes=msgspec.json.decode(state.unknown_codes) if state and state.unknown_codes else {},
    )


def _error(state: Row[tuple[object, ...]] | None) -> FeedError | None:
    if state is None or state.error_kind is None:
        return None
    return FeedError(kind=state.error_kind, message=state.error_message or "", since=from_ms(state.failing_since))


async def _named_but_unread(connection: AsyncConnection, shop_id: int) -> list[str]:
    """Lines that only a claim has named."""
    of_line = (lines.c.shop_id == claims.c.shop_id) & (lines.c.line_no == claims.c.line_no)
    query = (
        select(claims.c.line_no)
        .select_from(claims.outerjoin(lines, of_line))
        .where(claims.c.shop_id == shop_id, lines.c.id.is_(None))
        .distinct()
        .order_by(claims.c.line_no)
    )
    return list(await connection.scalars(query))
