"""The call at one's own phone, with what is known of the caller: orders of all malls, open cases, callbacks."""

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import and_, bindparam, or_, select, union

from hub.core.redact import mask_phone
from hub.desk.access import Actor, Permission, require
from hub.desk.customers.identity import Identity, RecordKind, RecordRef
from hub.desk.customers.panel import Subject, read_customer
from hub.desk.customers.views import CustomerView
from hub.desk.marks import mall_mark
from hub.desk.phone.calls import OPEN, unpack_caller
from hub.desk.record_views import Curtain
from hub.desk.services import Services
from hub.desk.views import CaseRow, MallMark, OtherOrder
from hub.desk.worklist.rows import case_rows, select_rows
from hub.store.database import among, from_ms, read_rows, time_of, to_ms
from hub.store.questions import Question, asking
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


async def read_pop(services: Services, *, actor: Actor) -> Pop | None:
    """What the actor's own phone shows now; ``None`` when nothing is to be shown. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        since = to_ms(services.now() - _ASKED_FOR)
        of_user = await read_rows(connection, _OWN_CALLS, user_id=actor.user_id, since=since)
        # A talk before a ringing one, then the newest that wants its note.
        row = min(of_user, key=lambda call: _RANK[call.state], default=None)
        if row is None:
            return None
        call = phone_call(row, services)
        if row.caller_idx is None:
            return Pop(call=call)
        async with asking(connection) as ask:
            of_phone = {"phone": row.caller_idx}
            mails = ask(Question(_MAILS, of_phone, lambda rows: [each.buyer_email_idx for each in rows]))
            theirs = ask(Question(_CASES_OF_CALLER, of_phone, lambda rows: {each.id for each in rows}))
        subject = Subject(
            ref=RecordRef(kind=RecordKind.CALL, id=row.id),
            identity=Identity(phone=row.caller_idx),
            phones=[row.caller_idx],
            emails=mails.found,
        )
        customer, found = await read_customer(services, connection, subject=subject, curtain=Curtain(is_open=False))
        ids = theirs.found | {order.open_case_id for order in found if order.open_case_id is not None}
        rows = await read_rows(connection, _CASES, cases=sorted(ids))
        waiting = await case_rows(connection, rows, malls=services.registry, now=services.now())
        return Pop(call=call, orders=found, cases=waiting, customer=customer)


_RANK: Final = {"talking": 0, "held": 1, "ringing": 2, "after_call": 3}
_OWN_CALLS: Final = (
    select(live_calls)
    .where(live_calls.c.user_id == bindparam("user_id"), live_calls.c.updated_at > bindparam("since"))
    .where(or_(*(live_calls.c.state == state for state in _RANK)))
    .order_by(live_calls.c.updated_at.desc(), live_calls.c.id.desc())
    .limit(20)
)
#: a buyer of several malls gives one phone here and one e-mail there
_MAILS: Final = (
    select(orders.c.buyer_email_idx)
    .where(orders.c.buyer_phone_idx == bindparam("phone"), orders.c.buyer_email_idx.is_not(None))
    .distinct()
    .limit(_EMAILS)
)
#: by questions that the caller wrote, and by callbacks that wait
_CASES_OF_CALLER: Final = union(
    select(cases.c.id)
    .join(inquiries, and_(inquiries.c.shop_id == cases.c.shop_id, inquiries.c.thread_no == cases.c.thread_no))
    .where(inquiries.c.writer_phone_idx == bindparam("phone"), cases.c.is_open),
    select(callbacks.c.case_id).where(callbacks.c.caller_idx == bindparam("phone"), callbacks.c.ended_at.is_(None)),
)
_CASES: Final = (
    select_rows()
    .where(among(cases.c.id, "cases"), cases.c.is_open, shops.c.is_active)
    .order_by(cases.c.due_at, cases.c.id)
    .limit(_MOST_CASES)
)


def phone_call(row: Any, services: Services) -> PhoneCall:
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
