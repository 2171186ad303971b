"""Records that could not be read: looked at, and tried again after a fix."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import select

from hub.core.errors import ConfigurationError
from hub.store.database import Database, from_ms
from hub.store.sealed import QUARANTINE_PLACE
from hub.store.tables import quarantine, shops


class QuarantineRow(Struct, frozen=True, kw_only=True):
    id: int
    shop: str
    feed: str
    key: str
    error: str
    first_seen_at: datetime | None


async def list_quarantine(database: Database, *, shop: str | None = None) -> list[QuarantineRow]:
    """Every unresolved record, oldest first."""
    query = (
        select(quarantine, shops.c.name.label("shop"))
        .join_from(quarantine, shops)
        .where(quarantine.c.resolved_at.is_(None))
        .order_by(quarantine.c.first_seen_at, quarantine.c.id)
    )
    if shop is not None:
        query = query.where(shops.c.name == shop)
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
