"""The steps of a purchase abroad on the page of a case, and the page that takes them by file."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State, UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor
from hub.desk.cases.case import read_case
from hub.desk.decisions.fact_sheet import HEADINGS, MOST_BYTES, FactSheet, read_fact_sheet
from hub.desk.decisions.facts_told import (
    FactGiven,
    FactProblem,
    FactSource,
    FactState,
    Moment,
    fact_problem,
    read_moment,
)
from hub.desk.decisions.line_facts import FactsResult, FactView, LineFactsView, read_line_facts, set_facts
from hub.desk.services import Services
from hub.desk.shops.freshness import read_shops
from hub.desk.views import CaseView
from hub.policy.stage import StageFact
from hub.store.box import Box
from hub.web.cases.acting import Notice
from hub.web.render import Given, Pages, is_swap

PageRequest = Request[Actor, str, State]
_LONGEST: Final = 200
# In the page the file is half as long again.
_FORM_BYTES: Final = MOST_BYTES * 2
_SHOWN_PROBLEMS: Final = 200


class FactField(Struct, frozen=True, kw_only=True):
    """One fact in the form, as text. ``was`` is what the page showed: only what differs from it is told."""

    fact: StageFact
    state: str = ""
    day: str = ""
    time: str = ""
    number: str = ""
    was: str = ""
    view: FactView | None = None

    @property
    def stamp(self) -> str:
        return f"{self.state}|{self.day}|{self.time}|{self.number}"


class LineForm(Struct, frozen=True, kw_only=True):
    """The facts of one line, and what is wrong with those just typed."""

    view: LineFactsView
    fields: tuple[FactField, ...]
    problems: tuple[FactProblem, ...] = ()


def facts_values(services: Services, views: Sequence[LineFactsView]) -> dict[str, Any]:
    """What the part of the case page needs."""
    return {"line_facts": tuple(_form(view, services) for view in views), "facts_notice": None, "facts_open": False}


async def _read(services: Services, *, actor: Actor, case: CaseView) -> tuple[LineFactsView, ...]:
    """No line where the case has no order."""
    order_no = case.row.order_no
    if order_no is None or case.dossier.order is None:
        return ()
    return await read_line_facts(services, actor=actor, shop=case.row.shop, order_no=order_no)


def _form(view: LineFactsView, services: Services) -> LineForm:
    return LineForm(view=view, fields=tuple(_field(fact, view.facts.get(fact), services) for fact in StageFact))


def _field(fact: StageFact, told: FactView | None, services: Services) -> FactField:
    field = FactField(fact=fact, view=told)
    if told is not None and told.moment.state is not FactState.UNKNOWN:
        at = told.moment.at and told.moment.at.astimezone(services.settings.zone)
        field = replace(
            field,
            state=told.moment.state.value,
            day=f"{at:%Y-%m-%d}" if at else "",
            time=f"{at:%H:%M}" if at and not told.moment.is_day else "",
            number=told.reference or "",
        )
    return replace(field, was=field.stamp)


def _typed(form: Mapping[str, str], shown: FactField) -> FactField:
    """What was typed. A day alone means that it happened; one left standing beside another state means nothing."""
    state, day, time, number, was = (
        form.get(f"{shown.fact.value}.{part}", "").strip()[:_LONGEST]
        for part in ("state", "day", "time", "number", "was")
    )
    if day and state != FactState.HAPPENED:
        if f"|{day}|" in was:
            day = time = ""
        elif not state:
            state = FactState.HAPPENED.value
    return replace(shown, state=state, day=day, time=time, number=number, was=was)


def _given(
    field: FactField, view: LineFactsView, services: Services, place: int, problems: list[FactProblem]
) -> FactGiven | None:
    """``None`` for what is as it was, and for what cannot be read."""
    if field.stamp == field.was or field.state not in {"", *FactState}:
        return None
    moment = Moment(state=FactState(field.state or FactState.UNKNOWN))
    if field.day or field.time:
        found = read_moment(f"{field.day} {field.time}".strip(), zone=services.settings.zone)
        if found is None or found.at is None:
            problems.append(fact_problem("not_a_time", row=place, column=field.fact.value, value=field.day))
            return None
        moment = replace(found, state=moment.state)
    return FactGiven(
        place=place,
        shop=view.shop,
        order_no=view.order_no,
        line_no=view.line_no,
        fact=field.fact,
        moment=moment,
        reference=field.number or None,
    )


class FactsController(Controller):
    path = "/cases/{case_id:int}/facts"

    @get("/")
    async def page(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[str]:
        case = await read_case(services, actor=request.user, case_id=case_id)
        return _answer(
            request, pages, case, facts_values(services, await _read(services, actor=request.user, case=case))
        )

    @post("/")
    async def tell(self, request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> Response[Any]:
        """Store what one line's form changes; the rest of the form is as it was."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        case = await read_case(services, actor=request.user, case_id=case_id)
        values = facts_values(services, await _read(services, actor=request.user, case=case))
        shown = next((each for each in values["line_facts"] if each.view.line_no == form.get("line_no")), None)
        if shown is None:
            values["facts_notice"] = Notice(key="facts.no_line", tone="wrong")
            return _answer(request, pages, case, values, status=422)
        fields = tuple(_typed(form, field) for field in shown.fields)
        problems: list[FactProblem] = []
        told = [_given(field, shown.view, services, place, problems) for place, field in enumerate(fields, 1)]
        given = [each for each in told if each is not None]
        if not problems:
            result = await set_facts(services, actor=request.user, given=given, source=FactSource.AGENT)
            problems += result.problems
        if problems:
            wrong = replace(shown, fields=fields, problems=tuple(problems))
            lines = tuple(wrong if each is shown else each for each in values["line_facts"])
            return _answer(request, pages, case, values | {"line_facts": lines}, status=422)
        if not is_swap(request):
            return Redirect(f"/cases/{case_id}#line-facts", status_code=303)
        values = facts_values(services, await _read(services, actor=request.user, case=case))
        key = "facts.saved" if given else "facts.nothing_changed"
        answer = _answer(
            request, pages, case, values | {"facts_notice": Notice(key=key, tone="done"), "facts_open": True}
        )
        # The decision card beside it rests on these facts.
        answer.set_header("hx-trigger", "line-facts")
        return answer


def _answer(
    request: PageRequest, pages: Pages, case: CaseView, values: dict[str, Any], *, status: int = 200
) -> Response[str]:
    if is_swap(request):
        return pages.page(request, "partials/line_facts.html", status=status, case=case, **values)
    return pages.page(request, "pages/line_facts.html", status=status, case=case, **values | {"facts_open": True})


# Many lines by a file. Between the preview and the import the file travels in the page, sealed for its owner.


@get("/facts")
async def sheet_page(request: PageRequest, services: Given, pages: Pages, shop: FromQuery[str] = "") -> Response[str]:
    return await _sheet_page(request, services, pages, shop=shop)


@post("/facts", request_max_body_size=_FORM_BYTES)
async def sheet_form(request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
    """With a file: what would become of it. With the sealed file of a preview: the import."""
    form = await request.form()
    shop, file, sealed = str(form.get("shop", "")), form.get("file"), str(form.get("sealed", ""))
    place = _place(request.user, shop)
    if sealed:
        data = _unsealed(services.database.box, sealed, place)
        if data is None:
            return await _sheet_page(request, services, pages, shop=shop, code="expired", status=422)
        return await _shown(request, services, pages, shop=shop, data=data, sealed=None)
    if not isinstance(file, UploadFile) or not file.filename:
        return await _sheet_page(request, services, pages, shop=shop, code="no_file", status=422)
    data = await file.read(MOST_BYTES + 1)
    await file.close()
    if len(data) > MOST_BYTES:
        return await _sheet_page(request, services, pages, shop=shop, code="too_big", status=422)
    sealed = base64.b64encode(services.database.box.seal(data, place)).decode()
    return await _shown(request, services, pages, shop=shop, data=data, sealed=sealed)


def _place(actor: Actor, shop: str) -> bytes:
    """What a sealed file is bound to: nobody imports another's preview, or for another shop."""
    return f"facts.sheet:{actor.user_id}:{shop}".encode()


def _unsealed(box: Box, text: str, place: bytes) -> bytes | None:
    try:
        return box.open(base64.b64decode(text, validate=True), place)
    except (binascii.Error, ValueError, ConfigurationError):
        return None


async def _shown(
    request: PageRequest, services: Services, pages: Pages, *, shop: str, data: bytes, sealed: str | None
) -> Response[str]:
    """``sealed``: the file of a preview; ``None``: it is imported now."""
    sheet = read_fact_sheet(data, shop=shop or None, zone=services.settings.zone)
    result = await set_facts(
        services, actor=request.user, given=sheet.given, source=FactSource.FILE, is_trial=sealed is not None
    )
    return await _sheet_page(
        request,
        services,
        pages,
        shop=shop,
        sheet=sheet,
        result=result,
        sealed=sealed if result.written else None,
        is_trial=sealed is not None,
        status=200 if result.written or result.unchanged else 422,
    )


async def _sheet_page(
    request: PageRequest,
    services: Services,
    pages: Pages,
    *,
    shop: str,
    code: str = "",
    sheet: FactSheet | None = None,
    result: FactsResult | None = None,
    sealed: str | None = None,
    is_trial: bool = False,
    status: int = 200,
) -> Response[str]:
    problems = sorted(
        (*(sheet.problems if sheet else ()), *(result.problems if result else ())), key=lambda each: each.row
    )
    return pages.page(
        request,
        "pages/facts_import.html",
        status=status,
        shops=[each.shop for each in await read_shops(services, actor=request.user)],
        shop=shop,
        code=code,
        sheet=sheet,
        result=result,
        sealed=sealed,
        is_trial=is_trial,
        problem_count=(len(sheet.problems) if sheet else 0) + (result.problem_count if result else 0),
        problems=problems[:_SHOWN_PROBLEMS],
        headings=HEADINGS,
    )


FACT_PAGES: Final[list[ControllerRouterHandler]] = [FactsController, sheet_page, sheet_form]
