"""One run over one shop: every feed read page by page, each page one transaction with its cursor."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from msgspec import Struct

from hub.core.contract import (
    CallCounts,
    Capability,
    Connector,
    Feed,
    Manifest,
    OpenKeys,
    Page,
    ReadsClaims,
    ReadsInquiries,
    ReadsOrders,
    Span,
)
from hub.core.errors import ConfigurationError, MallError, TransientMallError
from hub.core.http import counted_calls
from hub.policy.due import MallClock
from hub.store.database import Database
from hub.store.ids import new_id
from hub.store.leases import Lease
from hub.store.records import Counts
from hub.store.shops import ShopRow
from hub.sync.batches import closing, gathered
from hub.sync.breaker import Breaker
from hub.sync.feed_state import FeedStates, read_state
from hub.sync.ingest import Ingest
from hub.sync.open_keys import read_open_keys
from hub.sync.reconcile import Counted, DayCount, Reconciler
from hub.sync.seen import Seen
from hub.sync.settle import Linker, Settler, tie_twins
from hub.sync.sought import Seeker, Unshown

log = structlog.get_logger(__name__)

#: told for every page that came: shop, feed, share done 0..1, records written so far
OnProgress = Callable[[str, Feed, float, int], None]


class FeedReport(Counts, kw_only=True):
    """One feed of one run. ``calls`` and ``throttled`` count under the feed whose reading sent them."""

    feed: Feed
    calls: int = 0
    throttled: int = 0
    seconds: float = 0.0
    complete: bool = False
    data_as_of: datetime | None = None


class RunError(Struct, frozen=True, kw_only=True):
    kind: str
    message: str


class ShopReport(Struct, kw_only=True):
    """``run_id`` stands in every line of the log of this run; ``None`` where none was begun."""

    shop: str
    mall: str
    complete: bool
    error: RunError | None
    feeds: list[FeedReport]
    run_id: str | None = None


class Pass(Struct, frozen=True, kw_only=True):
    """One way of reading and the feeds that it fills; the first of them keeps the cursor."""

    capability: Capability
    feeds: tuple[Feed, ...]


def passes(manifest: Manifest) -> list[Pass]:
    by_capability: dict[Capability, list[Feed]] = {}
    for feed in Feed:
        if capability := manifest.feeds.get(feed):
            by_capability.setdefault(capability, []).append(feed)
    return [Pass(capability=capability, feeds=tuple(feeds)) for capability, feeds in by_capability.items()]


def read_pages(
    connector: Connector, capability: Capability, span: Span, *, open_keys: OpenKeys, cursor: str | None
) -> AsyncIterator[Page]:
    """The pages of one way of reading. Raises: ConfigurationError when the connector has not got it."""
    if capability is Capability.READ_ORDERS and isinstance(connector, ReadsOrders):
        return connector.read_orders(span, open_keys=open_keys, cursor=cursor)
    if capability is Capability.READ_CLAIMS and isinstance(connector, ReadsClaims):
        return connector.read_claims(span, open_keys=open_keys, cursor=cursor)
    if capability is Capability.READ_INQUIRIES and isinstance(connector, ReadsInquiries):
        return connector.read_inquiries(span, open_keys=open_keys, cursor=cursor)
    what = f"the {connector.shop.mall} connector declares {capability} and does not implement it"
    raise ConfigurationError(what)


class ShopRun:
    """Reads one shop completely: what is new, what changed, what vanished.

    An interrupted run is continued with the same span at its cursor; a finished one starts the next
    where its data ends. One shop is read by one run at a time over all processes.
    """

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
        on_progress: OnProgress | None = None,
    ) -> None:
        self._database = database
        self._shop = shop
        self._manifest = manifest
        self._connector = connector
        self._first_read = timedelta(days=first_read_days)
        self._now = now
        self._on_progress = on_progress or (lambda *_: None)
        self._ingest = Ingest(database, shop=shop, manifest=manifest, clocks=clocks)
        self._states = FeedStates(database, shop.id)
        self._ways = passes(manifest)
        self._reports = {feed: FeedReport(feed=feed) for feed in Feed if feed in manifest.feeds}
        self._errors: list[RunError] = []
        self._breaker = Breaker(database, shop.id, now=now)
        self._seen = Seen()
        self._unshown: Unshown | None = None
        self._run_id = str(new_id())

    async def run(
        self, *, full: bool = False, is_scheduled: bool = False, ways: frozenset[Capability] | None = None
    ) -> ShopReport:
        """Never raises for what a mall does: the report says what is missing and why.

        ``ways``: only these ways of reading, and the feeds that they fill.
        A run by schedule keeps quiet while the shop's breaker is open, and a full one also compares
        with what the mall counts.
        """
        with structlog.contextvars.bound_contextvars(shop=self._shop.name, run_id=self._run_id):
            if ways is not None:
                self._ways = [each for each in self._ways if each.capability in ways]
                filled = {feed for each in self._ways for feed in each.feeds}
                self._reports = {feed: report for feed, report in self._reports.items() if feed in filled}
            if is_scheduled and not await self._breaker.let_through():
                return await self._not_tried()
            async with Lease(self._database, f"sync:{self._shop.id}"):
                with self._seen:
                    await self._run(full=full)
                if is_scheduled and full:
                    await self._reconcile()
        return self._report()

    async def reconcile(self) -> list[DayCount] | None:
        """Compare each day with what the mall counts; ``None`` where it does not count. Raises: MallError."""
        connector = self._connector
        if not isinstance(connector, Counted):
            return None
        zone, days = ZoneInfo(self._manifest.timezone), self._first_read.days
        reconciler = Reconciler(self._database, shop_id=self._shop.id, zone=zone, ingest=self._ingest, now=self._now)
        try:
            return await reconciler.reconcile(connector, days=days)
        finally:
            for feed, report in self._reports.items():
                report.add(reconciler.counts[feed])

    async def _reconcile(self) -> None:
        if not self._errors:
            way = Pass(capability=Capability.READ_ORDERS, feeds=(Feed.ORDERS,))
            with self._counted(self._reports[next(iter(self._reports))]):
                try:
                    await self.reconcile()
                except MallError as error:
                    await self._failed(way, error)

    async def _not_tried(self) -> ShopReport:
        view = await self._breaker.view()
        log.info("sync.run.skipped", since=view.since, next_try=view.next_try)
        since, next_try = (at.isoformat(timespec="seconds") if at else "?" for at in (view.since, view.next_try))
        message = f"the mall has been down since {since}; tried again from {next_try} on"
        self._errors.append(RunError(kind=view.kind or "unavailable", message=message))
        return self._report()

    def _report(self) -> ShopReport:
        return ShopReport(
            shop=self._shop.name,
            mall=self._shop.mall,
            complete=not self._errors and all(report.complete for report in self._reports.values()),
            error=self._errors[0] if self._errors else None,
            feeds=list(self._reports.values()),
            run_id=self._run_id,
        )

    async def _run(self, *, full: bool) -> None:
        started_at = self._now()
        # Claims join orders, so they come after them; inquiries wait for nobody.
        alone = [each for each in self._ways if each.capability is Capability.READ_INQUIRIES]
        joined = [each for each in self._ways if each.capability is not Capability.READ_INQUIRIES]
        settler = Settler(
            self._database, shop_id=self._shop.id, connector=self._connector, ingest=self._ingest, now=self._now
        )

        async def orders_then_claims() -> None:
            settles = bool(joined and self._manifest.drops_orders)
            feed = joined[0].feeds[0] if joined else Feed.ORDERS
            # What runs have met that were killed before they settled it belongs to this one.
            since = await self._states.open_settling(feed, now=started_at) if settles else started_at
            unbroken = [await self._guarded(each, full=full) for each in joined]
            if (
                settles
                and all(self._reports[each.feeds[0]].complete for each in joined)
                and await self._settle(settler, since, is_whole=all(unbroken) and not self._is_partly_joined())
            ):
                await self._states.close_settling(feed)

        async def inquiries() -> None:
            for each in alone:
                await self._guarded(each, full=full)
                if self._reports[each.feeds[0]].complete and self._manifest.drops_inquiries:
                    await self._seek(each)

        await asyncio.gather(orders_then_claims(), inquiries())
        await Linker(self._database, shop_id=self._shop.id, ingest=self._ingest, now=self._now).link()
        await tie_twins(self._database, shop_id=self._shop.id, mall=self._shop.mall)
        # Under the shop's first feed: not every mall has orders.
        first = next(feed for feed in Feed if feed in self._manifest.feeds)
        await self._states.note_unknown_codes(first, self._connector.unknown_codes)
        await self._states.note_quota(self._connector.calls.quota_share, now=self._now())

    def _is_partly_joined(self) -> bool:
        """Whether ways that tell of lines are left out: then nothing can be concluded from what was not met."""
        return any(
            each not in self._ways
            for each in passes(self._manifest)
            if each.capability is not Capability.READ_INQUIRIES
        )

    async def _settle(self, settler: Settler, since: datetime, *, is_whole: bool) -> bool:
        """Returns whether everything was asked for that had to be."""
        calls = CallCounts()
        counted_calls.set(calls)
        counts = {feed: Counts() for feed in Feed}
        is_settled = True
        # Orders, unless only claims were read.
        feed = Feed.ORDERS if Feed.ORDERS in self._reports else next(iter(self._reports))
        try:
            counts = await settler.settle(since=since, seen=self._seen if is_whole else None)
        except MallError as error:
            is_settled = False
            await self._failed(Pass(capability=Capability.READ_ORDERS, feeds=(feed,)), error)
        for filled, report in self._reports.items():
            report.add(counts[filled])
        self._reports[feed].calls += calls.sent
        return is_settled

    async def _seek(self, each: Pass) -> None:
        """What the reading of inquiries, which came to its end, did not show is asked for by number."""
        report = self._reports[each.feeds[0]]
        seeker = Seeker(
            self._database, shop_id=self._shop.id, connector=self._connector, ingest=self._ingest, now=self._now
        )
        with self._counted(report):
            try:
                if self._unshown is not None:
                    report.add(await seeker.seek(self._unshown))
            except MallError as error:
                await self._failed(each, error)

    @contextmanager
    def _counted(self, report: FeedReport) -> Iterator[None]:
        begun = time.perf_counter()
        calls = CallCounts()
        counted_calls.set(calls)
        try:
            yield
        finally:
            report.seconds = round(report.seconds + time.perf_counter() - begun, 3)
            report.calls += calls.sent
            report.throttled += calls.throttled

    async def _guarded(self, each: Pass, *, full: bool) -> bool:
        """Run one pass; returns whether it was full, whole and in one piece. The edge of a feed's run:
        whatever breaks it is reported, and the others go on.
        """
        is_whole = False
        feed = structlog.contextvars.bound_contextvars(feed=each.feeds[0].value)
        with feed, self._counted(self._reports[each.feeds[0]]):
            try:
                is_whole = await self._read(each, full=full)
                await self._breaker.succeeded()
            except MallError as error:
                await self._failed(each, error)
            except Exception as error:
                log.exception("sync.feed.failed", feed=each.feeds[0].value)
                await self._failed(each, error)
        return is_whole

    async def _failed(self, each: Pass, error: Exception) -> None:
        # A foreign exception's text may quote data; its type may not.
        kind = error.kind if isinstance(error, MallError) else "internal"
        message = str(error) if isinstance(error, MallError | ConfigurationError) else type(error).__name__
        self._errors.append(RunError(kind=kind, message=message))
        for feed in each.feeds:
            self._reports[feed].complete = False
        log.warning("sync.feed.incomplete", feed=each.feeds[0].value, kind=kind, error=message)
        await self._states.fail(each.feeds, kind=kind, message=message, now=self._now())
        if isinstance(error, TransientMallError):
            await self._breaker.failed(error)
        elif isinstance(error, MallError):
            await self._breaker.succeeded()

    async def _read(self, each: Pass, *, full: bool) -> bool:
        feed = each.feeds[0]
        state = await read_state(self._database, self._shop.id, feed)
        now = self._now()
        cursor = None
        if state.running is not None and state.cursor is not None and not (full and not state.running.is_full):
            span, cursor = state.running, state.cursor
        elif full or state.data_as_of is None:
            span = Span(since=now - self._first_read, until=now, is_full=True)
        else:
            span = Span(since=state.data_as_of, until=now, is_full=False)
        await self._states.begin(feed, span, cursor=cursor, now=now)
        open_keys = await read_open_keys(self._database, self._shop.id, now=now)
        is_whole = span.is_full and cursor is None
        if feed is Feed.INQUIRIES:
            # What was read before a run broke off is not known to this one.
            self._unshown = Unshown(open_keys.inquiries) if cursor is None else None
        pages = read_pages(self._connector, each.capability, span, open_keys=open_keys, cursor=cursor)
        told = self._told(feed, pages)
        async with closing(pages), closing(told), closing(gathered(told)) as parts:
            async for page in parts:
                await self._write_page(each, page, is_noted=is_whole)
                # Or it would be held while the next thousand records are read.
                del page
        if is_whole:
            async with self._database.writing() as connection:
                await self._ingest.resolve_unseen(connection, feed=feed, since=now)
            for filled in each.feeds:
                listed = await self._seen.listed(self._database, shop_id=self._shop.id, feed=filled)
                await self._states.note_listed(filled, named=listed.named, held=listed.held, at=span.until)
        await self._states.complete(each.feeds, span, self._reports)
        for filled in each.feeds:
            self._reports[filled].complete = True
            self._reports[filled].data_as_of = span.until
        self._on_progress(self._shop.name, feed, 1.0, self._reports[feed].read)
        if cursor is not None:
            # What broke off long ago is finished now; what has happened since is still to be read.
            await self._read(each, full=False)
        return is_whole

    async def _write_page(self, each: Pass, page: Page, *, is_noted: bool) -> None:
        feed = each.feeds[0]
        async with self._database.writing() as connection:
            written = await self._ingest.page(connection, page.readings, feed=feed, now=self._now())
            await self._states.move(connection, feed, page.cursor)
        for counted, counts in written.counts.items():
            if counted in self._reports:
                self._reports[counted].add(counts)
        if is_noted:
            self._seen.note(page.readings, feed=feed)
        if feed is Feed.INQUIRIES and self._unshown is not None:
            self._unshown.note(page.readings)

    async def _told(self, feed: Feed, pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
        async for page in pages:
            self._on_progress(self._shop.name, feed, page.progress, self._reports[feed].read)
            yield page
