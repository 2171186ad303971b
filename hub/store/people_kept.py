"""Who bought and who receives, kept when a mall shows less of them than before.

Malls blank names, telephones and addresses of old orders without saying so. What was told once stays
until the hub's own terms of deletion end it; a person told anew, with another value anywhere, takes the
place of the one before as a whole, so that two people are never mixed.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Order, Party
from hub.store.database import Database, among
from hub.store.sealed import ORDER_PLACE, OrderPrivate, unpack_order
from hub.store.tables import orders

_SEALED = select(orders.c.id, orders.c.sealed).where(among(orders.c.id, "order_ids"))


class Head(NamedTuple):
    """What an order's row is made of: its id, its keys, the reading and the reading's own digest."""

    order_id: int
    sub_shop: str
    line_no: str
    order: Order
    digest: bytes


async def keep_people(
    database: Database, connection: AsyncConnection, heads: Sequence[Head], *, changed: Collection[int]
) -> list[Head]:
    """``heads`` with the people of the stored rows among them (``changed``) where the reading tells less."""
    lacking = [head.order_id for head in heads if head.order_id in changed and _lacks_people(head.order)]
    if not lacking:
        return list(heads)
    rows = await database.fetch(connection, _SEALED, {"order_ids": lacking})
    known = {order_id: unpack_order(database.box.open(sealed, ORDER_PLACE)) for order_id, sealed in rows if sealed}
    return [head._replace(order=_with_people(head.order, known.get(head.order_id))) for head in heads]


def _lacks_people(order: Order) -> bool:
    """Whether a mall that told more before would have blanked something here."""
    if any(party is None or None in (party.name, party.phone) for party in (order.buyer, order.receiver)):
        return True
    return order.receiver is not None and order.receiver.address is None


def _with_people(order: Order, known: OrderPrivate | None) -> Order:
    """``order`` with the people as ``known``, where it says nothing else of them. A message is what it is now."""
    if known is None:
        return order
    buyer, receiver = _fuller(order.buyer, known.buyer), _fuller(order.receiver, known.receiver)
    if buyer is order.buyer and receiver is order.receiver:
        return order
    return msgspec.structs.replace(order, buyer=buyer, receiver=receiver)


def _fuller(told: Party | None, known: Party | None) -> Party | None:
    if told is None or known is None:
        return told or known
    return known if _is_part_of(told, known) else told


def _is_part_of(told: Party, known: Party) -> bool:
    """Whether every value of ``told`` stands in ``known`` too."""
    values = ((getattr(told, name), getattr(known, name)) for name in Party.__struct_fields__)
    return all(value is None or value == before for value, before in values)
