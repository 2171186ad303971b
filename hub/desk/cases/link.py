"""Link an order to a conversation: no mall says whose chat it is, so an agent does, and can take it back."""

from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.cases.thread_orders import ids_of_number
from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import cases, thread_orders

_LONGEST: Final = 60


class NoSuchOrderError(ValueError):
    """No order, or more than one, has this number: nothing was linked."""


async def link_order(services: Services, *, actor: Actor, case_id: int, number: str) -> None:
    """Say that the case's conversation is about the order of this number, or of the line of this number.

    Raises: NoSuchOrderError; NotFoundError when the case is no conversation; ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    number = number.strip()
    async with services.database.writing() as connection:
        shop_id, thread_no = await _thread_of(connection, case_id)
        found: list[int] = []
        if number.isprintable() and 0 < len(number) <= _LONGEST:
            found = await ids_of_number(connection, [number])
        if len(found) != 1:
            raise NoSuchOrderError("no order, or several, have this number")
        standing = select(thread_orders.c.id).where(*_is(shop_id, thread_no, found[0]))
        if await connection.scalar(standing) is not None:
            return
        await connection.execute(
            thread_orders.insert().values(
                id=new_id(),
                shop_id=shop_id,
                thread_no=thread_no,
                order_id=found[0],
                linked_at=to_ms(services.now()),
                linked_by=actor.user_id,
            )
        )


async def unlink_order(services: Services, *, actor: Actor, case_id: int, order_id: int) -> None:
    """Take it back; who linked and who ended it stays known. Raises: NotFoundError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    async with services.database.writing() as connection:
        shop_id, thread_no = await _thread_of(connection, case_id)
        await connection.execute(
            thread_orders.update()
            .where(*_is(shop_id, thread_no, order_id))
            .values(ended_at=to_ms(services.now()), ended_by=actor.user_id)
        )


async def _thread_of(connection: AsyncConnection, case_id: int) -> tuple[int, str]:
    query = select(cases.c.shop_id, cases.c.thread_no).where(cases.c.id == case_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None or row.thread_no is None:
        raise NotFoundError
    return row.shop_id, row.thread_no


def _is(shop_id: int, thread_no: str, order_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        thread_orders.c.shop_id == shop_id,
        thread_orders.c.thread_no == thread_no,
        thread_orders.c.order_id == order_id,
        thread_orders.c.ended_at.is_(None),
    )
