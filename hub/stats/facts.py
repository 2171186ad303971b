"""Reports that are counted from their rows, so that what a figure counts and what it opens to are one and the same.

A report reads facts: one row for each thing that can be counted, without any personal datum. Its measures say which
facts they cover. The table, the rows behind a cell and the files all come from the same facts.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Select, Table, select, tuple_

from hub.core.model import Product
from hub.store.database import Database, to_ms
from hub.store.tables import shops

#: in a filter: facts without such a value
ABSENT: Final = "-"
#: read at once from the database
CHUNK: Final = 2_000
#: dimensions that every fact has by its time, in the centre's zone; a week is named by its Monday
TIMES: Final = ("hour", "day", "week", "month", "clock_hour", "weekday")

#: product, shop, mall, day -> inventory mode
ModeOf = Callable[[Product, str, str, date], str]
#: the same -> code or name of the partner whose goods these are, as far as anybody tells
PartnerOf = Callable[[Product, str, str, date], str | None]


class Fact(Struct, frozen=True, kw_only=True):
    """``at`` decides the span and the day that a fact counts in; ``case_id`` is what its row opens."""

    at: datetime
    mall: str | None
    shop: str | None
    case_id: int | None = None


class How(StrEnum):
    """How a measure is counted. ``RATE`` is ``part`` for each 100 of what is covered, ``RATIO`` the sum of ``value``
    for each 1 of the sum of ``base``, the others as they are called.
    """

    COUNT = "count"
    SUM = "sum"
    SHARE = "share"
    RATE = "rate"
    RATIO = "ratio"
    MEAN = "mean"
    MEDIAN = "median"
    P90 = "p90"


def everything(_fact: Any) -> bool:
    return True


class Measure(Struct, frozen=True, kw_only=True):
    """``of``: which facts it covers, and opens to. ``part``: those of a share or rate that count.

    ``value``: the number of a sum, ratio, mean or rank; a fact for which it is ``None`` is not covered. One fact for
    many may give all of theirs, each with how often it occurs.
    """

    name: str
    how: How = How.COUNT
    of: Callable[[Any], bool] = everything
    part: Callable[[Any], bool] = everything
    value: Callable[[Any], float | dict[int, int] | None] | None = None
    base: Callable[[Any], float] | None = None

    def covers(self, fact: Any) -> bool:
        if self.how is How.RATE:
            return self.of(fact) or self.part(fact)
        return self.of(fact) and (self.value is None or self.value(fact) is not None)


class Counted(Struct, frozen=True, kw_only=True):
    """What facts are read by. ``since`` and ``until`` are half-open, ``None`` where there is no bound.

    ``countries``: the calendar of each mall. ``mall`` and ``shop``: of these alone. ``mode_changes``: in order, the
    days on which modes and partners may begin to be others; ``None``: any day. ``opens``: the only figure whose
    facts are wanted, of the cell ``where``; a reader may leave others out, and need not.
    """

    database: Database
    zone: ZoneInfo
    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    mall: str | None = None
    shop: str | None = None
    countries: Mapping[str, str] = {}
    mode_of: ModeOf | None = None
    partner_of: PartnerOf | None = None
    mode_changes: tuple[date, ...] | None = None
    opens: str | None = None
    where: Mapping[str, str | None] = {}

    def within(self, column: Any) -> list[Any]:
        """Conditions on a stored time."""
        bounds = [column.is_not(None)]
        if self.since is not None:
            bounds.append(column >= to_ms(self.since))
        if self.until is not None:
            bounds.append(column < to_ms(self.until))
        return bounds

    def of_shop(self, shops: Any) -> list[Any]:
        """Conditions on a joined shop."""
        wanted = ((self.mall, shops.c.mall), (self.shop, shops.c.name))
        return [column == value for value, column in wanted if value is not None]


class FactReport(Struct, frozen=True, kw_only=True):
    """``dimensions`` in the order of the columns, without those of time; ``always``: never added up over.

    ``read_alike``: the same facts for counting, where there are too many to read one by one. Given the dimensions that
    are asked for, it tells one fact for many and how many they are: alike in these and in all that measures look at.
    """

    name: str
    row: type[Fact]
    read: Callable[[Counted], AsyncIterator[Any]]
    dimensions: tuple[str, ...]
    default: tuple[str, ...]
    measures: tuple[Measure, ...]
    always: tuple[str, ...] = ()
    read_alike: Callable[[Counted, frozenset[str]], AsyncIterator[tuple[Any, int]]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(measure.name for measure in self.measures)

    def measure(self, name: str) -> Measure:
        """Raises: ValueError for a figure that this report has not."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        message = f"{name!r} is no figure of this report; there are: {', '.join(self.columns)}"
        raise ValueError(message)

    def read_by(self, text: str | None) -> tuple[str, ...]:
        """``"mall,day"`` in the order of the columns. Raises: ValueError naming the wrong word and those that exist."""
        allowed = (*self.dimensions, *TIMES)
        chosen = {word.strip().lower() for word in text.split(",")} if text and text.strip() else set(self.default)
        if wrong := sorted(chosen - set(allowed)):
            message = f"{wrong[0]!r} is no dimension of this report; there are: {', '.join(allowed)}"
            raise ValueError(message)
        return tuple(name for name in allowed if name in chosen or name in self.always)


async def tabulate(report: FactReport, counted: Counted, *, by: Sequence[str]) -> list[dict[str, Any]]:
    """One row per cell of ``by`` that has a fact, sorted by it: the dimensions' values, then the figures."""
    (found,) = await tabulate_each(report, counted, ways=[by])
    return found


async def tabulate_each(
    report: FactReport, counted: Counted, *, ways: Sequence[Sequence[str]]
) -> list[list[dict[str, Any]]]:
    """As :func:`tabulate`, of several ways to break down, from one reading of the facts."""
    names = tuple(dict.fromkeys(name for by in ways for name in by))
    finest: dict[tuple[Any, ...], list[_Tally]] = {}
    async for fact, number in _alike(report, counted, frozenset(names)):
        key = tuple([dimension_of(fact, name, counted.zone) for name in names])
        cell = finest.get(key)
        if cell is None:
            cell = finest[key] = [_Tally(measure) for measure in report.measures]
        for tally in cell:
            tally.add(fact, number)
    return [_added_up(report, finest, [names.index(name) for name in by], by) for by in ways]


def _added_up(
    report: FactReport, finest: Mapping[tuple[Any, ...], Sequence["_Tally"]], places: Sequence[int], by: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows of one way to break down, each from the cells that lie in it."""
    cells: dict[tuple[Any, ...], list[_Tally]] = {}
    for key, cell in finest.items():
        own = tuple([key[place] for place in places])
        known = cells.get(own)
        if known is None:
            known = cells[own] = [_Tally(measure) for measure in report.measures]
        for tally, part in zip(known, cell, strict=True):
            tally.take(part)
    return [
        {**dict(zip(by, key, strict=True)), **{tally.measure.name: tally.result() for tally in cells[key]}}
        for key in sorted(cells, key=lambda key: tuple([(value is not None, value) for value in key]))
    ]


async def _alike(report: FactReport, counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[Any, int]]:
    if report.read_alike is None:
        async for fact in report.read(counted):
            yield fact, 1
        return
    async for fact, number in report.read_alike(counted, names):
        yield fact, number


async def facts_behind(
    report: FactReport, counted: Counted, *, measure: Measure, where: Mapping[str, str]
) -> AsyncGenerator[Any]:
    """The facts of one cell, oldest first. ``where``: dimensions as text, :data:`ABSENT` for those without a value."""
    wanted = _wanted(where)
    async for fact in report.read(replace(counted, opens=measure.name, where=wanted)):
        if measure.covers(fact) and _is_of(fact, wanted, counted.zone):
            yield fact


async def first_behind(
    report: FactReport, counted: Counted, *, measure: Measure, where: Mapping[str, str], most: int
) -> tuple[int, list[Any]]:
    """How many facts stand behind a figure, and the first ``most`` of them."""
    wanted, number = _wanted(where), 0
    first: list[Any] = []
    if report.read_alike is not None:
        opened = replace(counted, opens=measure.name, where=wanted)
        async for fact, alike in report.read_alike(opened, frozenset(where)):
            if measure.covers(fact) and _is_of(fact, wanted, counted.zone):
                number += alike
    async with aclosing(facts_behind(report, counted, measure=measure, where=where)) as facts:
        async for fact in facts:
            if len(first) < most:
                first.append(fact)
            if report.read_alike is None:
                number += 1
            elif len(first) >= min(most, number):
                break
    return number, first


def _wanted(where: Mapping[str, str]) -> dict[str, str | None]:
    return {name: None if value == ABSENT else value for name, value in where.items()}


def _is_of(fact: Any, wanted: Mapping[str, str | None], zone: ZoneInfo) -> bool:
    return all(as_text(dimension_of(fact, name, zone)) == value for name, value in wanted.items())


def dimension_of(fact: Any, name: str, zone: ZoneInfo) -> Any:
    """Days, weeks and months are ISO text, hours times with the zone's offset, clock hours and weekdays numbers."""
    if name not in TIMES:
        return getattr(fact, name)
    return time_dimension(fact.at, name, zone)


def time_dimension(at: datetime, name: str, zone: ZoneInfo) -> str | int | datetime:
    local = at.astimezone(zone)
    match name:
        case "hour":
            # The two hours of a clock set back differ by their offset.
            return local.replace(minute=0, second=0, microsecond=0, tzinfo=timezone(local.utcoffset() or timedelta()))
        case "day":
            return local.date().isoformat()
        case "week":
            return (local.date() - timedelta(days=local.weekday())).isoformat()
        case "month":
            return f"{local:%Y-%m}"
        case "clock_hour":
            return local.hour
        case _:
            return local.weekday()


def as_text(value: Any) -> str | None:
    """A dimension's value as an address has it."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def rows_of(counted: Counted, table: Table, *columns: Any, at: Any, row_id: Any = None) -> Select[Any]:
    """The rows of a table with shops, as facts want them: first ``at_ms``, ``row_id``, ``shop_id``, mall and shop.

    Those of the mall, the shop and the opened cell alone. ``row_id``: of another table, which the caller joins.
    """
    cell = {"mall": shops.c.mall, "shop": shops.c.name}
    opened = [column == counted.where[name] for name, column in cell.items() if counted.where.get(name) is not None]
    return (
        select(
            at.label("at_ms"),
            (table.c.id if row_id is None else row_id).label("row_id"),
            table.c.shop_id,
            shops.c.mall,
            shops.c.name.label("shop"),
            *columns,
        )
        .join_from(table, shops, shops.c.id == table.c.shop_id)
        .where(*counted.of_shop(shops), *opened)
    )


async def pages(
    counted: Counted, query: Select[Any], *, row_id: Any, at: Any = None, most: int = CHUNK
) -> AsyncIterator[Sequence[Any]]:
    """The rows whose time ``at`` lies in the span, by it and their key, a page at a time. Without ``at``: all, by key.

    ``query`` selects the two columns as ``at_ms`` and ``row_id``.
    """
    query = query.order_by(*([] if at is None else [at]), row_id).limit(most)
    page = query if at is None else query.where(*counted.within(at))
    while True:
        async with counted.database.reading() as connection:
            rows = (await connection.execute(page)).all()
        if rows:
            yield rows
        if len(rows) < most:
            return
        last = rows[-1]
        if at is None:
            page = query.where(row_id > last.row_id)
        else:
            # The begin of the span must not stand beside it: SQLite would take that and go through all from there on.
            rest = replace(counted, since=None).within(at)
            page = query.where(tuple_(at, row_id) > tuple_(last.at_ms, last.row_id), *rest)


async def stream(counted: Counted, query: Select[Any], *, row_id: Any, at: Any = None) -> AsyncIterator[Any]:
    """As :func:`pages`, one by one."""
    async for rows in pages(counted, query, row_id=row_id, at=at):
        for row in rows:
            yield row


def moment(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)


class _Tally:
    """One measure of one cell, while it is counted."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.count = 0
        self.part = 0
        # value -> how many facts have it
        self.values: dict[float, int] = {}
        self.base = 0.0

    def add(self, fact: Any, number: int) -> None:
        measure = self.measure
        if measure.value is not None:
            if measure.of(fact) and (value := measure.value(fact)) is not None:
                if isinstance(value, dict):
                    self._take_values(value)
                else:
                    self.values[value] = self.values.get(value, 0) + number
                self.base += number * measure.base(fact) if measure.base is not None else 0
            return
        if measure.how is How.RATE and measure.part(fact):
            self.part += number
        if measure.of(fact):
            self.count += number
            if measure.how is How.SHARE and measure.part(fact):
                self.part += number

    def take(self, other: "_Tally") -> None:
        """Add what was counted elsewhere."""
        self.count += other.count
        self.part += other.part
        self._take_values(other.values)
        self.base += other.base

    def _take_values(self, values: Mapping[Any, int]) -> None:
        for value, number in values.items():
            self.values[value] = self.values.get(value, 0) + number

    def result(self) -> float | None:
        """``None`` where there is nothing to divide or to rank."""
        match self.measure.how:
            case How.COUNT:
                return self.count
            case How.SUM:
                return self._sum()
            case How.SHARE:
                return round(self.part / self.count, 4) if self.count else None
            case How.RATE:
                return round(100 * self.part / self.count, 2) if self.count else None
            case How.RATIO:
                return round(self._sum() / self.base, 4) if self.base else None
            case How.MEAN:
                return round(self._sum() / sum(self.values.values()), 1) if self.values else None
            case How.MEDIAN:
                return rank(self.values, 50)
            case How.P90:
                return rank(self.values, 90)

    def _sum(self) -> float:
        total = sum(value * number for value, number in self.values.items())
        # Tenths do not add up to tenths.
        return round(total, 6) if isinstance(total, float) else total


def rank(values: Mapping[float, int], percent: int) -> float | None:
    """The smallest value that at least so many per cent of the values do not exceed (nearest rank).

    ``values``: each with how often it occurred.
    """
    place = max(-(-sum(values.values()) * percent // 100), 1)
    for value in sorted(values):
        place -= values[value]
        if place <= 0:
            return value
    return None
