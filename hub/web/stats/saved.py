"""Saved views of the statistics: kept from the page that shows them, opened again, mailed on a timetable."""

import secrets
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.reports.saved import (
    SavedReport,
    SavedReportError,
    read_saved_reports,
    remove_report,
    save_report,
)
from hub.desk.reports.schedules import (
    Schedule,
    allowed_recipients,
    ask_for_mail,
    put_schedule,
    read_schedules,
    read_sent,
    remove_schedule,
)
from hub.desk.reports.times import Every, OnRest, Timetable
from hub.desk.services import Services
from hub.stats.report import require_known
from hub.stats.report_view import RelativeSpan, ReportView, days_of, read_view
from hub.web.auth import Form
from hub.web.render import Given, Pages, locale_of

PageRequest = Request[Actor, str, State]
_PAGE: Final = "/stats/saved"
_NOTICES: Final = frozenset({"saved", "removed", "scheduled", "unscheduled", "asked"})
_WRONG: Final = frozenset({"address", "name", "many", "people", "time", "never", "recipients", "not_allowed"})


class SaveForm(Struct, kw_only=True):
    address: str = ""
    name: str = ""
    span: str = ""
    shared: str = ""


class ScheduleForm(Struct, kw_only=True):
    """``time`` is HH:MM of the centre; of ``weekday`` and ``monthday`` only the one of ``every`` counts."""

    every: str = ""
    time: str = ""
    weekday: str = ""
    monthday: str = ""
    on_rest: str = ""
    recipients: str = ""


class SendForm(Struct, kw_only=True):
    token: str = ""


class SavedLink(Struct, frozen=True, kw_only=True):
    """``href`` shows it for its days as of today; absent where no page of now shows such a view."""

    report: SavedReport
    view: ReportView | None
    href: str | None


async def saved_links(services: Services, actor: Actor) -> tuple[SavedLink, ...]:
    """The views that the actor may open."""
    today = services.now().astimezone(services.settings.zone).date()
    found = []
    for report in await read_saved_reports(services, actor=actor):
        try:
            view = read_view(report.address)
            href = view.at(*days_of(RelativeSpan(report.span), today=today))
        except ValueError:
            # A report of another version of the program: it can be removed.
            found.append(SavedLink(report=report, view=None, href=None))
        else:
            found.append(SavedLink(report=report, view=view, href=href))
    return tuple(found)


@get("/saved")
async def saved_page(
    request: PageRequest, services: Given, pages: Pages, notice: FromQuery[str] = "", wrong: FromQuery[str] = ""
) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    schedules: dict[int, list[Schedule]] = {}
    for schedule in await read_schedules(services, actor=request.user):
        schedules.setdefault(schedule.report_id, []).append(schedule)
    return pages.page(
        request,
        "pages/stats_saved.html",
        saved=await saved_links(services, request.user),
        schedules=schedules,
        sent=await read_sent(services, actor=request.user),
        allowed=sorted(await allowed_recipients(services.database, services.settings)),
        has_mail=services.settings.smtp_host is not None,
        token=secrets.token_urlsafe(16),
        notice=notice if notice in _NOTICES else None,
        wrong=wrong if wrong in _WRONG else None,
        clock_of=_clock_of,
        every=tuple(Every),
        on_rest=tuple(OnRest),
        zone_name=services.settings.timezone,
    )


@post("/saved")
async def save_view(request: PageRequest, services: Given, data: Annotated[SaveForm, Form]) -> Redirect:
    """The view at ``address``, which is that of the page the form stands on."""
    require(request.user, Permission.SEE_STATISTICS)
    try:
        view = read_view(data.address)
        span = RelativeSpan(data.span)
        await require_known(
            services.database,
            mall=view["mall"] if view["mall"] not in ("", "-") else None,
            shop=None,
            malls=services.registry.manifests,
        )
    except ValueError:
        return _back(wrong="address")
    try:
        await save_report(
            services,
            actor=request.user,
            name=data.name,
            address=view.address,
            span=span.value,
            is_shared=data.shared == "1",
        )
    except SavedReportError as error:
        return _back(wrong=error.key)
    return _back(notice="saved")


@post("/saved/{report_id:int}/remove")
async def remove_view(request: PageRequest, services: Given, report_id: FromPath[int]) -> Redirect:
    await remove_report(services, actor=request.user, report_id=report_id)
    return _back(notice="removed")


@post("/saved/{report_id:int}/schedule")
async def schedule_view(
    request: PageRequest, services: Given, report_id: FromPath[int], data: Annotated[ScheduleForm, Form]
) -> Redirect:
    require(request.user, Permission.EXPORT)
    link = next(
        (each for each in await saved_links(services, request.user) if each.report.report_id == report_id), None
    )
    if link is None:
        raise NotFoundError
    if link.view is None or link.view.names_people:
        return _back(wrong="people")
    try:
        timetable = _timetable(data)
    except ValueError:
        return _back(wrong="time")
    try:
        await put_schedule(
            services,
            actor=request.user,
            report_id=report_id,
            timetable=timetable,
            recipients=data.recipients,
            locale=locale_of(request),
        )
    except SavedReportError as error:
        return _back(wrong=error.key)
    return _back(notice="scheduled")


@post("/saved/schedules/{schedule_id:int}/remove")
async def unschedule(request: PageRequest, services: Given, schedule_id: FromPath[int]) -> Redirect:
    await remove_schedule(services, actor=request.user, schedule_id=schedule_id)
    return _back(notice="unscheduled")


@post("/saved/schedules/{schedule_id:int}/send")
async def send_now(
    request: PageRequest, services: Given, schedule_id: FromPath[int], data: Annotated[SendForm, Form]
) -> Redirect:
    """The worker sends it; the same form sent twice asks once."""
    await ask_for_mail(services, actor=request.user, schedule_id=schedule_id, token=data.token)
    return _back(notice="asked")


def _timetable(data: ScheduleForm) -> Timetable:
    """Raises: ValueError."""
    every = Every(data.every)
    hour, _, minute = data.time.partition(":")
    if not 0 <= int(hour) <= 23 or not 0 <= int(minute) <= 59:
        message = "no time of the day"
        raise ValueError(message)
    days = {Every.DAILY: "0", Every.WEEKLY: data.weekday, Every.MONTHLY: data.monthday}
    return Timetable(
        every=every,
        on_day=int(days[every]),
        at_minute=int(hour) * 60 + int(minute),
        on_rest=OnRest(data.on_rest),
    )


def _clock_of(timetable: Timetable) -> str:
    hour, minute = divmod(timetable.at_minute, 60)
    return f"{hour:02}:{minute:02}"


def _back(*, notice: str = "", wrong: str = "") -> Redirect:
    return Redirect(f"{_PAGE}?{'wrong' if wrong else 'notice'}={wrong or notice}", status_code=303)


HANDLERS: Final[list[Any]] = [
    saved_page,
    save_view,
    remove_view,
    schedule_view,
    unschedule,
    send_now,
]
