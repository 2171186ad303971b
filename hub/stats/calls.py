"""Calls per mall, line and hour, and the calls behind each figure.

A call counts in the hour in which it entered and under the line that was dialled, whatever its end falls
into; a call that still goes on is in no figure. The columns are those of
:class:`ivr.counts.HourCount`, unless others are asked for.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, case, func, or_, select, tuple_

from hub.core.redact import mask_phone
from hub.stats.call_figures import COLUMNS, DEFAULT_TERMS, ENDED, Figure, Terms, condition_of
from hub.stats.dimension import Dimension
from hub.stats.span import Buckets, Span, at_clock, day_buckets, hour_buckets
from hub.store.database import Database, from_ms, time_of
from hub.store.sealed import CALLER_PLACE
from hub.store.tables import call_events, calls
from ivr.counts import HourCount

PAGE: Final = 100
_CHUNK: Final = 2_000
_INT64: Final = 2**63
#: in a filter: calls where the value is absent (a number that nobody routes, an agent nobody spoke to)
ABSENT: Final = "-"
#: in a filter of lines: neither the order line nor the inquiry line
OTHER_LINES: Final = "*"
KNOWN_LINES: Final = ("order", "inquiry")
#: the dimensions that a call has itself
GROUPS: Final[Mapping[Dimension, ColumnElement[Any]]] = {
    Dimension.MALL: calls.c.mall,
    Dimension.LINE: calls.c.line,
    Dimension.CHOSEN_LINE: calls.c.chosen_line,
    Dimension.HANDLING_LINE: calls.c.handling_line,
    Dimension.TOPIC: calls.c.topic,
}


_NEWEST_RECORD: Final = select(func.max(call_events.c.at))


class CallCount(Struct, frozen=True, kw_only=True, gc=False):
    """One cell: the dimensions that were not asked for are ``None``, as is a value that the calls do not have."""

    mall: str | None = None
    line: str | None = None
    chosen_line: str | None = None
    handling_line: str | None = None
    topic: str | None = None
    day: date | None = None
    hour: datetime | None = None
    figures: Mapping[Figure, int]


class CallFilter(Struct, frozen=True, kw_only=True):
    """Which calls stand behind a figure; ``None`` means all, :data:`ABSENT` those without a value.

    ``clock_hour``: 0 to 23, ``weekday``: 0 (Monday) to 6, of every day of the span in its zone.
    ``way``: id of a way through the menu. ``caller``: one of the figures that tell new, known and withheld numbers.
    """

    figure: Figure = Figure.OFFERED
    mall: str | None = None
    line: str | None = None
    chosen_line: str | None = None
    handling_line: str | None = None
    topic: str | None = None
    clock_hour: int | None = None
    weekday: int | None = None
    way: str | None = None
    caller: Figure | None = None
    terms: Terms = DEFAULT_TERMS


class CallRow(Struct, frozen=True, kw_only=True):
    """One call. ``line`` was dialled, ``chosen_line`` pressed, ``handling_line`` spoke last; ``caller`` is masked."""

    call_id: str
    entered_at: datetime
    did: str | None
    mall: str | None
    line: str | None
    chosen_line: str | None
    handling_line: str | None
    topic: str | None
    result: str
    wait_seconds: float | None
    talk_seconds: float | None
    agent: str | None
    caller: str | None


class CallPage(Struct, frozen=True, kw_only=True):
    """``total`` counts all rows of the filter: it is the figure that was opened."""

    rows: tuple[CallRow, ...]
    total: int
    next_cursor: str | None


async def calls_per_hour(
    database: Database, *, since: datetime | None = None, until: datetime | None = None, zone: ZoneInfo
) -> list[HourCount]:
    """As :func:`ivr.counts.count_calls` over the stored calls, counted by the database."""
    by = (Dimension.MALL, Dimension.LINE, Dimension.HOUR)
    found = await count_calls_by(database, since=since, until=until, zone=zone, by=by)
    return [
        HourCount(
            mall=count.mall,
            line=count.line,
            hour=count.hour.isoformat() if count.hour else "",
            **{figure.value: number for figure, number in count.figures.items()},
        )
        for count in found
    ]


async def count_calls_by(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    by: Sequence[Dimension],
    figures: Sequence[Figure] = COLUMNS,
    terms: Terms = DEFAULT_TERMS,
) -> list[CallCount]:
    """All ``figures`` (the first: offered) per cell of ``by``, sorted by it; cells without calls have no row."""
    span = await known_span(database, since, until, zone)
    if span is None:
        return []
    sums = [func.sum(case((condition_of(figure, terms), 1), else_=0)) for figure in figures]
    found = await sums_by(database, span=span, by=by, sums=sums)
    # without groups the database answers one row of nothing
    cells = {key: [int(number) for number in numbers] for key, numbers in found.items() if numbers[0]}
    return [
        CallCount(
            **dict(zip((dimension.value for dimension in by), key, strict=True)),
            figures=dict(zip(figures, cells[key], strict=True)),
        )
        for key in in_order(cells)
    ]


async def sums_by(
    database: Database, *, span: Span, by: Sequence[Dimension], sums: Sequence[ColumnElement[Any]]
) -> dict[tuple[Any, ...], list[float]]:
    """Over the ended calls of each cell of ``by``: what each of ``sums`` adds up to, nothing being 0."""
    buckets = hour_buckets(span) if Dimension.HOUR in by else day_buckets(span)
    groups = [GROUPS[dimension].label(dimension.value) for dimension in by if dimension in GROUPS]
    if Dimension.DAY in by or Dimension.HOUR in by:
        groups.append(buckets.of(calls.c.entered_at).label("bucket"))
    named = [each.label(f"sum_{place}") for place, each in enumerate(sums)]
    query = select(*groups, *named).where(ENDED, *within(span)).group_by(*groups)
    cells: dict[tuple[Any, ...], list[float]] = {}
    async with database.reading() as connection:
        for row in (await connection.execute(query)).mappings():
            numbers = [row[each.name] or 0 for each in named]
            key = tuple(_value(row, dimension, buckets) for dimension in by)
            cell = cells.get(key)
            cells[key] = numbers if cell is None else [a + b for a, b in zip(cell, numbers, strict=True)]
    return cells


async def read_calls(
    database: Database, *, span: Span, where: CallFilter, cursor: str | None = None, limit: int = PAGE
) -> CallPage:
    """The calls behind one figure, oldest first. Raises: ValueError for a cursor that was not made here."""
    query = _rows(span, where, after=None if cursor is None else _parse_cursor(cursor))
    async with database.reading() as connection:
        found = (await connection.execute(query.limit(limit + 1))).all()
        total = await connection.scalar(select(func.count()).select_from(calls).where(*_matching(span, where)))
    shown = found[:limit]
    return CallPage(
        rows=tuple(_row(database, row) for row in shown),
        total=total or 0,
        next_cursor=f"{shown[-1].entered_at}.{shown[-1].call_id}" if len(found) > limit else None,
    )


async def all_calls(database: Database, *, span: Span, where: CallFilter) -> AsyncIterator[CallRow]:
    """Every call behind one figure, in chunks, for files."""
    after: tuple[int, str] | None = None
    while True:
        async with database.reading() as connection:
            rows = (await connection.execute(_rows(span, where, after=after).limit(_CHUNK))).all()
        for row in rows:
            yield _row(database, row)
        if len(rows) < _CHUNK:
            return
        after = rows[-1].entered_at, rows[-1].call_id


async def calls_as_of(database: Database) -> datetime | None:
    """The newest telephone record that was read: calls after it are not known yet."""
    async with database.reading() as connection:
        ((at,),) = await database.fetch(connection, _NEWEST_RECORD, {})
    return from_ms(at)


async def known_span(database: Database, since: datetime | None, until: datetime | None, zone: ZoneInfo) -> Span | None:
    """An open end is that of the stored calls; ``None`` where nothing can lie in between."""
    if since is None or until is None:
        async with database.reading() as connection:
            edges = (await connection.execute(select(func.min(calls.c.entered_at), func.max(calls.c.entered_at)))).one()
        if edges[0] is None:
            return None
        since = since or datetime.fromtimestamp(edges[0] / 1000, UTC)
        until = until or datetime.fromtimestamp(edges[1] / 1000, UTC) + timedelta(milliseconds=1)
    return Span(since=since, until=until, zone=zone) if since < until else None


def within(span: Span) -> tuple[ColumnElement[bool], ...]:
    since, until = span.bounds
    return calls.c.entered_at >= since, calls.c.entered_at < until


def _matching(span: Span, where: CallFilter) -> list[ColumnElement[bool]]:
    conditions = [ENDED, *within(span), condition_of(where.figure, where.terms)]
    if where.clock_hour is not None or where.weekday is not None:
        conditions.append(at_clock(calls.c.entered_at, span, clock_hour=where.clock_hour, weekday=where.weekday))
    if where.caller is not None:
        conditions.append(condition_of(where.caller, where.terms))
    if where.way == ABSENT:
        conditions.append(calls.c.ways.is_(None))
    elif where.way is not None:
        conditions.append(calls.c.ways.contains(f" {where.way} ", autoescape=True))
    for dimension, column in GROUPS.items():
        wanted = getattr(where, dimension.value)
        if wanted == ABSENT:
            conditions.append(column.is_(None))
        elif wanted == OTHER_LINES and dimension is Dimension.LINE:
            conditions.append(or_(column.is_(None), column.not_in(KNOWN_LINES)))
        elif wanted is not None:
            conditions.append(column == wanted)
    return conditions


def _rows(span: Span, where: CallFilter, *, after: tuple[int, str] | None) -> Any:
    # Before the begin of the span: SQLite takes the first bound, and would go through all from there on.
    rest = [] if after is None else [tuple_(calls.c.entered_at, calls.c.call_id) > tuple_(*after)]
    return select(calls).where(*rest, *_matching(span, where)).order_by(calls.c.entered_at, calls.c.call_id)


def _row(database: Database, row: Row[Any]) -> CallRow:
    caller = database.box.open(row.caller_sealed, CALLER_PLACE).decode() if row.caller_sealed else None
    return CallRow(
        call_id=row.call_id,
        entered_at=time_of(row.entered_at),
        did=row.did,
        mall=row.mall,
        line=row.line,
        chosen_line=row.chosen_line,
        handling_line=row.handling_line,
        topic=row.topic,
        result=row.result,
        wait_seconds=row.wait_seconds,
        talk_seconds=row.talk_seconds,
        agent=row.agent,
        caller=mask_phone(caller),
    )


def _parse_cursor(cursor: str) -> tuple[int, str]:
    at, _, call_id = cursor.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < 20 and int(at) < _INT64 and call_id and "\0" not in call_id):
        message = "not a cursor of this list"
        raise ValueError(message)
    return int(at), call_id


def _value(row: Mapping[Any, Any], dimension: Dimension, buckets: Buckets) -> Any:
    if dimension is Dimension.DAY:
        return buckets.day(row["bucket"])
    if dimension is Dimension.HOUR:
        return buckets.hour(row["bucket"])
    return row[dimension.value]


def in_order(keys: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Absent values first; hours by time, not by clock, where the clock is set back: each has its own offset."""
    try:
        return sorted(keys)
    except TypeError:
        # What stands beside each other was compared, so an absent value beside a word comes here.
        return sorted(keys, key=lambda key: tuple([(value is not None, value) for value in key]))
