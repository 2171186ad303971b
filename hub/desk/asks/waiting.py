"""All questions to contacts that somebody waits for, over all cases; nothing of what was written in them."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import and_, or_, select

from hub.desk.access import Actor, Permission, require
from hub.desk.asks.views import OPEN
from hub.desk.services import Services
from hub.store.database import from_ms, time_of
from hub.store.tables import asks, cases, shops

LIMIT: Final = 500


class AskLine(Struct, frozen=True, kw_only=True):
    """One question. ``state``: open, escalated, or answered by an answer that no agent has read."""

    ask_id: str
    case_id: str
    shop: str
    order_no: str | None
    role: str
    contact: str
    organisation: str | None
    matter: str
    channel: str
    state: str
    asked_at: datetime
    sent_at: datetime | None
    send_error: str | None
    remind_at: datetime | None
    escalate_at: datetime | None
    answered_at: datetime | None


async def list_waiting(services: Services, *, actor: Actor) -> tuple[AskLine, ...]:
    """Oldest first, at most 500. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    is_waiting = and_(asks.c.state.in_(OPEN), asks.c.answered_at.is_(None))
    is_unread = and_(asks.c.state == "answered", asks.c.answer_read_at.is_(None))
    query = (
        select(asks, cases.c.order_no, shops.c.name.label("shop"))
        .select_from(asks.join(cases, cases.c.id == asks.c.case_id).join(shops, shops.c.id == cases.c.shop_id))
        .where(cases.c.is_open, or_(is_waiting, is_unread))
        .order_by(asks.c.asked_at, asks.c.id)
        .limit(LIMIT)
    )
    async with services.database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(
        AskLine(
            ask_id=str(row.id),
            case_id=str(row.case_id),
            shop=row.shop,
            order_no=row.order_no,
            role=row.role,
            contact=row.contact_name,
            organisation=row.organisation,
            matter=row.matter,
            channel=row.channel,
            state=row.state,
            asked_at=time_of(row.asked_at),
            sent_at=from_ms(row.sent_at),
            send_error=row.send_error,
            remind_at=from_ms(row.remind_at),
            escalate_at=from_ms(row.escalate_at),
            answered_at=from_ms(row.answered_at),
        )
        for row in rows
    )
