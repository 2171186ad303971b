"""Orders of a conversation that no mall ties to one: those an agent linked, and those that may be meant.

A number that the customer wrote only suggests an order: anybody can write any number.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.cases.person import NEWEST_FIRST, summarise
from hub.desk.services import Malls
from hub.desk.views import OtherOrder
from hub.store.database import among, read_rows
from hub.store.tables import lines, orders, shops, thread_orders

SUGGESTIONS: Final = 5
# Order and line numbers of any mall: eight digits or more, perhaps in two parts.
_NUMBER: Final = re.compile(r"(?<![\w-])[0-9]{6,20}(?:-[0-9]{2,10}){0,2}(?![\w-])")
_MOST_NUMBERS: Final = 20


async def linked_orders(
    connection: AsyncConnection, *, shop_id: int, thread_no: str, malls: Malls
) -> tuple[OtherOrder, ...]:
    """Orders that agents found to belong to the conversation, newest first."""
    rows = await read_rows(connection, _LINKED, shop_id=shop_id, thread_no=thread_no)
    return await summarise(connection, rows, phones=frozenset(), malls=malls)


async def suggested_orders(
    connection: AsyncConnection, *, texts: Iterable[str], without: Sequence[int], malls: Malls
) -> tuple[OtherOrder, ...]:
    """Orders whose number, or a line's, stands in what the customer wrote; at most SUGGESTIONS."""
    numbers = list(dict.fromkeys(found for text in texts for found in _NUMBER.findall(text)))[-_MOST_NUMBERS:]
    if not numbers:
        return ()
    ids = set(await ids_of_number(connection, numbers)) - set(without)
    rows = await read_rows(connection, _SUGGESTED, ids=sorted(ids)) if ids else []
    return await summarise(connection, rows, phones=frozenset(), malls=malls)


async def ids_of_number(connection: AsyncConnection, numbers: Sequence[str]) -> list[int]:
    """Orders of active shops that have one of these numbers, or a line that has."""
    return [row.id for row in await read_rows(connection, _OF_NUMBER, numbers=list(numbers))]


_active = select(shops.c.id).where(shops.c.is_active)
# One index search each: with OR the planner would rather walk all orders.
_OF_NUMBER: Final = union(
    select(orders.c.id).where(orders.c.shop_id.in_(_active), among(orders.c.order_no, "numbers")),
    select(lines.c.order_id.label("id")).where(lines.c.shop_id.in_(_active), among(lines.c.line_no, "numbers")),
)
_ORDERS: Final = (
    select(orders, shops.c.name.label("shop"), shops.c.mall)
    .join(shops, shops.c.id == orders.c.shop_id)
    .where(shops.c.is_active)
    .order_by(*NEWEST_FIRST)
)
_LINKED: Final = _ORDERS.join(thread_orders, thread_orders.c.order_id == orders.c.id).where(
    thread_orders.c.shop_id == bindparam("shop_id"),
    thread_orders.c.thread_no == bindparam("thread_no"),
    thread_orders.c.ended_at.is_(None),
)
_SUGGESTED: Final = _ORDERS.where(among(orders.c.id, "ids")).limit(SUGGESTIONS)
