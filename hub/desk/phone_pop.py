"""The call at one's own phone, with what is known of the caller: orders of all malls, open cases, callbacks."""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.redact import mask_phone
from hub.desk.access import Actor, Permission, require
from hub.desk.customer_identity import Identity, RecordKind, RecordRef
from hub.desk.customer_panel import Subject, read_customer
from hub.desk.customer_views import CustomerView
from hub.desk.marks import mall_mark
from hub.desk.phone_calls import OPEN, unpack_caller
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.views import CaseRow, MallMark, OtherOrder
from hub.desk.worklist import case_rows, select_rows
from hub.store.database import from_ms, time_of, to_ms
from hub.store.sealed import LIVE_CALLER_PLACE
from hub.store.tables import callbacks, cases, inquiries, live_calls, orders, shops

#: how long after a call its note is asked for
_ASKED_FOR: Final = timedelta(minutes=30)
_MOST_CASES: Final = 10
_EMAILS: Final = 5


class PhoneCall(Struct, frozen=True, kw_only=True):
    """One call at one phone. ``caller`` is masked; ``None`` for a withheld number. ``since``: of its state."""

    id: int
    pbx: str
    call_id: str
    member: str
    queue: str
    leg: str
    state: str
    mall: str | None
    mark: MallMark | None
    line: str | None
    caller: str | None
    since: datetime
    rang_at: datetime
    answered_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Pop(Struct, frozen=True, kw_only=True):
    """``orders``: those with the caller's number first by day, then, by e-mail, perhaps the same person's."""

    call: PhoneCall
    orders: tuple[OtherOrder, ...] = ()
    cases: tuple[CaseRow, ...] = ()
    customer: CustomerView | None = None


async def read_own_call(connection: AsyncConnection, services: Services, *, user_id: int | None) -> Row[Any] | None:
    """The row of the call at this user's phone: a talk before a ringing one, then the newest that wants its note."""
    if user_id is None:
        return None
    since = to_ms(services.now() - _ASKED_FOR)
    found = (
        await connection.execute(
            select(live_calls)
            .where(live_calls.c.user_id == user_id, live_calls.c.updated_at > since)
            .where(live_calls.c.state.in_((*OPEN, "after_call")))
            .order_by(live_calls.c.updated_at.desc(), live_calls.c.id.desc())
            .limit(20)
        )
    ).all()
    rank = {"talking": 0, "held": 1, "ringing": 2, "after_call": 3}
    return min(found, key=lambda row: rank[row.state], default=None)


async def read_pop(services: Services, *, actor: Actor) -> Pop | None:
    """What the actor's own phone shows now; ``None`` when nothing is to be shown. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        row = await read_own_call(connection, services, user_id=actor.user_id)
        if row is None:
            return None
        call = phone_call(row, services)
        if row.caller_idx is None:
            return Pop(call=call)
        customer, found = await _customer(connection, services, row.id, row.caller_idx)
        waiting = await _cases(connection, services, row.caller_idx, found)
        return Pop(call=call, orders=found, cases=waiting, customer=customer)


def phone_call(row: Row[Any], services: Services) -> PhoneCall:
    caller = unpack_caller(services.database.box.open(row.caller_sealed, LIVE_CALLER_PLACE))
    at = {"ringing": row.rang_at, "talking": row.answered_at, "held": row.updated_at}.get(row.state, row.ended_at)
    return PhoneCall(
        id=row.id,
        pbx=row.pbx,
        call_id=row.call_id,
        member=row.member,
        queue=row.queue,
        leg=row.leg,
        state=row.state,
        mall=row.mall,
        mark=mall_mark(services.registry, row.mall) if row.mall else None,
        line=row.line,
        caller=mask_phone(caller.number) if caller.number else None,
        since=time_of(at or row.updated_at),
        rang_at=time_of(row.rang_at),
        answered_at=from_ms(row.answered_at),
    )


async def _customer(
    connection: AsyncConnection, services: Services, call_id: int, phone: bytes
) -> tuple[CustomerView, tuple[OtherOrder, ...]]:
    # A buyer of several malls gives one phone here and one e-mail there.
    mails = (
        select(orders.c.buyer_email_idx)
        .where(orders.c.buyer_phone_idx == phone, orders.c.buyer_email_idx.is_not(None))
        .distinct()
        .limit(_EMAILS)
    )
    subject = Subject(
        ref=RecordRef(kind=RecordKind.CALL, id=call_id),
        identity=Identity(phone=phone),
        phones=[phone],
        emails=list((await connection.execute(mails)).scalars()),
    )
    return await read_customer(services, connection, subject=subject, curtain=Curtain(is_open=False))


async def _cases(
    connection: AsyncConnection, services: Services, phone: bytes, found: tuple[OtherOrder, ...]
) -> tuple[CaseRow, ...]:
    asked = select(cases.c.id).join(
        inquiries, (inquiries.c.shop_id == cases.c.shop_id) & (inquiries.c.thread_no == cases.c.thread_no)
    )
    waiting = select(callbacks.c.case_id).where(callbacks.c.caller_idx == phone, callbacks.c.ended_at.is_(None))
    ids = {order.open_case_id for order in found if order.open_case_id is not None}
    ids |= set(await connection.scalars(asked.where(inquiries.c.writer_phone_idx == phone, cases.c.is_open)))
    ids |= set(await connection.scalars(waiting))
    query = select_rows().where(cases.c.id.in_(ids), cases.c.is_open, shops.c.is_active).order_by(cases.c.due_at)
    rows = (await connection.execute(query.limit(_MOST_CASES))).all()
    return await case_rows(connection, rows, malls=services.registry, now=services.now())
