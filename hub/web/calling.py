"""Calling the customer of a case from its page, and saying whether a callback reached him."""

from typing import Annotated, Any

from litestar import Controller, Response, post
from litestar.params import FromPath
from msgspec import Struct

from hub.desk.phone.callbacks import tell_reached
from hub.desk.phone.dialling import dial_case
from hub.desk.phone.notes import NoteError
from hub.web.auth import Form
from hub.web.cases.acting import Notice
from hub.web.cases.page import show_again, show_changed
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages


class OutcomeForm(Struct, kw_only=True):
    reached: str = ""


class CallingController(Controller):
    path = "/cases/{case_id:int}/call"

    @post("/")
    async def call(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        try:
            await dial_case(services, actor=request.user, case_id=case_id)
        except NoteError as error:
            return await show_again(request, services, pages, case_id, Notice(key=error.key, tone="wrong"))
        return await show_changed(request, services, pages, case_id, "dialled")

    @post("/outcome")
    async def outcome(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[OutcomeForm, Form],
    ) -> Response[Any]:
        is_reached = bool(data.reached)
        await tell_reached(services, actor=request.user, case_id=case_id, is_reached=is_reached)
        return await show_changed(request, services, pages, case_id, "reached" if is_reached else "not_reached")
