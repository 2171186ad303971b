"""One stored record back as its canonical form."""

from typing import Any

import msgspec
from sqlalchemy import select

from hub.core.model import (
    Claim,
    ClaimKind,
    ClaimReason,
    ClaimState,
    EndedBy,
    FaultParty,
    Inquiry,
    InventoryHint,
    Line,
    LineStatus,
    Money,
    Product,
    Shipment,
)
from hub.store.database import Database, from_ms
from hub.store.sealed import CLAIM_TEXT_PLACE, INQUIRY_PLACE
from hub.store.tables import claims, inquiries, lines, orders

unpack_inquiry = msgspec.msgpack.Decoder(Inquiry).decode
unpack_hints = msgspec.json.Decoder(list[tuple[str, str]]).decode


def product_of(row: Any) -> Product:
    """``row`` holds the product columns of ``order_lines``."""
    return Product(
        name=row.product_name,
        code=row.product_code,
        option=row.product_option,
        option_code=row.option_code,
        seller_sku=row.seller_sku,
        hints=tuple(InventoryHint(name=name, value=value) for name, value in unpack_hints(row.hints or "[]")),
    )


def line_of(row: Any) -> Line:
    """``row`` holds the columns of ``order_lines``."""
    return Line(
        line_no=row.line_no,
        status=LineStatus(row.status),
        raw_status=row.raw_status,
        quantity=row.quantity,
        product=product_of(row),
        held=row.is_held,
        remaining_quantity=row.remaining_quantity,
        amount=_money(row.amount_minor, row.currency),
        planned_ship_at=from_ms(row.planned_ship_at),
        is_reserved=row.is_reserved,
        sendable_from=from_ms(row.sendable_from),
        purchase_confirmed_at=from_ms(row.purchase_confirmed_at),
        mall_changed_at=from_ms(row.mall_changed_at),
        shipment=Shipment(
            carrier=row.carrier,
            tracking_no=row.tracking_no,
            dispatched_at=from_ms(row.dispatched_at),
            delivered_at=from_ms(row.delivered_at),
        ),
        replaces_line_no=row.replaces_line_no,
    )


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor=minor, currency=currency)


async def find_line(database: Database, shop_id: int, order_no: str, line_no: str) -> Line | None:
    query = (
        select(lines)
        .join_from(lines, orders, orders.c.id == lines.c.order_id)
        .where(lines.c.shop_id == shop_id, lines.c.line_no == line_no, orders.c.order_no == order_no)
    )
    async with database.reading() as connection:
        row = (await connection.execute(query)).first()
    return None if row is None else line_of(row)


async def find_claims(database: Database, shop_id: int, line_no: str) -> list[Claim]:
    """Every claim of a line, newest request first."""
    query = (
        select(claims)
        .where(claims.c.shop_id == shop_id, claims.c.line_no == line_no)
        .order_by(claims.c.requested_at.desc(), claims.c.id.desc())
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [_claim_of(database, row) for row in rows]


def _claim_of(database: Database, row: Any) -> Claim:
    text = row.reason_text_sealed
    return Claim(
        claim_key=row.claim_key,
        order_no=row.order_no,
        line_no=row.line_no,
        kind=ClaimKind(row.kind),
        state=ClaimState(row.state),
        raw_state=row.raw_state,
        claim_no=row.claim_no,
        reason=ClaimReason(row.reason),
        raw_reason=row.raw_reason,
        reason_text=database.box.open(text, CLAIM_TEXT_PLACE).decode() if text else None,
        fault_party=FaultParty(row.fault_party),
        quantity=row.quantity,
        requested_at=from_ms(row.requested_at),
        ended_at=from_ms(row.ended_at),
        ended_by=EndedBy(row.ended_by) if row.ended_by else None,
        hold_reason=row.hold_reason,
        collect_carrier=row.collect_carrier,
        collect_tracking_no=row.collect_tracking_no,
        collected_at=from_ms(row.collected_at),
        reship_carrier=row.reship_carrier,
        reship_tracking_no=row.reship_tracking_no,
        refund=_money(row.refund_minor, row.refund_currency),
    )


async def inquiry_numbers(database: Database, shop_id: int, number: str) -> list[str]:
    """The hub's numbers that end with the mall's own ``number``: several where a mall counts in several lists.

    Five at most.
    """
    own = inquiries.c.inquiry_no.endswith(f":{number}", autoescape=True)
    query = select(inquiries.c.inquiry_no).where(inquiries.c.shop_id == shop_id, own)
    async with database.reading() as connection:
        return list(await connection.scalars(query.order_by(inquiries.c.inquiry_no).limit(5)))


async def find_inquiry(database: Database, shop_id: int, inquiry_no: str) -> Inquiry | None:
    query = select(inquiries.c.sealed).where(inquiries.c.shop_id == shop_id, inquiries.c.inquiry_no == inquiry_no)
    async with database.reading() as connection:
        sealed = await connection.scalar(query)
    return None if sealed is None else unpack_inquiry(database.box.open(sealed, INQUIRY_PLACE))


async def find_products_of_line(
    database: Database, shop_id: int, line_no: str, *, order_no: str | None = None, limit: int = 10
) -> dict[str, Product]:
    """Order number -> product, of the lines with this number, the newest first.

    Where a mall numbers the lines within an order, several orders have a line 1; ``order_no`` names one of them.
    """
    query = (
        select(lines, orders.c.order_no)
        .join_from(lines, orders, orders.c.id == lines.c.order_id)
        .where(lines.c.shop_id == shop_id, lines.c.line_no == line_no)
        .order_by(lines.c.id.desc())
        .limit(limit)
    )
    if order_no is not None:
        query = query.where(orders.c.order_no == order_no)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    found: dict[str, Product] = {}
    for row in rows:
        found.setdefault(row.order_no, product_of(row))
    return found


async def find_product(database: Database, shop_id: int, code: str) -> Product | None:
    """The product of the newest line with this product code or seller SKU."""
    query = (
        select(lines)
        .where(lines.c.shop_id == shop_id, (lines.c.product_code == code) | (lines.c.seller_sku == code))
        .order_by(lines.c.id.desc())
        .limit(1)
    )
    async with database.reading() as connection:
        row = (await connection.execute(query)).first()
    return None if row is None else product_of(row)
