"""One case, and one order, with everything around them; masked unless opened with a reason."""

from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, select

from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.asks.views import ask_marks_of
from hub.desk.cases.dossier import Subject, read_dossier
from hub.desk.services import Services
from hub.desk.views import CaseView, Dossier, DueView
from hub.desk.worklist.filters import READER
from hub.desk.worklist.incident_marks import marks_of
from hub.desk.worklist.rows import case_row, select_rows
from hub.policy.due import Due
from hub.store.database import read_rows
from hub.store.questions import Question, asking
from hub.store.tables import cases, orders, shops

REASON_LIMIT = 200
_decode_dues = msgspec.json.Decoder(list[Due]).decode


class NotFoundError(Exception):
    """There is no such case or order (any more)."""


async def read_case(services: Services, *, actor: Actor, case_id: int) -> CaseView:
    """Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.WORK_CASES)
    return await open_case(services, case_id=case_id, is_unmasked=False, user_id=actor.user_id)


async def read_order(services: Services, *, actor: Actor, order_id: int) -> Dossier:
    """Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.WORK_CASES)
    return await _read_order(services, order_id=order_id, is_unmasked=False)


async def unmask_case(services: Services, *, actor: Actor, case_id: int, reason: str) -> CaseView:
    """The case with personal data in the clear, this once. The access log knows of it first.

    Raises: ForbiddenError, NotFoundError, ValueError without a reason.
    """
    await record_unmasking(services, actor=actor, subject=f"case {case_id}", reason=reason)
    return await open_case(services, case_id=case_id, is_unmasked=True, user_id=actor.user_id)


async def unmask_order(services: Services, *, actor: Actor, order_id: int, reason: str) -> Dossier:
    """As :func:`unmask_case`, for the page of an order."""
    await record_unmasking(services, actor=actor, subject=f"order {order_id}", reason=reason)
    return await _read_order(services, order_id=order_id, is_unmasked=True)


async def record_unmasking(services: Services, *, actor: Actor, subject: str, reason: str) -> None:
    """Raises: ForbiddenError; ValueError without a reason."""
    require(actor, Permission.UNMASK)
    reason = " ".join(reason.split())
    if not reason:
        message = "personal data is shown only with a reason"
        raise ValueError(message)
    async with services.database.writing() as connection:
        await record_access(
            connection,
            at=services.now(),
            actor=actor,
            action=AccessAction.UNMASK,
            subject=subject,
            reason=reason[:REASON_LIMIT],
        )


async def open_case(services: Services, *, case_id: int, is_unmasked: bool, user_id: int | None = None) -> CaseView:
    """For code that compares or writes: whoever is shown the result asked :func:`read_case` or :func:`unmask_case`.

    Raises: NotFoundError.
    """
    async with services.database.reading() as connection:
        async with asking(connection) as ask:
            rows = ask(Question(_CASES[user_id is not None], {"case_id": case_id, READER.key: user_id}, list))
            incidents, asks = ask(marks_of([case_id])), ask(ask_marks_of([case_id]))
        if not rows.found:
            raise NotFoundError
        row = rows.found[0]
        subject = Subject(
            shop_id=row.shop_id,
            shop=row.shop,
            mall=row.mall,
            order_no=row.order_no,
            sub_shop=row.sub_shop,
            thread_no=row.thread_no,
            case_id=case_id if row.order_no is None and row.thread_no is None else None,
        )
        dossier = await read_dossier(services, connection, subject=subject, is_unmasked=is_unmasked)
    return CaseView(
        row=case_row(
            row,
            malls=services.registry,
            now=services.now(),
            original=dossier.original,
            incident=incidents.found.get(case_id),
            ask=asks.found.get(case_id),
            badges=dossier.customer.badges if dossier.customer else (),
        ),
        dues=_dues(row, services),
        thread_no=row.thread_no,
        dossier=dossier,
    )


#: by whether it is known who reads
_CASES: Final = {
    is_known: select_rows(READER if is_known else None).where(cases.c.id == bindparam("case_id"))
    for is_known in (False, True)
}


async def _read_order(services: Services, *, order_id: int, is_unmasked: bool) -> Dossier:
    async with services.database.reading() as connection:
        rows = await read_rows(connection, _ORDER, order_id=order_id)
        if not rows:
            raise NotFoundError
        row = rows[0]
        subject = Subject(
            shop_id=row.shop_id,
            shop=row.name,
            mall=row.mall,
            order_no=row.order_no,
            sub_shop=row.sub_shop,
            order_id=order_id,
        )
        return await read_dossier(services, connection, subject=subject, is_unmasked=is_unmasked)


_ORDER: Final = (
    select(orders.c.order_no, orders.c.sub_shop, orders.c.shop_id, shops.c.name, shops.c.mall)
    .select_from(orders.join(shops, shops.c.id == orders.c.shop_id))
    .where(orders.c.id == bindparam("order_id"))
)


def _dues(row: Any, services: Services) -> tuple[DueView, ...]:
    now = services.now()
    return tuple(
        DueView(
            at=due.at,
            cause=due.cause.value,
            label_key=due.label_key,
            source=due.source,
            is_overdue=row.is_open and due.at < now,
        )
        for due in _decode_dues(row.due_all)
    )
