"""Records that could not be read: looked at, and tried again after a fix of the mapping."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector, Feed, Manifest, PreparesRemap
from hub.core.errors import ConfigurationError
from hub.policy.clock_file import standard_clocks
from hub.policy.due import MallClock
from hub.store.database import Database, from_ms, to_ms
from hub.store.leases import Lease
from hub.store.sealed import QUARANTINE_PLACE
from hub.store.shops import ShopRow
from hub.store.tables import quarantine, shops
from hub.sync.ingest import Ingest
from hub.sync.remapped import Comparer, Remapped, Rewriter, Verdict
from hub.sync.rereads import Shops

log = structlog.get_logger(__name__)

_PAGE = 100
#: how deep a payload is shown
_DEEPEST = 12


class QuarantineRow(Struct, frozen=True, kw_only=True):
    id: int
    shop: str
    feed: str
    key: str
    error: str
    first_seen_at: datetime | None


async def list_quarantine(
    database: Database, *, shop: str | None = None, ids: Collection[int] = ()
) -> list[QuarantineRow]:
    """Every unresolved record, or those of ``ids``, oldest first."""
    query = (
        select(quarantine, shops.c.name.label("shop"))
        .join_from(quarantine, shops)
        .where(quarantine.c.resolved_at.is_(None))
        .order_by(quarantine.c.first_seen_at, quarantine.c.id)
    )
    if shop is not None:
        query = query.where(shops.c.name == shop)
    if ids:
        query = query.where(quarantine.c.id.in_(sorted(ids)))
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [
        QuarantineRow(
            id=row.id,
            shop=row.shop,
            feed=row.feed,
            key=row.key,
            error=row.error,
            first_seen_at=from_ms(row.first_seen_at),
        )
        for row in rows
    ]


async def read_payload(database: Database, quarantine_id: int) -> bytes:
    """What the mall sent, in the clear: the caller has checked the right and logged the reason.

    Raises: ConfigurationError when there is no such record.
    """
    query = select(quarantine.c.payload_sealed).where(quarantine.c.id == quarantine_id)
    async with database.reading() as connection:
        sealed = await connection.scalar(query)
    if sealed is None:
        what = f"no quarantined record {quarantine_id}"
        raise ConfigurationError(what, fix="`hub quarantine list` shows them.")
    return database.box.open(sealed, QUARANTINE_PLACE)


def outline(payload: bytes) -> Any:
    """A payload without what stands in it: names of fields, and of each value its kind and length.

    Which text is somebody's cannot be told in a record that nobody could read, so none is shown.
    """
    try:
        value = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"no JSON, {len(payload)} bytes"
    return _outline(value, _DEEPEST)


def _outline(value: Any, depth: int) -> Any:
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {name[:80]: _outline(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_outline(inner, depth - 1) for inner in value]
    if isinstance(value, str):
        return f"text of {len(value)}"
    if value is None or isinstance(value, bool):
        return value
    return "number"


class Retried(Struct, kw_only=True):
    """What became of records tried again. ``outdated``: read well since then, so nothing was left to write.

    ``left`` are those that still cannot be read, with what is wrong now.
    """

    tried: int = 0
    resolved: int = 0
    outdated: int = 0
    left: list[QuarantineRow] = []


async def retry_quarantine(hub: Shops, shop: ShopRow, *, ids: Collection[int] = ()) -> Retried:
    """Read the waiting payloads of one shop, or those of ``ids``, by today's mapping. No mall is called.

    Raises: ConfigurationError when the shop cannot be opened.
    """
    retry = _Retry(
        hub.database,
        shop=shop,
        manifest=hub.registry.manifest(shop.mall),
        connector=await hub.connector(shop.name),
        clocks=standard_clocks(),
        now=hub.now,
    )
    with structlog.contextvars.bound_contextvars(shop=shop.name):
        async with Lease(hub.database, f"sync:{shop.id}"):
            return await retry.run(ids)


class _Retry:
    """Pages of waiting records, each one transaction: interrupted, it is run again."""

    def __init__(
        self,
        database: Database,
        *,
        shop: ShopRow,
        manifest: Manifest,
        connector: Connector,
        clocks: tuple[MallClock, ...],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._shop = shop
        self._connector = connector
        self._now = now
        self._comparer = Comparer(database, shop_id=shop.id)
        self._rewriter = Rewriter(
            database,
            shop_id=shop.id,
            connector=connector,
            manifest=manifest,
            ingest=Ingest(database, shop=shop, manifest=manifest, clocks=clocks),
            now=now,
        )
        self._retried = Retried()

    async def run(self, ids: Collection[int]) -> Retried:
        if isinstance(self._connector, PreparesRemap):
            await self._connector.prepare_remap()
        after: int | None = -1
        while after is not None:
            after = await self._page(after, ids)
        log.info("sync.quarantine.retried", resolved=self._retried.resolved, left=len(self._retried.left))
        return self._retried

    async def _page(self, after: int, ids: Collection[int]) -> int | None:
        query = (
            select(quarantine)
            .where(quarantine.c.shop_id == self._shop.id, quarantine.c.resolved_at.is_(None), quarantine.c.id > after)
            .order_by(quarantine.c.id)
            .limit(_PAGE)
        )
        if ids:
            query = query.where(quarantine.c.id.in_(sorted(ids)))
        async with self._database.writing() as connection:
            rows = (await connection.execute(query)).all()
            if not rows:
                return None
            await self._take(connection, rows)
        return int(rows[-1].id)

    async def _take(self, connection: AsyncConnection, rows: Sequence[Any]) -> None:
        self._retried.tried += len(rows)
        readable: list[tuple[Any, Remapped]] = []
        for row in rows:
            raw = self._database.box.open(row.payload_sealed, QUARANTINE_PLACE)
            reading = self._connector.remap(Feed(row.feed), row.key, raw)
            if reading.record is not None:
                remapped = Remapped(feed=Feed(row.feed), reading=reading, read_at=row.last_seen_at)
                readable.append((row, remapped))
                continue
            await self._keep(connection, row, (reading.error or "unreadable").replace("\0", ""))
        if not readable:
            return
        found = await self._comparer.sort(connection, [each for _, each in readable], yields_to_newer=True)
        wanted = [
            (each, verdict.at)
            for (_, each), verdict in zip(readable, found, strict=True)
            if verdict.verdict is Verdict.DIFFERENT
        ]
        await self._rewriter.write(connection, wanted)
        resolved = [row.id for row, _ in readable]
        await connection.execute(
            update(quarantine).where(quarantine.c.id.in_(resolved)).values(resolved_at=to_ms(self._now()))
        )
        self._retried.resolved += len(readable)
        self._retried.outdated += len(readable) - len(wanted)

    async def _keep(self, connection: AsyncConnection, row: Any, error: str) -> None:
        if error != row.error:
            await connection.execute(update(quarantine).where(quarantine.c.id == row.id).values(error=error))
        self._retried.left.append(
            QuarantineRow(
                id=row.id,
                shop=self._shop.name,
                feed=row.feed,
                key=row.key,
                error=error,
                first_seen_at=from_ms(row.first_seen_at),
            )
        )
