"""One reading of a shop's catalogue: suppliers and stock, page by page, each page one transaction with its cursor.

The catalogue is no feed: orders are complete without it, and a missing right for it stops nothing else.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct, field
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.catalogue import CataloguePage, ReadsCatalogue
from hub.core.contract import CallCounts, Connector
from hub.core.errors import MallError, UnsupportedByMallError
from hub.core.http import counted_calls
from hub.store.catalogue import CatalogueCounts, CatalogueWriter
from hub.store.database import Database, from_ms, to_ms
from hub.store.leases import Lease
from hub.store.shops import ShopRow
from hub.store.tables import feed_states, stock_items, suppliers
from hub.sync.batches import closing

log = structlog.get_logger(__name__)

#: told after every page: shop, share done 0..1, records read so far
OnCatalogueProgress = Callable[[str, float, int], None]

# Its state stands beside those of the feeds, which are read by their names.
_NAME: Final = "catalogue"
_SHOWN_BROKEN: Final = 20
# A reading broken off longer ago starts anew: its first half would be older than it says.
_GOES_ON_WITHIN: Final = timedelta(hours=12)


class BrokenRecord(Struct, frozen=True, kw_only=True):
    """A record of the catalogue that could not be read, and why."""

    key: str
    error: str


class CatalogueError(Struct, frozen=True, kw_only=True):
    kind: str
    message: str


class CatalogueReport(CatalogueCounts, kw_only=True):
    """What `hub catalogue read` says of one shop. ``broken_records`` are the first of the broken ones."""

    shop: str
    mall: str
    complete: bool = False
    error: CatalogueError | None = None
    calls: int = 0
    throttled: int = 0
    seconds: float = 0.0
    broken_records: list[BrokenRecord] = field(default_factory=list)
    data_as_of: datetime | None = None


class CatalogueStatus(Struct, frozen=True, kw_only=True):
    """How the catalogue of one shop stands; ``data_as_of`` is the start of the newest complete reading."""

    shop: str
    mall: str
    suppliers: int
    items: int
    data_as_of: datetime | None
    error: CatalogueError | None
    broken: int
    broken_records: list[BrokenRecord]


class CatalogueRun:
    """Reads one shop's catalogue whole. A broken reading goes on at its cursor.

    One shop is read by one run at a time over all processes, a sync of the same shop included.
    """

    def __init__(
        self,
        database: Database,
        *,
        shop: ShopRow,
        connector: Connector,
        now: Callable[[], datetime],
        on_progress: OnCatalogueProgress | None = None,
    ) -> None:
        self._database = database
        self._shop = shop
        self._connector = connector
        self._now = now
        self._on_progress = on_progress or (lambda *_: None)
        self._writer = CatalogueWriter(database, shop_id=shop.id)
        self._report = CatalogueReport(shop=shop.name, mall=shop.mall)

    async def run(self) -> CatalogueReport:
        """Never raises for what a mall does: the report says what is missing and why."""
        begun = time.perf_counter()
        calls = CallCounts()
        counted_calls.set(calls)
        report = self._report
        with structlog.contextvars.bound_contextvars(shop=self._shop.name):
            async with Lease(self._database, f"sync:{self._shop.id}"):
                try:
                    await self._read()
                except MallError as error:
                    await self._failed(error.kind, str(error))
                except Exception as error:
                    log.exception("catalogue.read.failed")
                    # A foreign exception's text may quote data; its type may not.
                    await self._failed("internal", type(error).__name__)
        for name in CatalogueCounts.__struct_fields__:
            setattr(report, name, getattr(self._writer.counts, name))
        report.calls, report.throttled = calls.sent, calls.throttled
        report.seconds = round(time.perf_counter() - begun, 3)
        return report

    async def _read(self) -> None:
        if not isinstance(self._connector, ReadsCatalogue):
            message = "the mall's API tells no catalogue"
            raise UnsupportedByMallError(message, shop=self._shop.name)
        started_at = self._now()
        async with self._database.writing() as connection:
            state = await _state_row(connection, self._shop.id)
            cursor = _cursor(state, started_at)
            await self._put(connection, tried_at=to_ms(started_at))
        async with closing(self._connector.read_catalogue(cursor=cursor)) as pages:
            async for page in pages:
                await self._store(page)
        async with self._database.writing() as connection:
            if cursor is None and not self._writer.counts.broken:
                # What one unbroken reading of everything no longer shows is gone.
                await self._writer.remove_unseen(connection)
            await self._put(
                connection,
                cursor=None,
                data_as_of=to_ms(started_at),
                error_kind=None,
                error_message=None,
                failing_since=None,
                last_counts=msgspec.json.encode(
                    {"broken": self._writer.counts.broken, "broken_records": self._report.broken_records}
                ).decode(),
            )
        self._report.complete = True
        self._report.data_as_of = started_at
        self._on_progress(self._shop.name, 1.0, self._writer.counts.read)

    async def _store(self, page: CataloguePage) -> None:
        for reading in page.readings:
            if reading.error is not None and len(self._report.broken_records) < _SHOWN_BROKEN:
                self._report.broken_records.append(BrokenRecord(key=reading.key[:80], error=reading.error[:200]))
        async with self._database.writing() as connection:
            await self._writer.write(connection, page.readings, now=self._now())
            await self._put(connection, cursor=page.cursor)
        self._on_progress(self._shop.name, page.progress, self._writer.counts.read)

    async def _failed(self, kind: str, message: str) -> None:
        self._report.error = CatalogueError(kind=kind, message=message)
        log.warning("catalogue.read.incomplete", kind=kind, error=message)
        async with self._database.writing() as connection:
            state = await _state_row(connection, self._shop.id)
            failing_since = state.failing_since if state else None
            now = to_ms(self._now())
            await self._put(
                connection,
                error_kind=kind,
                error_message=message[:500],
                tried_at=now,
                failing_since=failing_since or now,
            )

    async def _put(self, connection: AsyncConnection, **columns: Any) -> None:
        await self._database.upsert_rows(
            connection,
            feed_states,
            [{"shop_id": self._shop.id, "feed": _NAME, **columns}],
            key=[feed_states.c.shop_id, feed_states.c.feed],
            keep=[column for column in feed_states.c if column.name not in columns],
            changed_hash=False,
        )


async def read_catalogue_status(database: Database, shop: ShopRow) -> CatalogueStatus:
    async with database.reading() as connection:
        state = await _state_row(connection, shop.id)
        known = [
            await connection.scalar(select(func.count()).select_from(table).where(table.c.shop_id == shop.id)) or 0
            for table in (suppliers, stock_items)
        ]
    counts = msgspec.json.decode(state.last_counts) if state and state.last_counts else {}
    return CatalogueStatus(
        shop=shop.name,
        mall=shop.mall,
        suppliers=known[0],
        items=known[1],
        data_as_of=from_ms(state.data_as_of) if state else None,
        error=CatalogueError(kind=state.error_kind, message=state.error_message or "")
        if state and state.error_kind
        else None,
        broken=counts.get("broken", 0),
        broken_records=msgspec.convert(counts.get("broken_records", []), list[BrokenRecord]),
    )


def _cursor(state: Row[Any] | None, now: datetime) -> str | None:
    tried_at = from_ms(state.tried_at) if state else None
    if state is None or tried_at is None or now - tried_at > _GOES_ON_WITHIN:
        return None
    cursor: str | None = state.cursor
    return cursor


async def _state_row(connection: AsyncConnection, shop_id: int) -> Row[Any] | None:
    query = select(feed_states).where(feed_states.c.shop_id == shop_id, feed_states.c.feed == _NAME)
    return (await connection.execute(query)).first()
