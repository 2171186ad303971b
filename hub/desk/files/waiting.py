"""What of a shop without an API waits for a tracking number or an answer: the rows to write replies for."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import select

from hub.core.model import InquiryState, LineStatus
from hub.core.redact import mask_name, mask_text
from hub.desk.access import Actor, Permission, require
from hub.desk.record_views import open_inquiry
from hub.desk.services import Services
from hub.store.database import from_ms
from hub.store.shops import ShopStore
from hub.store.tables import inquiries, lines, orders

_MOST: Final = 100
_EXCERPT: Final = 300


class WaitingLine(Struct, frozen=True, kw_only=True):
    order_id: int
    order_no: str
    line_no: str
    product: str
    option: str
    quantity: int
    ordered_at: datetime | None


class WaitingInquiry(Struct, frozen=True, kw_only=True):
    """``text`` and ``writer`` are masked."""

    inquiry_no: str
    order_no: str
    subject: str
    text: str
    writer: str
    asked_at: datetime | None


async def lines_to_send(services: Services, *, actor: Actor, shop: str) -> tuple[WaitingLine, ...]:
    """Paid or prepared lines, the oldest first, at most a hundred. Raises: ForbiddenError, ConfigurationError."""
    require(actor, Permission.WORK_CASES)
    row = await ShopStore(services.database).named(shop)
    waits = (LineStatus.PAID.value, LineStatus.PREPARING.value)
    query = (
        select(
            lines.c.order_id, lines.c.line_no, lines.c.product_name, lines.c.product_option, lines.c.quantity,
            orders.c.order_no, orders.c.ordered_at,
        )
        .join_from(lines, orders, lines.c.order_id == orders.c.id)
        .where(lines.c.shop_id == row.id, lines.c.status.in_(waits), lines.c.tracking_no.is_(None))
        .order_by(orders.c.ordered_at, lines.c.line_no)
        .limit(_MOST)
    )  # fmt: skip
    async with services.database.reading() as connection:
        found = (await connection.execute(query)).all()
    return tuple(
        WaitingLine(
            order_id=each.order_id,
            order_no=each.order_no,
            line_no=each.line_no,
            product=each.product_name or "",
            option=each.product_option or "",
            quantity=each.quantity,
            ordered_at=from_ms(each.ordered_at),
        )
        for each in found
    )


async def inquiries_to_answer(services: Services, *, actor: Actor, shop: str) -> tuple[WaitingInquiry, ...]:
    """Open inquiries, the oldest first, at most a hundred. Raises: ForbiddenError, ConfigurationError."""
    require(actor, Permission.WORK_CASES)
    row = await ShopStore(services.database).named(shop)
    query = (
        select(inquiries)
        .where(inquiries.c.shop_id == row.id, inquiries.c.state != InquiryState.ANSWERED.value)
        .order_by(inquiries.c.asked_at)
        .limit(_MOST)
    )
    async with services.database.reading() as connection:
        found = (await connection.execute(query)).all()
    waiting = []
    for each in found:
        inquiry = open_inquiry(each, services.database.box)
        waiting.append(
            WaitingInquiry(
                inquiry_no=each.inquiry_no,
                order_no=each.order_no or "",
                subject=mask_text(inquiry.subject) or "",
                text=mask_text(inquiry.text[:_EXCERPT]) or "",
                writer=(mask_name(inquiry.writer.name) if inquiry.writer else None) or "",
                asked_at=from_ms(each.asked_at),
            )
        )
    return tuple(waiting)
