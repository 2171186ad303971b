"""Re-billing without shipment: a line that is paid anew for goods that the customer already has.

The old line was cancelled after delivery, the new one pays for the same goods. A supervisor approves;
the new line is never dispatched (:mod:`hub.desk.acting.rebill_hold`) and is no second order in the figures.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import and_, bindparam, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.books.policy import read_policy
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.policy.book_rows import Rebilling
from hub.policy.switches import brand_of, switches_at
from hub.store.database import from_ms, time_of, to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.questions import Question, ask_one
from hub.store.tables import cases, lines, orders, rebills, shops, users

_LONGEST: Final = 100


class RebillReason(StrEnum):
    """Why goods that are there are paid for once more."""

    CANCELLED_BY_MISTAKE = "cancelled_by_mistake"
    GOODS_KEPT = "goods_kept"
    OTHER_TERMS = "other_terms"


class LineName(Struct, frozen=True, kw_only=True):
    """One line, by what people know it by."""

    shop: str
    order_no: str
    line_no: str


class RebillError(ValueError):
    """Nothing was linked. ``key``: off, no_line, same_line, taken."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class RebillView(Struct, frozen=True, kw_only=True):
    """``is_new_side``: the order that was asked about is the one that must not be sent. ``state``: waiting,
    active or undone.
    """

    id: int
    old: LineName
    new: LineName
    reason: str
    state: str
    is_new_side: bool
    asked_by: str | None
    asked_at: datetime
    approved_at: datetime | None
    undone_at: datetime | None


async def ask_rebill(services: Services, *, actor: Actor, old: LineName, new: LineName, reason: RebillReason) -> int:
    """Link ``new`` to ``old``; from now on nothing is sent for it. In force once a supervisor approves.

    Raises: ForbiddenError; RebillError.
    """
    require(actor, Permission.WORK_CASES)
    if old == new:
        raise RebillError("same_line")
    now = services.now()
    async with services.database.writing() as connection:
        old_row, new_row = await _line(connection, old), await _line(connection, new)
        if await _switch(services, new_row) is Rebilling.OFF:
            raise RebillError("off")
        ends = or_(
            _is(rebills.c.new_shop_id, rebills.c.new_order_no, rebills.c.new_line_no, new_row),
            _is(rebills.c.old_shop_id, rebills.c.old_order_no, rebills.c.old_line_no, old_row),
            _is(rebills.c.old_shop_id, rebills.c.old_order_no, rebills.c.old_line_no, new_row),
        )
        if await connection.scalar(select(rebills.c.id).where(ends, rebills.c.undone_at.is_(None)).limit(1)):
            raise RebillError("taken")
        is_approved = actor.may(Permission.APPROVE)
        rebill_id = new_id()
        await connection.execute(
            rebills.insert().values(
                id=rebill_id,
                old_shop_id=old_row.shop_id,
                old_order_no=old_row.order_no,
                old_line_no=old_row.line_no,
                new_shop_id=new_row.shop_id,
                new_order_no=new_row.order_no,
                new_line_no=new_row.line_no,
                reason=reason.value,
                asked_by=actor.user_id,
                asked_at=to_ms(now),
                approved_by=actor.user_id if is_approved else None,
                approved_at=to_ms(now) if is_approved else None,
                is_active=is_approved,
            )
        )
        await _tell(connection, rebill_id)
    return rebill_id


async def approve_rebill(services: Services, *, actor: Actor, rebill_id: int) -> None:
    """Raises: ForbiddenError; NotFoundError when none waits."""
    require(actor, Permission.APPROVE)
    is_waiting = and_(rebills.c.approved_at.is_(None), rebills.c.undone_at.is_(None))
    values = {"approved_by": actor.user_id, "approved_at": to_ms(services.now()), "is_active": True}
    await _change(services, rebill_id, is_waiting, values)


async def undo_rebill(services: Services, *, actor: Actor, rebill_id: int) -> None:
    """The new line is a line like any other again. Raises: ForbiddenError; NotFoundError when it does not stand."""
    require(actor, Permission.APPROVE)
    values = {"undone_by": actor.user_id, "undone_at": to_ms(services.now()), "is_active": False}
    await _change(services, rebill_id, rebills.c.undone_at.is_(None), values)


async def read_rebills(services: Services, *, actor: Actor, shop: str, order_no: str) -> tuple[RebillView, ...]:
    """Of an order, on either side, newest first. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await ask_one(connection, rebills_of(shop, order_no))


def rebills_of(shop: str, order_no: str | None) -> Question[tuple[RebillView, ...]]:
    """As :func:`read_rebills`; no order has the number ``None``."""

    def views(rows: list[Any]) -> tuple[RebillView, ...]:
        return tuple(_view(row, shop=shop, order_no=order_no or "") for row in rows)

    return Question(_OF_ORDER, {"shop": shop, "order_no": order_no}, views)


_old_shop, _new_shop = shops.alias("old_shop"), shops.alias("new_shop")
_named = select(shops.c.id).where(shops.c.name == bindparam("shop")).scalar_subquery()
# Each side has an index of its own.
_SIDES: Final = union(
    select(rebills.c.id).where(rebills.c.new_shop_id == _named, rebills.c.new_order_no == bindparam("order_no")),
    select(rebills.c.id).where(rebills.c.old_shop_id == _named, rebills.c.old_order_no == bindparam("order_no")),
)
_OF_ORDER: Final = (
    select(rebills, _old_shop.c.name.label("old_shop"), _new_shop.c.name.label("new_shop"), users.c.name.label("by"))
    .select_from(
        rebills.join(_old_shop, _old_shop.c.id == rebills.c.old_shop_id)
        .join(_new_shop, _new_shop.c.id == rebills.c.new_shop_id)
        .outerjoin(users, users.c.id == rebills.c.asked_by)
    )
    .where(rebills.c.id.in_(_SIDES))
    .order_by(rebills.c.id.desc())
)


def _view(row: Any, *, shop: str, order_no: str) -> RebillView:
    state = "undone" if row.undone_at is not None else "active" if row.is_active else "waiting"
    new = LineName(shop=row.new_shop, order_no=row.new_order_no, line_no=row.new_line_no)
    return RebillView(
        id=row.id,
        old=LineName(shop=row.old_shop, order_no=row.old_order_no, line_no=row.old_line_no),
        new=new,
        reason=row.reason,
        state=state,
        is_new_side=(new.shop, new.order_no) == (shop, order_no),
        asked_by=row.by,
        asked_at=time_of(row.asked_at),
        approved_at=from_ms(row.approved_at),
        undone_at=from_ms(row.undone_at),
    )


async def _line(connection: AsyncConnection, name: LineName) -> Any:
    """The line; without a line number the only line of its order."""
    query = (
        select(
            lines.c.shop_id,
            orders.c.order_no,
            orders.c.sub_shop,
            lines.c.line_no,
            lines.c.seller_sku,
            shops.c.name.label("shop"),
            shops.c.mall,
        )
        .select_from(lines.join(orders, orders.c.id == lines.c.order_id).join(shops, shops.c.id == lines.c.shop_id))
        .where(shops.c.name == name.shop, orders.c.order_no == name.order_no[:_LONGEST])
        .limit(2)
    )
    if name.line_no:
        query = query.where(lines.c.line_no == name.line_no[:_LONGEST])
    rows = (await connection.execute(query)).all()
    if len(rows) != 1:
        raise RebillError("no_line")
    return rows[0]


async def _switch(services: Services, row: Any) -> Rebilling:
    policy, on = await read_policy(services.database), services.now().astimezone(services.settings.zone).date()
    place = {"shop": row.shop, "mall": row.mall, "on": on}
    brand = brand_of(policy.tables, sub_shop=row.sub_shop, seller_sku=row.seller_sku, **place)
    return switches_at(policy.tables, brand=brand, **place).rebill_without_shipment


def _is(shop_id: Any, order_no: Any, line_no: Any, row: Any) -> Any:
    return and_(shop_id == row.shop_id, order_no == row.order_no, line_no == row.line_no)


async def _change(services: Services, rebill_id: int, which: Any, values: dict[str, Any]) -> None:
    async with services.database.writing() as connection:
        changed = await connection.execute(update(rebills).where(rebills.c.id == rebill_id, which).values(**values))
        if changed.rowcount != 1:
            raise NotFoundError
        await _tell(connection, rebill_id)


async def _tell(connection: AsyncConnection, rebill_id: int) -> None:
    """The cases of both orders."""
    query = (
        select(cases.c.id)
        .join(
            rebills,
            or_(
                and_(cases.c.shop_id == rebills.c.old_shop_id, cases.c.order_no == rebills.c.old_order_no),
                and_(cases.c.shop_id == rebills.c.new_shop_id, cases.c.order_no == rebills.c.new_order_no),
            ),
        )
        .where(rebills.c.id == rebill_id)
        .limit(20)
    )
    for case_id in list(await connection.scalars(query)):
        await publish(connection, Topic.CASE, id=case_id)
