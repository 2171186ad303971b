"""Reads what agents have said of a person: confirmed and split identities, and the marks that are in force."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Row, Select, and_, bindparam, or_, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.cases.person import key_names, key_values, places
from hub.desk.customers.identity import (
    Identity,
    Known,
    RecordKind,
    RecordRef,
    callback_columns,
    identity_of_inquiry,
    identity_of_order,
    identity_of_row,
    inquiry_columns,
    order_columns,
)
from hub.desk.customers.views import MarkBadge, MarkKind, MarkView
from hub.desk.record_views import Curtain, open_inquiry
from hub.store.belonging import order_of_case
from hub.store.box import Box
from hub.store.database import among, from_ms, read_rows, time_of, to_ms
from hub.store.questions import Question, ask_one
from hub.store.sealed import CUSTOMER_MARK_PLACE, normal_email
from hub.store.tables import (
    callbacks,
    cases,
    customer_identities,
    customer_links,
    customer_marks,
    inquiries,
    live_calls,
    orders,
    users,
)

#: tables of records by their kind, with the columns that :func:`find_identity` needs
_CALLERS = {RecordKind.CALL: live_calls, RecordKind.CALLBACK: callbacks}


async def find_identity(connection: AsyncConnection, ref: RecordRef, *, box: Box) -> Identity | None:
    """Whose record it is; ``None`` where there is no such record, or it names neither number nor address."""
    row: Row[Any] | None
    if ref.kind is RecordKind.ORDER:
        row = (await connection.execute(select(orders).where(orders.c.id == ref.id))).one_or_none()
        found = identity_of_order(row) if row else None
    elif ref.kind is RecordKind.INQUIRY:
        row = (await connection.execute(select(inquiries).where(inquiries.c.id == ref.id))).one_or_none()
        found = identity_of_inquiry(row, writer_email(row, box)) if row else None
    elif ref.kind is RecordKind.IDENTITY:
        query = select(customer_identities).where(customer_identities.c.id == ref.id)
        row = (await connection.execute(query)).one_or_none()
        found = identity_of_row(row) if row else None
    else:
        table = _CALLERS[ref.kind]
        phone = await connection.scalar(select(table.c.caller_idx).where(table.c.id == ref.id))
        found = Identity(phone=phone) if phone else None
    return found if found is not None and found.is_known else None


def writer_email(row: Row[Any], box: Box) -> bytes:
    """The blind index of the writer's address, b"" without one; opened only where there is no number."""
    if row.writer_phone_idx:
        return b""
    writer = open_inquiry(row, box).writer
    email = normal_email(writer.email) if writer else None
    return box.blind("email", email) if email else b""


async def read_known(connection: AsyncConnection, subject: Identity) -> Known:
    """One statement for somebody of whom nobody has said anything, two otherwise."""
    return await known_of(connection, subject, await ask_one(connection, person_of(subject)))


def person_of(subject: Identity) -> Question[Sequence[Any]]:
    """For :func:`known_of`: the stored rows of ``subject`` and whoever was found to be the same person."""
    return Question(_PERSON, {"phone": subject.phone, "email": subject.email, "name": subject.name}, list)


async def known_of(connection: AsyncConnection, subject: Identity, rows: Sequence[Any]) -> Known:
    """As :func:`read_known`; nothing more is asked of somebody of whom nobody has said anything."""
    if not rows:
        return Known(subject=subject, person=frozenset({subject}))
    return Known(
        subject=subject,
        person=frozenset(identity_of_row(row) for row in rows),
        split=frozenset(await _split_off(connection, [row.id for row in rows])),
        person_id=rows[0].person_id,
    )


def _is(identity: Identity) -> tuple[ColumnElement[bool], ...]:
    return (
        customer_identities.c.phone_idx == identity.phone,
        customer_identities.c.email_idx == identity.email,
        customer_identities.c.name_idx == identity.name,
    )


def same_identity(identity: Identity) -> Select[Any]:
    """The stored row of ``identity``."""
    return select(customer_identities).where(*_is(identity))


def _told_apart() -> Any:
    """Every decision in force that two are not one person, both ways round: ``one``, ``other``."""
    first, second = customer_links.c.first_id, customer_links.c.second_id
    in_force = and_(customer_links.c.verdict == "different", customer_links.c.undone_at.is_(None))
    return union_all(
        select(first.label("one"), second.label("other")).where(in_force),
        select(second.label("one"), first.label("other")).where(in_force),
    ).subquery("apart")


async def _split_off(connection: AsyncConnection, ids: Collection[int]) -> list[Identity]:
    """Everybody who is one person with somebody that was split off one of ``ids``."""
    apart = _told_apart()
    others = select(apart.c.other).where(apart.c.one.in_(ids))
    persons = select(customer_identities.c.person_id).where(customer_identities.c.id.in_(others))
    query = select(customer_identities).where(customer_identities.c.person_id.in_(persons))
    return [identity_of_row(row) for row in await connection.execute(query)]


def _is_in_force(now: BindParameter[Any]) -> ColumnElement[bool]:
    is_lasting = or_(customer_marks.c.until_at.is_(None), customer_marks.c.until_at > now)
    return and_(customer_marks.c.cleared_at.is_(None), is_lasting)


async def read_marks_of(
    connection: AsyncConnection,
    known: Known,
    *,
    near: Collection[Identity],
    box: Box,
    curtain: Curtain,
    now: datetime,
) -> tuple[MarkView, ...]:
    """Marks in force of the person, and of those who are perhaps the same (``near``); none of who was split off."""
    phones = sorted({one.phone for one in (*near, *known.person) if one.phone})
    emails = sorted({one.email for one in (*near, *known.person) if one.email})
    query = _marks_of(places(len(phones)), places(len(emails)))
    keys = {**key_values("phone", phones), **key_values("email", emails)}
    rows = await read_rows(connection, query, person_id=known.person_id, now=to_ms(now), **keys)
    found = [(identity_of_row(row), row) for row in rows]
    return tuple(
        mark_view(row, is_sure=identity in known.person, box=box, curtain=curtain)
        for identity, row in found
        if identity not in known.split
    )


@lru_cache
def _marks_of(phones: int, emails: int) -> Select[Any]:
    """With room for so many keys. Somebody of whom nobody has said anything has the person ``None``: no row has it."""
    persons = union(
        *(
            select(customer_identities.c.person_id).where(is_one)
            for is_one in (
                customer_identities.c.person_id == bindparam("person_id"),
                *(customer_identities.c.phone_idx == bindparam(name) for name in key_names("phone", phones)),
                *(customer_identities.c.email_idx == bindparam(name) for name in key_names("email", emails)),
            )
        )
    )
    return (
        select(
            customer_marks,
            customer_identities.c.phone_idx,
            customer_identities.c.email_idx,
            customer_identities.c.name_idx,
            users.c.name.label("by"),
        )
        .join_from(customer_marks, customer_identities, customer_identities.c.id == customer_marks.c.identity_id)
        .outerjoin(users, users.c.id == customer_marks.c.marked_by)
        .where(customer_identities.c.person_id.in_(persons), _is_in_force(bindparam("now")))
        .order_by(customer_marks.c.marked_at.desc(), customer_marks.c.id.desc())
    )


def mark_view(row: Any, *, is_sure: bool, box: Box, curtain: Curtain) -> MarkView:
    return MarkView(
        mark_id=row.id,
        kind=MarkKind(row.kind),
        reason=curtain.text(box.open(row.reason_sealed, CUSTOMER_MARK_PLACE).decode()) or "",
        by=row.by,
        at=time_of(row.marked_at),
        until=from_ms(row.until_at),
        is_sure=is_sure,
    )


def marked_of(case_ids: Sequence[int], *, now: datetime) -> Question[list[Any]]:
    """For :func:`badges_of`: marks in force of whoever has the number or address of one of these cases."""
    return Question(_BADGES, {"cases": list(case_ids), "now": to_ms(now)}, list)


async def badges_of(connection: AsyncConnection, rows: Sequence[Any]) -> dict[int, tuple[MarkBadge, ...]]:
    """For lists: the marks of each case's customer. Asks where somebody else of the same number is marked."""
    doubtful = [row for row in rows if row.near_name != row.name_idx]
    split = await _split_pairs(connection, doubtful) if doubtful else set()
    found: dict[int, dict[MarkKind, bool]] = defaultdict(dict)
    for row in rows:
        is_sure = row.near_name == row.name_idx
        if is_sure or (identity_of_row(row), row.near_id) not in split:
            kinds = found[row.case_id]
            kinds[MarkKind(row.kind)] = kinds.get(MarkKind(row.kind), False) or is_sure
    return {
        case_id: tuple(MarkBadge(kind=kind, is_sure=kinds[kind]) for kind in MarkKind if kind in kinds)
        for case_id, kinds in found.items()
    }


async def _split_pairs(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> set[tuple[Identity, int]]:
    """Those of (identity of a case, id of a marked one's neighbour) that agents have told apart."""
    apart = _told_apart()
    own, near = customer_identities.alias("own"), customer_identities.alias("near")
    own_mate, near_mate = customer_identities.alias("own_mate"), customer_identities.alias("near_mate")
    query: Select[Any] = (
        select(own.c.phone_idx, own.c.email_idx, own.c.name_idx, near.c.id.label("near_id"))
        .select_from(
            apart.join(own_mate, own_mate.c.id == apart.c.one)
            .join(own, own.c.person_id == own_mate.c.person_id)
            .join(near_mate, near_mate.c.id == apart.c.other)
            .join(near, near.c.person_id == near_mate.c.person_id)
        )
        .where(near.c.id.in_({row.near_id for row in rows}), own.c.name_idx.in_({row.name_idx for row in rows}))
    )
    return {(identity_of_row(row), row.near_id) for row in await connection.execute(query)}


def _badges() -> Select[Any]:
    """Of each case the marks in force of everybody with its customer's phone or address."""
    of_thread = (inquiries.c.shop_id == cases.c.shop_id) & (inquiries.c.thread_no == cases.c.thread_no)
    case_id = cases.c.id.label("case_id")
    # ``case_id`` with the identity of its buyer, writer or caller.
    of = union_all(
        select(case_id, *order_columns())
        .select_from(cases.join(orders, order_of_case()))
        .where(among(cases.c.id, "cases")),
        select(case_id, *inquiry_columns())
        .select_from(cases.join(inquiries, of_thread))
        .where(among(cases.c.id, "cases"), cases.c.order_no.is_(None)),
        select(callbacks.c.case_id, *callback_columns()).where(among(callbacks.c.case_id, "cases")),
    ).subquery("people")
    near, marked = customer_identities.alias("near"), customer_identities.alias("marked")
    is_near = or_(
        and_(of.c.phone_idx != b"", near.c.phone_idx == of.c.phone_idx),
        and_(of.c.email_idx != b"", near.c.email_idx == of.c.email_idx),
    )
    return (
        select(of, near.c.id.label("near_id"), near.c.name_idx.label("near_name"), customer_marks.c.kind)
        .select_from(
            of.join(near, is_near)
            .join(marked, marked.c.person_id == near.c.person_id)
            .join(customer_marks, customer_marks.c.identity_id == marked.c.id)
        )
        .where(_is_in_force(bindparam("now")))
    )


_BADGES: Final = _badges()
_PERSON: Final = select(customer_identities).where(
    customer_identities.c.person_id.in_(
        select(customer_identities.c.person_id).where(
            customer_identities.c.phone_idx == bindparam("phone"),
            customer_identities.c.email_idx == bindparam("email"),
            customer_identities.c.name_idx == bindparam("name"),
        )
    )
)
