"""What a correct reader of the emulated Cafe24 must end with, from the World's facts.

Only what the mall still shows counts: a refused request that the item has forgotten is no row here,
and a request that a newer one has covered is none either. A reader that saw it earlier may keep it.

Source: Cafe24 Admin API, Orders and Claims, version 2026-03-01, item status codes and reason codes;
confidence: sure for the meaning of codes, likely for whose fault a reason is.
"""

from collections.abc import Iterator
from datetime import datetime

from connectors.cafe24.sandbox_boards import board_of, is_urgent, reply_status, root_no
from connectors.cafe24.sandbox_items import LETTERS, UNDONE_WORDS, Item, items_of, was_requested
from connectors.cafe24.sandbox_orders import (
    CARRIERS,
    buyer_reason,
    claim_code,
    item_code,
    order_id,
    product_code,
    product_no,
    seller_reason,
)
from hub.core.model import ClaimKind, ClaimState, LineStatus
from hub.sandbox.facts import ClaimFact, InquiryFact, OrderFact
from hub.sandbox.kit import Row, Truth, claim_row, inquiry_row, line_row
from hub.sandbox.world import World

_ENDED_LINE = {"C": LineStatus.CANCELLED, "R": LineStatus.RETURNED, "E": LineStatus.EXCHANGED}
_PLAIN = {
    LineStatus.PENDING_PAYMENT: "pending_payment",
    LineStatus.PAID: "preparing",  # Cafe24 has no state between payment and preparing
    LineStatus.PREPARING: "preparing",
    LineStatus.DISPATCHED: "dispatched",
    LineStatus.DELIVERED: "delivered",
    LineStatus.PURCHASE_CONFIRMED: "purchase_confirmed",
    LineStatus.CANCELLED: "cancelled",
}
_REPLACEMENT = {"N01": "preparing", "N30": "dispatched", "N40": "delivered", "N50": "purchase_confirmed"}
# What the code means, and whose fault the code itself says it is.
_REASONS = {
    "A": ("change_of_mind", "customer"),
    "O": ("change_of_mind", "customer"),
    "B": ("late", "seller"),
    "D": ("damaged", "seller"),
    "F": ("not_as_described", "seller"),
    "H": ("out_of_stock", "seller"),
    "J": ("wrong_item", "seller"),
    "W": ("wrong_item", "seller"),
    "K": ("defect", "seller"),
    "V": ("defect", "seller"),
    "P": ("other", "unknown"),
    "I": ("other", "unknown"),
}
_KINDS = {"C": ClaimKind.CANCEL, "R": ClaimKind.RETURN, "E": ClaimKind.EXCHANGE}
_NOT_SPLIT = {ClaimState.INSPECTING: ClaimState.COLLECTED}  # E31 says "collected" only
_INQUIRY_STATES = {"N": "unanswered", "P": "in_progress", "C": "answered"}


def truth_of(world: World, shop: str) -> Truth:
    now = world.now()
    lines: list[Row] = []
    claims: list[Row] = []
    for order in world.orders(shop):
        for item in items_of(order, now):
            lines.append(_line(order, item, shop, now))
            claims.extend(_claims(order, item, shop, now))
    inquiries = tuple(_inquiry(world, inquiry, shop) for inquiry in world.inquiries(shop))
    return Truth(
        lines=tuple(lines),
        claims=tuple(claims),
        inquiries=inquiries,
        memos=tuple(
            {"order_no": order_id(order), "text": memo.text} for order in world.orders(shop) for memo in order.memos
        ),
        points=tuple(
            {"order_no": order_id(order), "amount": given.amount, "reason": given.reason}
            for order in world.orders(shop)
            for given in order.points
        ),
    )


def _line(order: OrderFact, item: Item, shop: str, now: datetime) -> Row:
    line, goods = item.line, item.line.item
    status, plain_code = _without_claims(item, now)
    code = item.code(now)
    shipped = item.shipped_at(now)
    return line_row(
        shop=shop,
        mall="cafe24",
        order_no=order_id(order),
        line_no=item_code(order, item),
        status=status,
        raw_status=code,
        held=plain_code == "N22",
        quantity=item.quantity,
        remaining_quantity=0 if status in ("cancelled", "returned") else item.quantity,
        product_name=goods.name,
        option=goods.option or None,
        product_code=product_code(goods),
        seller_sku=goods.sku,
        amount_minor=goods.price * item.quantity,
        currency="KRW",
        ordered_at=order.ordered_at,
        paid_at=order.paid_at if order.paid_at and order.paid_at <= now else None,
        planned_ship_at=line.planned_ship_at,
        dispatched_at=shipped,
        delivered_at=item.delivered_at(now),
        carrier=CARRIERS.get(line.carrier, line.carrier) if shipped else None,
        tracking_no=item.tracking_no(now),
        mall_changed_at=None,
    )


def _without_claims(item: Item, now: datetime) -> tuple[str, str]:
    """The canonical status, open claims left out, and the N code it rests on ("" when a claim has ended the line)."""
    newest = item.newest_claim(now)
    moment = now
    if newest is not None and newest[1].state is not ClaimState.WITHDRAWN:
        claim, step = newest
        if step.state is ClaimState.DONE:
            return _ENDED_LINE[LETTERS[claim.kind]].value, ""
        moment = claim.requested_at
    code = item.plain_code(moment)
    if item.replaces is not None:
        return _REPLACEMENT[code], code
    return _PLAIN[item.line.plain_status(moment)], code


def _claims(order: OrderFact, item: Item, shop: str, now: datetime) -> Iterator[Row]:
    newest = item.newest_claim(now)
    for claim in item.claims:
        step = claim.step_at(now)
        code = claim_code(claim, now)
        is_shown = newest is not None and newest[0] is claim
        if step is None or (code is None and not is_shown):
            continue
        letter = LETTERS[claim.kind]
        reason_code = (buyer_reason(claim) if is_shown else None) or seller_reason(claim)
        reason, fault = _REASONS[reason_code]
        state = step.state
        if letter == "E":
            state = _NOT_SPLIT.get(state, state)
        yield claim_row(
            shop=shop,
            mall="cafe24",
            order_no=order_id(order),
            line_no=item_code(order, item),
            claim_no=code,
            kind=_KINDS[letter].value,
            state=state.value,
            raw_state=UNDONE_WORDS[letter] if state is ClaimState.WITHDRAWN else item.code(now),
            reason=reason,
            raw_reason=reason_code,
            fault_party=fault,
            quantity=min(claim.quantity, item.quantity),
            requested_at=claim.requested_at if is_shown and was_requested(claim) else None,
            ended_at=step.at if step.state is ClaimState.DONE and letter != "E" else None,
            ended_by=_ended_by(claim, state),
        )


def _ended_by(claim: ClaimFact, state: ClaimState) -> str | None:
    """Refusing is the seller's (x11 "rejected by admin"), withdrawing a request the customer's; the rest is untold."""
    if state is ClaimState.REJECTED:
        return "seller"
    if state is ClaimState.WITHDRAWN:
        return "customer" if len(claim.steps) == 2 else "unknown"
    return "unknown" if state is ClaimState.DONE else None


def _inquiry(world: World, inquiry: InquiryFact, shop: str) -> Row:
    answers = world.said(inquiry.answers)
    urgent = is_urgent(inquiry)
    prefix = "" if inquiry.sub_shop == 1 else f"shop{inquiry.sub_shop}:"
    number = f"{prefix}urgent:{root_no(inquiry)}" if urgent else f"{prefix}{board_of(inquiry)}:{root_no(inquiry)}"
    code = None
    if inquiry.item is not None:
        code = str(product_no(inquiry.item))
        if urgent:
            code = None if inquiry.order else product_code(inquiry.item)
    return inquiry_row(
        shop=shop,
        mall="cafe24",
        inquiry_no=number,
        thread_no=number,
        kind=inquiry.kind.value,
        state=_INQUIRY_STATES[reply_status(world, inquiry)],
        order_no=order_id(inquiry.order) if inquiry.order else None,
        product_code=code,
        asked_at=inquiry.asked_at,
        answered_at=answers[-1].at if answers else None,
        subject=inquiry.subject,
        text=inquiry.text,
        answer=answers[-1].text if answers else None,
    )
