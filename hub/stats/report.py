"""A report as rows and columns: the one document of command line, JSON and files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.stats import staffing
from hub.stats.call_figures import COLUMNS, DEFAULT_TERMS, LINE_COLUMNS, Terms
from hub.stats.call_lines import LINE_DIMENSIONS, RATES, Formula, quality_per_line, topics_per_line
from hub.stats.calls import calls_as_of, count_calls_by
from hub.stats.definitions import (
    DEFINITIONS,
    LINE_DEFINITIONS,
    RATE_DEFINITIONS,
    SERVICE_LEVEL_DEFINITIONS,
    STAFFING_DEFINITIONS,
    TOPIC_DEFINITIONS,
)
from hub.stats.dimension import CALL_DIMENSIONS, INQUIRY_DIMENSIONS, Dimension, read_dimensions
from hub.stats.inquiries import inquiries_as_of, inquiries_per_channel
from hub.stats.rates import FIGURES as RATE_FIGURES
from hub.stats.rates import RATE_DIMENSIONS, rates_per_100_lines
from hub.store.database import Database

REPORTS: Final = ("inquiries", "calls", "rates", "lines", "topics", "staffing")
_TOPIC_COLUMNS: Final = ("topic", "topic_line", "is_misdialled", "answered")
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


async def read_report(
    database: Database,
    *,
    name: str,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: ZoneInfo,
    by: str | None = None,
    asked: Asked = AS_USUAL,
) -> Report:
    """``name``: one of :data:`REPORTS`. ``by``: dimensions with commas between, absent for the report's own.

    Raises: ValueError for a report or a dimension that does not exist, or numbers that cannot be reckoned with.
    """
    if name == "inquiries":
        return await _inquiries(database, since=since, until=until, zone=zone, by=by)
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
    message = f"there is no report {name!r}; there are: {', '.join(REPORTS)}"
    raise ValueError(message)


async def _inquiries(
    database: Database, *, since: datetime | None, until: datetime | None, zone: ZoneInfo, by: str | None
) -> Report:
    chosen = read_dimensions(by, allowed=INQUIRY_DIMENSIONS, default=INQUIRY_DIMENSIONS)
    found = await inquiries_per_channel(database, since=since, until=until, by=chosen, zone=zone)
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
    found = await count_calls_by(database, since=since, until=until, zone=zone, by=chosen)
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
    chosen = read_dimensions(by, allowed=LINE_DIMENSIONS, default=LINE_DIMENSIONS)
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


def _cell(row: object, by: Sequence[Dimension]) -> dict[str, Any]:
    return {dimension.value: getattr(row, dimension.value) for dimension in by}


def _names(by: Sequence[Dimension]) -> tuple[str, ...]:
    return tuple(dimension.value for dimension in by)
