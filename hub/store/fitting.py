"""A record with a number beyond the columns, or a key longer than an index takes, is refused alone.

A connector refuses what its mall cannot mean; this is for what slipped through. One such record would end its page,
and the run with it, each time again.
"""

from typing import Final

from hub.core.model import Claim, Inquiry, Line, Money, Order

#: characters of a number or code by which something is found again; PostgreSQL indexes 2,700 bytes at most
LONGEST: Final = 300
#: characters of a product's name beside its code in one index
LONGEST_NAME: Final = 350
#: pieces, and minor units of money, that a column holds
_MOST_PIECES: Final = 2**31 - 1
_MOST_MINOR: Final = 2**63 - 1


def misfit(record: Order | Claim | Inquiry) -> str | None:
    """What of ``record`` fits no row, by the name of its field; ``None`` where all does."""
    if isinstance(record, Order):
        return _of_order(record)
    if isinstance(record, Claim):
        return _of_claim(record)
    if _is_long(record.inquiry_no) or _is_long(record.thread_no):
        return "inquiry_no"
    return "order_no" if _is_long(record.order_no) else None


def _is_long(text: str | None) -> bool:
    return text is not None and len(text) > LONGEST


def _is_endless(amount: Money | None) -> bool:
    return amount is not None and not -_MOST_MINOR <= amount.minor <= _MOST_MINOR


def _of_order(order: Order) -> str | None:
    if _is_long(order.order_no) or _is_long(order.sub_shop) or _is_long(order.market_order_no):
        return "order_no"
    if _is_endless(order.amount):
        return "amount"
    found = next(filter(None, map(_of_line, order.lines)), None)
    return found or next(filter(None, map(_of_claim, order.claims)), None)


def _of_line(line: Line) -> str | None:
    product, shipment = line.product, line.shipment
    if len(line.line_no) > LONGEST:
        return "line_no"
    if _is_long(product.code) or _is_long(product.option_code) or _is_long(product.seller_sku):
        return "product_code"
    if shipment is not None and _is_long(shipment.tracking_no):
        return "tracking_no"
    if abs(line.quantity) > _MOST_PIECES or abs(line.remaining_quantity or 0) > _MOST_PIECES:
        return "quantity"
    return "amount" if _is_endless(line.amount) else None


def _of_claim(claim: Claim) -> str | None:
    if _is_long(claim.claim_key) or _is_long(claim.claim_no):
        return "claim_no"
    if _is_long(claim.order_no) or _is_long(claim.line_no):
        return "line_no"
    if abs(claim.quantity or 0) > _MOST_PIECES:
        return "quantity"
    return "refund" if _is_endless(claim.refund) else None
