"""The one way in: readings of a shop become rows and cases in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Feed, Manifest, Reading
from hub.policy.due import MallClock
from hub.store.database import Database
from hub.store.records import RecordWriter, Written
from hub.store.shops import ShopRow
from hub.sync.cases import CaseKeeper


class Ingest:
    """Writes what one shop shows, and keeps its cases equal to it."""

    def __init__(self, database: Database, *, shop: ShopRow, manifest: Manifest, clocks: tuple[MallClock, ...]) -> None:
        self._writer = RecordWriter(
            database, shop_id=shop.id, country=manifest.country, is_stamped=manifest.tells_change_time
        )
        self._keeper = CaseKeeper(database, shop=shop, country=manifest.country, clocks=clocks)

    async def page(
        self,
        connection: AsyncConnection,
        readings: Sequence[Reading],
        *,
        feed: Feed,
        now: datetime,
        read_at: datetime | None = None,
    ) -> Written:
        """Store one page on the caller's transaction. ``read_at``: when the mall told it, if not now."""
        written = await self._writer.write(connection, readings, feed=feed, now=read_at or now)
        await self._keeper.refresh(connection, claimed=written.claimed, threads=written.threads, now=now)
        return written

    async def refresh_cases(
        self,
        connection: AsyncConnection,
        *,
        claimed: Iterable[tuple[str, str]] = (),
        threads: Iterable[str] = (),
        now: datetime,
    ) -> None:
        """Look at cases again whose order became known after them."""
        await self._keeper.refresh(connection, claimed=claimed, threads=threads, now=now)

    async def resolve_unseen(self, connection: AsyncConnection, *, feed: Feed, since: datetime) -> None:
        """What an unbroken full run of ``feed`` since ``since`` no longer met broken leaves quarantine."""
        await self._writer.resolve_unseen(connection, feed=feed, since=since)
