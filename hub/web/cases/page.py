"""The case's part of a page: everything of one case, or what of it moves while it is open."""

from datetime import datetime
from typing import Any, Final

from litestar import Response
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from hub.desk.access import Actor, Permission
from hub.desk.acting.action import Action
from hub.desk.acting.offers import answer_limit, offers_of, waiting_inquiry, why_not_attached
from hub.desk.acting.ready_reasons import ready_reasons
from hub.desk.acting.reread import can_read_again
from hub.desk.asks.contact import contact_card, likely_matter
from hub.desk.cases.beside import Beside, read_beside
from hub.desk.cases.case import read_case
from hub.desk.services import Services
from hub.desk.views import CaseView, EntryKind
from hub.desk.worklist.locks import LockState
from hub.policy.finding import Finding
from hub.web.care.care import care_values
from hub.web.cases.acting import HOLD_REASONS, REASONS, ActForm, Notice, Review
from hub.web.cases.ask_panel import ask_values
from hub.web.cases.decision_panel import panel_of, panel_values
from hub.web.cases.findings import findings_view
from hub.web.cases.line_facts import facts_values
from hub.web.cases.rebill_values import rebill_values
from hub.web.cases.work_list import PageRequest, filter_values, filters_in, list_values
from hub.web.cases.work_values import case_work_values
from hub.web.customers_values import mark_values
from hub.web.render import Given, Pages, Renderer, is_swap, query_string
from routing.chain import Matter


async def show_case(
    request: PageRequest,
    services: Given,
    pages: Pages,
    view: CaseView,
    *,
    notice: Notice | None = None,
    typed: ActForm | None = None,
    review: Review | None = None,
    findings: tuple[Finding, ...] = (),
    checked_at: datetime | None = None,
) -> Response[str]:
    filters = filters_in(request)
    matter = matter_of(str(request.query_params.get("matter", ""))) or likely_matter(view)
    beside = await read_beside(services, actor=request.user, case=view)
    panel = await panel_of(services, actor=request.user, case=view, beside=beside)
    values = {
        "open_id": view.row.case_id,
        "review": review,
        "waiting": waiting_inquiry(view),
        "limit": answer_limit(services, view),
        "typed": typed,
        "guard": findings_view(typed.text, findings, locale=request.user.locale) if typed and findings else None,
        "checked_at": checked_at,
        "can_reread": can_read_again(services, view),
        "notice": notice,
        **case_work_values(users=beside.users, teams=beside.teams),
        "drafts": beside.drafts,
        **await moving_values(services, request, view, beside=beside),
        **mark_values(),
        **facts_values(services, beside.facts),
        **rebill_values(beside.rebills, case=view),
        **panel_values(panel, request.user),
        **await contact_values(services, request, view, matter),
    }
    status = 422 if notice is not None and notice.tone == "wrong" and typed is not None else 200
    if is_swap(request):
        return pages.page(
            request,
            "partials/case_swap.html",
            status=status,
            of_mall=view.row.mark.mall,
            address=filter_values(filters),
            filters=filters,
            **values,
        )
    return pages.page(
        request,
        "pages/work.html",
        status=status,
        of_mall=view.row.mark.mall,
        **await list_values(services, request, after=None),
        **values,
    )


class AtCase:
    """Who does something about which case, and how it is shown after that."""

    def __init__(self, request: PageRequest, services: Services, pages: Renderer, case_id: int) -> None:
        self.request = request
        self.services = services
        self.pages = pages
        self.case_id = case_id

    @property
    def actor(self) -> Actor:
        return self.request.user

    async def again(self, notice: Notice) -> Response[Any]:
        """As it is, with what stands in the way."""
        return await show_again(self.request, self.services, self.pages, self.case_id, notice)

    async def changed(self, told: str) -> Response[Any]:
        """As it is now; ``told`` says what was done."""
        return await show_changed(self.request, self.services, self.pages, self.case_id, told)


def at_case(request: PageRequest, services: Given, pages: Pages, case_id: FromPath[int]) -> AtCase:
    return AtCase(request, services, pages, case_id)


#: what handlers of a case's forms ask for, and who provides it
Case = NamedDependency[SkipValidation[AtCase]]
AT_CASE: Final = {"at": Provide(at_case, sync_to_thread=False)}


async def show_again(
    request: PageRequest, services: Given, pages: Pages, case_id: int, notice: Notice
) -> Response[str]:
    view = await read_case(services, actor=request.user, case_id=case_id)
    return await show_case(request, services, pages, view, notice=notice)


async def show_changed(request: PageRequest, services: Given, pages: Pages, case_id: int, notice: str) -> Response[Any]:
    if not is_swap(request):
        return back_to(request, case_id, notice)
    return await show_again(request, services, pages, case_id, Notice(key=f"notice.{notice}", tone="done"))


def back_to(request: PageRequest, case_id: int, notice: str) -> Response[Any]:
    return Redirect(
        f"/cases/{case_id}{query_string(filter_values(filters_in(request)), notice=notice)}", status_code=303
    )


async def moving_values(
    services: Services, request: PageRequest, view: CaseView, *, beside: Beside | None = None
) -> dict[str, Any]:
    """What the parts need that move while the case is open: state, owner, lock, promises, offers, timeline."""
    beside = beside or await read_beside(services, actor=request.user, case=view)
    lock = beside.lock
    # Read only for everybody but its holder.
    offers = offers_of(services, actor=request.user, case=view) if lock.state is not LockState.OTHERS else ()
    carriers = await services.carriers.of(services, view.row.shop)
    return {
        "case": view,
        "lock": lock,
        "ready": await ready_reasons(services, actor=request.user, case=view, offers=offers),
        "offers": [offer for offer in offers if offer.group != "inquiry"],
        "reply": next((offer for offer in offers if offer.action == Action.ANSWER_INQUIRY), None),
        "change": next((offer for offer in offers if offer.action == Action.CHANGE_ANSWER), None),
        "attaching": why_not_attached(services, view),
        "carriers": carriers,
        "carrier_names": {carrier.code: carrier.name for carrier in carriers},
        "reasons": REASONS,
        "hold_reasons": HOLD_REASONS,
        "token": _token(services, request, view),
        "colleagues": beside.users if request.user.may(Permission.ASSIGN_OTHERS) else (),
        **care_values(services, actor=request.user, case=view, users=beside.users),
    }


def _token(services: Services, request: PageRequest, view: CaseView) -> str:
    """One form, one effect: the same token twice is the same action. All pages of one person have the same until
    something is done about the case, so that two of them do nothing twice.
    """
    done = [entry for entry in view.dossier.timeline if entry.kind is EntryKind.ACTION]
    newest = max((str(entry.at) for entry in done), default="")
    of = f"{request.user.user_id} {view.row.case_id} {len(done)} {newest}"
    return services.database.box.blind("form", of).hex()[:32]


async def contact_values(services: Services, request: PageRequest, case: CaseView, matter: Matter) -> dict[str, Any]:
    card = await contact_card(services, actor=request.user, case_id=case.row.case_id, matter=matter)
    return {
        "card": card,
        "matter": matter,
        "matters": tuple(Matter),
        "case_id": case.row.case_id,
        **await ask_values(services, request.user, case=case, card=card, matter=matter),
    }


def matter_of(text: str) -> Matter | None:
    return Matter(text) if text in set(Matter) else None
