"""Resync: a stretch of time or one record read again, beside the runs by schedule.

Nothing that a run relies on is touched: no cursor, no "data as of". Nothing is concluded from absence
either, for a part of the time shows a part of the truth.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import select

from hub.core.contract import (
    CallCounts,
    Connector,
    Feed,
    Manifest,
    OpenKeys,
    Reading,
    ReadsOneInquiry,
    ReadsOneOrder,
    Span,
)
from hub.core.errors import ConfigurationError, MallError, NotFoundAtMallError, UnsupportedByMallError
from hub.core.http import counted_calls
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.store.database import Database
from hub.store.leases import Lease
from hub.store.one import find_inquiry
from hub.store.shops import ShopRow
from hub.store.tables import lines, orders
from hub.sync.batches import closing
from hub.sync.feed_state import read_state
from hub.sync.ingest import Ingest
from hub.sync.rereads import Shops
from hub.sync.run import FeedReport, OnProgress, Pass, RunError, ShopReport, passes, read_pages
from hub.sync.settle import Linker, Settler, tie_twins
from hub.sync.sought import note_missing

log = structlog.get_logger(__name__)


async def resync_span(
    hub: Shops, shop: ShopRow, *, since: datetime, until: datetime, on_progress: OnProgress | None = None
) -> ShopReport:
    """Read everything of [``since``, ``until``) again, under the shop's lease. The report is that of a run.

    Raises: ConfigurationError for a span that is reversed or ends in the future.
    """
    if since >= until:
        what = "the span ends before it begins"
        raise ConfigurationError(what, fix="Give a --from that is before --to.")
    if until > hub.now():
        what = "the span ends in the future"
        raise ConfigurationError(what, fix="Leave --to away to read up to now.")
    resync = await _opened(hub, shop, on_progress)
    async with Lease(hub.database, f"sync:{shop.id}"):
        return await resync.span(since, until)


async def resync_order(hub: Shops, shop: ShopRow, order_no: str) -> ShopReport:
    """Read one order again, under the shop's lease. A mall that has not got it is an error of the report."""
    resync = await _opened(hub, shop, None)
    async with Lease(hub.database, f"sync:{shop.id}"):
        return await resync.order(order_no)


async def read_again(hub: Shops, shop: ShopRow, *, order_no: str | None = None, inquiry_no: str | None = None) -> None:
    """Read what an agent looks at, at once: no lease, a run that is under way is not waited for.

    Raises: MallError: what is stored stands, as of when it was read.
    """
    resync = await _opened(hub, shop, None)
    if inquiry_no is not None:
        await resync.store_inquiry(inquiry_no)
    if order_no is not None:
        await resync.store_order(order_no)


async def _opened(hub: Shops, shop: ShopRow, on_progress: OnProgress | None) -> "Resync":
    return Resync(
        hub.database,
        shop=shop,
        manifest=hub.registry.manifest(shop.mall),
        connector=await hub.connector(shop.name),
        clocks=standard_clocks(),
        now=hub.now,
        on_progress=on_progress,
    )


class Resync:
    """Reads a part of one shop again."""

    def __init__(
        self,
        database: Database,
        *,
        shop: ShopRow,
        manifest: Manifest,
        connector: Connector,
        clocks: tuple[MallClock, ...],
        now: Callable[[], datetime],
        on_progress: OnProgress | None = None,
    ) -> None:
        self._database = database
        self._shop = shop
        self._manifest = manifest
        self._connector = connector
        self._now = now
        self._on_progress = on_progress or (lambda *_: None)
        self._ingest = Ingest(database, shop=shop, manifest=manifest, clocks=clocks)
        self._reports = {feed: FeedReport(feed=feed) for feed in Feed if feed in manifest.feeds}
        self._errors: list[RunError] = []

    async def span(self, since: datetime, until: datetime) -> ShopReport:
        """Never raises for what a mall does: the report says what is missing and why."""
        started_at = self._now()
        span = Span(since=since, until=until, is_full=True)
        with structlog.contextvars.bound_contextvars(shop=self._shop.name):
            for each in passes(self._manifest):
                if await self._guarded(each, span):
                    for feed in each.feeds:
                        self._reports[feed].complete = True
            await self._finish(started_at)
        return await self._report(list(self._reports.values()))

    async def order(self, order_no: str) -> ShopReport:
        reports = [report for feed, report in self._reports.items() if feed is not Feed.INQUIRIES]
        if not reports:
            reports = list(self._reports.values())
        begun, calls = time.perf_counter(), CallCounts()
        counted_calls.set(calls)
        with structlog.contextvars.bound_contextvars(shop=self._shop.name):
            try:
                await self.store_order(order_no)
                for report in reports:
                    report.complete = True
            except MallError as error:
                self._failed(error, error.kind)
        reports[0].seconds = round(time.perf_counter() - begun, 3)
        reports[0].calls, reports[0].throttled = calls.sent, calls.throttled
        return await self._report(reports)

    async def store_order(self, order_no: str) -> None:
        """Raises: MallError; UnsupportedByMallError where orders are not read one by one."""
        if not isinstance(self._connector, ReadsOneOrder):
            raise UnsupportedByMallError(
                "this mall gives no single order",
                instead="Read the days around it: hub resync --from … --to …",
                shop=self._shop.name,
            )
        started_at = self._now()
        readings = await self._connector.read_order(order_no, await self._line_nos(order_no))
        await self._store(readings, Feed.ORDERS)
        await self._finish(started_at, is_asking=False)

    async def store_inquiry(self, inquiry_no: str) -> None:
        """Raises: MallError; UnsupportedByMallError where inquiries are not read one by one."""
        if not isinstance(self._connector, ReadsOneInquiry):
            raise UnsupportedByMallError(
                "this mall gives no single inquiry",
                instead="Read the days around it: hub resync --from … --to …",
                shop=self._shop.name,
            )
        known = await find_inquiry(self._database, self._shop.id, inquiry_no)
        if known is None:
            raise NotFoundAtMallError("the hub knows no such inquiry", shop=self._shop.name)
        try:
            reading = await self._connector.read_inquiry(known)
        except NotFoundAtMallError:
            if self._manifest.drops_inquiries:
                async with self._database.writing() as connection:
                    await note_missing(connection, shop_id=self._shop.id, inquiry_no=inquiry_no, now=self._now())
            raise
        await self._store((reading,), Feed.INQUIRIES)

    async def _guarded(self, each: Pass, span: Span) -> bool:
        """The edge of a pass: whatever breaks it is reported, and the others go on."""
        report = self._reports[each.feeds[0]]
        begun, calls = time.perf_counter(), CallCounts()
        counted_calls.set(calls)
        try:
            pages = read_pages(self._connector, each.capability, span, open_keys=OpenKeys(), cursor=None)
            async with closing(pages):
                async for page in pages:
                    await self._store(page.readings, each.feeds[0])
                    self._on_progress(self._shop.name, each.feeds[0], page.progress, report.read)
        except MallError as error:
            self._failed(error, error.kind)
            return False
        except Exception as error:
            log.exception("sync.resync.failed", feed=each.feeds[0].value)
            self._failed(error, "internal")
            return False
        finally:
            report.seconds = round(time.perf_counter() - begun, 3)
            report.calls += calls.sent
            report.throttled += calls.throttled
        self._on_progress(self._shop.name, each.feeds[0], 1.0, report.read)
        return True

    def _failed(self, error: Exception, kind: str) -> None:
        # A foreign exception's text may quote data; its type may not.
        message = str(error) if isinstance(error, MallError | ConfigurationError) else type(error).__name__
        if instead := getattr(error, "instead", None):
            message = f"{message}. {instead}"
        self._errors.append(RunError(kind=kind, message=message))
        log.warning("sync.resync.incomplete", kind=kind, error=message)

    async def _store(self, readings: Sequence[Reading], feed: Feed) -> None:
        async with self._database.writing() as connection:
            written = await self._ingest.page(connection, readings, feed=feed, now=self._now())
        for counted, counts in written.counts.items():
            if counted in self._reports:
                self._reports[counted].add(counts)

    async def _line_nos(self, order_no: str) -> tuple[str, ...]:
        query = (
            select(lines.c.line_no)
            .join_from(lines, orders, orders.c.id == lines.c.order_id)
            .where(lines.c.shop_id == self._shop.id, orders.c.order_no == order_no)
            .order_by(lines.c.line_no)
        )
        async with self._database.reading() as connection:
            return tuple(await connection.scalars(query))

    async def _finish(self, started_at: datetime, *, is_asking: bool = True) -> None:
        """What follows from the records together: lines ended by their claims, links between shops and records.

        ``is_asking``: lines that only a claim has named are asked for.
        """
        settler = Settler(
            self._database, shop_id=self._shop.id, connector=self._connector, ingest=self._ingest, now=self._now
        )
        if self._manifest.drops_orders and is_asking:
            try:
                counts = await settler.settle(since=started_at, seen=None, asks_every_claim=True)
            except MallError as error:
                self._failed(error, error.kind)
                self._reports[Feed.ORDERS].complete = False
            else:
                for feed, report in self._reports.items():
                    report.add(counts[feed])
        elif self._manifest.drops_orders:
            async with self._database.writing() as connection:
                await settler.end_lines(connection, since=started_at)
        await Linker(self._database, shop_id=self._shop.id, ingest=self._ingest, now=self._now).link()
        await tie_twins(self._database, shop_id=self._shop.id, mall=self._shop.mall)

    async def _report(self, reports: list[FeedReport]) -> ShopReport:
        """``data_as_of`` is that of the feed, which this reading leaves where it was."""
        for report in reports:
            report.data_as_of = (await read_state(self._database, self._shop.id, report.feed)).data_as_of
        return ShopReport(
            shop=self._shop.name,
            mall=self._shop.mall,
            complete=not self._errors and all(report.complete for report in reports),
            error=self._errors[0] if self._errors else None,
            feeds=reports,
        )
