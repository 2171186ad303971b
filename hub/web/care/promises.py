"""Promises: their forms on a case, the page of all of them, and the strip of what comes due now."""

from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Permission
from hub.desk.care.promise_list import PromiseFilter, list_promises, read_due_now
from hub.desk.care.promise_times import PromiseTimeError, read_due, read_said
from hub.desk.care.promises import (
    NewPromise,
    PromiseError,
    change_promise,
    explain_broken,
    hand_over,
    make_promise,
    tell_kept,
)
from hub.desk.care.views import BrokenReason, Channel, ToWhom
from hub.desk.services import Services
from hub.desk.users import list_users
from hub.web.auth import Form
from hub.web.care.again import again_with_typed
from hub.web.care.care import due_tags
from hub.web.cases.acting import Notice
from hub.web.cases.page import AT_CASE, Case
from hub.web.cases.work_list import PageRequest
from hub.web.forms import row_id
from hub.web.render import Given, Pages, query_string
from hub.web.words import Words

_LONGEST: Final = 1_000


class PromiseForm(Struct, kw_only=True):
    due: str = ""
    what: str = ""
    to_whom: str = ToWhom.CUSTOMER.value
    channel: str = Channel.CALL.value
    owner_id: str = ""
    ask_id: str = ""
    token: str = ""


class ChangeForm(Struct, kw_only=True):
    due: str = ""
    agreed: str = ""
    token: str = ""


class KeptForm(Struct, kw_only=True):
    """``at`` empty: now. ``who``: whom the agent spoke to."""

    at: str = ""
    who: str = ""


class BrokenForm(Struct, kw_only=True):
    reason: str = ""
    text: str = ""


class HandForm(Struct, kw_only=True):
    """``promise_id`` absent in one's own list: all of them."""

    to_id: str = ""
    promise_id: str | list[str] = ""
    view: str = ""


def _new_promise(services: Services, form: PromiseForm) -> NewPromise:
    """Raises: PromiseTimeError, PromiseError."""
    if form.to_whom not in set(ToWhom) or form.channel not in set(Channel):
        raise PromiseError("wrong")
    return NewPromise(
        due_at=read_due(form.due, now=services.now(), zone=services.settings.zone),
        what=form.what[:_LONGEST],
        to_whom=ToWhom(form.to_whom),
        channel=Channel(form.channel),
        owner_id=row_id(form.owner_id) if form.owner_id else None,
        ask_id=row_id(form.ask_id) if form.ask_id else None,
        token=form.token or None,
    )


def _reason(text: str) -> BrokenReason:
    """Raises: PromiseError."""
    if text not in set(BrokenReason):
        raise PromiseError("reason")
    return BrokenReason(text)


class PromiseController(Controller):
    path = "/cases/{case_id:int}/promises"
    dependencies = AT_CASE

    @post("/")
    async def make(
        self,
        at: Case,
        data: Annotated[PromiseForm, Form],
    ) -> Response[Any]:
        try:
            await make_promise(at.services, actor=at.actor, case_id=at.case_id, given=_new_promise(at.services, data))
        except (PromiseError, PromiseTimeError) as error:
            return await again_with_typed(at, "promises", "make", data, error.key)
        return await at.changed("promised")

    @post("/{promise_id:int}/change")
    async def change(
        self,
        at: Case,
        promise_id: FromPath[int],
        data: Annotated[ChangeForm, Form],
    ) -> Response[Any]:
        try:
            await change_promise(
                at.services,
                actor=at.actor,
                case_id=at.case_id,
                promise_id=promise_id,
                due_at=read_due(data.due, now=at.services.now(), zone=at.services.settings.zone),
                is_agreed=bool(data.agreed),
                token=data.token or None,
            )
        except (PromiseError, PromiseTimeError) as error:
            return await again_with_typed(at, "promises", f"change-{promise_id}", data, error.key)
        return await at.changed("promise_changed")

    @post("/{promise_id:int}/kept")
    async def kept(
        self,
        at: Case,
        promise_id: FromPath[int],
        data: Annotated[KeptForm, Form],
    ) -> Response[Any]:
        try:
            is_in_time = await tell_kept(
                at.services,
                actor=at.actor,
                case_id=at.case_id,
                promise_id=promise_id,
                at=read_said(data.at, now=at.services.now(), zone=at.services.settings.zone),
                with_whom=data.who,
            )
        except (PromiseError, PromiseTimeError) as error:
            return await again_with_typed(at, "promises", f"kept-{promise_id}", data, error.key)
        told = "promise_kept" if is_in_time else "promise_kept_late"
        return await at.changed(told)

    @post("/{promise_id:int}/broken")
    async def broken(
        self,
        at: Case,
        promise_id: FromPath[int],
        data: Annotated[BrokenForm, Form],
    ) -> Response[Any]:
        try:
            await explain_broken(
                at.services,
                actor=at.actor,
                case_id=at.case_id,
                promise_id=promise_id,
                reason=_reason(data.reason),
                text=data.text,
            )
        except PromiseError as error:
            return await again_with_typed(at, "promises", f"broken-{promise_id}", data, error.key)
        return await at.changed("promise_explained")


@get("/promises")
async def promises_page(
    request: PageRequest, services: Given, pages: Pages, view: FromQuery[str] = "", notice: FromQuery[str] = ""
) -> Response[str]:
    chosen = PromiseFilter(view) if view in set(PromiseFilter) else PromiseFilter.MINE
    shown = Notice(key="notice.promises_handed", tone="done") if notice == "handed" else None
    return await _promises(request, services, pages, chosen, shown)


async def _promises(
    request: PageRequest, services: Services, pages: Pages, view: PromiseFilter, notice: Notice | None
) -> Response[str]:
    people = [user for user in await list_users(services.database) if user.is_active]
    return pages.page(
        request,
        "pages/promises.html",
        status=422 if notice and notice.tone == "wrong" else 200,
        found=await list_promises(services, actor=request.user, view=view),
        view=view,
        filters=tuple(PromiseFilter),
        people=people,
        due_tag=due_tags(services, Words(request.user.locale)),
        may_hand_all=request.user.may(Permission.ASSIGN_OTHERS),
        notice=notice,
    )


@post("/promises/hand-over")
async def hand_over_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[HandForm, Form]
) -> Response[Any]:
    """One person's open promises, or those ticked, to a colleague."""
    view = PromiseFilter(data.view) if data.view in set(PromiseFilter) else PromiseFilter.MINE
    named = [data.promise_id] if isinstance(data.promise_id, str) else data.promise_id
    ids = [row_id(each) for each in named if each]
    if not ids and view is not PromiseFilter.MINE:
        # Only the list of one's own promises gives all of them.
        return await _promises(request, services, pages, view, Notice(key="notice.promise_none_ticked", tone="wrong"))
    try:
        count = await hand_over(
            services,
            actor=request.user,
            to_id=row_id(data.to_id),
            promise_ids=ids or None,
        )
    except PromiseError as error:
        return await _promises(request, services, pages, view, Notice(key=error.key, tone="wrong"))
    told = "handed" if count else ""
    return Redirect(f"/promises{query_string({'view': view.value, 'notice': told})}", status_code=303)


@get("/promises/strip")
async def promises_strip(request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
    """Asked for by each page when it stands and every half minute after."""
    due = await read_due_now(services, actor=request.user)
    return pages.page(
        request, "partials/promise_strip.html", due_now=due, due_tag=due_tags(services, Words(request.user.locale))
    )


PROMISE_PAGES: Final[list[ControllerRouterHandler]] = [PromiseController, promises_page, hand_over_form, promises_strip]
