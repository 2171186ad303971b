"""Re-billing without shipment on the page of a case: asked for by an agent, approved and undone by a supervisor."""

from typing import Annotated, Any

from litestar import Controller, Response, post
from litestar.params import FromPath
from msgspec import Struct

from hub.desk.acting.rebill import (
    LineName,
    RebillError,
    RebillReason,
    RebillView,
    approve_rebill,
    ask_rebill,
    read_rebills,
    undo_rebill,
)
from hub.desk.cases.case import NotFoundError, read_case
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.page import show_again, show_changed
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages


class RebillForm(Struct, kw_only=True):
    """``line_no`` is of the case's order, the goods that are there; the others name the new line."""

    line_no: str = ""
    new_shop: str = ""
    new_order_no: str = ""
    new_line_no: str = ""
    reason: str = ""


class RebillController(Controller):
    path = "/cases/{case_id:int}/rebills"

    @post("/")
    async def ask(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[RebillForm, Form],
    ) -> Response[Any]:
        case = await read_case(services, actor=request.user, case_id=case_id)
        if case.row.order_no is None or data.reason not in set(RebillReason):
            wrong = Notice(key="notice.rebill_no_line", tone="wrong")
            return await show_again(request, services, pages, case_id, wrong)
        new = LineName(
            shop=data.new_shop.strip() or case.row.shop,
            order_no=data.new_order_no.strip(),
            line_no=data.new_line_no.strip(),
        )
        old = LineName(shop=case.row.shop, order_no=case.row.order_no, line_no=data.line_no)
        try:
            await ask_rebill(services, actor=request.user, old=old, new=new, reason=RebillReason(data.reason))
        except RebillError as error:
            wrong = Notice(key=f"notice.rebill_{error.key}", tone="wrong")
            return await show_again(request, services, pages, case_id, wrong)
        return await show_changed(request, services, pages, case_id, "rebill_asked")

    @post("/{rebill_id:int}/approve")
    async def approve(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int], rebill_id: FromPath[int]
    ) -> Response[Any]:
        await _of_case(services, request, case_id, rebill_id)
        await approve_rebill(services, actor=request.user, rebill_id=rebill_id)
        return await show_changed(request, services, pages, case_id, "rebill_approved")

    @post("/{rebill_id:int}/undo")
    async def undo(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int], rebill_id: FromPath[int]
    ) -> Response[Any]:
        await _of_case(services, request, case_id, rebill_id)
        await undo_rebill(services, actor=request.user, rebill_id=rebill_id)
        return await show_changed(request, services, pages, case_id, "rebill_undone")


async def _of_case(services: Services, request: PageRequest, case_id: int, rebill_id: int) -> RebillView:
    """Raises: NotFoundError for one of another case."""
    case: CaseView = await read_case(services, actor=request.user, case_id=case_id)
    found = await read_rebills(services, actor=request.user, shop=case.row.shop, order_no=case.row.order_no or "")
    for each in found:
        if each.id == rebill_id:
            return each
    raise NotFoundError
