"""What a case's page shows of the decision on its line: the card as it is now, and the decisions as they were made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import ConfigurationError
from hub.core.model import ClaimReason, FaultParty, Money
from hub.desk.access import Actor, Permission
from hub.desk.acting.offers import waiting_inquiry
from hub.desk.books.policy import policy_of
from hub.desk.care.views import GiftReason
from hub.desk.cases.beside import Beside
from hub.desk.decisions.decision import DecidedLine, DecisionView, TickView, decide_line, read_decisions, read_ticks
from hub.desk.decisions.facts import LineKey
from hub.desk.decisions.steps import open_before
from hub.desk.services import Services
from hub.desk.views import CaseView, DueView, EntryKind, LineView
from hub.policy.card import Card, Request
from hub.policy.card_words import card_words
from hub.policy.decide import sums
from hub.policy.due import DueCause
from hub.policy.grounds import Ground, Proof
from hub.web.cases.acting import REASONS, Notice
from hub.web.cases.decision_form import CHOICES, FIELDS, YES_NO, CardForm, told_of
from hub.web.formats import money

_REQUEST_OF: Final = {
    "cancel": Request.CANCEL,
    "admin_cancel": Request.CANCEL,
    "return": Request.RETURN,
    "exchange": Request.EXCHANGE,
    "non_receipt": Request.DELIVERY_STATUS,
    "dispatch": Request.DELIVERY_STATUS,
    "order_inquiry": Request.DELIVERY_STATUS,
}
_UNSENT: Final = frozenset({"paid", "preparing", "pending_payment"})
_CURRENCY: Final = {"JP": "JPY"}
#: what a draft leaves to the agent, as a gap that the reply box walks to
_PROMISE_TIME: Final = "{promise_time}"


class CostView(Struct, frozen=True, kw_only=True):
    """``amount`` is ``None`` where it is known who pays, but not how much."""

    item: str
    amount: str | None
    payer: str
    source: str
    is_disclosed: bool | None


class CardView(Struct, frozen=True, kw_only=True):
    """One card with what is shown beside it. ``totals``: payer and the sum of what is known.

    ``dues``: of the card in force with those of its open case, earliest first; of a kept one as it was made.
    """

    card: Card
    dues: tuple[DueView, ...]
    costs: tuple[CostView, ...]
    totals: tuple[tuple[str, str], ...]
    ticks: Mapping[str, TickView]
    open_steps: int
    draft: str


class SavedView(Struct, frozen=True, kw_only=True):
    decision: DecisionView
    shown: CardView


class Panel(Struct, frozen=True, kw_only=True):
    """``view`` is ``None`` where nothing could be decided: ``problem`` tells why. ``wrong`` fields cannot be read.

    ``proofs`` are those that the decision waits for or somebody has told of; the others are asked for in a fold.
    """

    lines: tuple[LineView, ...]
    line: LineView
    form: CardForm
    view: CardView | None
    problem: str | None
    wrong: tuple[str, ...]
    fields: tuple[str, ...]
    proofs: frozenset[str]
    saved: tuple[SavedView, ...]
    is_open: bool
    can_reply: bool
    decided: DecidedLine | None = None


async def panel_of(
    services: Services,
    *,
    actor: Actor,
    case: CaseView,
    form: CardForm | None = None,
    is_open: bool | None = None,
    beside: Beside | None = None,
) -> Panel | None:
    """``None`` for a case without a line. In a fixed number of queries, with ``beside`` three fewer.

    Raises: ForbiddenError.
    """
    order = case.dossier.order
    if order is None or not order.lines:
        return None
    form = _completed(form or CardForm(), case, order.lines)
    line = next(line for line in order.lines if line.line_no == form.line_no)
    request = Request(form.request)
    country = services.registry.manifest(order.mark.mall).country
    read = told_of(
        form,
        currency=line.amount.currency if line.amount else _CURRENCY.get(country, "KRW"),
        zone=services.settings.zone,
        may_approve=actor.may(Permission.APPROVE),
    )
    decided, problem = None, None
    try:
        decided = await decide_line(
            services,
            actor=actor,
            key=LineKey(shop=order.shop, line_no=line.line_no, order_no=order.order_no),
            request=request,
            told=read.told,
            policy=policy_of(beside.policy_book) if beside else None,
        )
    except ConfigurationError as error:
        # A book that cannot be read must not hide the case.
        problem = str(error)
    now = services.now()
    if beside is not None:
        ticks, made = beside.ticks, beside.made
    else:
        ticks = await read_ticks(services, actor=actor, case_id=case.row.case_id)
        made = await read_decisions(services, actor=actor, case_id=case.row.case_id)
    saved = tuple(
        SavedView(
            decision=each,
            shown=_view(each.card, ticks, line_no=each.line_no, locale=actor.locale, dues=_of_card(each.card, now=now)),
        )
        for each in made
        if each.order_no == order.order_no
    )
    view = None
    if decided:
        dues = _with_case(_of_card(decided.card, now=now), case)
        view = _view(decided.card, ticks, line_no=line.line_no, locale=actor.locale, dues=dues)
    missing = set(view.card.missing) if view else set()
    if is_open is None:
        is_open = case.row.is_open and not _is_answered(case) and not saved
    return Panel(
        lines=order.lines,
        line=line,
        form=form,
        view=view,
        problem=problem,
        wrong=read.wrong,
        fields=FIELDS[request],
        proofs=frozenset(each.value for each in Proof if each.value in missing or form.proof_said(each.value)),
        saved=saved,
        is_open=is_open,
        can_reply=waiting_inquiry(case) is not None,
        decided=decided,
    )


def panel_values(panel: Panel | None, actor: Actor, *, notice: Notice | None = None) -> dict[str, Any]:
    """What the template needs beside the page's own values."""
    words = card_words()
    return {
        "panel": panel,
        "panel_notice": notice,
        "panel_requests": tuple(Request),
        "panel_reasons": REASONS,
        "panel_choices": CHOICES,
        "panel_yes_no": YES_NO,
        "panel_grounds": [(each.value, words["ground"][each.value].told(actor.locale)) for each in Ground],
        "panel_proofs": [(each.value, words["evidence"][each.value].told(actor.locale)) for each in Proof],
        "panel_alternative": lambda name: words["alternative"][name].told(actor.locale),
    }


class PointsView(Struct, frozen=True, kw_only=True):
    """The points of a card as the form of compensations takes them, and who bears what of them."""

    amount: str
    reason: str
    partners_share: str
    our_share: str


def points_of(panel: Panel, *, locale: str) -> PointsView | None:
    """``None`` where the card gives no points."""
    if panel.decided is None or all(step.key != "give_points" for step in panel.decided.card.steps):
        return None
    costs = [cost for cost in panel.decided.card.costs if cost.item == "points" and cost.amount_minor]
    if not costs:
        return None
    total = sum(cost.amount_minor or 0 for cost in costs)
    theirs = sum(cost.amount_minor or 0 for cost in costs if cost.payer is FaultParty.PARTNER)
    is_short = panel.decided.facts.reason is ClaimReason.OUT_OF_STOCK
    currency = costs[0].currency
    return PointsView(
        amount=str(total),
        reason=(GiftReason.OUT_OF_STOCK if is_short else GiftReason.LATE).value,
        partners_share=money(Money(minor=theirs, currency=currency), locale),
        our_share=money(Money(minor=total - theirs, currency=currency), locale),
    )


def _completed(form: CardForm, case: CaseView, lines: Sequence[LineView]) -> CardForm:
    """The form with its first choices: the line of the case's claim, and what the case asks for."""
    numbers = [line.line_no for line in lines]
    claimed = [claim.line_no for claim in case.dossier.claims if claim.kind == case.row.kind]
    claimed_open = [claim.line_no for claim in case.dossier.claims if claim.kind == case.row.kind and claim.is_open]
    likely = next((number for number in (*claimed_open, *claimed, *numbers) if number in numbers), numbers[0])
    line_no = form.line_no if form.line_no in numbers else likely
    status = next(line.status for line in lines if line.line_no == line_no)
    usual = Request.CANCEL if status in _UNSENT else Request.RETURN
    request = form.request if form.request in set(Request) else _REQUEST_OF.get(case.row.kind, usual).value
    return replace(form, line_no=line_no, request=request)


def _is_answered(case: CaseView) -> bool:
    """Whether the customer or the mall has had an answer of ours."""
    return any(
        (entry.kind is EntryKind.MESSAGE and entry.author == "seller") or entry.kind is EntryKind.ACTION
        for entry in case.dossier.timeline
    )


def _of_card(card: Card, *, now: datetime) -> tuple[DueView, ...]:
    return tuple(
        DueView(
            at=due.at,
            cause=due.cause.value,
            label_key=due.label_key,
            source=due.source,
            is_overdue=due.at < now,
        )
        for due in card.dues
    )


def _with_case(dues: tuple[DueView, ...], case: CaseView) -> tuple[DueView, ...]:
    """With those of the case that the card does not know; promises stand in a part of their own."""
    if not case.row.is_open:
        return dues
    known = {due.label_key for due in dues}
    others = [due for due in case.dues if due.label_key not in known and due.cause != DueCause.PROMISE]
    return tuple(sorted((*dues, *others), key=lambda due: due.at))


def _view(card: Card, ticks: Sequence[TickView], *, line_no: str, locale: str, dues: tuple[DueView, ...]) -> CardView:
    return CardView(
        card=card,
        dues=dues,
        costs=tuple(
            CostView(
                item=cost.item,
                amount=_amount(cost.amount_minor, cost.currency, locale),
                payer=cost.payer.value,
                source=cost.source,
                is_disclosed=cost.is_disclosed,
            )
            for cost in card.costs
        ),
        totals=tuple(
            (payer.value, money(Money(minor=minor, currency=currency), locale))
            for (payer, currency), minor in sums(card.costs).items()
            if payer is not FaultParty.UNKNOWN
        ),
        ticks={tick.step: tick for tick in ticks if tick.line_no == line_no},
        open_steps=len(open_before(card, ticks, line_no=line_no)),
        draft=card.draft.replace(_PROMISE_TIME, "⟦약속 시각⟧" if card.draft_language == "ko" else "⟦TIME⟧"),
    )


def _amount(minor: int | None, currency: str, locale: str) -> str | None:
    return None if minor is None else money(Money(minor=minor, currency=currency), locale)
