"""A report as rows and columns: the one document of command line, JSON and files."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import select

from hub.stats import staffing
from hub.stats.call_figures import COLUMNS, DEFAULT_TERMS, LINE_COLUMNS, Terms
from hub.stats.call_lines import LINE_DIMENSIONS, LINE_TIMES, RATES, Formula, quality_per_line, topics_per_line
from hub.stats.call_order import read_order_line
from hub.stats.calls import calls_as_of, known_span
from hub.stats.definitions import (
    DEFINITIONS,
    LINE_DEFINITIONS,
    ORDER_LINE_DEFINITIONS,
    RATE_DEFINITIONS,
    SERVICE_LEVEL_DEFINITIONS,
    STAFFING_DEFINITIONS,
    TOPIC_DEFINITIONS,
)
from hub.stats.dimension import CALL_DIMENSIONS, INQUIRY_DIMENSIONS, INQUIRY_TIMES, Dimension, read_dimensions
from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.facts import Counted, ModeOf, PartnerOf, tabulate
from hub.stats.inquiries import inquiries_as_of, inquiries_per_channel
from hub.stats.kept import count_calls
from hub.stats.kpi import definitions_of
from hub.stats.rates import FIGURES as RATE_FIGURES
from hub.stats.rates import RATE_DIMENSIONS, rates_per_100_lines
from hub.store.database import Database
from hub.store.rollup_tables import call_counts
from hub.store.rollups import DAY
from hub.store.tables import shops

REPORTS: Final = ("inquiries", "calls", "rates", "lines", "topics", "staffing", "order-line", *FACT_REPORTS)
#: longer spans are a slip of the pen
MAX_DAYS: Final = 3_700
_TOPIC_COLUMNS: Final = ("topic", "topic_line", "is_misdialled", "answered")
_INQUIRY_ORDER: Final = (*INQUIRY_TIMES, *INQUIRY_DIMENSIONS[1:])
_CALLS_BY: Final = (Dimension.MALL, Dimension.LINE, Dimension.HOUR)


class Report(Struct, frozen=True, kw_only=True):
    """``since`` and ``until`` are half-open, ``None`` where there is no bound; days and hours are those of ``zone``.

    ``rows`` have the keys of ``columns``: the dimensions of ``by``, then the figures. ``definitions`` says what
    each figure means. ``data_as_of``: nothing after it is known; ``None`` where something was never read.
    """

    report: str
    since: datetime | None
    until: datetime | None
    zone: str
    by: tuple[str, ...]
    data_as_of: datetime | None
    definitions: dict[str, str]
    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


class Asked(Struct, frozen=True, kw_only=True):
    """By which terms some reports count; the others leave them alone."""

    terms: Terms = DEFAULT_TERMS
    formula: Formula = Formula.OFFERED
    what_if: staffing.WhatIf = staffing.WhatIf()


AS_USUAL: Final = Asked()


class Around(Struct, frozen=True, kw_only=True):
    """What some reports need to know beside the store; ``mall`` and ``shop``: of these alone."""

    now: datetime
    countries: Mapping[str, str] = {}
    mode_of: ModeOf | None = None
    partner_of: PartnerOf | None = None
    mode_changes: tuple[date, ...] | None = None
    mall: str | None = None
    shop: str | None = None


async def read_report(
    database: Database,
    *,
    name: str,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    by: str | None = None,
    asked: Asked = AS_USUAL,
    around: Around | None = None,
) -> Report:
    """``name``: one of :data:`REPORTS`. ``by``: dimensions with commas between, absent for the report's own.

    Raises: ValueError for a report, a dimension, a mall or a shop that does not exist, for a span that is reversed or
    longer than ten years, or numbers that cannot be reckoned with.
    """
    require_sense(since, until)
    mall, shop = (around.mall, around.shop) if around else (None, None)
    if around is not None and (mall is not None or shop is not None):
        await require_known(database, mall=mall, shop=shop, malls=around.countries)
    if name in FACT_REPORTS and around is not None:
        return await _of_facts(database, name=name, since=since, until=until, zone=zone, by=by, around=around)
    if name == "inquiries":
        return await _inquiries(database, since=since, until=until, zone=zone, by=by, mall=mall, shop=shop)
    if mall is not None or shop is not None:
        message = f"{name} is not counted for one mall alone; break it down by mall"
        raise ValueError(message)
    if name == "calls":
        return await _calls(database, since=since, until=until, zone=zone, by=by)
    if name == "rates":
        return await _rates(database, since=since, until=until, zone=zone, by=by)
    if name == "lines":
        return await line_report(database, since=since, until=until, zone=zone, by=by, asked=asked)
    if name == "topics":
        return await topic_report(database, since=since, until=until, zone=zone, by=by)
    if name == "staffing":
        return await _staffing(database, since=since, until=until, zone=zone, by=by, asked=asked)
    if name == "order-line":
        return await _order_line(database, since=since, until=until, zone=zone, by=by)
    message = f"there is no report {name!r}; there are: {', '.join(REPORTS)}"
    raise ValueError(message)


def require_sense(since: datetime | None, until: datetime | None) -> None:
    """Raises: ValueError for a span that is reversed or that nobody means."""
    if since is None or until is None:
        return
    if since >= until:
        raise ValueError("the span ends before it begins")
    if until - since > timedelta(days=MAX_DAYS):
        message = f"the span is longer than ten years ({(until - since).days:,} days)"
        raise ValueError(message)


async def require_known(database: Database, *, mall: str | None, shop: str | None, malls: Collection[str] = ()) -> None:
    """Raises: ValueError naming the malls or shops that there are."""
    async with database.reading() as connection:
        found = (await connection.execute(select(shops.c.name, shops.c.mall))).all()
        phoned = await connection.scalars(select(call_counts.c.mall).where(call_counts.c.unit == DAY).distinct())
        known = {row.mall for row in found} | {name for name in phoned if name} | set(malls)
    if mall is not None and mall not in known:
        message = f"there is no mall {mall!r}; there are: {', '.join(sorted(known))}"
        raise ValueError(message)
    if shop is not None and shop not in {row.name for row in found}:
        message = f"there is no shop {shop!r}; there are: {', '.join(sorted(row.name for row in found))}"
        raise ValueError(message)


def counted_of(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, around: Around
) -> Counted:
    """What the facts of one span are read by."""
    return Counted(
        database=database,
        zone=zone,
        now=around.now,
        since=since,
        until=until,
        mall=around.mall,
        shop=around.shop,
        countries=around.countries,
        mode_of=around.mode_of,
        partner_of=around.partner_of,
        mode_changes=around.mode_changes,
    )


async def _of_facts(
    database: Database,
    *,
    name: str,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    by: str | None,
    around: Around,
) -> Report:
    report = FACT_REPORTS[name]
    chosen = report.read_by(by)
    counted = counted_of(database, since=since, until=until, zone=zone, around=around)
    return Report(
        report=name,
        since=since,
        until=until,
        zone=zone.key,
        by=chosen,
        data_as_of=await inquiries_as_of(database),
        definitions=definitions_of(report),
        columns=(*chosen, *report.columns),
        rows=tuple(await tabulate(report, counted, by=chosen)),
    )


async def _inquiries(
    database: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    by: str | None,
    mall: str | None,
    shop: str | None,
) -> Report:
    chosen = read_dimensions(by, allowed=_INQUIRY_ORDER, default=INQUIRY_DIMENSIONS)
    found = await inquiries_per_channel(database, since=since, until=until, by=chosen, zone=zone, mall=mall, shop=shop)
    rows = [{**_cell(row, chosen), "inquiries": row.count} for row in found]
    return Report(
        report="inquiries",
        since=since,
        until=until,
        zone=zone.key,
        by=_names(chosen),
        data_as_of=await inquiries_as_of(database),
        definitions={"inquiries": DEFINITIONS["inquiries"]},
        columns=(*_names(chosen), "inquiries"),
        rows=tuple(rows),
    )


async def _calls(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, by: str | None
) -> Report:
    chosen = read_dimensions(by, allowed=CALL_DIMENSIONS, default=_CALLS_BY)
    found = await count_calls(database, since=since, until=until, zone=zone, by=chosen)
    rows = [{**_cell(row, chosen), **{figure.value: number for figure, number in row.figures.items()}} for row in found]
    return Report(
        report="calls",
        since=since,
        until=until,
        zone=zone.key,
        by=_names(chosen),
        data_as_of=await calls_as_of(database),
        definitions={figure.value: DEFINITIONS[figure.value] for figure in COLUMNS},
        columns=(*_names(chosen), *(figure.value for figure in COLUMNS)),
        rows=tuple(rows),
    )


async def _rates(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, by: str | None
) -> Report:
    chosen = read_dimensions(by, allowed=RATE_DIMENSIONS, default=RATE_DIMENSIONS)
    found = await rates_per_100_lines(database, since=since, until=until, by=chosen)
    return Report(
        report="rates",
        since=since,
        until=until,
        zone=zone.key,
        by=_names(chosen),
        data_as_of=await inquiries_as_of(database),
        definitions={name: RATE_DEFINITIONS[name] for name in RATE_FIGURES},
        columns=(*_names(chosen), *RATE_FIGURES),
        rows=tuple({**_cell(row, chosen), **{name: getattr(row, name) for name in RATE_FIGURES}} for row in found),
    )


async def line_report(
    database: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    by: str | None = None,
    asked: Asked = AS_USUAL,
) -> Report:
    """How each line was answered, and whether it was the right one."""
    chosen = read_dimensions(by, allowed=(*LINE_DIMENSIONS, *LINE_TIMES), default=LINE_DIMENSIONS)
    found = await quality_per_line(
        database, since=since, until=until, zone=zone, by=chosen, terms=asked.terms, formula=asked.formula
    )
    figures = tuple(figure.value for figure in LINE_COLUMNS)
    return Report(
        report="lines",
        since=since,
        until=until,
        zone=zone.key,
        by=_names(chosen),
        data_as_of=await calls_as_of(database),
        definitions=line_definitions(asked),
        columns=(*_names(chosen), *figures, *RATES, "formula", "within_seconds"),
        rows=tuple(
            {
                **_cell(row, chosen),
                **{figure.value: number for figure, number in row.figures.items()},
                **{name: getattr(row, name) for name in RATES},
                "formula": row.formula.value,
                "within_seconds": row.terms.within_seconds,
            }
            for row in found
        ),
    )


def line_definitions(asked: Asked) -> dict[str, str]:
    """Of every column of the report on lines, by the terms that were asked for."""
    terms = asked.terms
    texts = {**DEFINITIONS, **LINE_DEFINITIONS, "service_level": SERVICE_LEVEL_DEFINITIONS[asked.formula.value]}
    names = (*(figure.value for figure in LINE_COLUMNS), *RATES, "formula", "within_seconds")
    return {
        name: texts[name].format(within=f"{terms.within_seconds:g}", hours=f"{terms.repeat_hours:g}") for name in names
    }


async def topic_report(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, by: str | None = None
) -> Report:
    """The line that was dialled against what the call was about."""
    chosen = read_dimensions(by, allowed=LINE_DIMENSIONS, default=LINE_DIMENSIONS)
    found = await topics_per_line(database, since=since, until=until, zone=zone, by=chosen)
    return Report(
        report="topics",
        since=since,
        until=until,
        zone=zone.key,
        by=_names(chosen),
        data_as_of=await calls_as_of(database),
        definitions=TOPIC_DEFINITIONS,
        columns=(*_names(chosen), *_TOPIC_COLUMNS),
        rows=tuple({**_cell(row, chosen), **{name: getattr(row, name) for name in _TOPIC_COLUMNS}} for row in found),
    )


async def _staffing(
    database: Database,
    *,
    since: datetime | None,
    until: datetime | None,
    zone: ZoneInfo,
    by: str | None,
    asked: Asked,
) -> Report:
    read_dimensions(by, allowed=(Dimension.LINE,), default=())
    needs = await staffing.staffing_needs(database, since=since, until=until, zone=zone, what_if=asked.what_if)
    return Report(
        report="staffing",
        since=since,
        until=until,
        zone=zone.key,
        by=("line", "hour"),
        data_as_of=await calls_as_of(database),
        definitions=STAFFING_DEFINITIONS,
        columns=staffing.COLUMNS,
        rows=tuple({name: getattr(need, name) for name in staffing.COLUMNS} for need in needs),
    )


async def _order_line(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, by: str | None
) -> Report:
    """Always by mall, its age and the kind of caller."""
    read_dimensions(by, allowed=(Dimension.MALL,), default=())
    span = await known_span(database, since, until, zone)
    cells = (await read_order_line(database, span=span)).cells if span else ()
    return Report(
        report="order-line",
        since=since,
        until=until,
        zone=zone.key,
        by=("mall", "age", "caller"),
        data_as_of=await calls_as_of(database),
        definitions=ORDER_LINE_DEFINITIONS,
        columns=("mall", "age", "caller", *ORDER_LINE_DEFINITIONS),
        rows=tuple(
            {
                "mall": cell.mall,
                "age": cell.age,
                "caller": cell.caller.value,
                **{name: getattr(cell.calls, name) for name in ORDER_LINE_DEFINITIONS},
            }
            for cell in cells
        ),
    )


def _cell(row: object, by: Sequence[Dimension]) -> dict[str, Any]:
    return {dimension.value: getattr(row, dimension.value) for dimension in by}


def _names(by: Sequence[Dimension]) -> tuple[str, ...]:
    return tuple(dimension.value for dimension in by)
