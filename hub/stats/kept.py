"""Figures from the counts that are kept with the events; what these cannot tell is counted from the events.

Kept are hours, and days of Seoul. A span that begins or ends within an hour, a zone that is some minutes off, or a
dimension that is not kept goes the long way, with the same result: a test holds the two together.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, null, select

from hub.stats.call_figures import COLUMNS, Figure
from hub.stats.calls import CallCount, count_calls_by, in_order
from hub.stats.dimension import Dimension
from hub.stats.span import Span, start_of_day
from hub.store.database import Database, to_ms
from hub.store.rollup_tables import call_counts, inquiry_counts
from hub.store.rollups import DAY, HOUR, start_of
from hub.store.tables import shops

_HOUR: Final = timedelta(hours=1)
_SEOUL_OFFSET: Final = timedelta(hours=9)
_TIMES: Final = frozenset({Dimension.DAY, Dimension.HOUR})
_KEPT_OF_CALLS: Final = frozenset({Dimension.MALL, Dimension.LINE, Dimension.HANDLING_LINE}) | _TIMES
#: in milliseconds, beyond every stored time
_FOREVER: Final = 2**62

#: start in milliseconds of the hour or day, mall, shop, kind, and how many written inquiries were asked in it
Written = tuple[int, str, str, str, int]


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
    names = tuple(dimension for dimension in by if dimension not in _TIMES)
    query = _calls_kept(names, len(names) < len(by), tuple(figures))
    is_hour = Dimension.HOUR in by
    times: dict[int, int | date] = {}
    cells: dict[tuple[Any, ...], list[int]] = {}
    async with database.reading() as connection:
        rows = await database.fetch(connection, query, _bounds(unit, since, until))
    # The time stands first, then the names in their order.
    pick = [0 if dimension in _TIMES else 1 + names.index(dimension) for dimension in by]
    for start, *row in rows:
        numbers = row[len(names) :]
        if not numbers[0]:
            continue  # without groups the database answers one row of nothing
        if start is not None and start not in times:
            # Hours are put in order as they are stored: aware times take ten times as long to compare.
            times[start] = start if is_hour else _at(start).astimezone(zone).date()
        values = (times.get(start), *[name or None for name in row[: len(names)]])
        key = tuple([values[place] for place in pick])
        known = cells.get(key)
        cells[key] = numbers if known is None else [a + b for a, b in zip(known, numbers, strict=True)]
    hours = {start: hour_of(_at(start), zone) for start in times} if is_hour else {}
    fields = [dimension.value for dimension in by]
    found = []
    for key in in_order(cells):
        given = dict(zip(fields, key, strict=True))
        if is_hour:
            given["hour"] = hours[given["hour"]]
        found.append(CallCount(**given, figures=dict(zip(figures, cells[key], strict=True))))
    return found


@cache
def _calls_kept(names: tuple[Dimension, ...], is_timed: bool, figures: tuple[Figure, ...]) -> Select[Any]:
    """The start, or nothing where no time is asked for, then the names, then the figures."""
    kept = call_counts.c
    groups = [kept.starts_at] if is_timed else []
    groups += [kept[dimension.value] for dimension in names]
    sums = [func.sum(kept[figure.value]) for figure in figures]
    columns: list[Any] = [*([] if is_timed else [null()]), *groups, *sums]
    return select(*columns).where(*_within(call_counts)).group_by(*groups)


async def count_written(
    database: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    is_hourly: bool,
    mall: str | None = None,
    shop: str | None = None,
) -> Sequence[Written] | None:
    """Written inquiries by hour or day, shop and kind; ``None`` where the kept counts cannot tell."""
    unit = await _unit(database, inquiry_counts, since, until, zone, is_hourly=is_hourly)
    if unit is None:
        return None
    wanted = {"of_mall": mall, "of_shop": shop}
    given = {name: value for name, value in wanted.items() if value is not None}
    async with database.reading() as connection:
        return await database.fetch(connection, _written_kept(*given), _bounds(unit, since, until) | given)


@cache
def _written_kept(*wanted: str) -> Select[Any]:
    kept = inquiry_counts.c
    columns = {"of_mall": shops.c.mall, "of_shop": shops.c.name}
    return (
        select(kept.starts_at, shops.c.mall, shops.c.name, kept.kind, kept.number)
        .join_from(inquiry_counts, shops, shops.c.id == kept.shop_id)
        .where(*_within(inquiry_counts), kept.number != 0, *(columns[name] == bindparam(name) for name in wanted))
    )


def _within(table: Any) -> tuple[Any, ...]:
    starts_at = table.c.starts_at
    return table.c.unit == bindparam("unit"), starts_at >= bindparam("first"), starts_at < bindparam("end")


def _bounds(unit: int, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    return {
        "unit": unit,
        "first": -_FOREVER if since is None else to_ms(since),
        "end": _FOREVER if until is None else to_ms(until),
    }


def hour_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The start of an hour, with the zone's offset of that hour."""
    local = at.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()))


def _at(start: int) -> datetime:
    return datetime.fromtimestamp(start / 1000, UTC)


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


@lru_cache(maxsize=64)
def _offsets(span: Span) -> frozenset[timedelta]:
    """Every offset of the zone within the span: a zone never changes and changes back within a day."""
    moments = [span.since, span.until, *(start_of_day(day, span.zone) for day in span.days)]
    return frozenset(moment.astimezone(span.zone).utcoffset() or timedelta() for moment in moments)
