"""The statistics pages: the page of days, and the way to all others."""

from datetime import date, timedelta
from typing import Any, Final

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.params import FromQuery

from hub.desk.access import Actor, Permission, require
from hub.stats.span import SpanError, day_span
from hub.web.render import Given, Pages, locale_of
from hub.web.stats import counts, order, reasons, reports, rows, saved
from hub.web.stats.lines import lines_export, lines_page
from hub.web.stats.parts import View, read_days
from hub.web.stats.pattern import pattern_page
from hub.web.stats.rows import Wrong
from hub.web.stats.saved import saved_links
from hub.web.stats.views import mall_namer, read_page
from hub.web.words import Words

PageRequest = Request[Actor, str, State]
#: a bar a day must stay a bar
_MAX_DAYS: Final = 92
_DEFAULT_DAYS: Final = 7
_QUICK: Final = (("today", 1), ("week", 7), ("weeks", 28))


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
    values["saved_views"] = await saved_links(services, request.user)
    try:
        view = _view(first=first, last=last, day=day, mall=mall, today=today)
        span = day_span(view.first, view.last, zone=services.settings.zone, max_days=_MAX_DAYS)
    except SpanError as error:
        wrong = Wrong(key=f"stats.wrong.{error.key}", days=_MAX_DAYS)
        return pages.page(request, "pages/stats.html", status=422, wrong=wrong, stats=None, view=None, **values)
    found = await read_page(services.database, view=view, span=span, words=words, mall_name=name)
    values |= {"first": view.first.isoformat(), "last": view.last.isoformat()}
    return pages.page(request, "pages/stats.html", wrong=None, stats=found, view=view, **values)


def _view(*, first: str, last: str, day: str, mall: str, today: date) -> View:
    """Raises: SpanError for what is no date."""
    since, until = read_days(first, last, today=today, default=_DEFAULT_DAYS)
    try:
        hours = date.fromisoformat(day) if day else None
    except ValueError:
        raise SpanError("no_time", "not a date") from None
    if hours is not None and not since <= hours <= until:
        hours = None
    return View(first=since, last=until, day=hours, mall=mall or None)


def _quick(today: date) -> list[tuple[str, str]]:
    """Spans that end today, as message key and address."""
    return [(f"stats.quick.{key}", f"?first={today - timedelta(days=days - 1)}&last={today}") for key, days in _QUICK]


router = Router(
    "/stats",
    route_handlers=[
        stats_page,
        lines_page,
        lines_export,
        *rows.HANDLERS,
        pattern_page,
        *order.HANDLERS,
        *reports.HANDLERS,
        *counts.HANDLERS,
        *saved.HANDLERS,
        *reasons.HANDLERS,
    ],
)
