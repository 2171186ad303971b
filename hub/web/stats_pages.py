"""The statistics pages: figures, the rows behind each of them, and these rows as Excel."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.stats.call_figures import Figure
from hub.stats.calls import ABSENT, OTHER_LINES, CallFilter, CallRow, all_calls, read_calls
from hub.stats.inquiries import Channel, InquiryFilter, InquiryRow, all_inquiries, read_inquiries
from hub.stats.span import Span, SpanError, day_span, make_span, read_moment
from hub.stats.workbook import as_mappings
from hub.web import stats_counts, stats_reports
from hub.web.render import Given, Pages, locale_of, query_string
from hub.web.stats_files import send_workbook
from hub.web.stats_lines import lines_export, lines_page, read_wish, topic_words
from hub.web.stats_parts import View
from hub.web.stats_pattern import pattern_page
from hub.web.stats_views import mall_namer, read_page
from hub.web.words import Words

PageRequest = Request[Actor, str, State]
#: a bar a day must stay a bar
_MAX_DAYS: Final = 92
_DEFAULT_DAYS: Final = 7
_QUICK: Final = (("today", 1), ("week", 7), ("weeks", 28))

Since = Annotated[str, QueryParameter(name="from")]
Until = Annotated[str, QueryParameter(name="to")]


class Wrong(Struct, frozen=True, kw_only=True):
    """Why nothing was counted: a message key and what it is filled with."""

    key: str
    days: int = _MAX_DAYS


@get("/")
async def stats_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
    day: FromQuery[str] = "",
    mall: FromQuery[str] = "",
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    today = services.now().astimezone(services.settings.zone).date()
    words = Words(locale_of(request))
    name = mall_namer(services.registry.manifests, words.locale)
    values: dict[str, Any] = {"first": first, "last": last, "mall": mall, "quick": _quick(today), "mall_name": name}
    try:
        view = _view(first=first, last=last, day=day, mall=mall, today=today)
        span = day_span(view.first, view.last, zone=services.settings.zone, max_days=_MAX_DAYS)
    except SpanError as error:
        wrong = Wrong(key=f"stats.wrong.{error.key}")
        return pages.page(request, "pages/stats.html", status=422, wrong=wrong, stats=None, view=None, **values)
    found = await read_page(services.database, view=view, span=span, words=words, mall_name=name)
    values |= {"first": view.first.isoformat(), "last": view.last.isoformat()}
    return pages.page(request, "pages/stats.html", wrong=None, stats=found, view=view, **values)


@get("/calls")
async def calls_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    since: Since = "",
    until: Until = "",
    after: FromQuery[str] = "",
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    try:
        span, where = _span(services, since, until), _call_filter(request)
        found = await read_calls(services.database, span=span, where=where, cursor=after or None)
    except ValueError as error:
        return _wrong_rows(request, pages, error)
    return pages.page(
        request,
        "pages/stats_calls.html",
        found=found,
        period=span,
        where=where,
        **_around(request, services, "calls", found.next_cursor),
    )


@get("/inquiries")
async def inquiries_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    since: Since = "",
    until: Until = "",
    after: FromQuery[str] = "",
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    try:
        span, where = _span(services, since, until), _inquiry_filter(request)
        found = await read_inquiries(services.database, span=span, where=where, cursor=after or None)
    except ValueError as error:
        return _wrong_rows(request, pages, error)
    return pages.page(
        request,
        "pages/stats_inquiries.html",
        found=found,
        period=span,
        where=where,
        **_around(request, services, "inquiries", found.next_cursor),
    )


@get("/calls/export")
async def calls_export(
    request: PageRequest, services: Given, pages: Pages, since: Since = "", until: Until = ""
) -> Response[Any] | Stream:
    require(request.user, Permission.EXPORT)
    try:
        rows = all_calls(services.database, span=_span(services, since, until), where=_call_filter(request))
    except ValueError as error:
        return _wrong_rows(request, pages, error)
    return await send_workbook(request, services, "calls", CallRow.__struct_fields__, as_mappings(rows))


@get("/inquiries/export")
async def inquiries_export(
    request: PageRequest, services: Given, pages: Pages, since: Since = "", until: Until = ""
) -> Response[Any] | Stream:
    require(request.user, Permission.EXPORT)
    try:
        rows = all_inquiries(services.database, span=_span(services, since, until), where=_inquiry_filter(request))
    except ValueError as error:
        return _wrong_rows(request, pages, error)
    return await send_workbook(request, services, "inquiries", InquiryRow.__struct_fields__, as_mappings(rows))


def _view(*, first: str, last: str, day: str, mall: str, today: date) -> View:
    """Raises: SpanError for what is no date."""
    try:
        until = date.fromisoformat(last) if last else today
        since = date.fromisoformat(first) if first else until - timedelta(days=_DEFAULT_DAYS - 1)
        hours = date.fromisoformat(day) if day else None
    except (ValueError, OverflowError):
        raise SpanError("no_time", "not a date") from None
    if hours is not None and not since <= hours <= until:
        hours = None
    return View(first=since, last=until, day=hours, mall=mall or None)


def _quick(today: date) -> list[tuple[str, str]]:
    """Spans that end today, as message key and address."""
    return [(f"stats.quick.{key}", f"?first={today - timedelta(days=days - 1)}&last={today}") for key, days in _QUICK]


def _span(services: Services, since: str, until: str) -> Span:
    """Raises: SpanError."""
    zone = services.settings.zone
    start, end = read_moment(since, zone=zone), read_moment(until, zone=zone)
    if start is None or end is None:
        raise SpanError("no_time", "from and to are needed")
    return make_span(since=start, until=end, zone=zone)


def _call_filter(request: PageRequest) -> CallFilter:
    """Raises: ValueError for a figure that does not exist."""
    asked = {name: str(value) for name, value in request.query_params.items() if value != ""}
    clock_hour, weekday = _clock(asked)
    return CallFilter(
        figure=Figure(asked.get("figure", Figure.OFFERED.value)),
        mall=asked.get("mall"),
        line=asked.get("line"),
        handling_line=asked.get("handling_line"),
        topic=asked.get("topic"),
        clock_hour=clock_hour,
        weekday=weekday,
        way=asked.get("way"),
        terms=read_wish(request).asked.terms,
    )


def _inquiry_filter(request: PageRequest) -> InquiryFilter:
    asked = {name: str(value) for name, value in request.query_params.items() if value != ""}
    clock_hour, weekday = _clock(asked)
    return InquiryFilter(
        mall=asked.get("mall"),
        shop=asked.get("shop"),
        channel=asked.get("channel"),
        clock_hour=clock_hour,
        weekday=weekday,
    )


def _clock(asked: Mapping[str, str]) -> tuple[int | None, int | None]:
    """An hour of the day and a day of the week, 0 is Monday. Raises: SpanError, ValueError for what is neither."""
    hour, weekday = (int(asked[name]) if name in asked else None for name in ("hour", "weekday"))
    if hour is not None and not 0 <= hour <= 23:
        raise SpanError("address", "an hour of the day is 0 to 23")
    if weekday is not None and not 0 <= weekday <= 6:
        raise SpanError("address", "a day of the week is 0 to 6")
    return hour, weekday


def _around(request: PageRequest, services: Services, page: str, next_cursor: str | None) -> dict[str, Any]:
    """What both pages of rows show around the rows."""
    asked = {name: value for name, value in request.query_params.items() if name != "after"}
    return {
        "absent": ABSENT,
        "other_lines": OTHER_LINES,
        "mall_name": mall_namer(services.registry.manifests, locale_of(request)),
        "export": f"/stats/{page}/export{query_string(asked)}",
        "next": f"/stats/{page}{query_string(asked, after=next_cursor)}" if next_cursor else None,
        "from_start": f"/stats/{page}{query_string(asked)}" if "after" in request.query_params else None,
        "channels": tuple(Channel),
        "topic_words": partial(topic_words, Words(locale_of(request))),
    }


def _wrong_rows(request: PageRequest, pages: Pages, error: ValueError) -> Response[str]:
    key = f"stats.wrong.{error.key}" if isinstance(error, SpanError) else "stats.wrong.address"
    return pages.page(request, "pages/stats_wrong.html", status=422, wrong=Wrong(key=key, days=400))


router = Router(
    "/stats",
    route_handlers=[
        stats_page,
        lines_page,
        lines_export,
        calls_page,
        inquiries_page,
        calls_export,
        inquiries_export,
        pattern_page,
        *stats_reports.HANDLERS,
        *stats_counts.HANDLERS,
    ],
)
