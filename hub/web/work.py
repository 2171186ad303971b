"""The agent's workspace: views, worklist and one open case, as a page and as its parts."""

import secrets
from typing import Annotated, Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct
from msgspec.structs import asdict

from hub.core.errors import ConfigurationError, NotFoundAtMallError, UnsupportedByMallError
from hub.desk.access import Actor, Permission
from hub.desk.act import Action, ActionRequest, WrongRequestError, act
from hub.desk.assign import TakenError, assign, release, take
from hub.desk.case import read_case, unmask_case
from hub.desk.contact import contact_card, likely_matter
from hub.desk.freshness import read_shops
from hub.desk.offers import answer_limit, offers_of, waiting_inquiry
from hub.desk.services import Services
from hub.desk.users import list_users
from hub.desk.views import CaseView
from hub.desk.worklist import (
    Filters,
    KindGroup,
    View,
    count_cases,
    count_new,
    read_worklist,
)
from hub.web.auth import Form
from hub.web.render import Given, Pages, is_swap, query_string
from routing.chain import Matter

_STATES: Final = (
    "requested",
    "hold",
    "collecting",
    "collected",
    "unanswered",
    "in_progress",
    "unknown",
)
#: what a redirect after a POST may say; anything else in the address is ignored
_NOTICES: Final = frozenset({"done", "refused", "unknown", "pending", "taken", "released", "assigned"})

PageRequest = Request[Actor, str, State]


class ActForm(Struct, kw_only=True):
    action: str = ""
    order_no: str = ""
    line_no: str = ""
    inquiry_no: str = ""
    text: str = ""
    token: str = ""
    is_sure: str = ""


class ReasonForm(Struct, kw_only=True):
    reason: str = ""


class AssignForm(Struct, kw_only=True):
    user_id: str = ""


class Notice(Struct, frozen=True, kw_only=True):
    """What became of the last step: a message key and, in the mall's own words, why."""

    key: str
    tone: str
    detail: str = ""


def filters_of(values: dict[str, str]) -> Filters:
    """The filters of an address; what is not understood is no filter."""
    view, kind, assignee = values.get("view"), values.get("kind"), values.get("assignee", "")
    return Filters(
        view=View(view) if view in set(View) else View.OPEN,
        mall=values.get("mall") or None,
        shop=values.get("shop") or None,
        kind=KindGroup(kind) if kind in set(KindGroup) else None,
        state=values.get("state") or None,
        assignee=int(assignee) if assignee.isascii() and assignee.isdigit() and len(assignee) < 19 else None,
    )


def _address(filters: Filters) -> dict[str, object]:
    """The filters as address parameters; the default view is left out."""
    values = {name: value for name, value in asdict(filters).items() if value is not None}
    if filters.view is View.OPEN:
        values.pop("view")
    return {name: str(value) for name, value in values.items()}


def _filters(request: PageRequest) -> Filters:
    return filters_of({name: str(value) for name, value in request.query_params.items()})


class WorkController(Controller):
    path = "/cases"

    @get("/")
    async def worklist(
        self, request: PageRequest, services: Given, pages: Pages, after: FromQuery[str | None] = None
    ) -> Response[str]:
        return pages.page(
            request, "pages/work.html", **await _list_values(services, request, after=after), **_no_case()
        )

    @get("/rows")
    async def rows(
        self, request: PageRequest, services: Given, pages: Pages, after: FromQuery[str | None] = None
    ) -> Response[str]:
        """The next page of rows, to stand below those that are there."""
        filters = _filters(request)
        worklist = await _page_of(services, request, filters, after)
        return pages.page(
            request,
            "partials/rows.html",
            worklist=worklist,
            address=_address(filters),
            filters=filters,
            open_id=None,
            is_first=False,
        )

    @get("/news")
    async def news(
        self, request: PageRequest, services: Given, pages: Pages, since: FromQuery[int] = 0
    ) -> Response[str]:
        """How many cases came after the list was made: it waits behind a bar, the list does not jump."""
        filters = _filters(request)
        fresh = await count_new(services, actor=request.user, filters=filters, since=max(0, min(since, 2**63 - 1)))
        return pages.page(request, "partials/news.html", fresh=fresh, address=_address(filters), since=since)

    @get("/{case_id:int}")
    async def case(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[str]:
        notice = request.query_params.get("notice")
        shown = Notice(key=f"notice.{notice}", tone=_tone(notice)) if notice in _NOTICES else None
        view = await read_case(services, actor=request.user, case_id=case_id)
        return await _case_response(request, services, pages, view, notice=shown)

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
            return Redirect(f"/cases/{case_id}{query_string(_address(_filters(request)), matter=matter)}")
        return pages.page(
            request,
            "partials/contact.html",
            **await _contact_values(services, request, case_id, _matter(matter) or Matter.OTHER),
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
        notice, is_sent = await _do(services, request.user, view, data)
        if is_sent and not is_swap(request):
            return _back(request, case_id, notice.key.rpartition(".")[2])
        if is_sent:
            view = await read_case(services, actor=request.user, case_id=case_id)
        typed = None if is_sent else data
        return await _case_response(request, services, pages, view, notice=notice, typed=typed)

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
            return await _case_response(request, services, pages, view, notice=missing)
        view = await unmask_case(services, actor=request.user, case_id=case_id, reason=data.reason)
        return await _case_response(request, services, pages, view)

    @post("/{case_id:int}/take")
    async def take(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        try:
            await take(services, actor=request.user, case_id=case_id)
        except TakenError as error:
            return await _again(request, services, pages, case_id, _taken_by(error))
        return await _changed(request, services, pages, case_id, "taken")

    @post("/{case_id:int}/release")
    async def release(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        try:
            await release(services, actor=request.user, case_id=case_id)
        except TakenError as error:
            return await _again(request, services, pages, case_id, _taken_by(error))
        return await _changed(request, services, pages, case_id, "released")

    @post("/{case_id:int}/assign")
    async def assign(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[AssignForm, Form],
    ) -> Response[Any]:
        user_id = data.user_id
        is_number = user_id.isascii() and user_id.isdigit() and len(user_id) < 19
        await assign(services, actor=request.user, case_id=case_id, user_id=int(user_id) if is_number else 0)
        return await _changed(request, services, pages, case_id, "assigned")


async def _do(services: Services, actor: Actor, view: CaseView, data: ActForm) -> tuple[Notice, bool]:
    """Carry out one form. The second value tells whether anything was sent (or had been, by the same form)."""
    if data.action not in set(Action):
        return Notice(key="notice.wrong_request", tone="wrong"), False
    request = ActionRequest(
        action=Action(data.action),
        shop=view.row.shop,
        order_no=view.row.order_no if data.line_no else None,
        line_no=data.line_no or None,
        inquiry_no=data.inquiry_no or None,
        text=data.text.replace("\r\n", "\n"),
        token=data.token[:64] or None,
    )
    try:
        result = await act(services, actor, request)
    except WrongRequestError:
        return Notice(key=_what_is_wrong(services, view, data), tone="wrong"), False
    except UnsupportedByMallError as error:
        return Notice(key="notice.unsupported", tone="wrong", detail=error.instead or ""), False
    except NotFoundAtMallError:
        return Notice(key="notice.not_known", tone="wrong"), False
    outcome = result.outcome.value
    return Notice(key=f"notice.{outcome}", tone=_tone(outcome), detail=result.message or ""), True


def _what_is_wrong(services: Services, view: CaseView, data: ActForm) -> str:
    if not data.text.strip():
        return "notice.text_missing"
    return "notice.text_long" if len(data.text) > answer_limit(services, view) else "notice.wrong_request"


def _tone(outcome: str | None) -> str:
    return {"refused": "wrong", "unknown": "due", "pending": "due"}.get(outcome or "", "done")


def _taken_by(error: TakenError) -> Notice:
    return Notice(key="notice.taken_by", tone="due", detail=error.name)


def _back(request: PageRequest, case_id: int, notice: str) -> Response[Any]:
    return Redirect(f"/cases/{case_id}{query_string(_address(_filters(request)), notice=notice)}", status_code=303)


async def _changed(request: PageRequest, services: Given, pages: Pages, case_id: int, notice: str) -> Response[Any]:
    if not is_swap(request):
        return _back(request, case_id, notice)
    return await _again(request, services, pages, case_id, Notice(key=f"notice.{notice}", tone="done"))


async def _again(request: PageRequest, services: Given, pages: Pages, case_id: int, notice: Notice) -> Response[str]:
    view = await read_case(services, actor=request.user, case_id=case_id)
    return await _case_response(request, services, pages, view, notice=notice)


def _matter(text: str) -> Matter | None:
    return Matter(text) if text in set(Matter) else None


async def _contact_values(services: Services, request: PageRequest, case_id: int, matter: Matter) -> dict[str, Any]:
    problem = None
    card = None
    try:
        card = await contact_card(services, actor=request.user, case_id=case_id, matter=matter)
    except ConfigurationError as error:
        # A broken contact table must not hide the case.
        problem = str(error)
    return {"card": card, "contact_problem": problem, "matter": matter, "matters": tuple(Matter), "case_id": case_id}


async def _page_of(services: Services, request: PageRequest, filters: Filters, after: str | None) -> Any:
    try:
        return await read_worklist(services, actor=request.user, filters=filters, cursor=after)
    except ValueError as error:
        raise ClientException(detail="not a page of this list", status_code=400) from error


async def _list_values(services: Services, request: PageRequest, *, after: str | None) -> dict[str, Any]:
    filters = _filters(request)
    return {
        "worklist": await _page_of(services, request, filters, after),
        "counts": await count_cases(services, actor=request.user),
        "filters": filters,
        "address": _address(filters),
        "shops": await read_shops(services, actor=request.user),
        "people": [user for user in await list_users(services.database) if user.is_active],
        "views": tuple(View),
        "kinds": tuple(KindGroup),
        "states": _STATES,
        "is_first": after is None,
    }


def _no_case() -> dict[str, Any]:
    return {"case": None, "open_id": None, "notice": None}


async def _case_response(
    request: PageRequest,
    services: Given,
    pages: Pages,
    view: CaseView,
    *,
    notice: Notice | None = None,
    typed: ActForm | None = None,
) -> Response[str]:
    filters = _filters(request)
    offers = offers_of(services, actor=request.user, case=view)
    matter = _matter(str(request.query_params.get("matter", ""))) or likely_matter(view)
    values = {
        "case": view,
        "open_id": view.row.case_id,
        "offers": [offer for offer in offers if offer.action != Action.ANSWER_INQUIRY],
        "reply": next((offer for offer in offers if offer.action == Action.ANSWER_INQUIRY), None),
        "waiting": waiting_inquiry(view),
        "limit": answer_limit(services, view),
        # One form, one effect: the same token twice is the same action.
        "token": secrets.token_urlsafe(18),
        "typed": typed,
        "notice": notice,
        "colleagues": await list_users(services.database) if request.user.may(Permission.ASSIGN_OTHERS) else (),
        **await _contact_values(services, request, view.row.case_id, matter),
    }
    status = 422 if notice is not None and notice.tone == "wrong" and typed is not None else 200
    if is_swap(request):
        return pages.page(
            request, "partials/case_swap.html", status=status, address=_address(filters), filters=filters, **values
        )
    return pages.page(
        request, "pages/work.html", status=status, **await _list_values(services, request, after=None), **values
    )
