"""Gathers everything about one order or one inquiry thread in a fixed number of queries."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, bindparam, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.contract import Connector
from hub.core.errors import ConfigurationError
from hub.core.model import Inquiry, Message, MessageAuthor, Party
from hub.desk.ask_views import read_asks
from hub.desk.care_timeline import care_entries
from hub.desk.compensation_views import read_gifts
from hub.desk.complaint_views import read_complaint_steps
from hub.desk.customer_identity import Identity, RecordKind, RecordRef, identity_of_inquiry, identity_of_order
from hub.desk.customer_panel import Subject as CustomerSubject
from hub.desk.customer_panel import read_customer
from hub.desk.decision_timeline import decision_entries
from hub.desk.freshness import views_of
from hub.desk.promise_views import read_promises
from hub.desk.record_views import (
    Curtain,
    claim_view,
    inquiry_view,
    open_inquiry,
    open_order,
    order_view,
    person_view,
    stock_view,
)
from hub.desk.services import Services
from hub.desk.thread_orders import linked_orders, suggested_orders
from hub.desk.timeline import build_timeline
from hub.desk.twins import read_twins
from hub.desk.views import AdminStep, CaseLink, Dossier, OtherOrder, StockView
from hub.desk.work_timeline import work_entries
from hub.store.catalogue import read_stock_facts
from hub.store.database import among, from_ms, read_rows
from hub.store.one import product_of
from hub.store.sealed import normal_email
from hub.store.tables import (
    actions,
    admin_steps,
    callbacks,
    cases,
    claims,
    inquiries,
    lines,
    orders,
    status_changes,
    users,
)


class Subject(Struct, frozen=True, kw_only=True):
    """What a dossier is about: an order, an inquiry thread, or a thread about an order."""

    shop_id: int
    shop: str
    mall: str
    order_no: str | None = None
    thread_no: str | None = None
    order_id: int | None = None
    #: of a case that is about no order and no inquiry: a callback
    case_id: int | None = None


async def read_dossier(
    services: Services, connection: AsyncConnection, *, subject: Subject, is_unmasked: bool
) -> Dossier:
    curtain = Curtain(is_open=is_unmasked)
    box, malls = services.database.box, services.registry
    connector = await _connector(services, subject.shop)
    order_row = await _order_row(connection, subject)
    line_rows = await read_rows(connection, _LINES, order_id=order_row.id) if order_row else []
    claim_rows = await _claim_rows(connection, subject)
    inquiry_rows = await _inquiry_rows(connection, subject)
    opened = [open_inquiry(row, box) for row in inquiry_rows]

    order = (
        order_view(
            order_row,
            line_rows,
            shop=subject.shop,
            malls=malls,
            mall=subject.mall,
            connector=connector,
            stock=await _stock(services, connection, line_rows, curtain),
        )
        if order_row
        else None
    )
    claim_views = tuple(claim_view(row, box, curtain) for row in claim_rows)
    inquiry_views = tuple(
        inquiry_view(row, inquiry, curtain, connector) for row, inquiry in zip(inquiry_rows, opened, strict=True)
    )
    case_links = await _cases(connection, subject)
    case_ids = [link.case_id for link in case_links]
    steps = await _steps(connection, case_ids)
    asks = await read_asks(connection, case_ids, box=box, curtain=curtain)
    promises = await read_promises(connection, case_ids, box=box, curtain=curtain, now=services.now())
    complaint_steps = await read_complaint_steps(connection, case_ids, box=box, curtain=curtain)
    gifts = await read_gifts(connection, case_ids, box=box, curtain=curtain)
    decided = await decision_entries(connection, case_ids)
    worked = await work_entries(connection, case_ids, box=box, curtain=curtain)
    timeline = build_timeline(
        order=order,
        claims=claim_views,
        inquiries=inquiry_views,
        changes=await _changes(connection, line_rows, claim_rows),
        actions=await _actions(connection, subject, [inquiry.inquiry_no for inquiry in opened]),
        steps=steps,
        asks=asks,
        care=(*care_entries(promises, complaint_steps, gifts), *decided, *worked),
        box=box,
        curtain=curtain,
    )
    twins = (await read_twins(connection, [order_row.id], malls=malls)).get(order_row.id, ()) if order_row else ()
    writer = next((inquiry.writer for inquiry in reversed(opened) if inquiry.writer), None)
    phones, emails = _keys_of_person(services, order_row, inquiry_rows, writer)
    callback = await _callback(connection, subject.case_id)
    if callback is not None:
        phones.append(callback.caller_idx)
    whose = _whose(order_row, inquiry_rows, callback, phones=phones, emails=emails)
    customer, others = (
        await read_customer(services, connection, subject=whose, curtain=curtain) if whose else (None, ())
    )
    linked, suggested = await _thread_orders(services, connection, subject, opened)
    return Dossier(
        shop=(await views_of(connection, malls=malls, shop_id=subject.shop_id))[0],
        order=order,
        person=person_view(open_order(order_row, box), writer, curtain),
        claims=claim_views,
        inquiries=inquiry_views,
        timeline=timeline,
        others=others,
        cases=case_links,
        steps=steps,
        link=_link(connector, subject, opened),
        is_unmasked=is_unmasked,
        twins=twins,
        linked=linked,
        suggested=suggested,
        asks=asks,
        promises=promises,
        complaint_steps=complaint_steps,
        gifts=gifts,
        customer=customer,
    )


async def _callback(connection: AsyncConnection, case_id: int | None) -> Row[Any] | None:
    """Who waits to be called back, of a case that is about nothing else."""
    if case_id is None:
        return None
    query: Select[Any] = select(callbacks.c.id, callbacks.c.caller_idx).where(callbacks.c.case_id == case_id).limit(1)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


def _whose(
    order_row: Row[Any] | None,
    inquiry_rows: Sequence[Row[Any]],
    callback: Row[Any] | None,
    *,
    phones: Sequence[bytes],
    emails: Sequence[bytes],
) -> CustomerSubject | None:
    """The customer by the order, else by the newest question, else by the call; ``None`` where none names anybody."""
    named: list[tuple[RecordRef, Identity]] = []
    if order_row is not None:
        named.append((RecordRef(kind=RecordKind.ORDER, id=order_row.id), identity_of_order(order_row)))
    for row in reversed(inquiry_rows):
        # Without an order the address is the writer's.
        email = emails[0] if emails and order_row is None else b""
        named.append((RecordRef(kind=RecordKind.INQUIRY, id=row.id), identity_of_inquiry(row, email)))
    if callback is not None:
        named.append((RecordRef(kind=RecordKind.CALLBACK, id=callback.id), Identity(phone=callback.caller_idx)))
    found = next(((ref, identity) for ref, identity in named if identity.is_known), None)
    if found is None:
        return None
    order_id = order_row.id if order_row is not None else None
    return CustomerSubject(ref=found[0], identity=found[1], phones=phones, emails=emails, order_id=order_id)


async def _thread_orders(
    services: Services, connection: AsyncConnection, subject: Subject, opened: Sequence[Inquiry]
) -> tuple[tuple[OtherOrder, ...], tuple[OtherOrder, ...]]:
    """Orders linked to a thread that the mall ties to none, and those that the customer may mean."""
    if subject.thread_no is None or subject.order_no is not None:
        return (), ()
    malls = services.registry
    linked = await linked_orders(connection, shop_id=subject.shop_id, thread_no=subject.thread_no, malls=malls)
    texts = [
        message.text
        for inquiry in opened
        for message in inquiry.messages or (Message(message_no="", author=MessageAuthor.CUSTOMER, text=inquiry.text),)
        if message.author is MessageAuthor.CUSTOMER
    ]
    without = [order.order_id for order in linked]
    return linked, await suggested_orders(connection, texts=texts, without=without, malls=malls)


async def _stock(
    services: Services, connection: AsyncConnection, line_rows: Sequence[Row[Any]], curtain: Curtain
) -> dict[int, StockView]:
    """What the mall's catalogue says of each line's product, by the line's id."""
    products = [(row.shop_id, product_of(row)) for row in line_rows]
    found = await read_stock_facts(services.database, connection, products, people=True)
    return {
        row.id: stock_view(facts, curtain) for row, facts in zip(line_rows, found, strict=True) if facts is not None
    }


async def _connector(services: Services, shop: str) -> Connector | None:
    """Only for addresses of the mall's admin: wrong credentials must not hide the case."""
    try:
        return await services.connector(shop)
    except ConfigurationError:
        return None


def _link(connector: Connector | None, subject: Subject, opened: Sequence[Inquiry]) -> str | None:
    if connector is None:
        return None
    inquiry = next((each for each in reversed(opened) if each.thread_no == subject.thread_no), None)
    if inquiry is not None:
        return connector.admin_link(inquiry=inquiry)
    return connector.admin_link(order_no=subject.order_no)


def _keys_of_person(
    services: Services, order_row: Row[Any] | None, inquiry_rows: Sequence[Row[Any]], writer: Party | None
) -> tuple[list[bytes], list[bytes]]:
    phones = [row.writer_phone_idx for row in inquiry_rows]
    emails = []
    if order_row is not None:
        phones += [order_row.buyer_phone_idx, order_row.receiver_phone_idx]
        emails.append(order_row.buyer_email_idx)
    if writer is not None and (email := normal_email(writer.email)):
        emails.append(services.database.box.blind("email", email))
    return [key for key in dict.fromkeys(phones) if key], [key for key in dict.fromkeys(emails) if key]


async def _rows(connection: AsyncConnection, query: Any) -> list[Row[Any]]:
    return list((await connection.execute(query)).all())


async def _order_row(connection: AsyncConnection, subject: Subject) -> Row[Any] | None:
    if subject.order_id is not None:
        query = select(orders).where(orders.c.id == subject.order_id)
    elif subject.order_no is not None:
        query = (
            select(orders)
            .where(orders.c.shop_id == subject.shop_id, orders.c.order_no == subject.order_no)
            .order_by(orders.c.id)
            .limit(1)
        )
    else:
        return None
    return (await connection.execute(query)).one_or_none()


async def _claim_rows(connection: AsyncConnection, subject: Subject) -> list[Row[Any]]:
    if subject.order_no is None:
        return []
    return await read_rows(connection, _CLAIMS, shop_id=subject.shop_id, order_no=subject.order_no)


_LINES: Final = select(lines).where(lines.c.order_id == bindparam("order_id")).order_by(lines.c.line_no)
_CLAIMS: Final = (
    select(claims)
    .where(claims.c.shop_id == bindparam("shop_id"), claims.c.order_no == bindparam("order_no"))
    .order_by(claims.c.requested_at, claims.c.id)
)


async def _inquiry_rows(connection: AsyncConnection, subject: Subject) -> list[Row[Any]]:
    """The thread itself and whatever else was asked about the same order."""
    which = []
    if subject.order_no is not None:
        which.append(inquiries.c.order_no == subject.order_no)
    if subject.thread_no is not None:
        which.append(inquiries.c.thread_no == subject.thread_no)
    if not which:
        return []
    query = select(inquiries).where(inquiries.c.shop_id == subject.shop_id, or_(*which))
    return await _rows(connection, query.order_by(inquiries.c.asked_at, inquiries.c.id))


async def _changes(
    connection: AsyncConnection, line_rows: Sequence[Row[Any]], claim_rows: Sequence[Row[Any]]
) -> list[Row[Any]]:
    of_claims = [row.id for row in claim_rows]
    return await read_rows(connection, _CHANGES, lines=[row.id for row in line_rows], claims=of_claims)


_CHANGES: Final = (
    select(status_changes)
    .where(
        or_(
            (status_changes.c.subject == "line") & among(status_changes.c.subject_id, "lines"),
            (status_changes.c.subject == "claim") & among(status_changes.c.subject_id, "claims"),
        )
    )
    .order_by(status_changes.c.id)
)


async def _actions(connection: AsyncConnection, subject: Subject, inquiry_nos: Sequence[str]) -> list[Row[Any]]:
    which: list[ColumnElement[bool]] = [actions.c.inquiry_no.in_(inquiry_nos)]
    if subject.order_no is not None:
        which.append(actions.c.order_no == subject.order_no)
    query = (
        select(actions, users.c.name.label("user_name"))
        .select_from(actions.outerjoin(users, users.c.id == actions.c.user_id))
        .where(actions.c.shop_id == subject.shop_id, or_(*which))
        .order_by(actions.c.created_at, actions.c.id)
    )
    return await _rows(connection, query)


async def _steps(connection: AsyncConnection, case_ids: Sequence[int]) -> tuple[AdminStep, ...]:
    """What was ticked off as done in the mall's admin, and what was taken back; oldest first."""
    return tuple(
        AdminStep(
            step_id=row.id,
            action=row.action,
            line_no=row.line_no,
            done_at=from_ms(row.done_at),
            done_by=row.user_name,
            done_by_id=row.done_by,
            undone_at=from_ms(row.undone_at),
        )
        for row in await read_rows(connection, _STEPS, cases=list(case_ids))
    )


_STEPS: Final = (
    select(admin_steps, users.c.name.label("user_name"))
    .select_from(admin_steps.outerjoin(users, users.c.id == admin_steps.c.done_by))
    .where(among(admin_steps.c.case_id, "cases"))
    .order_by(admin_steps.c.done_at, admin_steps.c.id)
)


async def _cases(connection: AsyncConnection, subject: Subject) -> tuple[CaseLink, ...]:
    which = []
    if subject.order_no is not None:
        which.append(cases.c.order_no == subject.order_no)
    if subject.thread_no is not None:
        which.append(cases.c.thread_no == subject.thread_no)
    if subject.case_id is not None:
        which.append(cases.c.id == subject.case_id)
    if not which:
        return ()
    columns = (cases.c.id, cases.c.kind, cases.c.state, cases.c.is_open, cases.c.due_at)
    query = union(*(select(*columns).where(cases.c.shop_id == subject.shop_id, match) for match in which))
    # Sorted here: an ORDER BY would lead the planner to the index of all cases by deadline.
    found = sorted(await connection.execute(query), key=lambda row: (not row.is_open, row.due_at, row.id))
    return tuple(CaseLink(case_id=row.id, kind=row.kind, state=row.state, is_open=row.is_open) for row in found)
