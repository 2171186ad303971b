"""The page of a customer, the list of marks, and what an agent says of a customer on either page or on a case."""

from typing import Annotated, Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Actor
from hub.desk.cases.case import NotFoundError
from hub.desk.customers.history import read_place
from hub.desk.customers.identity import RecordRef, read_ref
from hub.desk.customers.links import LinkError, Verdict, decide, undo
from hub.desk.customers.marks import MarkError, clear, list_marks, mark
from hub.desk.customers.page import CustomerPage, read_customer_page, unmask_customer
from hub.desk.customers.views import HistoryKind, MarkKind
from hub.desk.services import Services
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.page import show_again, show_changed
from hub.web.cases.work_list import PageRequest
from hub.web.customers_values import mark_values
from hub.web.forms import row_id
from hub.web.render import Given, Pages, query_string

_LONGEST: Final = 1_000
#: what the page says after a form of its own; anything else in the address is ignored
_NOTICES: Final = frozenset({"customer_same", "customer_different", "customer_undone", "mark_set", "mark_cleared"})


class DecideForm(Struct, kw_only=True):
    """``one`` and ``other`` name records; on the customer's own page ``one`` is the page's."""

    one: str = ""
    other: str = ""
    verdict: str = ""


class UndoForm(Struct, kw_only=True):
    link_id: str = ""


class MarkForm(Struct, kw_only=True):
    """``days`` empty: until it is cleared."""

    ref: str = ""
    kind: str = ""
    reason: str = ""
    days: str = ""


class ClearForm(Struct, kw_only=True):
    mark_id: str = ""
    reason: str = ""


class ReasonForm(Struct, kw_only=True):
    reason: str = ""


def _ref(text: str) -> RecordRef:
    found = read_ref(text)
    if found is None:
        raise NotFoundError
    return found


async def _decide(services: Services, actor: Actor, form: DecideForm) -> str:
    """The notice that tells what was done. Raises: LinkError."""
    if form.verdict not in set(Verdict):
        raise LinkError("wrong")
    verdict = Verdict(form.verdict)
    await decide(services, actor=actor, one=_ref(form.one), other=_ref(form.other), verdict=verdict)
    return f"customer_{verdict.value}"


async def _mark(services: Services, actor: Actor, form: MarkForm) -> str:
    """Raises: MarkError."""
    if form.kind not in set(MarkKind):
        raise MarkError("wrong")
    typed = form.days.strip()
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) < 5):
        raise MarkError("days")
    await mark(
        services,
        actor=actor,
        ref=_ref(form.ref),
        kind=MarkKind(form.kind),
        reason=form.reason[:_LONGEST],
        days=int(typed) if typed else None,
    )
    return "mark_set"


async def _clear(services: Services, actor: Actor, form: ClearForm) -> str:
    """Raises: MarkError."""
    await clear(services, actor=actor, mark_id=row_id(form.mark_id), reason=form.reason[:_LONGEST])
    return "mark_cleared"


class CaseCustomerController(Controller):
    """The same forms beside a case: the answer is the case."""

    path = "/cases/{case_id:int}/customer"

    @post("/decide")
    async def decide(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[DecideForm, Form],
    ) -> Response[Any]:
        try:
            told = await _decide(services, request.user, data)
        except LinkError as error:
            return await show_again(request, services, pages, case_id, Notice(key=error.key, tone="wrong"))
        return await show_changed(request, services, pages, case_id, told)

    @post("/mark")
    async def mark(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[MarkForm, Form],
    ) -> Response[Any]:
        try:
            told = await _mark(services, request.user, data)
        except MarkError as error:
            return await show_again(request, services, pages, case_id, Notice(key=error.key, tone="wrong"))
        return await show_changed(request, services, pages, case_id, told)


class CustomerController(Controller):
    path = "/customers/{ref:str}"

    @get("/")
    async def page(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        ref: FromPath[str],
        after: FromQuery[str] = "",
        kind: FromQuery[str] = "",
    ) -> Response[str]:
        chosen = HistoryKind(kind) if kind in set(HistoryKind) else None
        try:
            place = read_place(after) if after else None
        except ValueError as error:
            raise ClientException(detail="not a page of this list", status_code=400) from error
        found = await read_customer_page(services, actor=request.user, ref=_ref(ref), after=place, kind=chosen)
        notice = str(request.query_params.get("notice", ""))
        told = Notice(key=f"notice.{notice}", tone="done") if notice in _NOTICES else None
        return _shown(request, pages, found, notice=told, kind=chosen, is_first=place is None)

    @post("/decide")
    async def decide(
        self, request: PageRequest, services: Given, pages: Pages, ref: FromPath[str], data: Annotated[DecideForm, Form]
    ) -> Response[Any]:
        data.one = ref
        try:
            return _back(ref, await _decide(services, request.user, data))
        except LinkError as error:
            return await _again(request, services, pages, ref, error.key)

    @post("/undo")
    async def undo(
        self, request: PageRequest, services: Given, ref: FromPath[str], data: Annotated[UndoForm, Form]
    ) -> Response[Any]:
        await undo(services, actor=request.user, link_id=row_id(data.link_id))
        return _back(ref, "customer_undone")

    @post("/mark")
    async def mark(
        self, request: PageRequest, services: Given, pages: Pages, ref: FromPath[str], data: Annotated[MarkForm, Form]
    ) -> Response[Any]:
        data.ref = ref
        try:
            return _back(ref, await _mark(services, request.user, data))
        except MarkError as error:
            return await _again(request, services, pages, ref, error.key)

    @post("/clear")
    async def clear(
        self, request: PageRequest, services: Given, pages: Pages, ref: FromPath[str], data: Annotated[ClearForm, Form]
    ) -> Response[Any]:
        try:
            return _back(ref, await _clear(services, request.user, data))
        except MarkError as error:
            return await _again(request, services, pages, ref, error.key)

    @post("/unmask")
    async def unmask(
        self, request: PageRequest, services: Given, pages: Pages, ref: FromPath[str], data: Annotated[ReasonForm, Form]
    ) -> Response[str]:
        """Answers with the page itself, so that its address never shows anything unmasked."""
        if not data.reason.strip():
            return await _again(request, services, pages, ref, "notice.reason_missing")
        found = await unmask_customer(services, actor=request.user, ref=_ref(ref), reason=data.reason[:_LONGEST])
        return _shown(request, pages, found)


def _back(ref: str, notice: str) -> Response[Any]:
    return Redirect(f"/customers/{_ref(ref)}{query_string({}, notice=notice)}", status_code=303)


async def _again(request: PageRequest, services: Services, pages: Pages, ref: str, key: str) -> Response[str]:
    found = await read_customer_page(services, actor=request.user, ref=_ref(ref))
    return _shown(request, pages, found, notice=Notice(key=key, tone="wrong"), status=422)


def _shown(
    request: PageRequest,
    pages: Pages,
    found: CustomerPage,
    *,
    notice: Notice | None = None,
    kind: HistoryKind | None = None,
    is_first: bool = True,
    status: int = 200,
) -> Response[str]:
    asked = {"kind": kind.value if kind else None}
    return pages.page(
        request,
        "pages/customer.html",
        status=status,
        found=found,
        notice=notice,
        kind=kind,
        kinds=tuple(HistoryKind),
        is_first=is_first,
        next=f"/customers/{found.ref}{query_string(asked, after=found.next_place)}" if found.next_place else None,
        **mark_values(),
    )


@get("/customers")
async def marks_page(
    request: Request[Actor, str, State], services: Given, pages: Pages, before: FromQuery[int | None] = None
) -> Response[str]:
    found = await list_marks(services, actor=request.user, before=before)
    return pages.page(request, "pages/customer_marks.html", found=found)


CUSTOMER_PAGES: Final[list[ControllerRouterHandler]] = [marks_page, CaseCustomerController, CustomerController]
