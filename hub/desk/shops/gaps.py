"""What a mall has named and the hub does not hold, and why: never silently short."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Capability, Feed, Manifest, Support
from hub.store.database import from_ms, to_ms
from hub.store.tables import claims, lines, quarantine, reconciliations


class GapReason(StrEnum):
    """``QUARANTINED``: came, and could not be read. ``NAMED_BY_CLAIM``: only a claim has named the line so far.

    ``NOT_AT_MALL``: the same, and asked by its number the mall knows it no more.
    """

    QUARANTINED = "quarantined"
    NAMED_BY_CLAIM = "named_by_claim"
    NOT_AT_MALL = "not_at_mall"


class Gap(Struct, frozen=True, kw_only=True):
    id: str
    reason: GapReason


class DayGap(Struct, frozen=True, kw_only=True):
    """A day (ISO date in the mall's zone) of which the mall counts more orders than stand here."""

    day: str
    listed: int
    held: int


async def read_gaps(
    connection: AsyncConnection, *, shop_id: int, feed: Feed, manifest: Manifest, as_of: datetime | None
) -> list[Gap]:
    """Every one of them, quarantined first, by identity. ``as_of`` is the end of the newest complete run."""
    broken = await connection.scalars(
        select(quarantine.c.key)
        .where(quarantine.c.shop_id == shop_id, quarantine.c.feed == feed.value, quarantine.c.resolved_at.is_(None))
        .order_by(quarantine.c.key)
    )
    gaps = [Gap(id=key, reason=GapReason.QUARANTINED) for key in broken]
    if feed is Feed.ORDERS:
        gaps += await _named_by_claims(connection, shop_id, _asked_until(manifest, as_of))
    return gaps


def _asked_until(manifest: Manifest, as_of: datetime | None) -> datetime | None:
    """Claims written until then have had their lines asked for by number; ``None`` where nobody asks."""
    reads_one = manifest.capabilities.get(Capability.READ_ONE_ORDER)
    asks = manifest.drops_orders and reads_one is not None and reads_one.state is Support.YES
    return as_of if asks else None


async def _named_by_claims(connection: AsyncConnection, shop_id: int, asked_until: datetime | None) -> list[Gap]:
    of_line = (lines.c.shop_id == claims.c.shop_id) & (lines.c.line_no == claims.c.line_no)
    query = (
        select(claims.c.line_no, claims.c.fetched_at)
        .select_from(claims.outerjoin(lines, of_line))
        .where(claims.c.shop_id == shop_id, lines.c.id.is_(None))
        .order_by(claims.c.line_no, claims.c.fetched_at.desc())
    )
    asked = to_ms(asked_until) or 0
    newest: dict[str, int] = {}
    for row in await connection.execute(query):
        newest.setdefault(row.line_no, row.fetched_at)
    return [
        Gap(id=line_no, reason=GapReason.NOT_AT_MALL if at <= asked else GapReason.NAMED_BY_CLAIM)
        for line_no, at in newest.items()
    ]


async def read_day_gaps(connection: AsyncConnection, *, shop_id: int, feed: Feed) -> Sequence[DayGap]:
    """Days that still differed when they were last compared, the newest first."""
    query = (
        select(reconciliations.c.day, reconciliations.c.listed, reconciliations.c.held)
        .where(
            reconciliations.c.shop_id == shop_id,
            reconciliations.c.feed == feed.value,
            reconciliations.c.listed > reconciliations.c.held,
        )
        .order_by(reconciliations.c.day.desc())
    )
    return [DayGap(day=row.day, listed=row.listed, held=row.held) for row in await connection.execute(query)]


async def compared_at(connection: AsyncConnection, *, shop_id: int, feed: Feed) -> datetime | None:
    """When the days of the feed were last compared with the mall's count."""
    query = (
        select(reconciliations.c.checked_at)
        .where(reconciliations.c.shop_id == shop_id, reconciliations.c.feed == feed.value)
        .order_by(reconciliations.c.checked_at.desc())
        .limit(1)
    )
    return from_ms(await connection.scalar(query))
