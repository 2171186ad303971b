"""What a mall's webhooks asked to read again: a queue in the database, one row per thing, and who works it.

A row is taken out only after its reading is stored, so a process may be killed at any moment. Asked
for again while it is being read, it stays. What cannot be read is tried later and later, then left to
the runs by schedule, which read it anyway.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import structlog
from msgspec import Struct
from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector, Feed, Manifest, Reading, ReadsOneInquiry, ReadsOneOrder
from hub.core.errors import MallError, RateLimitedError
from hub.core.events import Notice
from hub.core.http import urgently
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.settings import Settings
from hub.store.database import Database, from_ms, to_ms
from hub.store.leases import Lease
from hub.store.one import find_inquiry
from hub.store.shops import ShopRow
from hub.store.tables import lines, orders, rereads, shops
from hub.sync.ingest import Ingest
from hub.sync.run import ShopRun

log = structlog.get_logger(__name__)

#: tries of one row; the last comes about two hours after the first
TRIES = 8
_FIRST_PAUSE = timedelta(minutes=1)
#: a run by schedule is under way: what it has not seen is read after it
_RUN_PAUSE = timedelta(seconds=5)
_BATCH = 100
_LONGEST_KEY = 200


class What(StrEnum):
    """``FEED``: everything that changed since the last run of the feed."""

    ORDER = "order"
    INQUIRY = "inquiry"
    FEED = "feed"


class Asked(Struct, frozen=True, kw_only=True):
    """One row. ``asked_at`` (stored milliseconds) tells a later wish from this one."""

    what: What
    key: str
    asked_at: int
    tries: int


class Drained(Struct, kw_only=True):
    """What became of the rows that were due. ``is_busy``: another process works this shop's queue."""

    read: int = 0
    postponed: int = 0
    dropped: int = 0
    is_busy: bool = False


class RereadQueue:
    """The queue of one shop."""

    def __init__(self, database: Database, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id

    async def ask(self, connection: AsyncConnection, notice: Notice, *, now: datetime) -> int:
        """Put in what a notice names, on the caller's transaction. Asked for twice is one row. Returns how many."""
        wishes = [
            *((What.ORDER, key) for key in notice.orders),
            *((What.INQUIRY, key) for key in notice.inquiries),
            *((What.FEED, feed.value) for feed in _feeds_of(notice)),
        ]
        return await self._put(connection, wishes, now=now)

    async def _put(self, connection: AsyncConnection, wishes: Iterable[tuple[What, str]], *, now: datetime) -> int:
        at = to_ms(now)
        rows = [
            {"shop_id": self._shop_id, "what": what.value, "key": key, "asked_at": at, "due_at": at, "tries": 0}
            for what, key in dict.fromkeys(wishes)
            if _is_key(key)
        ]
        if rows:
            insert = sqlite.insert(rereads) if self._database.is_sqlite else postgresql.insert(rereads)
            # Always later than the wish before it, or the reading of that one would take out both. A
            # mall that is down is not asked sooner because more events come.
            later = case((insert.excluded.asked_at > rereads.c.asked_at, insert.excluded.asked_at))
            asked_at = func.coalesce(later, rereads.c.asked_at + 1)
            statement = insert.on_conflict_do_update(
                index_elements=[rereads.c.shop_id, rereads.c.what, rereads.c.key], set_={"asked_at": asked_at}
            )
            await connection.execute(statement, rows)
        return len(rows)

    async def due(self, *, now: datetime) -> list[Asked]:
        """Rows to read now, longest waiting first; single records before feeds, which take longer."""
        query = (
            select(rereads.c.what, rereads.c.key, rereads.c.asked_at, rereads.c.tries)
            .where(rereads.c.shop_id == self._shop_id, rereads.c.due_at <= to_ms(now))
            .order_by(rereads.c.what == What.FEED.value, rereads.c.due_at, rereads.c.key)
            .limit(_BATCH)
        )
        async with self._database.reading() as connection:
            return [
                Asked(what=What(row.what), key=row.key, asked_at=row.asked_at, tries=row.tries)
                for row in await connection.execute(query)
            ]

    async def next_due(self) -> datetime | None:
        """When the next row is due; ``None`` when nothing waits."""
        query = select(func.min(rereads.c.due_at)).where(rereads.c.shop_id == self._shop_id)
        async with self._database.reading() as connection:
            return from_ms(await connection.scalar(query))

    async def done(self, connection: AsyncConnection, row: Asked) -> None:
        """Take a row out, in the transaction that stored its reading; asked for again meanwhile, it stays."""
        await connection.execute(delete(rereads).where(*self._is(row), rereads.c.asked_at == row.asked_at))

    async def later(self, row: Asked, *, now: datetime, pause: timedelta, is_failed: bool) -> None:
        tries = row.tries + is_failed
        async with self._database.writing() as connection:
            await connection.execute(
                update(rereads).where(*self._is(row)).values(due_at=to_ms(now + pause), tries=tries)
            )

    async def drop(self, row: Asked) -> None:
        async with self._database.writing() as connection:
            await self.done(connection, row)

    async def instead(self, row: Asked, feed: Feed, *, now: datetime) -> None:
        """What cannot be read alone is found by reading its feed."""
        async with self._database.writing() as connection:
            await self._put(connection, [(What.FEED, feed.value)], now=now)
            await self.done(connection, row)

    def _is(self, row: Asked) -> tuple[Any, ...]:
        return rereads.c.shop_id == self._shop_id, rereads.c.what == row.what.value, rereads.c.key == row.key


def _feeds_of(notice: Notice) -> list[Feed]:
    wanted = {Feed.ORDERS: notice.reads_orders, Feed.INQUIRIES: notice.reads_inquiries}
    return [feed for feed, is_wanted in wanted.items() if is_wanted]


def _is_key(key: str) -> bool:
    """Keys come from outside: nothing that a database refuses, and no essay."""
    return 0 < len(key.strip()) <= _LONGEST_KEY and key.isprintable()


async def shops_with_rereads(database: Database, *, now: datetime) -> list[str]:
    """Names of active shops for which something is due, by name."""
    query = (
        select(shops.c.name)
        .distinct()
        .join_from(shops, rereads, rereads.c.shop_id == shops.c.id)
        .where(shops.c.is_active, rereads.c.due_at <= to_ms(now))
        .order_by(shops.c.name)
    )
    async with database.reading() as connection:
        return list(await connection.scalars(query))


class Shops(Protocol):
    """What the queue needs of a running hub."""

    @property
    def database(self) -> Database: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def registry(self) -> "_Manifests": ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    async def connector(self, shop_name: str) -> Connector: ...


class _Manifests(Protocol):
    def manifest(self, mall: str) -> Manifest: ...


async def drain_shop(hub: Shops, shop: ShopRow) -> Drained:
    """Work the queue of one shop. Raises: ConfigurationError when the shop cannot be opened."""
    rereader = Rereader(
        hub.database,
        shop=shop,
        manifest=hub.registry.manifest(shop.mall),
        connector=await hub.connector(shop.name),
        clocks=standard_clocks(),
        first_read_days=hub.settings.first_read_days,
        now=hub.now,
    )
    return await rereader.drain()


class Rereader:
    """Works the queue of one shop: one at a time over all processes, at the pace of its connector."""

    def __init__(
        self,
        database: Database,
        *,
        shop: ShopRow,
        manifest: Manifest,
        connector: Connector,
        clocks: tuple[MallClock, ...],
        first_read_days: int,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._shop = shop
        self._connector = connector
        self._manifest = manifest
        self._clocks = clocks
        self._first_read_days = first_read_days
        self._now = now
        self._queue = RereadQueue(database, shop.id)
        self._ingest = Ingest(database, shop=shop, manifest=manifest, clocks=clocks)
        self._drained = Drained()

    async def drain(self) -> Drained:
        """Read what is due, until nothing is. Never raises for what a mall does."""
        self._drained = Drained()
        lease = Lease(self._database, f"rereads:{self._shop.id}")
        if not await lease.try_take():
            return Drained(is_busy=True)
        try:
            with structlog.contextvars.bound_contextvars(shop=self._shop.name):
                while rows := await self._queue.due(now=self._now()):
                    await self._read_all(rows)
        finally:
            await lease.give_back()
        return self._drained

    async def _read_all(self, rows: list[Asked]) -> None:
        for row in rows:
            if row.what is not What.FEED:
                await self._guarded(row)
        if feeds := [row for row in rows if row.what is What.FEED]:
            await self._read_feeds(feeds)

    async def _guarded(self, row: Asked) -> None:
        """The edge of one reading: whatever breaks it, the others go on and this one is tried later."""
        try:
            # Somebody has just done something at the mall; a full run may be reading the same shop.
            with urgently():
                await self._read_one(row)
        except MallError as error:
            await self._failed(row, error, kind=error.kind)
        except Exception as error:
            log.exception("sync.reread.failed", what=row.what.value)
            await self._failed(row, error, kind="internal")

    async def _read_one(self, row: Asked) -> None:
        feed = Feed.ORDERS if row.what is What.ORDER else Feed.INQUIRIES
        readings = await (self._order(row.key) if row.what is What.ORDER else self._inquiry(row.key))
        if readings is None:
            await self._queue.instead(row, feed, now=self._now())
            return
        async with self._database.writing() as connection:
            await self._ingest.page(connection, readings, feed=feed, now=self._now())
            await self._queue.done(connection, row)
        self._drained.read += 1

    async def _order(self, order_no: str) -> tuple[Reading, ...] | None:
        if not isinstance(self._connector, ReadsOneOrder):
            return None
        query = (
            select(lines.c.line_no)
            .join_from(lines, orders, orders.c.id == lines.c.order_id)
            .where(lines.c.shop_id == self._shop.id, orders.c.order_no == order_no)
            .order_by(lines.c.line_no)
        )
        async with self._database.reading() as connection:
            line_nos = tuple(await connection.scalars(query))
        return await self._connector.read_order(order_no, line_nos)

    async def _inquiry(self, inquiry_no: str) -> tuple[Reading, ...] | None:
        known = await find_inquiry(self._database, self._shop.id, inquiry_no)
        if known is None or not isinstance(self._connector, ReadsOneInquiry):
            return None
        return (await self._connector.read_inquiry(known),)

    async def _read_feeds(self, rows: list[Asked]) -> None:
        """One run over the shop answers every row: it reads all that changed."""
        if await self._is_run_under_way():
            for row in rows:
                await self._queue.later(row, now=self._now(), pause=_RUN_PAUSE, is_failed=False)
            self._drained.postponed += len(rows)
            return
        run = ShopRun(
            self._database,
            shop=self._shop,
            manifest=self._manifest,
            connector=self._connector,
            clocks=self._clocks,
            first_read_days=self._first_read_days,
            now=self._now,
        )
        report = await run.run()
        complete = {feed.feed.value for feed in report.feeds if feed.complete} if report.error else None
        for row in rows:
            if complete is not None and row.key not in complete:
                await self._failed(row, None, kind=report.error.kind if report.error else "unknown")
                continue
            async with self._database.writing() as connection:
                await self._queue.done(connection, row)
            self._drained.read += 1

    async def _is_run_under_way(self) -> bool:
        """A full run may take an hour: the queue does not stand behind it."""
        lease = Lease(self._database, f"sync:{self._shop.id}")
        if await lease.try_take():
            await lease.give_back()
            return False
        return True

    async def _failed(self, row: Asked, error: Exception | None, *, kind: str) -> None:
        if row.tries + 1 >= TRIES:
            log.warning("sync.reread.dropped", what=row.what.value, kind=kind, tries=row.tries + 1)
            await self._queue.drop(row)
            self._drained.dropped += 1
            return
        pause = _FIRST_PAUSE * 2**row.tries
        if isinstance(error, RateLimitedError):
            pause = max(pause, timedelta(seconds=error.wait_seconds))
        log.info("sync.reread.postponed", what=row.what.value, kind=kind, tries=row.tries + 1)
        await self._queue.later(row, now=self._now(), pause=pause, is_failed=True)
        self._drained.postponed += 1
