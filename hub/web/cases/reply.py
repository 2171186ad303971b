"""The reply box: templates to begin with, and what the answer guard finds while somebody types."""

from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from hub.core.errors import ConfigurationError
from hub.desk.acting.answer_guard import check_case_answer
from hub.desk.acting.templates import TemplateChoice, template_choices
from hub.desk.cases.case import read_case
from hub.policy.book_rows import Language
from hub.web.auth import Form
from hub.web.cases.acting import ActForm
from hub.web.cases.findings import findings_view
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages, is_swap

#: more than any mall takes; what is longer is not worth the reading
_LONGEST_TEXT: Final = 100_000


class ReplyController(Controller):
    path = "/cases"

    @get("/{case_id:int}/templates")
    async def templates(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        """Every template for this case, the likeliest first: a part of the page, or a page of its own."""
        case = await read_case(services, actor=request.user, case_id=case_id)
        choices: tuple[TemplateChoice, ...] = ()
        problem = None
        try:
            choices = await template_choices(services, actor=request.user, case=case)
        except ConfigurationError as error:
            # A broken book must not hide the case.
            problem = str(error)
        name = "partials/template_list.html" if is_swap(request) else "pages/templates.html"
        return pages.page(
            request, name, choices=choices, problem=problem, case_id=case_id, languages=tuple(Language), case=case
        )

    @post("/{case_id:int}/check-answer", status_code=200)
    async def check(
        self,
        request: PageRequest,
        services: Given,
        pages: Pages,
        case_id: FromPath[int],
        data: Annotated[ActForm, Form],
    ) -> Response[Any]:
        """What the guard says of the text as it stands. Nothing is stored or sent."""
        case = await read_case(services, actor=request.user, case_id=case_id)
        text = data.text.replace("\r\n", "\n")[:_LONGEST_TEXT]
        guard = None
        if text.strip():
            guarded = await check_case_answer(
                services, actor=request.user, case=case, inquiry_no=data.inquiry_no, text=text
            )
            if guarded is not None:
                locale = request.user.locale
                guard = findings_view(text, guarded.findings, locale=locale, read=data.warnings_read)
        return pages.page(request, "partials/findings.html", guard=guard, form_id="reply-form", typed=data)
