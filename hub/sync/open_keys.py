"""What still moves: read again by key, since some malls change it without a word."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select, union

from hub.core.contract import OpenKeys
from hub.core.model import LineStatus
from hub.store.database import Database
from hub.store.tables import claims, inquiries, lines, orders
from hub.sync.sought import is_waiting

OPEN_LINES = (
    LineStatus.PENDING_PAYMENT,
    LineStatus.PAID,
    LineStatus.PREPARING,
    LineStatus.DISPATCHED,
    LineStatus.UNKNOWN,
)


async def read_open_keys(database: Database, shop_id: int, *, now: datetime) -> OpenKeys:
    """Lines that are not delivered or ended, lines with an open claim, inquiries not answered.

    Without what is gone, and the questions that were just sought by their numbers in vain.
    """
    of_order = lines.join(orders, orders.c.id == lines.c.order_id)
    moving = (
        select(orders.c.order_no, lines.c.line_no)
        .select_from(of_order)
        .where(lines.c.shop_id == shop_id, lines.c.status.in_(OPEN_LINES), lines.c.vanished_at.is_(None))
    )
    claimed = select(claims.c.order_no, claims.c.line_no).where(claims.c.shop_id == shop_id, claims.c.is_open)
    unanswered = select(inquiries.c.inquiry_no).where(inquiries.c.shop_id == shop_id, is_waiting(now=now))
    by_order: dict[str, list[str]] = defaultdict(list)
    async with database.reading() as connection:
        for order_no, line_no in await connection.execute(union(moving, claimed)):
            by_order[order_no].append(line_no)
        numbers = (await connection.execute(unanswered.order_by(inquiries.c.id))).scalars().all()
    return OpenKeys(
        orders=tuple((order_no, tuple(sorted(line_nos))) for order_no, line_nos in sorted(by_order.items())),
        inquiries=tuple(numbers),
    )
