"""A record with a number beyond the columns, or a key longer than an index takes, is refused alone.

A connector refuses what its mall cannot mean; this is for what slipped through. One such record would end its page,
and the run with it, each time again.
"""

from collections.abc import Iterator
from typing import Final

from hub.core.model import Claim, Inquiry, Line, Order

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
        found = _of_order(record)
    elif isinstance(record, Claim):
        found = _of_claim(record)
    else:
        found = _of_inquiry(record)
    return next(found, None)


def _of_order(order: Order) -> Iterator[str]:
    yield from _texts(order_no=order.order_no, sub_shop=order.sub_shop, market_order_no=order.market_order_no)
    if order.amount is not None and abs(order.amount.minor) > _MOST_MINOR:
        yield "amount"
    for line in order.lines:
        yield from _of_line(line)
    for claim in order.claims:
        yield from _of_claim(claim)


def _of_line(line: Line) -> Iterator[str]:
    product, shipment = line.product, line.shipment
    yield from _texts(line_no=line.line_no, product_code=product.code, option_code=product.option_code)
    yield from _texts(seller_sku=product.seller_sku, tracking_no=shipment.tracking_no if shipment else None)
    if abs(line.quantity) > _MOST_PIECES or abs(line.remaining_quantity or 0) > _MOST_PIECES:
        yield "quantity"
    if line.amount is not None and abs(line.amount.minor) > _MOST_MINOR:
        yield "amount"


def _of_claim(claim: Claim) -> Iterator[str]:
    yield from _texts(claim_key=claim.claim_key, order_no=claim.order_no, line_no=claim.line_no)
    yield from _texts(claim_no=claim.claim_no)
    if abs(claim.quantity or 0) > _MOST_PIECES:
        yield "quantity"
    if claim.refund is not None and abs(claim.refund.minor) > _MOST_MINOR:
        yield "refund"


def _of_inquiry(inquiry: Inquiry) -> Iterator[str]:
    yield from _texts(inquiry_no=inquiry.inquiry_no, thread_no=inquiry.thread_no, order_no=inquiry.order_no)


def _texts(**fields: str | None) -> Iterator[str]:
    return (name for name, text in fields.items() if text is not None and len(text) > LONGEST)
