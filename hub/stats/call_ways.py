"""Which ways through the menu the calls of a span took, as their records tell it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from hub.stats.call_figures import ENDED
from hub.stats.calls import known_span, within
from hub.store.database import Database
from hub.store.tables import calls


async def taken_ways(
    database: Database, *, since: datetime | None = None, until: datetime | None = None, zone: ZoneInfo
) -> list[tuple[tuple[str, ...], int]]:
    """Ways of ended calls, and how many calls took just these; () where the records tell none."""
    span = await known_span(database, since, until, zone)
    if span is None:
        return []
    query = select(calls.c.ways, func.count()).where(ENDED, *within(span)).group_by(calls.c.ways)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return sorted((tuple((ways or "").split()), number) for ways, number in rows)
