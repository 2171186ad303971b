"""How complete and how fresh each feed of each shop is: the figures behind `hub status` and every badge."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed, Manifest
from hub.desk.phone.call_following import FollowStatus, read_follows
from hub.desk.services import RoutingBook, Services
from hub.desk.shops.cadence import cadence, is_stale, next_run
from hub.desk.shops.consent import ConsentStatus, consent_status
from hub.desk.shops.gaps import DayGap, Gap, GapReason, compared_at, read_day_gaps, read_gaps
from hub.desk.shops.openings import OpeningStatus
from hub.settings import Settings
from hub.store.database import from_ms, to_ms
from hub.store.tables import call_quotas, claims, feed_states, inquiries, leases, lines, rereads, shops
from hub.store.webhooks import webhook_states
from hub.sync.breaker import BreakerView, read_breakers

__all__ = [
    "WORKER_LEASE",
    "FeedError",
    "FeedStatus",
    "QuotaStatus",
    "RoutingStatus",
    "ShopStatus",
    "Status",
    "WebhookStatus",
    "cadence",
    "is_stale",
    "next_run",
    "read_status",
]

#: name of the lease that a living worker holds
WORKER_LEASE = "worker:"
_SHOWN_IDS = 100
_TABLES = {Feed.ORDERS: lines, Feed.CLAIMS: claims, Feed.INQUIRIES: inquiries}


class FeedError(Struct, frozen=True, kw_only=True):
    kind: str
    message: str
    since: datetime | None


class FeedStatus(Struct, frozen=True, kw_only=True):
    """``known`` records stand in the hub. ``missing`` are ids that the mall has named and the hub does not
    hold, ``gaps`` the same with the reason (at most 100 shown; ``missing_count`` is all). ``next_run`` is
    ``None`` while no worker is seen.

    ``listed``: records the mall named in the newest unbroken full run, which ended at ``listed_at``;
    ``held`` of them stand here. ``days`` are those of which the mall counts more orders than stand here,
    compared at ``compared_at``. ``breaker`` and ``breaker_since`` are the shop's. ``is_stale``: older than
    two of its turns.
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
    breaker_since: datetime | None = None
    is_stale: bool = False
    listed: int | None = None
    held: int | None = None
    listed_at: datetime | None = None
    gaps: list[Gap] = []
    days: list[DayGap] = []
    compared_at: datetime | None = None

    @property
    def lacking(self) -> int:
        """How many records are known to be missing: by id, or counted by the mall on some day."""
        return max(self.missing_count, sum(day.listed - day.held for day in self.days))


class QuotaStatus(Struct, frozen=True, kw_only=True):
    """The mall's longer quota: ``used_share`` of it was used up when it told last."""

    used_share: float
    told_at: datetime | None


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
    """``consent`` is ``None`` where the mall needs none, ``webhook`` where the shop has no address for one,
    ``quota`` where the mall tells none, ``opening`` where nobody asked for the checklist.
    """

    shop: str
    mall: str
    complete: bool
    feeds: list[FeedStatus]
    consent: ConsentStatus | None = None
    webhook: WebhookStatus | None = None
    quota: QuotaStatus | None = None
    opening: OpeningStatus | None = None


class RoutingStatus(Struct, frozen=True, kw_only=True):
    """Which version of the routing book is in force (0: none was written), and why a newer file is not."""

    version: int
    source: str | None
    problem: str | None


class Status(Struct, frozen=True, kw_only=True):
    """``worker_seen`` tells whether anybody reads the shops by schedule. ``call_files``: those that are to be followed;
    where one of them is not, the status is not complete.
    """

    at: datetime
    complete: bool
    worker_seen: bool
    shops: list[ShopStatus]
    routing: RoutingStatus | None = None
    call_files: list[FollowStatus] = []


async def read_status(services: Services) -> Status:
    """Every active shop, by name. A feed never read is not complete."""
    now = services.now()
    async with services.database.reading() as connection:
        worker_seen = await _is_worker_seen(connection, now)
        told = await _webhooks(connection)
        quotas = await _quotas(connection)
        breakers = await read_breakers(connection, now=now)
        found = []
        for shop in (await connection.execute(select(shops).where(shops.c.is_active).order_by(shops.c.name))).all():
            manifest = services.registry.manifests.get(shop.mall)
            reader = _FeedReader(
                connection,
                settings=services.settings,
                now=now,
                is_worked=worker_seen,
                breaker=breakers.get(shop.id, BreakerView()),
            )
            feeds = (
                [await reader.read(shop.id, feed, manifest) for feed in Feed if feed in manifest.feeds]
                if manifest
                else []
            )
            found.append(
                ShopStatus(
                    shop=shop.name,
                    mall=shop.mall,
                    complete=bool(feeds) and all(f.complete for f in feeds),
                    feeds=feeds,
                    webhook=told.get(shop.id),
                    quota=quotas.get(shop.id),
                )
            )
    found = [
        msgspec.structs.replace(shop, consent=await consent_status(services, shop.shop, shop.mall)) for shop in found
    ]
    follows = await read_follows(services)
    return Status(
        at=now,
        complete=all(shop.complete for shop in found) and all(file.is_well for file in follows),
        worker_seen=worker_seen,
        shops=found,
        routing=_routing_status(services.routing),
        call_files=follows,
    )


def _routing_status(book: RoutingBook | None) -> RoutingStatus | None:
    if book is None:
        return None
    problem = book.problem.told("en") if book.problem else None
    return RoutingStatus(version=book.version, source=book.source, problem=problem)


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


async def _quotas(connection: AsyncConnection) -> dict[int, QuotaStatus]:
    return {
        row.shop_id: QuotaStatus(used_share=row.used_share, told_at=from_ms(row.told_at))
        for row in await connection.execute(select(call_quotas))
    }


class _FeedReader:
    """Reads the feeds of one shop. ``is_worked``: somebody reads the shops by schedule."""

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        settings: Settings,
        now: datetime,
        is_worked: bool,
        breaker: BreakerView,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._now = now
        self._is_worked = is_worked
        self._breaker = breaker

    async def read(self, shop_id: int, feed: Feed, manifest: Manifest) -> FeedStatus:
        of_feed = (feed_states.c.shop_id == shop_id) & (feed_states.c.feed == feed.value)
        state = (await self._connection.execute(select(feed_states).where(of_feed))).first()
        table = _TABLES[feed]
        known = await self._connection.scalar(select(func.count()).select_from(table).where(table.c.shop_id == shop_id))
        data_as_of = from_ms(state.data_as_of) if state else None
        gaps = await read_gaps(self._connection, shop_id=shop_id, feed=feed, manifest=manifest, as_of=data_as_of)
        error = _error(state)
        return FeedStatus(
            feed=feed,
            data_as_of=data_as_of,
            complete=data_as_of is not None and error is None,
            known=known or 0,
            missing=[gap.id for gap in gaps[:_SHOWN_IDS]],
            missing_count=len(gaps),
            quarantined=sum(gap.reason is GapReason.QUARANTINED for gap in gaps),
            breaker=self._breaker.state.value,
            breaker_since=self._breaker.since,
            next_run=self._next_run(feed, state, data_as_of),
            error=error,
            unknown_codes=msgspec.json.decode(state.unknown_codes) if state and state.unknown_codes else {},
            is_stale=is_stale(self._settings, feed, data_as_of=data_as_of, now=self._now),
            listed=state.listed if state else None,
            held=state.listed_held if state else None,
            listed_at=from_ms(state.listed_at) if state else None,
            gaps=gaps[:_SHOWN_IDS],
            days=list(await read_day_gaps(self._connection, shop_id=shop_id, feed=feed)),
            compared_at=await compared_at(self._connection, shop_id=shop_id, feed=feed),
        )

    def _next_run(self, feed: Feed, state: Row[Any] | None, data_as_of: datetime | None) -> datetime | None:
        if not self._is_worked or state is None or data_as_of is None:
            return None
        tried_at = from_ms(state.tried_at) or data_as_of
        last = max(data_as_of, tried_at)
        return next_run(self._settings, feed, last=last, now=self._now, next_try=self._breaker.next_try)


def _error(state: Row[tuple[object, ...]] | None) -> FeedError | None:
    if state is None or state.error_kind is None:
        return None
    return FeedError(kind=state.error_kind, message=state.error_message or "", since=from_ms(state.failing_since))
