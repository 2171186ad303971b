"""Whose work is what: many cases at once, a case laid aside or given to a team, notes, hand-over, who is there."""

from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Permission
from hub.desk.care.promise_times import PromiseTimeError, read_due
from hub.desk.care.promises import PromiseError, hand_over
from hub.desk.cases.case import NotFoundError
from hub.desk.cases.notes import NoteError, add_note
from hub.desk.presence import set_away
from hub.desk.services import Services
from hub.desk.users import list_users
from hub.desk.worklist.assign import Given, assign_many, hand_over_cases, queue_many
from hub.desk.worklist.beside_list import read_beside_list
from hub.desk.worklist.case_counts import count_cases
from hub.desk.worklist.filters import Filters, View, filter_values
from hub.desk.worklist.seen import mark_seen
from hub.desk.worklist.snooze import Snoozed, snooze, wake
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.page import show_again, show_changed
from hub.web.cases.work_list import PageRequest, filters_in, list_values
from hub.web.cases.work_values import Told, read_told, view_values
from hub.web.forms import row_id
from hub.web.render import Given as ServicesGiven
from hub.web.render import Pages, is_swap, query_string

_LONGEST: Final = 60
_LONGEST_NOTE: Final = 4_000


class BulkForm(Struct, kw_only=True):
    """``to``: "user:7" or "team:8"; ``do``: take, give, snooze, seen."""

    case_id: str | list[str] = ""
    do: str = ""
    to: str = ""
    until: str = ""


class SnoozeForm(Struct, kw_only=True):
    until: str = ""


class TeamForm(Struct, kw_only=True):
    team_id: str = ""


class NoteForm(Struct, kw_only=True):
    text: str = ""
    token: str = ""


class HandOverForm(Struct, kw_only=True):
    """``from_id`` absent: one's own. ``promises`` set: with the open promises."""

    to_id: str = ""
    from_id: str = ""
    note: str = ""
    promises: str = ""


class AwayForm(Struct, kw_only=True):
    is_away: str = ""


class AssigningController(Controller):
    path = "/cases"

    @get("/views")
    async def views(self, request: PageRequest, services: ServicesGiven, pages: Pages) -> Response[str]:
        """The links of the left pane with their counts as they are now."""
        filters = filters_in(request)
        async with services.database.one_look():
            beside = await read_beside_list(services, actor=request.user)
        values = view_values(beside, filters)
        return pages.page(request, "partials/view_links.html", address=filter_values(filters), **values)

    @post("/bulk")
    async def bulk(
        self, request: PageRequest, services: ServicesGiven, pages: Pages, data: Annotated[BulkForm, Form]
    ) -> Response[Any]:
        """What is safe for many at once: nothing here answers a customer or decides a claim."""
        told = await _carry_out(services, request, data)
        if not is_swap(request):
            address = filter_values(filters_in(request))
            return Redirect(f"/cases{query_string(address, told=told.address)}", status_code=303)
        values = await list_values(services, request, after=None)
        return pages.page(request, "partials/list.html", **{**values, "told": told}, open_id=_open_id(request))

    @post("/{case_id:int}/snooze")
    async def snooze(
        self,
        request: PageRequest,
        services: ServicesGiven,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[SnoozeForm, Form],
    ) -> Response[Any]:
        try:
            until = _read_until(services, data.until)
        except PromiseTimeError as error:
            wrong = Notice(key=_snooze_key(error), tone="wrong")
            return await show_again(request, services, pages, case_id, wrong)
        done = await snooze(services, actor=request.user, case_ids=[case_id], until=until)
        if not done.changed:
            key = "notice.snooze_overdue" if done.overdue else "notice.snooze_left"
            return await show_again(request, services, pages, case_id, Notice(key=key, tone="wrong"))
        if done.shortened:
            warning = Notice(key="notice.snooze_shortened", tone="due")
            return await show_again(request, services, pages, case_id, warning)
        return await show_changed(request, services, pages, case_id, "snoozed")

    @post("/{case_id:int}/wake")
    async def wake(
        self, request: PageRequest, services: ServicesGiven, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        await wake(services, actor=request.user, case_ids=[case_id])
        return await show_changed(request, services, pages, case_id, "woken")

    @post("/{case_id:int}/team")
    async def team(
        self,
        request: PageRequest,
        services: ServicesGiven,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[TeamForm, Form],
    ) -> Response[Any]:
        given = await queue_many(services, actor=request.user, case_ids=[case_id], team_id=row_id(data.team_id))
        if given.left:
            refused = Notice(key="notice.not_yours", tone="due")
            return await show_again(request, services, pages, case_id, refused)
        return await show_changed(request, services, pages, case_id, "queued")

    @post("/{case_id:int}/notes")
    async def note(
        self,
        request: PageRequest,
        services: ServicesGiven,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[NoteForm, Form],
    ) -> Response[Any]:
        try:
            noted = await add_note(
                services,
                actor=request.user,
                case_id=case_id,
                text=data.text[:_LONGEST_NOTE],
                token=data.token[:_LONGEST] or None,
            )
        except NoteError as error:
            return await show_again(request, services, pages, case_id, Notice(key=error.key, tone="wrong"))
        if noted.unknown:
            words = (("words", ", ".join(noted.unknown)),)
            return await show_again(
                request, services, pages, case_id, Notice(key="notice.note_unknown", tone="due", words=words)
            )
        return await show_changed(request, services, pages, case_id, "noted")


async def _carry_out(services: Services, request: PageRequest, data: BulkForm) -> Told:
    actor = request.user
    case_ids = [row_id(each) for each in ([data.case_id] if isinstance(data.case_id, str) else data.case_id) if each]
    if not case_ids:
        return Told(key="bulk_none", is_wrong=True)
    try:
        if data.do == "take" and actor.user_id is not None:
            given = await assign_many(services, actor=actor, case_ids=case_ids, user_id=actor.user_id)
            return _given("taken", given)
        if data.do == "give":
            kind, _, chosen = data.to.partition(":")
            if kind == "team":
                return _given(
                    "queued", await queue_many(services, actor=actor, case_ids=case_ids, team_id=row_id(chosen))
                )
            return _given("given", await assign_many(services, actor=actor, case_ids=case_ids, user_id=row_id(chosen)))
        if data.do == "seen":
            return Told(key="seen", count=await mark_seen(services, actor=actor, case_ids=case_ids))
        if data.do == "snooze":
            until = _read_until(services, data.until)
            return _snoozed(await snooze(services, actor=actor, case_ids=case_ids, until=until))
    except NotFoundError:
        return Told(key="bulk_nobody", is_wrong=True)
    except PromiseTimeError as error:
        return Told(key=_snooze_key(error).removeprefix("notice."), is_wrong=True)
    return Told(key="bulk_none", is_wrong=True)


def _given(key: str, given: Given) -> Told:
    return Told(key=key, count=len(given.changed), left=given.left)


def _snoozed(done: Snoozed) -> Told:
    return Told(
        key="snoozed",
        count=len(done.changed),
        left=done.left,
        shortened=len(done.shortened),
        overdue=len(done.overdue),
    )


def _read_until(services: Services, text: str) -> datetime:
    """Raises: PromiseTimeError."""
    return read_due(text[:_LONGEST], now=services.now(), zone=services.settings.zone)


def _snooze_key(error: PromiseTimeError) -> str:
    return error.key.replace("notice.promise_", "notice.snooze_")


def _open_id(request: PageRequest) -> int | None:
    shown = request.headers.get("hx-current-url", "").partition("?")[0].rpartition("/cases/")[2]
    return row_id(shown) or None


@get("/hand-over")
async def hand_over_page(
    request: PageRequest, services: ServicesGiven, pages: Pages, told: FromQuery[str] = ""
) -> Response[str]:
    """Give all one's open cases, and if wanted the promises, to who comes next."""
    return await _hand_over_page(request, services, pages, told=read_told(told), wrong=None)


async def _hand_over_page(
    request: PageRequest, services: Services, pages: Pages, *, told: Told | None, wrong: str | None
) -> Response[str]:
    counts = await count_cases(services, actor=request.user, saved=[Filters(view=View.MINE)])
    return pages.page(
        request,
        "pages/hand_over.html",
        status=422 if wrong else 200,
        people=[user for user in await list_users(services.database) if user.is_active],
        may_all=request.user.may(Permission.ASSIGN_OTHERS),
        own=counts.views[View.MINE],
        told=told,
        wrong=wrong,
    )


@post("/hand-over")
async def hand_over_form(
    request: PageRequest, services: ServicesGiven, pages: Pages, data: Annotated[HandOverForm, Form]
) -> Response[Any]:
    to_id, from_id = row_id(data.to_id), row_id(data.from_id) or None
    try:
        count = await hand_over_cases(
            services, actor=request.user, to_id=to_id, from_id=from_id, note=data.note[:_LONGEST_NOTE]
        )
        if data.promises:
            await hand_over(services, actor=request.user, to_id=to_id, from_id=from_id)
    except (NotFoundError, PromiseError):
        return await _hand_over_page(request, services, pages, told=None, wrong="notice.bulk_nobody")
    return Redirect(f"/hand-over{query_string({'told': Told(key='handed', count=count).address})}", status_code=303)


@post("/presence")
async def presence_form(
    request: PageRequest, services: ServicesGiven, data: Annotated[AwayForm, Form]
) -> Response[Any]:
    await set_away(services, actor=request.user, is_away=bool(data.is_away))
    return Redirect("/cases", status_code=303)


ASSIGNING_PAGES: Final[list[ControllerRouterHandler]] = [
    AssigningController,
    hand_over_page,
    hand_over_form,
    presence_form,
]
