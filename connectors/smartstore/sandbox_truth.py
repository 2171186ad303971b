"""What a correct reader of the emulated SmartStore must end with.

Claims that the mall shows no longer (a confirmation hold or an administrative cancel that a later
claim has replaced) are not part of it; a reader that saw them in time keeps them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.smartstore import sandbox_render as render
from connectors.smartstore.sandbox_inquiries import Question, QuestionBook
from connectors.smartstore.sandbox_notes import Notes
from hub.core.model import (
    ClaimReason,
    ClaimState,
    EndedBy,
    FaultParty,
    InquiryKind,
    InquiryState,
    LineStatus,
)
from hub.sandbox.facts import ClaimFact, LineFact, OrderFact
from hub.sandbox.kit import Row, Truth, claim_row, inquiry_row, line_row
from hub.sandbox.world import World

_STATES = {
    "CANCEL_REQUEST": ClaimState.REQUESTED,
    "CANCELING": ClaimState.REFUNDING,
    "RETURN_REQUEST": ClaimState.REQUESTED,
    "EXCHANGE_REQUEST": ClaimState.REQUESTED,
    "COLLECTING": ClaimState.COLLECTING,
    "COLLECT_DONE": ClaimState.COLLECTED,
    "EXCHANGE_REDELIVERING": ClaimState.RESHIPPING,
    "ADMIN_CANCELING": ClaimState.REFUNDING,
    "PURCHASE_DECISION_HOLDBACK": ClaimState.HOLD,
    "PURCHASE_DECISION_HOLDBACK_RELEASE": ClaimState.DONE,
}
_CUSTOMERS_FAULT = frozenset({ClaimReason.CHANGE_OF_MIND, ClaimReason.WRONG_ORDER})
#: dates that tell a plan, not a change
_PLANS = frozenset({"shippingDueDate", "refundExpectedDate"})


def truth(world: World, *, shop: str, book: QuestionBook, notes: Notes) -> Truth:
    lines: list[Row] = []
    claims: list[Row] = []
    wishes: list[Row] = []
    now = world.now()
    for order in world.orders(shop):
        for line in order.lines:
            shown = render.claims_shown(line, now)
            lines.append(_line(order, line, shown, now))
            hope = render.hope_delivery(order, line, notes)
            if hope is not None:
                day = datetime.strptime(hope["hopeDeliveryYmd"], "%Y%m%d").date()  # noqa: DTZ007  a day has no zone
                wishes.append({"line_no": render.line_id(order, line), "day": day})
            claims += [
                _claim(order, line, claim, now)
                for claim in shown
                if claim.kind in render.SECTIONS or claim is shown[-1]
            ]
    inquiries = [
        _inquiry(question, kind, shop)
        for kind in (InquiryKind.ORDER_INQUIRY, InquiryKind.PRODUCT_INQUIRY)
        for question in book.questions(kind)
    ]
    return Truth(lines=tuple(lines), claims=tuple(claims), inquiries=tuple(inquiries), wishes=tuple(wishes))


def _line_status(line: LineFact, now: datetime) -> LineStatus:
    status = line.status(now)
    # The mall knows PAYED only; the seller's confirmation tells which of the two it is.
    if status in (LineStatus.PAID, LineStatus.PREPARING):
        return LineStatus.PREPARING if render.is_placed(line, now) else LineStatus.PAID
    return status


def _line(order: OrderFact, line: LineFact, claims: list[ClaimFact], now: datetime) -> Row:
    sent = render.dispatched_at(line, now)
    return line_row(
        shop=order.shop,
        mall="smartstore",
        order_no=render.order_id(order),
        line_no=render.line_id(order, line),
        status=_line_status(line, now).value,
        raw_status=render.line_code(line, now),
        held=bool(claims) and render.claim_code(claims[-1], now) == "PURCHASE_DECISION_HOLDBACK",
        quantity=line.quantity,
        remaining_quantity=line.remaining(now),
        product_name=line.item.name,
        option=line.item.option or None,
        product_code=str(70_000_000 + line.item.number),
        seller_sku=line.item.sku or None,
        amount_minor=line.amount,
        currency="KRW",
        ordered_at=order.ordered_at,
        paid_at=render.paid_at(order, line, now),
        planned_ship_at=render.due_at(order, line, now),
        dispatched_at=sent,
        delivered_at=line.at_of(LineStatus.DELIVERED, now),
        carrier=render.CARRIER_CODES.get(line.carrier, line.carrier) if sent else None,
        tracking_no=line.tracking_no if sent else None,
        mall_changed_at=max(_times(render.detail(order, line, now))),
    )


def _times(value: Any) -> Iterator[datetime]:
    """Every time of a change that a detail shows."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _times(inner)
        elif isinstance(inner, list):
            for record in inner:
                yield from _times(record)
        elif inner is not None and key.endswith("Date") and key not in _PLANS:
            yield datetime.fromisoformat(inner).astimezone(UTC)


def _claim(order: OrderFact, line: LineFact, claim: ClaimFact, now: datetime) -> Row:
    code = render.claim_code(claim, now)
    state = ClaimState.HOLD if render.is_on_hold(claim, now) else _state(code)
    row = claim_row(
        shop=order.shop,
        mall="smartstore",
        order_no=render.order_id(order),
        line_no=render.line_id(order, line),
        claim_no=render.claim_id(claim),
        kind=claim.kind.value,
        state=state.value,
        raw_state=code,
        reason=ClaimReason.UNKNOWN.value,
        fault_party=FaultParty.UNKNOWN.value,
        ended_by=EndedBy.UNKNOWN.value if state is ClaimState.REJECTED else None,
    )
    if claim.kind not in render.SECTIONS:  # the mall tells no more of a confirmation hold or its own cancel
        return row
    ended = render.ended_step(claim, now)
    return row | {
        "reason": claim.reason.value,
        "raw_reason": render.reason_code(claim),
        "fault_party": _fault(claim).value,
        "quantity": claim.quantity,
        "requested_at": claim.requested_at,
        "ended_at": ended.at if ended else None,
    }


def _state(code: str) -> ClaimState:
    if code.endswith("_DONE") and code != "COLLECT_DONE":
        return ClaimState.DONE
    if code.endswith("_REJECT"):
        return ClaimState.REJECTED
    return _STATES[code]


def _fault(claim: ClaimFact) -> FaultParty:
    if claim.reason in _CUSTOMERS_FAULT:
        return FaultParty.CUSTOMER
    if claim.reason in (ClaimReason.OTHER, ClaimReason.UNKNOWN):
        return FaultParty.UNKNOWN
    return FaultParty.SELLER


def _inquiry(question: Question, kind: InquiryKind, shop: str) -> Row:
    fact = question.fact
    is_order = kind is InquiryKind.ORDER_INQUIRY
    number = f"{'inquiry' if is_order else 'qna'}:{question.number}"
    shown = (question.answers[-1] if is_order else question.answers[0]) if question.answers else None
    state = InquiryState.ANSWERED if question.answers else InquiryState.UNANSWERED
    return inquiry_row(
        shop=shop,
        mall="smartstore",
        inquiry_no=number,
        thread_no=number,
        kind=kind.value,
        state=state.value,
        order_no=render.order_id(fact.order) if fact.order else None,
        product_code=str(70_000_000 + fact.item.number) if fact.item else None,
        asked_at=question.asked_at,
        answered_at=shown.at if shown and is_order else None,
        subject=fact.subject if is_order else None,
        text=question.text,
        answer=shown.text if shown else None,
    )
