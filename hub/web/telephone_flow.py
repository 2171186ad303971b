"""The flow of the telephone, drawn from its spec, with the calls that took each way."""

from datetime import date, timedelta
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery
from markupsafe import Markup

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.phone.flow import SPEC_FILE, read_flow
from hub.desk.services import Services
from hub.stats.call_ways import taken_ways
from hub.stats.calls import ABSENT, calls_as_of
from hub.stats.span import Span, SpanError, day_span
from hub.web.render import Given, Pages, locale_of, query_string
from ivr.drawing import flow_css

PageRequest = Request[Actor, str, State]
MAX_DAYS: Final = 92
_USUAL_DAYS: Final = 7


@get("/telephone/flow")
async def flow_page(
    request: PageRequest, services: Given, pages: Pages, first: FromQuery[str] = "", last: FromQuery[str] = ""
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    locale = locale_of(request)
    try:
        span, days = _span(services, first, last)
    except SpanError as error:
        flow = await read_flow(services, actor=request.user, locale=locale)
        values: dict[str, Any] = {
            "wrong": f"stats.wrong.{error.key}",
            "days": MAX_DAYS,
            "first": first,
            "last": last,
            "rows": None,
        }
    else:
        taken = await taken_ways(services.database, since=span.since, until=span.until, zone=span.zone)
        flow = await read_flow(services, actor=request.user, locale=locale, taken=taken)
        values = {"wrong": None, "first": str(days[0]), "last": str(days[1]), "rows": _rows_address(span)}
    told = [(problem, *problem.told(locale)) for problem in flow.problems]
    # Our own SVG, in which every text of the spec is escaped.
    drawing = Markup(flow.drawing) if flow.drawing else None  # noqa: S704
    return pages.page(
        request,
        "pages/telephone_flow.html",
        status=422 if values["wrong"] else 200,
        flow=flow,
        told=told,
        drawing=drawing,
        file=SPEC_FILE,
        calls_as_of=await calls_as_of(services.database),
        absent=ABSENT,
        download="/telephone/flow.svg" + query_string({"first": values["first"], "last": values["last"]}),
        **values,
    )


@get("/telephone/flow.svg")
async def flow_file(
    request: PageRequest, services: Given, first: FromQuery[str] = "", last: FromQuery[str] = ""
) -> Response[str]:
    """The drawing with its colours, for elsewhere; with counts where days are named."""
    require(request.user, Permission.SEE_STATISTICS)
    taken = None
    if first or last:
        try:
            span, _ = _span(services, first, last)
        except SpanError:
            raise NotFoundError from None
        taken = await taken_ways(services.database, since=span.since, until=span.until, zone=span.zone)
    flow = await read_flow(services, actor=request.user, locale=locale_of(request), taken=taken, has_style=True)
    if flow.drawing is None:
        raise NotFoundError
    headers = {"content-disposition": 'attachment; filename="telephone-flow.svg"'}
    return Response(flow.drawing, media_type="image/svg+xml", headers=headers)


@get("/telephone/flow.css")
async def flow_colours() -> Response[str]:
    return Response(flow_css(), media_type="text/css", headers={"cache-control": "max-age=300"})


def _span(services: Services, first: str, last: str) -> tuple[Span, tuple[date, date]]:
    """Absent: the last seven days. Raises: SpanError."""
    zone = services.settings.zone
    try:
        until = date.fromisoformat(last) if last else services.now().astimezone(zone).date()
        since = date.fromisoformat(first) if first else until - timedelta(days=_USUAL_DAYS - 1)
    except (ValueError, OverflowError):
        raise SpanError("no_time", "not a date") from None
    return day_span(since, until, zone=zone, max_days=MAX_DAYS), (since, until)


def _rows_address(span: Span) -> str:
    """Of the calls of the span; a way is added to it."""
    since, until = span.since.astimezone(span.zone), span.until.astimezone(span.zone)
    return "/stats/calls" + query_string({"from": since.isoformat(), "to": until.isoformat()})


TELEPHONE_FLOW_PAGES: Final = [flow_page, flow_file, flow_colours]
