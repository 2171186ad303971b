"""The rows behind the figures of days, hours and lines, and the same rows as Excel: one frame for each kind of rows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.stats.arrivals import Arrival, ArrivalFilter, all_arrivals, read_arrivals
from hub.stats.call_figures import Figure
from hub.stats.call_order import FIGURE_OF, Caller
from hub.stats.calls import ABSENT, OTHER_LINES, CallFilter, CallRow, all_calls, read_calls
from hub.stats.inquiries import Channel, InquiryFilter, InquiryRow, all_inquiries, read_inquiries
from hub.stats.span import MAX_DAYS, Span, SpanError, make_span, read_moment
from hub.stats.workbook import as_mappings
from hub.web.render import Given, Pages, locale_of, query_string
from hub.web.stats.files import send_workbook
from hub.web.stats.lines import read_wish, topic_words
from hub.web.stats.views import mall_namer
from hub.web.words import Words

PageRequest = Request[Actor, str, State]
Since = Annotated[str, QueryParameter(name="from")]
Until = Annotated[str, QueryParameter(name="to")]


class Wrong(Struct, frozen=True, kw_only=True):
    """Why nothing was counted: a message key and what it is filled with."""

    key: str
    days: int


class RowList(Struct, frozen=True, kw_only=True):
    """One kind of rows: what its address asks for, a page of them, and all of them. Reading raises ValueError."""

    name: str
    row: type[Struct]
    asked: Callable[[PageRequest], Any]
    page: Callable[..., Awaitable[Any]]
    all: Callable[..., AsyncIterator[Any]]


def _span(services: Services, since: str, until: str) -> Span:
    """Raises: SpanError."""
    zone = services.settings.zone
    start, end = read_moment(since, zone=zone), read_moment(until, zone=zone)
    if start is None or end is None:
        raise SpanError("no_time", "from and to are needed")
    return make_span(since=start, until=end, zone=zone)


def _call_filter(request: PageRequest) -> CallFilter:
    """Raises: ValueError for a figure that does not exist."""
    asked = _asked(request)
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
        caller=FIGURE_OF[Caller(asked["caller"])] if "caller" in asked else None,
        terms=read_wish(request).asked.terms,
    )


def _arrival_filter(request: PageRequest) -> ArrivalFilter:
    asked = _asked(request)
    clock_hour, weekday = _clock(asked)
    return ArrivalFilter(mall=asked.get("mall"), clock_hour=clock_hour, weekday=weekday)


def _inquiry_filter(request: PageRequest) -> InquiryFilter:
    asked = _asked(request)
    clock_hour, weekday = _clock(asked)
    return InquiryFilter(
        mall=asked.get("mall"),
        shop=asked.get("shop"),
        channel=asked.get("channel"),
        clock_hour=clock_hour,
        weekday=weekday,
    )


def _asked(request: PageRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.query_params.items() if value != ""}


def _clock(asked: Mapping[str, str]) -> tuple[int | None, int | None]:
    """An hour of the day and a day of the week, 0 is Monday. Raises: SpanError, ValueError for what is neither."""
    hour, weekday = (int(asked[name]) if name in asked else None for name in ("hour", "weekday"))
    if hour is not None and not 0 <= hour <= 23:
        raise SpanError("address", "an hour of the day is 0 to 23")
    if weekday is not None and not 0 <= weekday <= 6:
        raise SpanError("address", "a day of the week is 0 to 6")
    return hour, weekday


def _around(request: PageRequest, services: Services, page: str, next_cursor: str | None) -> dict[str, Any]:
    """What every page of rows shows around the rows."""
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
    return pages.page(request, "pages/stats_wrong.html", status=422, wrong=Wrong(key=key, days=MAX_DAYS))


def handlers_of(rows: RowList) -> list[HTTPRouteHandler]:
    """Its page and its file."""

    @get(f"/{rows.name}")
    async def rows_page(
        request: PageRequest,
        services: Given,
        pages: Pages,
        since: Since = "",
        until: Until = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        require(request.user, Permission.SEE_STATISTICS)
        try:
            span, where = _span(services, since, until), rows.asked(request)
            found = await rows.page(services.database, span=span, where=where, cursor=after or None)
        except ValueError as error:
            return _wrong_rows(request, pages, error)
        around = _around(request, services, rows.name, found.next_cursor)
        return pages.page(request, f"pages/stats_{rows.name}.html", found=found, period=span, where=where, **around)

    @get(f"/{rows.name}/export")
    async def rows_export(
        request: PageRequest, services: Given, pages: Pages, since: Since = "", until: Until = ""
    ) -> Response[Any] | Stream:
        require(request.user, Permission.EXPORT)
        try:
            found = rows.all(services.database, span=_span(services, since, until), where=rows.asked(request))
        except ValueError as error:
            return _wrong_rows(request, pages, error)
        return await send_workbook(request, services, rows.name, rows.row.__struct_fields__, as_mappings(found))

    return [rows_page, rows_export]


_LISTS: Final = (
    RowList(name="calls", row=CallRow, asked=_call_filter, page=read_calls, all=all_calls),
    RowList(name="inquiries", row=InquiryRow, asked=_inquiry_filter, page=read_inquiries, all=all_inquiries),
    RowList(name="arrivals", row=Arrival, asked=_arrival_filter, page=read_arrivals, all=all_arrivals),
)
HANDLERS: Final = [handler for rows in _LISTS for handler in handlers_of(rows)]
