"""Written inquiries and claims per 100 order lines, for each shop; an order that two shops delivered counts once.

Lines count by the time they were ordered, inquiries by the time they were asked, claims by the time they
were requested. What belongs to a copied order (see :mod:`hub.store.twins`) is left out: it stands with
the original. A line paid anew for goods that are there (:mod:`hub.desk.acting.rebill`) is no second order either.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, func, select

from hub.stats.dimension import Dimension
from hub.stats.sold import is_copy, is_of_copy, is_rebilled
from hub.store.database import Database, to_ms
from hub.store.tables import claims, inquiries, lines, orders, shops

RATE_DIMENSIONS: Final = (Dimension.MALL, Dimension.SHOP)
FIGURES: Final = ("order_lines", "inquiries", "claims", "inquiries_per_100", "claims_per_100")


class Rate(Struct, frozen=True, kw_only=True):
    """One cell; a dimension that was not asked for is ``None``. Rates are ``None`` where no line was sold."""

    mall: str | None
    shop: str | None
    order_lines: int
    inquiries: int
    claims: int

    @property
    def inquiries_per_100(self) -> float | None:
        return self._per_100(self.inquiries)

    @property
    def claims_per_100(self) -> float | None:
        return self._per_100(self.claims)

    def _per_100(self, count: int) -> float | None:
        return round(100 * count / self.order_lines, 2) if self.order_lines else None


async def rates_per_100_lines(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    by: tuple[Dimension, ...] = RATE_DIMENSIONS,
) -> list[Rate]:
    """Half-open in time; ``None`` is no bound. Sorted by mall and shop; a cell without anything has no row."""
    queries = (
        select(lines.c.shop_id, func.count())
        .join_from(lines, orders, orders.c.id == lines.c.order_id)
        .where(*_within(orders.c.ordered_at, since, until), ~is_copy(orders.c.id), ~is_rebilled())
        .group_by(lines.c.shop_id),
        select(inquiries.c.shop_id, func.count())
        .where(*_within(inquiries.c.asked_at, since, until), ~is_of_copy(inquiries))
        .group_by(inquiries.c.shop_id),
        select(claims.c.shop_id, func.count())
        .where(*_within(claims.c.requested_at, since, until), ~is_of_copy(claims))
        .group_by(claims.c.shop_id),
    )
    cells: dict[tuple[str | None, str | None], list[int]] = {}
    async with database.reading() as connection:
        known = {row.id: row for row in await connection.execute(select(shops.c.id, shops.c.name, shops.c.mall))}
        for place, query in enumerate(queries):
            for shop_id, count in await connection.execute(query):
                shop = known[shop_id]
                key = (shop.mall if Dimension.MALL in by else None, shop.name if Dimension.SHOP in by else None)
                cells.setdefault(key, [0, 0, 0])[place] += count
    return [
        Rate(mall=mall, shop=shop, order_lines=counts[0], inquiries=counts[1], claims=counts[2])
        for (mall, shop), counts in sorted(cells.items(), key=lambda cell: tuple(name or "" for name in cell[0]))
    ]


def _within(column: Any, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    bounds: list[ColumnElement[bool]] = []
    if since is not None:
        bounds.append(column >= to_ms(since))
    if until is not None:
        bounds.append(column < to_ms(until))
    return bounds
