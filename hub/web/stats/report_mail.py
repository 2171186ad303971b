"""What a mailed report says: the figures of its page, in the words of the screen, and the page's own Excel file."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.desk.reports.mails import Figures, UnreadableReportError, Wanted
from hub.desk.services import Services
from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.facts import ABSENT, Measure, tabulate_each
from hub.stats.inquiries import inquiries_as_of
from hub.stats.kpi import kpis
from hub.stats.reason_book import tree_in_force
from hub.stats.report import Around, read_report
from hub.stats.report_view import RelativeSpan, ReportView, days_of, read_view
from hub.stats.span import day_span
from hub.stats.workbook import write_workbook
from hub.web.formats import places_of
from hub.web.stats.report_views import ReportWords, figure_text
from hub.web.stats.reports import Address, read_asked
from hub.web.stats.views import mall_namer
from hub.web.words import Words

#: lines of the table in the letter; the file has them all
MOST_LINES: Final = 60
#: more columns than these do not fit beside each other
_WIDEST: Final = 8
_MAX_DAYS: Final = 400


class Table(Struct, frozen=True, kw_only=True):
    """``by`` are the columns that name a line, the others are figures. ``measures``: of fact reports, by column."""

    report: str
    by: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    as_of: datetime | None
    measures: Mapping[str, Measure] = {}


async def read_figures(services: Services, wanted: Wanted) -> Figures:
    """Count a saved view as seen on the day of its due time. Raises: UnreadableReportError."""
    zone = services.settings.zone
    try:
        view = read_view(wanted.address)
        first, last = days_of(RelativeSpan(wanted.span), today=wanted.due_at.astimezone(zone).date())
        table = await _count(services, view, first=first, last=last)
    except ValueError as error:
        # A mall that was removed, a report that a newer program does not have.
        raise UnreadableReportError(type(error).__name__) from error
    if view.names_people:
        kind = "NamesPeople"
        raise UnreadableReportError(kind)
    words = Words(wanted.locale)
    names = ReportWords(
        words=words,
        mall_name=mall_namer(services.registry.manifests, words.locale),
        tree=await tree_in_force(services.database),
    )
    return Figures(
        period=f"{first.isoformat()} – {last.isoformat()}" if first != last else first.isoformat(),
        text=f"{as_text(table, names)}\n\n{_as_of(table, words, zone)}",
        rows=len(table.rows),
        workbook=await _workbook(table),
        file_name=f"{table.report}-{first.isoformat()}.xlsx",
        address=view.at(first, last),
    )


async def _count(services: Services, view: ReportView, *, first: date, last: date) -> Table:
    """Raises: ValueError."""
    if (report := FACT_REPORTS.get(view.report)) is not None:
        days = {"first": first.isoformat(), "last": last.isoformat()}
        address = Address(**days, mall=view["mall"], by=view["by"], then=view["then"])
        asked = await read_asked(services, report, address)
        (rows,) = await tabulate_each(report, asked.counted, ways=[asked.by])
        return Table(
            report=report.name,
            by=asked.by,
            columns=(*asked.by, *report.columns),
            rows=rows,
            as_of=await inquiries_as_of(services.database),
            measures={measure.name: measure for measure in report.measures},
        )
    span = day_span(first, last, zone=services.settings.zone, max_days=_MAX_DAYS)
    no_mall = view["mall"] == ABSENT
    found = await read_report(
        services.database,
        name=view.report,
        since=span.since,
        until=span.until,
        zone=span.zone,
        by=view.by,
        asked=view.asked,
        around=Around(
            now=services.now(),
            countries={name: each.country for name, each in services.registry.manifests.items()},
            mall=None if no_mall else view["mall"] or None,
        ),
    )
    rows = [
        row
        for row in found.rows
        if (not no_mall or row["mall"] is None) and view["channel"] in ("", row.get("channel"))
    ]
    return Table(report=found.report, by=found.by, columns=found.columns, rows=rows, as_of=found.data_as_of)


async def _workbook(table: Table) -> bytes:
    async def rows() -> AsyncIterator[Mapping[str, Any]]:
        for row in table.rows:
            yield row

    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        path = Path(folder) / "rows.xlsx"
        await write_workbook(path, title=table.report, columns=table.columns, rows=rows())
        return path.read_bytes()


def _as_of(table: Table, words: Words, zone: ZoneInfo) -> str:
    key = "stats.calls_as_of" if table.report == "lines" else "stats.inquiries_as_of"
    at = "–" if table.as_of is None else table.as_of.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    return f"{words(key)}: {at} ({words.zone(zone.key)})"


def as_text(table: Table, names: ReportWords) -> str:
    """The table in letters of one width; where it is wide, one block for each line. Then what the figures mean."""
    words = names.words
    if not table.rows:
        return words("stats.no_rows")
    headings = [_heading(table, name, words) for name in table.columns]
    lines = [[_cell(table, name, row[name], names) for name in table.columns] for row in table.rows[:MOST_LINES]]
    if len(headings) <= _WIDEST:
        text = _beside(headings, lines, left=len(table.by))
    else:
        text = _below(headings, lines, left=len(table.by))
    if len(table.rows) > MOST_LINES:
        text += "\n" + words("stats.more_lines", count=f"{len(table.rows) - MOST_LINES:,}")
    known = [kpis()[table.report, name] for name in table.columns if (table.report, name) in kpis()]
    meanings = [f"- {kpi.title(words.locale)}: {kpi.formula(words.locale)}" for kpi in known]
    return text + ("\n\n" + "\n".join(meanings) if meanings else "")


def _heading(table: Table, name: str, words: Words) -> str:
    if (kpi := kpis().get((table.report, name))) is not None:
        return kpi.title(words.locale)
    places = ("stats.by.", "stats.col.", "stats.") if name in table.by else ("stats.figure.", "stats.rate.")
    return next((words(place + name) for place in places if words.has(place + name)), name)


def _cell(table: Table, name: str, value: Any, names: ReportWords) -> str:
    if name in table.by:
        if name == "line" and value is not None:
            return names.words(f"stats.line.{value}")
        return names.value(table.report, name, value)
    if (measure := table.measures.get(name)) is not None:
        return figure_text(measure, value)
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _beside(headings: Sequence[str], lines: Sequence[Sequence[str]], *, left: int) -> str:
    widths = [max(places_of(line[place]) for line in (headings, *lines)) for place in range(len(headings))]

    def drawn(line: Sequence[str]) -> str:
        cells = [
            text + " " * (width - places_of(text)) if place < left else " " * (width - places_of(text)) + text
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([drawn(headings), "-" * (sum(widths) + 2 * len(widths) - 2), *(drawn(line) for line in lines)])


def _below(headings: Sequence[str], lines: Sequence[Sequence[str]], *, left: int) -> str:
    return "\n\n".join(
        "\n".join(
            [
                " · ".join(line[:left]),
                *(f"  {heading}: {text}" for heading, text in zip(headings[left:], line[left:], strict=True)),
            ]
        )
        for line in lines
    )
