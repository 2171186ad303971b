"""What a correct reader of the emulated Qoo10 must end with.

``reason`` and ``fault_party`` of claims are ``None``, which means not judged: the mall tells free text
only, and a reader may know its words or not. Refused and withdrawn claims have disappeared and are not
part of it; a reader that saw them in time keeps them as ended. The order of an inquiry is its PackNo,
found over the line it names.
"""

from datetime import datetime

from connectors.qoo10 import sandbox_render as render
from connectors.qoo10.sandbox_messages import CustomerMessage, MessageBook
from hub.core.model import ClaimKind, ClaimState, InquiryKind, InquiryState, LineStatus
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.kit import Row, Truth, claim_row, inquiry_row, line_row
from hub.sandbox.world import World

_STATUSES = {
    1: LineStatus.PENDING_PAYMENT,
    2: LineStatus.PAID,
    3: LineStatus.PREPARING,
    4: LineStatus.DISPATCHED,
    5: LineStatus.DELIVERED,
}
_CLAIMS = {
    1: (ClaimKind.CANCEL, ClaimState.REQUESTED),
    2: (ClaimKind.CANCEL, ClaimState.REFUNDING),
    3: (ClaimKind.CANCEL, ClaimState.DONE),
    4: (ClaimKind.RETURN, ClaimState.REQUESTED),
    5: (ClaimKind.RETURN, ClaimState.COLLECTING),
    6: (ClaimKind.RETURN, ClaimState.DONE),
    11: (ClaimKind.EXCHANGE, ClaimState.REQUESTED),
    12: (ClaimKind.EXCHANGE, ClaimState.ACCEPTED),
    13: (ClaimKind.EXCHANGE, ClaimState.RESHIPPING),
    14: (ClaimKind.NON_RECEIPT, ClaimState.DONE),
    15: (ClaimKind.NON_RECEIPT, ClaimState.DONE),
    16: (ClaimKind.CANCEL, ClaimState.DONE),
}
_INQUIRY_STATES = {"S1": InquiryState.UNANSWERED, "S2": InquiryState.IN_PROGRESS, "S3": InquiryState.ANSWERED}


def truth(world: World, *, shop: str, book: MessageBook, seed: int) -> Truth:
    now = world.now()
    lines: list[Row] = []
    claims: list[Row] = []
    for order in world.orders(shop):
        for line in order.lines:
            lines.append(_line(order, line, now, seed))
            claims += [_claim(order, line, claim) for claim in render.claims_shown(line, now)]
    inquiries = [_inquiry(message, shop) for message in book.messages()]
    return Truth(lines=tuple(lines), claims=tuple(claims), inquiries=tuple(inquiries))


def _line(order: OrderFact, line: LineFact, now: datetime, seed: int) -> Row:
    shapes = render.Shapes(line.number, seed, pack=order.number)
    ended = render.ended_as(line, now)
    raw_status = render.single_status(line, now)
    now = render.moved_until(line, now)
    code = render.status_code(line, now)
    planned = render.planned_at(line, now)
    is_sent = line.at_of(LineStatus.DISPATCHED, now) is not None
    return line_row(
        shop=order.shop,
        mall="qoo10",
        order_no=str(render.pack_no(order)),
        line_no=str(render.order_no(line)),
        status=(ended or _STATUSES[code]).value,
        raw_status=raw_status if ended else render.STATUS_TEXTS[code],
        held=False,
        quantity=line.quantity,
        remaining_quantity=0 if ended else line.quantity,
        product_name=line.item.name,
        option=render.option_text(line.item) or None,
        product_code=render.item_no(line.item),
        seller_sku=line.item.sku or None,
        amount_minor=line.amount,
        currency="JPY",
        ordered_at=shapes.as_shown(order.ordered_at),
        paid_at=shapes.as_shown(render.paid_at(order, now)),
        planned_ship_at=render.midnight(planned) if planned else None,
        dispatched_at=shapes.as_shown(line.at_of(LineStatus.DISPATCHED, now)),
        delivered_at=shapes.delivered_as_shown(line.at_of(LineStatus.DELIVERED, now)),
        carrier=render.carrier(line, now),
        tracking_no=line.tracking_no if is_sent else None,
    )


def _claim(order: OrderFact, line: LineFact, claim: render.ShownClaim) -> Row:
    kind, state = _CLAIMS[claim.code]
    return claim_row(
        shop=order.shop,
        mall="qoo10",
        order_no=str(render.pack_no(order)),
        line_no=str(render.order_no(line)),
        kind=kind.value,
        state=state.value,
        raw_state=str(claim.code),
        raw_reason=claim.reason,
        quantity=claim.quantity,
        requested_at=claim.requested_at,
        ended_at=claim.ended_at,
    )


def _inquiry(message: CustomerMessage, shop: str) -> Row:
    fact = message.fact
    thread = f"{message.type}:{message.question_no}"
    return inquiry_row(
        shop=shop,
        mall="qoo10",
        inquiry_no=f"{thread}:{message.seq_no}",
        thread_no=thread,
        kind=(InquiryKind.PRODUCT_INQUIRY if message.type == "ITEM" else InquiryKind.ORDER_INQUIRY).value,
        state=_INQUIRY_STATES[message.status].value,
        order_no=str(render.pack_no(fact.order)) if fact.order else None,
        product_code=render.item_no(fact.item) if fact.item else None,
        asked_at=message.sent_at,
        subject=fact.subject,
        text=message.text,
    )
