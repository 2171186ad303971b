"""The pages of the reports that are counted from their rows: the table, the rows of a figure, and both as files."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Stream

from hub.core.model import Product
from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.stats.fact_reports import FACT_REPORTS
from hub.stats.facts import TIMES, Counted, FactReport, Measure, ModeOf, facts_behind, first_behind, tabulate_each
from hub.stats.inquiries import inquiries_as_of
from hub.stats.kpi import kpis
from hub.stats.reason_book import tree_in_force
from hub.stats.report import Around, counted_of, require_known
from hub.stats.span import SpanError, day_span
from hub.stats.stock import partner_by
from hub.store.shops import ShopStore
from hub.web.render import Given, Pages, Renderer, locale_of, query_string
from hub.web.stats.files import send_rows
from hub.web.stats.parts import read_days
from hub.web.stats.report_views import ReportWords, is_coded, report_page, row_columns, row_text
from hub.web.stats.views import mall_namer
from hub.web.words import Words
from routing.modes import ModeTable, resolve_mode

PageRequest = Request[Actor, str, State]
MAX_DAYS: Final = 400
_DEFAULT_DAYS: Final = 28
#: rows of a figure on the screen; the file has them all
MOST_ROWS: Final = 300
#: dimensions of a first and a second step that are offered
_OFFERED: Final = ("month", "week", "day", "weekday", "clock_hour")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of a page asks for."""

    first: date
    last: date
    mall: str | None
    by: tuple[str, ...]
    counted: Counted

    @property
    def values(self) -> dict[str, object]:
        return {"first": self.first.isoformat(), "last": self.last.isoformat(), "mall": self.mall}


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The words of an address as they were given; ``format``: of the file."""

    first: str = ""
    last: str = ""
    mall: str = ""
    by: str = ""
    then: str = ""
    figure: str = ""
    format: str = "xlsx"


def _address(request: PageRequest) -> Address:
    given = request.query_params
    return Address(**{name: str(given[name]) for name in Address.__struct_fields__ if name in given})


async def read_asked(services: Services, report: FactReport, address: Address) -> Asked:
    """Raises: ValueError (SpanError) for a span, a mall or a dimension that does not exist."""
    zone = services.settings.zone
    today = services.now().astimezone(zone).date()
    since, until = read_days(address.first, address.last, today=today, default=_DEFAULT_DAYS)
    mall, by, then = address.mall or None, address.by, address.then
    span = day_span(since, until, zone=zone, max_days=MAX_DAYS)
    countries = {name: manifest.country for name, manifest in services.registry.manifests.items()}
    try:
        await require_known(services.database, mall=mall, shop=None, malls=countries)
    except ValueError as error:
        raise SpanError("no_mall", str(error)) from None
    try:
        chosen = report.read_by(",".join(name for name in (by, then) if name))
    except ValueError as error:
        raise SpanError("address", str(error)) from None
    await services.refresh_routing()
    table = services.routing.table if services.routing else ModeTable()
    around = Around(
        now=services.now(),
        countries=countries,
        mode_of=_mode_of(services),
        partner_of=partner_by(table),
        mode_changes=table.days_of_change,
        mall=mall,
    )
    counted = counted_of(services.database, since=span.since, until=span.until, zone=zone, around=around)
    # The first that was asked for stands first.
    order = [name for name in (by, then) if name in chosen]
    return Asked(
        first=since,
        last=until,
        mall=mall,
        by=tuple(dict.fromkeys((*order, *chosen))),
        counted=counted,
    )


@get("/reports/{name:str}")
async def fact_report_page(request: PageRequest, services: Given, pages: Pages, name: FromPath[str]) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    report = _report(name)
    words, address = await _words(request, services), _address(request)
    around: dict[str, Any] = {
        "report": report.name,
        "reports": tuple(FACT_REPORTS),
        "dimensions": [(each, words.dimension(each)) for each in (*report.dimensions, *_OFFERED)],
        "malls": [(each, words.mall_name(each)) for each in await _malls(services)],
        "given": msgspec.structs.asdict(address),
        "days": MAX_DAYS,
    }
    try:
        asked = await read_asked(services, report, _address(request))
    except SpanError as error:
        key = f"stats.wrong.{error.key}"
        return pages.page(request, "pages/stats_report.html", status=422, wrong=key, found=None, **around)
    ways = (asked.by, report.always, asked.by[:1])
    rows, totals, first_by = await tabulate_each(report, asked.counted, ways=ways)
    found = report_page(
        report, by=asked.by, rows=rows, totals=totals, first_by=first_by, words=words, asked=asked.values
    )
    around["given"] = {
        **asked.values,
        "mall": address.mall,
        "by": asked.by[0],
        "then": asked.by[1] if asked.by[1:] else "",
    }
    return pages.page(
        request,
        "pages/stats_report.html",
        wrong=None,
        found=found,
        as_of=await inquiries_as_of(services.database),
        definitions=[kpi for (of, _), kpi in kpis().items() if of == report.name],
        export=f"/stats/reports/{report.name}/export"
        + query_string({**asked.values, "by": address.by, "then": address.then}),
        **around,
    )


@get("/reports/{name:str}/export")
async def fact_report_export(
    request: PageRequest, services: Given, pages: Pages, name: FromPath[str]
) -> Response[Any] | Stream:
    """The whole table: figures as numbers, names as codes."""
    require(request.user, Permission.EXPORT)
    report = _report(name)
    try:
        asked = await read_asked(services, report, _address(request))
    except SpanError as error:
        return _wrong(request, pages, error)
    (rows,) = await tabulate_each(report, asked.counted, ways=[asked.by])
    return await send_rows(
        request, services, report.name, (*asked.by, *report.columns), rows, kind=_address(request).format
    )


@get("/reports/{name:str}/rows")
async def fact_rows_page(request: PageRequest, services: Given, pages: Pages, name: FromPath[str]) -> Response[str]:
    """The rows behind one figure; all are counted, the first are shown."""
    require(request.user, Permission.SEE_STATISTICS)
    report = _report(name)
    words = await _words(request, services)
    try:
        asked, measure, where = await _cell(request, services, report)
    except SpanError as error:
        return _wrong(request, pages, error)
    total, shown = await first_behind(report, asked.counted, measure=measure, where=where, most=MOST_ROWS)
    columns = tuple(each for each in row_columns(report) if each != "case_id")
    zone = services.settings.zone

    def shown_as(column: str, value: Any) -> str:
        if is_coded(report, column) and not isinstance(value, datetime | bool):
            return words.value(report.name, column, value)
        return row_text(value, zone=zone)

    return pages.page(
        request,
        "pages/stats_report_rows.html",
        report=report.name,
        title=words.heading(report.name, measure.name),
        total=total,
        shown=len(shown),
        headings=[words.words(f"stats.row.{column}") for column in columns],
        rows=[([shown_as(column, getattr(fact, column)) for column in columns], fact.case_id) for fact in shown],
        period=asked,
        chips=[words.value(report.name, column, value) for column, value in where.items()],
        back=f"/stats/reports/{report.name}{query_string(asked.values)}",
        export=f"/stats/reports/{report.name}/rows/export{query_string(dict(request.query_params.items()))}",
    )


@get("/reports/{name:str}/rows/export")
async def fact_rows_export(
    request: PageRequest, services: Given, pages: Pages, name: FromPath[str]
) -> Response[Any] | Stream:
    require(request.user, Permission.EXPORT)
    report = _report(name)
    try:
        asked, measure, where = await _cell(request, services, report)
    except SpanError as error:
        return _wrong(request, pages, error)
    columns = row_columns(report)

    async def rows() -> AsyncIterator[Mapping[str, Any]]:
        async for fact in facts_behind(report, asked.counted, measure=measure, where=where):
            yield {column: getattr(fact, column) for column in columns}

    return await send_rows(request, services, f"{report.name}-rows", columns, rows(), kind=_address(request).format)


async def _cell(request: PageRequest, services: Services, report: FactReport) -> tuple[Asked, Measure, dict[str, str]]:
    """Raises: SpanError for an address that was not made here."""
    address = _address(request)
    asked = await read_asked(services, report, msgspec.structs.replace(address, by="", then=""))
    try:
        measure = report.measure(address.figure or report.columns[0])
    except ValueError as error:
        raise SpanError("address", str(error)) from None
    where = {
        key.removeprefix("is_"): str(value) for key, value in request.query_params.items() if key.startswith("is_")
    }
    if set(where) - {*report.dimensions, *TIMES}:
        raise SpanError("address", "no such dimension")
    return asked, measure, where


def _mode_of(services: Services) -> ModeOf:
    """By the routing book of now, as the command line has it."""
    table = services.routing.table if services.routing else ModeTable()

    def mode(product: Product, shop: str, mall: str, on: date) -> str:
        return resolve_mode(product, shop=shop, mall=mall, on=on, table=table).mode.value

    return mode


def _report(name: str) -> FactReport:
    report = FACT_REPORTS.get(name)
    if report is None:
        raise NotFoundError
    return report


async def _words(request: PageRequest, services: Services) -> ReportWords:
    words = Words(locale_of(request))
    return ReportWords(
        words=words,
        mall_name=mall_namer(services.registry.manifests, words.locale),
        tree=await tree_in_force(services.database),
    )


async def _malls(services: Services) -> tuple[str, ...]:
    return tuple(sorted({shop.mall for shop in await ShopStore(services.database).all()}))


def _wrong(request: PageRequest, pages: Renderer, error: SpanError) -> Response[str]:
    wrong = {"key": f"stats.wrong.{error.key}", "days": MAX_DAYS}
    return pages.page(request, "pages/stats_wrong.html", status=422, wrong=wrong)


HANDLERS: Final = [fact_report_page, fact_report_export, fact_rows_page, fact_rows_export]
