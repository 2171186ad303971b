"""The agent's workspace: views, worklist and one open case, as a page and as its parts."""

from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.core.contract import Outcome
from hub.core.errors import MallError
from hub.desk.acting.action import Action
from hub.desk.acting.admin_steps import tick, untick
from hub.desk.acting.outbox import cancel
from hub.desk.acting.reread import read_case_again
from hub.desk.care.promise_keeping import settle
from hub.desk.cases.case import read_case, unmask_case
from hub.desk.cases.link import NoSuchOrderError, link_order, unlink_order
from hub.desk.decisions.steps import StepsOpenError
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.desk.worklist.assign import TakenError, assign, release, take
from hub.desk.worklist.locks import open_to_work
from hub.desk.worklist.rows import (
    PAGE,
    count_new,
    read_case_rows,
)
from hub.desk.worklist.seen import look_at
from hub.web.auth import Form
from hub.web.cases.acting import ActForm, Notice, carry_out, tone_of
from hub.web.cases.ask_panel import look_after
from hub.web.cases.findings import chosen_template
from hub.web.cases.locks import held_notice, keep_answer
from hub.web.cases.page import AT_CASE, Case, back_to, contact_values, matter_of, moving_values, show_case
from hub.web.cases.work_list import PageRequest, filter_values, filters_in, list_values, page_of
from hub.web.formats import absolute
from hub.web.forms import row_id
from hub.web.render import Given, Pages, is_swap, query_string
from routing.chain import Matter

#: what a redirect after a POST may say; anything else in the address is ignored
_NOTICES: Final = frozenset(
    {
        "done",
        "part",
        "refused",
        "unknown",
        "pending",
        "taken_back",
        "taken",
        "released",
        "assigned",
        "queued",
        "snoozed",
        "woken",
        "noted",
        "ticked",
        "unticked",
    }
    | {"promised", "promise_changed", "promise_kept", "promise_kept_late", "promise_explained", "complaint_kept"}
    | {"gift_given", "gift_asked", "gift_sending", "gift_not_given", "gift_reversed"}
    | {"asked", "ask_answered", "ask_withdrawn", "ask_again"}
    | {"customer_same", "customer_different", "mark_set"}
    | {"linked", "unlinked", "reread", "dialled", "reached", "not_reached"}
    | {"rebill_asked", "rebill_approved", "rebill_undone"}
    | {"lock_taken", "lock_given", "lock_handed", "lock_kept", "lock_asked"}
)
_NOT_UNDERSTOOD: Final = Notice(key="notice.wrong_request", tone="wrong")
_LONGEST: Final = 200


class ReasonForm(Struct, kw_only=True):
    reason: str = ""


class LinkForm(Struct, kw_only=True):
    """``number`` links an order, ``order_id`` takes a link back."""

    number: str = ""
    order_id: str = ""


class AssignForm(Struct, kw_only=True):
    user_id: str = ""


class TickForm(Struct, kw_only=True):
    action: str = ""
    line_no: str | list[str] = ""


class CancelForm(Struct, kw_only=True):
    action_id: str = ""


class UntickForm(Struct, kw_only=True):
    step_id: str = ""


class WorkController(Controller):
    path = "/cases"
    dependencies = AT_CASE

    @get("/")
    async def worklist(
        self, request: PageRequest, services: Given, pages: Pages, after: FromQuery[str | None] = None
    ) -> Response[str]:
        return pages.page(request, "pages/work.html", **await list_values(services, request, after=after), **_no_case())

    @get("/rows")
    async def rows(
        self, request: PageRequest, services: Given, pages: Pages, after: FromQuery[str | None] = None
    ) -> Response[str]:
        """The next page of rows, to stand below those that are there."""
        filters = filters_in(request)
        worklist = await page_of(services, request, filters, after)
        return pages.page(
            request,
            "partials/rows.html",
            worklist=worklist,
            address=filter_values(filters),
            filters=filters,
            open_id=None,
            is_first=False,
        )

    @get("/news")
    async def news(
        self, request: PageRequest, services: Given, pages: Pages, since: FromQuery[int] = 0
    ) -> Response[str]:
        """How many cases came after the list was made: it waits behind a bar, the list does not jump."""
        filters = filters_in(request)
        fresh = await count_new(services, actor=request.user, filters=filters, since=max(0, min(since, 2**63 - 1)))
        return pages.page(request, "partials/news.html", fresh=fresh, address=filter_values(filters), since=since)

    @get("/changed")
    async def changed(
        self, request: PageRequest, services: Given, pages: Pages, ids: FromQuery[str] = ""
    ) -> Response[str]:
        """Rows to be put where they stand in the list, which does not move."""
        numbers = [int(each) for each in ids.split(",")[:PAGE] if each.isascii() and each.isdigit() and len(each) < 19]
        rows = await read_case_rows(services, actor=request.user, case_ids=numbers)
        address = filter_values(filters_in(request))
        open_id = request.headers.get("hx-current-url", "").partition("?")[0].rpartition("/cases/")[2]
        return pages.page(
            request,
            "partials/changed.html",
            rows=rows,
            address=address,
            open_id=int(open_id) if open_id.isascii() and open_id.isdigit() else None,
        )

    @get("/{case_id:int}")
    async def case(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[str]:
        notice = request.query_params.get("notice")
        shown = Notice(key=f"notice.{notice}", tone=tone_of(notice)) if notice in _NOTICES else None
        async with services.database.one_look():
            await look_after(services, case_id)
            await settle(services, case_id=case_id)
            await open_to_work(services, actor=request.user, case_id=case_id)
            view = await look_at(services, actor=request.user, case_id=case_id)
            wanted = str(request.query_params.get("template", ""))
            typed = await chosen_template(services, actor=request.user, case=view, template_id=wanted)
            return await show_case(request, services, pages, view, notice=shown, typed=typed)

    @get("/{case_id:int}/news")
    async def case_news(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        outcome: FromQuery[str] = "",
    ) -> Response[Any]:
        """What has happened since, to be put in its place: nothing that is being typed is touched."""
        async with services.database.one_look():
            view = await read_case(services, actor=request.user, case_id=case_id)
            moving = await moving_values(services, request, view)
        told = Notice(key=f"notice.{outcome}", tone=tone_of(outcome)) if outcome in set(Outcome) else None
        return pages.page(
            request,
            "partials/case_news.html",
            of_mall=view.row.mark.mall,
            base=f"/cases/{case_id}",
            address=filter_values(filters_in(request)),
            timeline=view.dossier.timeline,
            notice=told,
            typed=None,
            review=None,
            **moving,
        )

    @get("/{case_id:int}/contact")
    async def contact(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        matter: FromQuery[str] = "",
    ) -> Response[Any]:
        if not is_swap(request):
            return Redirect(f"/cases/{case_id}{query_string(filter_values(filters_in(request)), matter=matter)}")
        view = await read_case(services, actor=request.user, case_id=case_id)
        return pages.page(
            request,
            "partials/contact.html",
            of_mall=view.row.mark.mall,
            **await contact_values(services, request, view, matter_of(matter) or Matter.OTHER),
            address=filter_values(filters_in(request)),
        )

    @post("/{case_id:int}/act")
    async def act(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[ActForm, Form],
    ) -> Response[Any]:
        view = await read_case(services, actor=request.user, case_id=case_id)
        acted = await carry_out(services, request.user, view, data)
        if acted.is_kept:
            await keep_answer(services, request.user, case_id, data)
        if acted.notice and acted.is_sent and not is_swap(request):
            return back_to(request, case_id, acted.notice.key.rpartition(".")[2])
        if acted.is_sent:
            view = await read_case(services, actor=request.user, case_id=case_id)
        typed = None if acted.is_sent else data
        return await show_case(
            request,
            services,
            pages,
            view,
            notice=acted.notice,
            typed=typed,
            review=acted.review,
            findings=acted.findings,
        )

    @post("/{case_id:int}/cancel-action")
    async def cancel_action(
        self,
        at: Case,
        data: Annotated[CancelForm, Form],
    ) -> Response[Any]:
        """Take back what has not been sent yet."""
        if held := await held_notice(at):
            return await at.again(held)
        view = await read_case(at.services, actor=at.actor, case_id=at.case_id)
        waiting = {entry.waiting_id for entry in view.dossier.timeline}
        action_id = row_id(data.action_id)
        if action_id not in waiting or not await cancel(at.services, at.actor, action_id):
            return await at.again(Notice(key="notice.too_late", tone="due"))
        return await at.changed("taken_back")

    @post("/{case_id:int}/admin-steps")
    async def tick(
        self,
        at: Case,
        data: Annotated[TickForm, Form],
    ) -> Response[Any]:
        """Note that a colleague did it in the mall's own admin."""
        if data.action not in set(Action):
            return await at.again(_NOT_UNDERSTOOD)
        if held := await held_notice(at):
            return await at.again(held)
        lines = [data.line_no] if isinstance(data.line_no, str) else data.line_no
        try:
            await tick(
                at.services,
                actor=at.actor,
                case_id=at.case_id,
                action=Action(data.action),
                line_nos=[line_no[:_LONGEST] for line_no in lines if line_no],
            )
        except StepsOpenError as error:
            held = Notice(key="notice.steps_open", tone="wrong", detail=" · ".join(error.steps))
            return await at.again(held)
        return await at.changed("ticked")

    @post("/{case_id:int}/admin-steps/undo")
    async def untick(
        self,
        at: Case,
        data: Annotated[UntickForm, Form],
    ) -> Response[Any]:
        if held := await held_notice(at):
            return await at.again(held)
        await untick(at.services, actor=at.actor, case_id=at.case_id, step_id=row_id(data.step_id))
        return await at.changed("unticked")

    @post("/{case_id:int}/link")
    async def link(
        self,
        at: Case,
        data: Annotated[LinkForm, Form],
    ) -> Response[Any]:
        """An agent says which order a conversation is about."""
        try:
            await link_order(at.services, actor=at.actor, case_id=at.case_id, number=data.number)
        except NoSuchOrderError:
            wrong = Notice(key="notice.no_such_order", tone="wrong")
            return await at.again(wrong)
        return await at.changed("linked")

    @post("/{case_id:int}/unlink")
    async def unlink(
        self,
        at: Case,
        data: Annotated[LinkForm, Form],
    ) -> Response[Any]:
        await unlink_order(at.services, actor=at.actor, case_id=at.case_id, order_id=row_id(data.order_id))
        return await at.changed("unlinked")

    @post("/{case_id:int}/unmask")
    async def unmask(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[ReasonForm, Form],
    ) -> Response[str]:
        """Answers with the page itself, so that its address never shows anything unmasked."""
        if not data.reason.strip():
            view = await read_case(services, actor=request.user, case_id=case_id)
            missing = Notice(key="notice.reason_missing", tone="wrong")
            return await show_case(request, services, pages, view, notice=missing)
        view = await unmask_case(services, actor=request.user, case_id=case_id, reason=data.reason)
        return await show_case(request, services, pages, view)

    @post("/{case_id:int}/reread")
    async def reread(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        """Ask the mall now; when it does not answer, what is stored is shown with its age."""
        try:
            checked_at = await read_case_again(services, actor=request.user, case_id=case_id)
        except MallError as error:
            view = await read_case(services, actor=request.user, case_id=case_id)
            return await show_case(request, services, pages, view, notice=_not_reread(services, view, error))
        if not is_swap(request):
            return back_to(request, case_id, "reread")
        view = await read_case(services, actor=request.user, case_id=case_id)
        notice = Notice(key="notice.reread", tone="done")
        return await show_case(request, services, pages, view, notice=notice, checked_at=checked_at)

    @post("/{case_id:int}/take")
    async def take(self, at: Case) -> Response[Any]:
        try:
            await take(at.services, actor=at.actor, case_id=at.case_id)
        except TakenError as error:
            return await at.again(_taken_by(error))
        return await at.changed("taken")

    @post("/{case_id:int}/release")
    async def release(self, at: Case) -> Response[Any]:
        try:
            await release(at.services, actor=at.actor, case_id=at.case_id)
        except TakenError as error:
            return await at.again(_taken_by(error))
        return await at.changed("released")

    @post("/{case_id:int}/assign")
    async def assign(
        self,
        at: Case,
        data: Annotated[AssignForm, Form],
    ) -> Response[Any]:
        await assign(at.services, actor=at.actor, case_id=at.case_id, user_id=row_id(data.user_id))
        return await at.changed("assigned")


def _taken_by(error: TakenError) -> Notice:
    return Notice(key="notice.taken_by", tone="due", detail=error.name)


def _not_reread(services: Services, view: CaseView, error: MallError) -> Notice:
    as_of = view.dossier.shop.data_as_of
    at = absolute(as_of, services.settings.zone) if as_of else "@time.never"
    words = (("why", f"@{error.agent_message}"), ("at", at))
    return Notice(key="notice.not_reread", tone="wrong", detail=error.mall_message or "", words=words)


def _no_case() -> dict[str, Any]:
    return {"case": None, "open_id": None, "notice": None}
