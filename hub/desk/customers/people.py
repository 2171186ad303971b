"""The identities under some numbers and addresses: how much came under each, and their names, masked."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Party
from hub.desk.customers.history import Keys
from hub.desk.customers.identity import (
    Identity,
    RecordKind,
    RecordRef,
    identity_of_row,
    inquiry_columns,
    order_columns,
)
from hub.desk.record_views import Curtain, open_inquiry, open_order
from hub.store.box import Box
from hub.store.tables import inquiries, orders, shops

#: the newest are shown; whoever has more is a firm
MOST: Final = 40


class Found(Struct, frozen=True, kw_only=True):
    """One identity. ``last_at`` is in stored milliseconds; ``ref`` names its newest record."""

    identity: Identity
    ref: RecordRef
    orders: int
    inquiries: int
    last_at: int
    malls: tuple[str, ...]
    is_by_email: bool


async def find_identities(connection: AsyncConnection, keys: Keys) -> tuple[Found, ...]:
    """The newest first, at most MOST: two statements, however many records there are."""
    columns, at = order_columns(), func.coalesce(orders.c.ordered_at, orders.c.first_seen_at)
    by_order: Select[Any] = (
        select(
            *columns,
            shops.c.mall,
            func.count().label("many"),
            func.max(at).label("last_at"),
            func.max(orders.c.id).label("newest"),
            func.max(case((orders.c.buyer_email_idx.in_(keys.emails), 1), else_=0)).label("is_by_email"),
        )
        .join_from(orders, shops, shops.c.id == orders.c.shop_id)
        .where(orders.c.id.in_(keys.orders()), shops.c.is_active)
        .group_by(*columns, shops.c.mall)
        .order_by(func.max(at).desc())
        .limit(4 * MOST)
    )
    columns = inquiry_columns()
    by_inquiry: Select[Any] = (
        select(
            columns[0],
            columns[2],
            shops.c.mall,
            func.count().label("many"),
            func.max(inquiries.c.asked_at).label("last_at"),
            func.max(inquiries.c.id).label("newest"),
        )
        .join_from(inquiries, shops, shops.c.id == inquiries.c.shop_id)
        .where(inquiries.c.writer_phone_idx.in_(keys.phones), shops.c.is_active)
        .group_by(columns[0], columns[2], shops.c.mall)
        .order_by(func.max(inquiries.c.asked_at).desc())
        .limit(4 * MOST)
    )
    of: dict[Identity, list[tuple[RecordKind, Row[Any]]]] = defaultdict(list)
    for row in await connection.execute(by_order):
        of[identity_of_row(row)].append((RecordKind.ORDER, row))
    for row in await connection.execute(by_inquiry):
        of[Identity(phone=row.phone_idx, name=row.name_idx)].append((RecordKind.INQUIRY, row))
    found = [_found(identity, rows) for identity, rows in of.items()]
    return tuple(sorted(found, key=lambda one: -one.last_at)[:MOST])


def _found(identity: Identity, rows: Sequence[tuple[RecordKind, Row[Any]]]) -> Found:
    # An order tells more of the person than a question does.
    kind, newest = max(rows, key=lambda each: (each[0] is RecordKind.ORDER, each[1].last_at))
    return Found(
        identity=identity,
        ref=RecordRef(kind=kind, id=newest.newest),
        orders=sum(row.many for of_kind, row in rows if of_kind is RecordKind.ORDER),
        inquiries=sum(row.many for of_kind, row in rows if of_kind is RecordKind.INQUIRY),
        last_at=max(row.last_at for _, row in rows),
        malls=tuple(sorted({row.mall for _, row in rows})),
        is_by_email=any(of_kind is RecordKind.ORDER and row.is_by_email for of_kind, row in rows),
    )


async def read_names(
    connection: AsyncConnection, found: Sequence[Found], *, box: Box, curtain: Curtain
) -> dict[RecordRef, Party]:
    """Name, number and address of each, from its newest record; nothing else of it."""
    named: dict[RecordRef, Party] = {}
    numbers = {kind: [one.ref.id for one in found if one.ref.kind is kind] for kind in RecordKind}
    query: Select[Any] = select(orders.c.id, orders.c.sealed).where(orders.c.id.in_(numbers[RecordKind.ORDER]))
    for row in await connection.execute(query):
        private = open_order(row, box)
        named[RecordRef(kind=RecordKind.ORDER, id=row.id)] = _named(private.buyer or private.receiver, curtain)
    asked: Select[Any] = select(inquiries.c.id, inquiries.c.sealed).where(
        inquiries.c.id.in_(numbers[RecordKind.INQUIRY])
    )
    for row in await connection.execute(asked):
        named[RecordRef(kind=RecordKind.INQUIRY, id=row.id)] = _named(open_inquiry(row, box).writer, curtain)
    return named


def _named(party: Party | None, curtain: Curtain) -> Party:
    shown = curtain.party(party) or Party()
    return Party(name=shown.name, name_kana=shown.name_kana, phone=shown.phone, email=shown.email)
