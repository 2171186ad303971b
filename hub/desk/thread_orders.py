"""Orders of a conversation that no mall ties to one: those an agent linked, and those that may be meant.

A number that the customer wrote only suggests an order: anybody can write any number.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.person import NEWEST_FIRST, summarise
from hub.desk.services import Malls
from hub.desk.views import OtherOrder
from hub.store.tables import lines, orders, shops, thread_orders

SUGGESTIONS: Final = 5
# Order and line numbers of any mall: eight digits or more, perhaps in two parts.
_NUMBER: Final = re.compile(r"(?<![\w-])[0-9]{6,20}(?:-[0-9]{2,10}){0,2}(?![\w-])")
_MOST_NUMBERS: Final = 20


async def linked_orders(
    connection: AsyncConnection, *, shop_id: int, thread_no: str, malls: Malls
) -> tuple[OtherOrder, ...]:
    """Orders that agents found to belong to the conversation, newest first."""
    query = (
        _orders()
        .join(thread_orders, thread_orders.c.order_id == orders.c.id)
        .where(
            thread_orders.c.shop_id == shop_id,
            thread_orders.c.thread_no == thread_no,
            thread_orders.c.ended_at.is_(None),
        )
    )
    return await _views(connection, query, malls)


async def suggested_orders(
    connection: AsyncConnection, *, texts: Iterable[str], without: Sequence[int], malls: Malls
) -> tuple[OtherOrder, ...]:
    """Orders whose number, or a line's, stands in what the customer wrote; at most SUGGESTIONS."""
    numbers = list(dict.fromkeys(found for text in texts for found in _NUMBER.findall(text)))[-_MOST_NUMBERS:]
    if not numbers:
        return ()
    ids = await ids_of_number(connection, numbers)
    query = _orders().where(orders.c.id.in_(ids), orders.c.id.not_in(without)).limit(SUGGESTIONS)
    return await _views(connection, query, malls)


async def ids_of_number(connection: AsyncConnection, numbers: Sequence[str]) -> Select[Any]:
    """A query for the ids of orders of active shops that have one of these numbers, or a line that has."""
    shop_ids = list(await connection.scalars(select(shops.c.id).where(shops.c.is_active)))
    # One index search each: with OR the planner would rather walk all orders.
    either = union(
        select(orders.c.id).where(orders.c.order_no.in_(numbers), orders.c.shop_id.in_(shop_ids)),
        select(lines.c.order_id).where(lines.c.shop_id.in_(shop_ids), lines.c.line_no.in_(numbers)),
    )
    return select(orders.c.id).where(orders.c.id.in_(either))


def _orders() -> Select[Any]:
    return (
        select(orders, shops.c.name.label("shop"), shops.c.mall)
        .join(shops, shops.c.id == orders.c.shop_id)
        .where(shops.c.is_active)
        .order_by(*NEWEST_FIRST)
    )


async def _views(connection: AsyncConnection, query: Select[Any], malls: Malls) -> tuple[OtherOrder, ...]:
    found: Sequence[Row[Any]] = (await connection.execute(query)).all()
    return await summarise(connection, found, phones=frozenset(), malls=malls)
