"""The same order in two shops: a copy that came through another mall, and where it was really placed."""

from typing import Any, Final

from sqlalchemy import Select, bindparam, exists, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.tables import lines, order_twins, orders, shops


async def link_twins(database: Database, connection: AsyncConnection, *, shop_id: int, mall: str) -> int:
    """Tie the copies in this shop, and those that name its mall, to their originals; returns how many.

    The original is the order of another shop of the copy's ``market`` that bears the market's number,
    as its own or on one of its lines: where that is exactly one. Only copies that are not tied yet
    are looked at, so that looking again writes nothing and it matters not which of the two came first.
    """
    found = await connection.execute(_MATCHES, {"shop_id": shop_id, "mall": mall})
    pairs = [{"order_id": row.copy_id, "original_id": row.original_id} for row in found]
    # A run of the other shop may tie the same pair at this moment: what stands then stays.
    await database.upsert_rows(
        connection,
        order_twins,
        pairs,
        key=[order_twins.c.order_id],
        keep=list(order_twins.c),
        changed_hash=False,
    )
    return len(pairs)


def _matches() -> Select[Any]:
    """(copy_id, original_id) of each untied copy with exactly one original."""
    copies = orders.alias("copies")
    is_asked = (
        copies.c.market_order_no.is_not(None)
        & copies.c.market.is_not(None)
        & or_(copies.c.shop_id == bindparam("shop_id"), copies.c.market == bindparam("mall"))
        & ~exists().where(order_twins.c.order_id == copies.c.id)
    )
    other_shop = (shops.c.mall == copies.c.market) & (shops.c.id != copies.c.shop_id)
    of_order = (orders.c.order_no == copies.c.market_order_no) & (orders.c.shop_id == shops.c.id)
    of_line = (lines.c.line_no == copies.c.market_order_no) & (lines.c.shop_id == shops.c.id)
    copy_id = copies.c.id.label("copy_id")
    matches = union_all(
        select(copy_id, orders.c.id.label("original_id"))
        .select_from(copies.join(shops, other_shop).join(orders, of_order))
        .where(is_asked),
        select(copy_id, lines.c.order_id.label("original_id"))
        .select_from(copies.join(shops, other_shop).join(lines, of_line))
        .where(is_asked),
    ).subquery()
    least = func.min(matches.c.original_id)
    return (
        select(matches.c.copy_id, least.label("original_id"))
        .group_by(matches.c.copy_id)
        .having(least == func.max(matches.c.original_id))
    )


_MATCHES: Final = _matches()
