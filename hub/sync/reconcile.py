"""The store beside what the mall itself counts, day by day; days that differ are read again.

A day is one of the mall's own zone; today is left out, because orders come in while it is counted.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct
from sqlalchemy import delete, exists, func, select

from hub.core.contract import Feed, OpenKeys, ReadsOrders, Span
from hub.core.counting import CountsOrders
from hub.store.database import Database, to_ms
from hub.store.records import Counts
from hub.store.tables import lines, orders, reconciliations
from hub.sync.batches import closing
from hub.sync.ingest import Ingest

log = structlog.get_logger(__name__)

#: days read again in one night, the newest first: the rest waits for the next, and shows as a gap until then
MOST_DAYS = 10
#: zones differ by whole quarters of an hour
_GRAIN_MS = 15 * 60 * 1000


@runtime_checkable
class Counted(ReadsOrders, CountsOrders, Protocol):
    """What can be reconciled by day."""


class Day(Struct, frozen=True, kw_only=True):
    """``name`` is the ISO date; the span is half-open, aware."""

    name: str
    since: datetime
    until: datetime


class DayCount(Struct, frozen=True, kw_only=True):
    """Orders of one day: ``listed`` by the mall, ``held`` here (those the mall knows no more left out)."""

    day: Day
    listed: int
    held: int

    @property
    def lacking(self) -> int:
        return max(0, self.listed - self.held)


def days_before(now: datetime, *, count: int, zone: ZoneInfo) -> list[Day]:
    """The whole days before today, the newest first."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=number) for number in range(count + 1)]
    starts = [datetime.combine(date, time(), zone) for date in dates]
    return [
        Day(name=date.isoformat(), since=since, until=until)
        for date, since, until in zip(dates[1:], starts[1:], starts, strict=False)
    ]


class Reconciler:
    """Compares one shop with its mall. What was found stands in ``reconciliations``, one row a day."""

    def __init__(
        self, database: Database, *, shop_id: int, zone: ZoneInfo, ingest: Ingest, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._shop_id = shop_id
        self._zone = zone
        self._ingest = ingest
        self._now = now
        #: what reading days again has brought
        self.counts = {feed: Counts() for feed in Feed}

    async def reconcile(self, connector: Counted, *, days: int) -> list[DayCount]:
        """Every whole day of the last ``days``. Raises: MallError; what was compared before stays stored."""
        span = days_before(self._now(), count=days, zone=self._zone)
        held = await self._held(span)
        found: list[DayCount] = []
        try:
            for day in span:
                listed = await connector.count_orders(day.since, day.until)
                found.append(DayCount(day=day, listed=listed, held=held[day.name]))
            lacking = [each for each in found if each.lacking]
            for each in lacking[:MOST_DAYS]:
                await self._read_again(connector, each.day)
            if lacking:
                found = await self._counted_again(connector, found)
        finally:
            await self._store(found, oldest=span[-1].name if span else "")
        for each in found:
            if each.lacking:
                log.warning("sync.day.differs", day=each.day.name, listed=each.listed, held=each.held)
        return found

    async def _counted_again(self, connector: Counted, found: Sequence[DayCount]) -> list[DayCount]:
        held = await self._held([each.day for each in found])
        return [
            DayCount(
                day=each.day,
                listed=await connector.count_orders(each.day.since, each.day.until) if each.lacking else each.listed,
                held=held[each.day.name],
            )
            for each in found
        ]

    async def _read_again(self, connector: ReadsOrders, day: Day) -> None:
        span = Span(since=day.since, until=day.until, is_full=True)
        async with closing(connector.read_orders(span, open_keys=OpenKeys(), cursor=None)) as pages:
            async for page in pages:
                async with self._database.writing() as connection:
                    written = await self._ingest.page(connection, page.readings, feed=Feed.ORDERS, now=self._now())
                for feed, counts in written.counts.items():
                    self.counts[feed].add(counts)

    async def _held(self, span: Sequence[Day]) -> dict[str, int]:
        if not span:
            return {}
        grain = orders.c.ordered_at - orders.c.ordered_at % _GRAIN_MS
        query = (
            select(grain.label("at"), func.count().label("orders"))
            .where(
                orders.c.shop_id == self._shop_id,
                orders.c.ordered_at >= to_ms(min(day.since for day in span)),
                orders.c.ordered_at < to_ms(max(day.until for day in span)),
                exists().where(lines.c.order_id == orders.c.id, lines.c.vanished_at.is_(None)),
            )
            .group_by(grain)
        )
        async with self._database.reading() as connection:
            grains = {row.at: row.orders for row in await connection.execute(query)}
        held = {day.name: 0 for day in span}
        bounds = [(to_ms(day.since) or 0, to_ms(day.until) or 0, day.name) for day in span]
        for at, count in grains.items():
            held[next(name for since, until, name in bounds if since <= at < until)] += count
        return held

    async def _store(self, found: Sequence[DayCount], *, oldest: str) -> None:
        at = to_ms(self._now())
        rows = [
            {
                "shop_id": self._shop_id,
                "feed": Feed.ORDERS.value,
                "day": each.day.name,
                "listed": each.listed,
                "held": each.held,
                "checked_at": at,
            }
            for each in found
        ]
        key = [reconciliations.c.shop_id, reconciliations.c.feed, reconciliations.c.day]
        async with self._database.writing() as connection:
            await self._database.upsert_rows(connection, reconciliations, rows, key=key, changed_hash=False)
            await connection.execute(
                delete(reconciliations).where(
                    reconciliations.c.shop_id == self._shop_id,
                    reconciliations.c.feed == Feed.ORDERS.value,
                    reconciliations.c.day < oldest,
                )
            )
