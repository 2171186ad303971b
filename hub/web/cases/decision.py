"""The decision card on the page of a case: other facts, ticked steps, and decisions that are kept."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from hub.desk.cases.case import read_case
from hub.desk.decisions.decision import (
    IncompleteError,
    RefusalRecord,
    record_decision,
    tick_step,
    untick_step,
)
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.web.care.again import again_with_typed
from hub.web.care.compensation import GiftForm
from hub.web.cases.acting import ActForm, Notice
from hub.web.cases.decision_form import CardForm, read_form
from hub.web.cases.decision_panel import Panel, panel_of, panel_values, points_of
from hub.web.cases.page import AtCase, show_case
from hub.web.cases.work_list import PageRequest
from hub.web.render import Given, Pages, is_swap

_NO_POINTS: Final = Notice(key="notice.gift_not_on_card", tone="wrong")
_NO_LINE: Final = Notice(key="decision.no_line", tone="wrong")
_UNREADABLE: Final = Notice(key="decision.unreadable", tone="wrong")
_LONGEST_ID: Final = 19


class DecisionController(Controller):
    """Nothing that is typed here stands in an address: every form is posted."""

    path = "/cases/{case_id:int}/decision"

    @get("/")
    async def page(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[str]:
        return await _shown(request, services, pages, case_id, CardForm())

    @post("/", status_code=200)
    async def look(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[str]:
        """The card for the facts as they are typed. Nothing is stored."""
        return await _shown(request, services, pages, case_id, await _form(request))

    @post("/tick")
    async def tick(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        form = await _form(request)

        async def do(panel: Panel) -> None:
            if panel.decided is not None:
                await tick_step(
                    services,
                    actor=request.user,
                    case_id=case_id,
                    line_no=panel.line.line_no,
                    step=form.step,
                    card=panel.decided.card,
                )

        return await _done(request, services, pages, case_id, form, do)

    @post("/untick")
    async def untick(
        self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]
    ) -> Response[Any]:
        form = await _form(request)
        is_number = form.tick_id.isascii() and form.tick_id.isdigit() and len(form.tick_id) < _LONGEST_ID

        async def do(_: Panel) -> None:
            tick_id = int(form.tick_id) if is_number else 0
            await untick_step(services, actor=request.user, case_id=case_id, tick_id=tick_id)

        return await _done(request, services, pages, case_id, form, do)

    @post("/save")
    async def save(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        """Keep the decision with its whole card. A refusal needs its proof, message and alternative."""
        form = await _form(request)
        case = await read_case(services, actor=request.user, case_id=case_id)
        panel = await panel_of(services, actor=request.user, case=case, form=form)
        if panel is None or panel.decided is None:
            return await _answer(request, services, pages, case, form, notice=_NO_LINE)
        if panel.wrong:
            return await _answer(request, services, pages, case, form, notice=_UNREADABLE)
        refusal = RefusalRecord(
            evidence=form.evidence, message_sent=form.message_sent, alternative_offered=form.alternative_offered
        )
        try:
            await record_decision(services, actor=request.user, decided=panel.decided, case_id=case_id, refusal=refusal)
        except IncompleteError as error:
            is_record = error.field in RefusalRecord.__struct_fields__
            notice = Notice(
                key="decision.incomplete" if is_record else "decision.not_yet",
                tone="wrong",
                field=error.field,
                words=(("field", f"@decision.{error.field}"),),
            )
            return await _answer(request, services, pages, case, form, notice=notice)
        if not is_swap(request):
            return Redirect(f"/cases/{case_id}#decision", status_code=303)
        kept = CardForm(line_no=form.line_no, request=form.request, reason=form.reason)
        return await _answer(request, services, pages, case, kept, notice=Notice(key="decision.saved", tone="done"))

    @post("/gift", status_code=200)
    async def gift(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        """The points of the card in the form of compensations; nothing is given before an agent sends that."""
        form = await _form(request)
        case = await read_case(services, actor=request.user, case_id=case_id)
        panel = await panel_of(services, actor=request.user, case=case, form=form)
        points = points_of(panel, locale=request.user.locale) if panel is not None else None
        if panel is None or points is None:
            return await _answer(request, services, pages, case, form, notice=_NO_POINTS)
        data = GiftForm(kind="points", amount=points.amount, reason=points.reason, line_no=panel.line.line_no)
        words = (("partner", points.partners_share), ("ours", points.our_share))
        told = Notice(key="notice.gift_from_card", tone="done", words=words)
        at = AtCase(request, services, pages, case_id)
        return await again_with_typed(at, "compensation", "gift", data, told)

    @post("/reply", status_code=200)
    async def reply(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        """The draft in the reply box, as if it had been typed."""
        form = await _form(request)
        case = await read_case(services, actor=request.user, case_id=case_id)
        panel = await panel_of(services, actor=request.user, case=case, form=form)
        draft = panel.view.draft if panel is not None and panel.view is not None else ""
        return await show_case(request, services, pages, case, typed=ActForm(action="answer-inquiry", text=draft))


async def _form(request: PageRequest) -> CardForm:
    return read_form((await request.form()).multi_items())


async def _shown(request: PageRequest, services: Services, pages: Pages, case_id: int, form: CardForm) -> Response[str]:
    case = await read_case(services, actor=request.user, case_id=case_id)
    return await _answer(request, services, pages, case, form)


async def _done(
    request: PageRequest,
    services: Services,
    pages: Pages,
    case_id: int,
    form: CardForm,
    do: Callable[[Panel], Awaitable[None]],
) -> Response[Any]:
    case = await read_case(services, actor=request.user, case_id=case_id)
    panel = await panel_of(services, actor=request.user, case=case, form=form)
    if panel is None:
        return await _answer(request, services, pages, case, form, notice=_NO_LINE)
    await do(panel)
    return await _answer(request, services, pages, case, form)


async def _answer(
    request: PageRequest,
    services: Services,
    pages: Pages,
    case: CaseView,
    form: CardForm,
    *,
    notice: Notice | None = None,
) -> Response[str]:
    panel = await panel_of(services, actor=request.user, case=case, form=form, is_open=True)
    name = "partials/decision.html" if is_swap(request) else "pages/decision.html"
    status = 422 if notice is not None and notice.tone == "wrong" else 200
    values = panel_values(panel, request.user, notice=notice)
    return pages.page(request, name, status=status, case=case, base=f"/cases/{case.row.case_id}", **values)
