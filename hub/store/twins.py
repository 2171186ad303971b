"""The same order in two shops: a copy that came through another mall, and where it was really placed."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database, among
from hub.store.tables import lines, order_twins, orders, shops

_AT_ONCE: Final = 500


async def link_twins(database: Database, connection: AsyncConnection, *, shop_id: int, mall: str) -> int:
    """Tie the copies in this shop, and those that name its mall, to their originals; returns how many.

    The original is the order of another shop of the copy's ``market`` that bears the market's number,
    as its own or on one of its lines: where that is exactly one. Only copies that are not tied yet
    are looked at, so that looking again writes nothing and it matters not which of the two came first.
    """
    copies = await database.fetch(connection, _COPIES, {"shop_id": shop_id, "mall": mall})
    pairs: list[dict[str, int]] = []
    for first in range(0, len(copies), _AT_ONCE):
        some = copies[first : first + _AT_ONCE]
        owners = await _owners(database, connection, some)
        for copy_id, copy_shop_id, market, number in some:
            found = {order_id for order_id, shop in owners[market, number] if shop != copy_shop_id}
            if len(found) == 1:
                pairs.append({"order_id": copy_id, "original_id": found.pop()})
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


async def _owners(
    database: Database, connection: AsyncConnection, copies: Sequence[Any]
) -> dict[tuple[str, str], set[tuple[int, int]]]:
    """Mall and number -> (order, shop) of every order that bears the number, itself or on a line."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for _, _, market, number in copies:
        wanted[market].add(number)
    owners: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for shop in (await connection.execute(select(shops.c.id, shops.c.mall).where(shops.c.mall.in_(wanted)))).all():
        # Shop by shop: every index of these numbers begins with it.
        parameters = {"shop_id": shop.id, "numbers": sorted(wanted[shop.mall])}
        for query in (_BY_ORDER, _BY_LINE):
            for number, order_id in await database.fetch(connection, query, parameters):
                owners[shop.mall, number].add((order_id, shop.id))
    return owners


_COPIES: Final = select(orders.c.id, orders.c.shop_id, orders.c.market, orders.c.market_order_no).where(
    orders.c.market_order_no.is_not(None),
    or_(orders.c.shop_id == bindparam("shop_id"), orders.c.market == bindparam("mall")),
    # A market that the hub does not read has no original.
    orders.c.market.in_(select(shops.c.mall).scalar_subquery()),
    ~exists().where(order_twins.c.order_id == orders.c.id),
)
# "+ 0" keeps SQLite from walking all orders of the shop: it has no index of shop and number alone.
_BY_ORDER: Final = select(orders.c.order_no, orders.c.id).where(
    orders.c.shop_id + 0 == bindparam("shop_id"), among(orders.c.order_no, "numbers")
)
_BY_LINE: Final = select(lines.c.line_no, lines.c.order_id).where(
    lines.c.shop_id == bindparam("shop_id"), among(lines.c.line_no, "numbers")
)
