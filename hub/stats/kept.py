"""Figures from the counts that are kept with the events; what these cannot tell is counted from the events.

Kept are hours, and days of Seoul. A span that begins or ends within an hour, a zone that is some minutes off, or a
dimension that is not kept goes the long way, with the same result: a test holds the two together.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import func, select

from hub.stats.call_figures import COLUMNS, Figure
from hub.stats.calls import CallCount, count_calls_by
from hub.stats.dimension import Dimension
from hub.stats.span import Span, start_of_day
from hub.store.database import Database, to_ms
from hub.store.rollup_tables import call_counts, inquiry_counts
from hub.store.rollups import DAY, HOUR, start_of
from hub.store.tables import shops

_HOUR: Final = timedelta(hours=1)
_SEOUL_OFFSET: Final = timedelta(hours=9)
_KEPT_OF_CALLS: Final = frozenset(
    {Dimension.MALL, Dimension.LINE, Dimension.HANDLING_LINE, Dimension.DAY, Dimension.HOUR}
)


class Cell(Struct, frozen=True, kw_only=True):
    """``number`` written inquiries that were asked in the hour or day that began at ``at``."""

    at: datetime
    mall: str
    shop: str
    kind: str
    number: int


async def count_calls(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    by: Sequence[Dimension],
    figures: Sequence[Figure] = COLUMNS,
) -> list[CallCount]:
    """As :func:`hub.stats.calls.count_calls_by`, of some of its usual figures; the first is offered."""
    if not _KEPT_OF_CALLS.issuperset(by):
        return await count_calls_by(database, since=since, until=until, zone=zone, by=by, figures=figures)
    unit = await _unit(database, call_counts, since, until, zone, is_hourly=Dimension.HOUR in by)
    if unit is None:
        return await count_calls_by(database, since=since, until=until, zone=zone, by=by, figures=figures)
    names = [dimension for dimension in by if dimension not in (Dimension.DAY, Dimension.HOUR)]
    is_timed = len(names) < len(by)
    groups = [call_counts.c[dimension.value] for dimension in names]
    if is_timed:
        groups.append(call_counts.c.starts_at)
    sums = [func.sum(call_counts.c[figure.value]) for figure in figures]
    query = select(*groups, *sums).where(*_within(call_counts, unit, since, until)).group_by(*groups)
    cells: dict[tuple[Any, ...], list[int]] = {}
    async with database.reading() as connection:
        for row in await connection.execute(query):
            numbers = [int(number or 0) for number in row[len(groups) :]]
            if not numbers[0]:
                continue
            values = dict(zip(names, row, strict=False))
            start = row[len(groups) - 1] if is_timed else None
            key = tuple(_value(dimension, values, start, zone) for dimension in by)
            known = cells.get(key)
            cells[key] = numbers if known is None else [a + b for a, b in zip(known, numbers, strict=True)]
    return [
        CallCount(
            **dict(zip((dimension.value for dimension in by), key, strict=True)),
            figures=dict(zip(figures, cells[key], strict=True)),
        )
        for key in sorted(cells, key=order_of)
    ]


async def count_written(
    database: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    is_hourly: bool,
    mall: str | None = None,
    shop: str | None = None,
) -> list[Cell] | None:
    """Written inquiries by hour or day, shop and kind; ``None`` where the kept counts cannot tell."""
    unit = await _unit(database, inquiry_counts, since, until, zone, is_hourly=is_hourly)
    if unit is None:
        return None
    kept = inquiry_counts.c
    query = (
        select(kept.starts_at, kept.kind, kept.number, shops.c.mall, shops.c.name)
        .join_from(inquiry_counts, shops, shops.c.id == kept.shop_id)
        .where(*_within(inquiry_counts, unit, since, until), kept.number != 0)
    )
    for wanted, column in ((mall, shops.c.mall), (shop, shops.c.name)):
        if wanted is not None:
            query = query.where(column == wanted)
    async with database.reading() as connection:
        return [
            Cell(
                at=datetime.fromtimestamp(row.starts_at / 1000, UTC),
                mall=row.mall,
                shop=row.name,
                kind=row.kind,
                number=row.number,
            )
            for row in await connection.execute(query)
        ]


def order_of(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Absent values first; hours by time, not by clock, where the clock is set back."""
    return tuple(
        (value is not None, value.timestamp() if isinstance(value, datetime) else value if value is not None else "")
        for value in key
    )


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The start of an hour, with the zone's offset of that hour."""
    local = at.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


def _value(dimension: Dimension, values: dict[Dimension, Any], start: int | None, zone: ZoneInfo) -> Any:
    if start is not None and dimension is Dimension.DAY:
        return datetime.fromtimestamp(start / 1000, zone).date()
    if start is not None and dimension is Dimension.HOUR:
        return hour_of(datetime.fromtimestamp(start / 1000, UTC), zone)
    return values[dimension] or None


def _within(table: Any, unit: int, since: datetime | None, until: datetime | None) -> list[Any]:
    bounds = [table.c.unit == unit]
    if since is not None:
        bounds.append(table.c.starts_at >= to_ms(since))
    if until is not None:
        bounds.append(table.c.starts_at < to_ms(until))
    return bounds


async def _unit(
    database: Database, table: Any, since: datetime | None, until: datetime | None, zone: ZoneInfo, *, is_hourly: bool
) -> int | None:
    """Which of the kept units tells a span in this zone; ``None`` where none does."""
    edges = [to_ms(edge) or 0 for edge in (since, until) if edge is not None]
    if any(start_of(edge, HOUR) != edge for edge in edges):
        return None
    span = await _span(database, table, since, until, zone)
    if span is None:
        return DAY
    offsets = _offsets(span)
    if any(offset % _HOUR for offset in offsets):
        return None
    is_daily = not is_hourly and offsets == {_SEOUL_OFFSET} and all(start_of(edge, DAY) == edge for edge in edges)
    return DAY if is_daily else HOUR


async def _span(
    database: Database, table: Any, since: datetime | None, until: datetime | None, zone: ZoneInfo
) -> Span | None:
    """An open end is that of what is kept; ``None`` where nothing can lie in between."""
    if since is None or until is None:
        edges = select(func.min(table.c.starts_at), func.max(table.c.starts_at)).where(table.c.unit == DAY)
        async with database.reading() as connection:
            first, last = (await connection.execute(edges)).one()
        if first is None:
            return None
        since = since or datetime.fromtimestamp(first / 1000, UTC)
        until = until or datetime.fromtimestamp(last / 1000, UTC) + timedelta(days=1)
    return Span(since=since, until=until, zone=zone) if since < until else None


def _offsets(span: Span) -> set[timedelta]:
    """Every offset of the zone within the span: a zone never changes and changes back within a day."""
    moments = [span.since, span.until, *(start_of_day(day, span.zone) for day in span.days)]
    return {moment.astimezone(span.zone).utcoffset() or timedelta() for moment in moments}
