"""One order that stands in two shops: where it was placed, and the copies that came through other malls."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Row, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.marks import mall_mark
from hub.desk.services import Malls
from hub.desk.views import TwinView
from hub.store.belonging import order_of_case
from hub.store.database import among, read_rows
from hub.store.questions import Question
from hub.store.tables import cases, order_twins, orders, shops


def twin_pairs_of(order_ids: Collection[int]) -> Question[list[Any]]:
    """For :func:`twins_of`: rows of ``order_id`` and ``original_id``, one of them among ``order_ids``."""
    return Question(_PAIRS, {"orders": list(order_ids)}, list)


async def twins_of(
    connection: AsyncConnection, pairs: Sequence[Any], *, malls: Malls
) -> dict[int, tuple[TwinView, ...]]:
    """The twins of each order in ``pairs``; nothing is asked where there are none."""
    known = await _order_rows(connection, {number for pair in pairs for number in pair})
    copies = {pair.order_id for pair in pairs}
    twins: dict[int, list[TwinView]] = defaultdict(list)
    for pair in pairs:
        for own, other in ((pair.order_id, pair.original_id), (pair.original_id, pair.order_id)):
            twins[own].append(_view(known[other], is_original=other not in copies, malls=malls))
    return {number: tuple(views) for number, views in twins.items()}


def copies_of(keys: Collection[tuple[int, str]]) -> Question[list[Any]]:
    """For :func:`originals_of`: those of these orders, by shop and number, that are copies."""
    given = {"numbers": sorted({order_no for _, order_no in keys}), "shops": sorted({shop_id for shop_id, _ in keys})}
    return Question(_COPIES, given, list)


async def originals_of(
    connection: AsyncConnection, copies: Sequence[Any], *, malls: Malls
) -> dict[tuple[int, str], TwinView]:
    """The original of each of ``copies``, by the copy's shop and number; nothing is asked where there are none."""
    known = await _order_rows(connection, {row.original_id for row in copies})
    return {(row.shop_id, row.order_no): _view(known[row.original_id], is_original=True, malls=malls) for row in copies}


async def _order_rows(connection: AsyncConnection, order_ids: Collection[int]) -> dict[int, Any]:
    """Orders by id, each with the case of it that is due first among the open ones."""
    if not order_ids:
        return {}
    # Of several cases the one that is due first comes last and stays.
    return {row.id: row for row in await read_rows(connection, _ORDERS, ids=sorted(order_ids))}


def _view(row: Row[Any], *, is_original: bool, malls: Malls) -> TwinView:
    return TwinView(
        order_id=row.id,
        order_no=row.order_no,
        shop=row.name,
        mark=mall_mark(malls, row.mall),
        is_original=is_original,
        open_case_id=row.case_id,
    )


# Not with OR: each half has an index of its own.
_PAIRS: Final = union(
    select(order_twins.c.order_id, order_twins.c.original_id).where(among(order_twins.c.order_id, "orders")),
    select(order_twins.c.order_id, order_twins.c.original_id).where(among(order_twins.c.original_id, "orders")),
)
_COPIES: Final = (
    select(orders.c.shop_id, orders.c.order_no, order_twins.c.original_id)
    .join_from(order_twins, orders, orders.c.id == order_twins.c.order_id)
    # "+ 0" leaves the planner the index of numbers: by the shop it would walk all of its orders.
    .where(among(orders.c.order_no, "numbers"), among(orders.c.shop_id + 0, "shops"))
)
_ORDERS: Final = (
    select(orders.c.id, orders.c.order_no, shops.c.name, shops.c.mall, cases.c.id.label("case_id"))
    .select_from(
        orders.join(shops, shops.c.id == orders.c.shop_id)
        # "is not false" leaves SQLite the index of numbers: as "is open" it would walk all open cases of the shop.
        .outerjoin(cases, order_of_case() & cases.c.is_open.is_not(False))
    )
    .where(among(orders.c.id, "ids"))
    .order_by(cases.c.due_at.desc(), cases.c.id.desc())
)
