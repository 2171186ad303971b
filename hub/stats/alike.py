"""Facts that are alike, counted by the database: for reports that have too many to be read one by one."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, func, null

from hub.stats.dimension import Dimension
from hub.stats.facts import TIMES, Counted
from hub.stats.sold import buckets_of

_HOURLY = frozenset({"hour", "clock_hour"})


async def counted_alike(
    counted: Counted, query: Select[Any], names: frozenset[str], *, at: Any, by: Mapping[str, Any]
) -> AsyncIterator[tuple[datetime, Row[Any], int]]:
    """The rows of ``query`` in the span by the columns of ``by`` and as much of their time as ``names`` tells apart.

    ``by``: names of the columns, ``None`` for one that is always absent. Gives a time that stands for theirs, these
    columns, and how many rows they are.
    """
    buckets = buckets_of(counted, names)
    groups = [column.label(name) for name, column in by.items() if column is not None]
    groups += [] if buckets is None else [buckets.of(at).label("bucket")]
    absent = [null().label(name) for name, column in by.items() if column is None]
    grouped: Select[Any] = query.with_only_columns(*groups, *absent, func.count().label("alike"))
    grouped = grouped.where(*counted.within(at)).group_by(*groups)
    async with counted.database.reading() as connection:
        found = (await connection.execute(grouped)).all()
    row: Row[Any]
    for row in found:
        yield any_time(counted) if buckets is None else buckets.start(row.bucket), row, row.alike


def any_time(counted: Counted) -> datetime:
    """For facts whose time nobody asks for."""
    return counted.since or datetime.fromtimestamp(0, UTC)


def unit_of(names: frozenset[str]) -> tuple[Dimension, ...]:
    """How finely kept counts have to be read for these dimensions."""
    if names.isdisjoint(TIMES):
        return ()
    return (Dimension.DAY,) if names.isdisjoint(_HOURLY) else (Dimension.HOUR,)
