"""Replay: what the malls sent, read again by today's mapping. No mall is called.

Every page of payloads is one transaction. Without ``is_written`` it is undone at its end, so that what
is shown is what would be written. A payload that no longer reads is counted and its record stays.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from msgspec import Struct, field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector, Feed, Manifest, PreparesRemap
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.store.database import Database, to_ms
from hub.store.leases import Lease
from hub.store.sealed import RAW_PLACE
from hub.store.shops import ShopRow
from hub.store.tables import quarantine, raw_payloads
from hub.sync.differences import Camera, Differences, Example
from hub.sync.ingest import Ingest
from hub.sync.remapped import Comparer, Remapped, Rewriter, Verdict
from hub.sync.rereads import Shops
from hub.sync.run import OnProgress

log = structlog.get_logger(__name__)

_PAGE = 300
_EXAMPLES = 20


class Unreadable(Struct, frozen=True, kw_only=True):
    """A payload that read once and reads no more; its record stays as it was."""

    feed: Feed
    key: str
    error: str


class FeedReplay(Struct, kw_only=True):
    """``payloads`` = same + different + newer + unreadable. ``newer``: the hub has learnt something later."""

    feed: Feed
    payloads: int = 0
    same: int = 0
    different: int = 0
    newer: int = 0
    unreadable: int = 0


class ReplayReport(Struct, kw_only=True):
    """``written``: whether the difference was written, else it is what would be."""

    shop: str
    mall: str
    written: bool
    complete: bool = True
    new: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    unknown_codes: dict[str, int] = field(default_factory=dict)
    feeds: list[FeedReplay] = field(default_factory=list)


async def replay_shop(
    hub: Shops,
    shop: ShopRow,
    *,
    is_written: bool,
    feed: Feed | None = None,
    since: datetime | None = None,
    on_progress: OnProgress | None = None,
) -> ReplayReport:
    """``since`` keeps to payloads that came at that time or later. Raises: ConfigurationError."""
    replay = Replay(
        hub.database,
        shop=shop,
        manifest=hub.registry.manifest(shop.mall),
        connector=await hub.connector(shop.name),
        clocks=standard_clocks(),
        now=hub.now,
        is_written=is_written,
        on_progress=on_progress,
    )
    return await replay.run([feed] if feed else list(Feed), since=since)


class _UndoneError(Exception):
    """Takes the transaction of a page back."""


class Replay:
    """Reads the payloads of one shop again, under its lease. Interrupted, it is simply run again."""

    def __init__(
        self,
        database: Database,
        *,
        shop: ShopRow,
        manifest: Manifest,
        connector: Connector,
        clocks: tuple[MallClock, ...],
        now: Callable[[], datetime],
        is_written: bool,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._database = database
        self._shop = shop
        self._manifest = manifest
        self._connector = connector
        self._is_written = is_written
        self._on_progress = on_progress or (lambda *_: None)
        self._comparer = Comparer(database, shop_id=shop.id)
        self._camera = Camera(database, shop_id=shop.id)
        self._rewriter = Rewriter(
            database,
            shop_id=shop.id,
            connector=connector,
            manifest=manifest,
            ingest=Ingest(database, shop=shop, manifest=manifest, clocks=clocks),
            now=now,
        )
        self._differences = Differences()
        self._report = ReplayReport(shop=shop.name, mall=shop.mall, written=is_written)

    async def run(self, feeds: Sequence[Feed], *, since: datetime | None = None) -> ReplayReport:
        with structlog.contextvars.bound_contextvars(shop=self._shop.name):
            async with Lease(self._database, f"sync:{self._shop.id}"):
                if isinstance(self._connector, PreparesRemap):
                    await self._connector.prepare_remap()
                for feed in feeds:
                    await self._replay_feed(feed, to_ms(since) or 0)
        report = self._report
        report.new, report.changed = self._differences.new, self._differences.changed
        report.columns = dict(self._differences.columns.most_common())
        report.examples = self._differences.examples
        report.unknown_codes = dict(self._connector.unknown_codes)
        report.complete = not any(feed.unreadable for feed in report.feeds)
        log.info("sync.replay.done", written=self._is_written, new=report.new, changed=report.changed)
        return report

    async def _replay_feed(self, feed: Feed, since: int) -> None:
        chosen = (
            raw_payloads.c.shop_id == self._shop.id,
            raw_payloads.c.feed == feed.value,
            raw_payloads.c.fetched_at >= since,
        )
        async with self._database.reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(raw_payloads).where(*chosen)) or 0
        if not total:
            return
        counts = FeedReplay(feed=feed)
        self._report.feeds.append(counts)
        after: str | None = ""
        while after is not None:
            after = await self._page(counts, chosen, after)
            self._on_progress(self._shop.name, feed, min(1.0, counts.payloads / total), counts.payloads)

    async def _page(self, counts: FeedReplay, chosen: Sequence[Any], after: str) -> str | None:
        """Returns the last key of the page, ``None`` when there was none left."""
        last = None
        try:
            async with self._database.writing() as connection:
                query = select(raw_payloads).where(*chosen, raw_payloads.c.key > after)
                rows = (await connection.execute(query.order_by(raw_payloads.c.key).limit(_PAGE))).all()
                if rows:
                    last = rows[-1].key
                    await self._take(connection, counts, self._remap(counts, rows))
                self._keep_or_undo()
        except _UndoneError:
            pass
        return last

    def _keep_or_undo(self) -> None:
        if not self._is_written:
            raise _UndoneError

    def _remap(self, counts: FeedReplay, rows: Sequence[Any]) -> list[Remapped]:
        counts.payloads += len(rows)
        readable = []
        for row in rows:
            raw = self._database.box.open(row.payload_sealed, RAW_PLACE)
            reading = self._connector.remap(counts.feed, row.key, raw)
            if reading.record is not None:
                readable.append(Remapped(feed=counts.feed, reading=reading, read_at=row.fetched_at))
                continue
            counts.unreadable += 1
            if len(self._report.unreadable) < _EXAMPLES:
                error = reading.error or "unreadable"
                self._report.unreadable.append(Unreadable(feed=counts.feed, key=row.key, error=error))
        return readable

    async def _take(self, connection: AsyncConnection, counts: FeedReplay, remapped: Sequence[Remapped]) -> None:
        # Only where lists drop records are these told by anything but their newest payload.
        yields = self._manifest.drops_orders
        broken_later = await self._broken_later(connection, remapped)
        changed: list[tuple[Remapped, int]] = []
        for each, found in zip(
            remapped, await self._comparer.sort(connection, remapped, yields_to_newer=yields), strict=True
        ):
            if found.verdict is Verdict.SAME:
                counts.same += 1
            elif found.verdict is Verdict.NEWER or broken_later.get(each.reading.key, 0) > each.read_at:
                counts.newer += 1
            else:
                counts.different += 1
                changed.append((each, found.at))
        if not changed:
            return
        records = [record for each, _ in changed if (record := each.record) is not None]
        async with self._database.reading() as before:
            known = await self._camera.take(before, records)
        await self._rewriter.write(connection, changed)
        self._differences.add(known, await self._camera.take(connection, records), most_examples=_EXAMPLES)

    async def _broken_later(self, connection: AsyncConnection, remapped: Sequence[Remapped]) -> dict[str, int]:
        """Keys whose newest payload waits in quarantine, with when it came: an older one does not settle it."""
        if not remapped:
            return {}
        query = select(quarantine.c.key, quarantine.c.last_seen_at).where(
            quarantine.c.shop_id == self._shop.id,
            quarantine.c.feed == remapped[0].feed.value,
            quarantine.c.resolved_at.is_(None),
            quarantine.c.key.in_([each.reading.key.replace("\0", "") for each in remapped]),
        )
        return {row.key: row.last_seen_at for row in await connection.execute(query)}
