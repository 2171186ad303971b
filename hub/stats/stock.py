"""Inventory mode and partner of what was sold, asked for many rows at once."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.core.model import InventoryMode, Product
from hub.stats.facts import Counted, PartnerOf
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.database import time_of
from hub.store.one import product_of
from hub.store.tables import lines
from routing.facts import with_facts
from routing.modes import ModeTable, resolve_mode

#: what a row of :func:`hub.stats.facts.rows_of` is to end with, where :class:`Stocks` are asked
PRODUCT_COLUMNS: Final = (
    lines.c.product_name,
    lines.c.product_code,
    lines.c.product_option,
    lines.c.option_code,
    lines.c.seller_sku,
    lines.c.hints,
)


class Stock(Struct, frozen=True, kw_only=True):
    """``mode`` is "unknown" where no rule tells it, ``None`` where no product is named or nobody was asked."""

    mode: str | None = None
    partner: str | None = None


_NOTHING: Final = Stock()
_MOST_KNOWN: Final = 100_000
#: no zone's day begins elsewhere than at one of these
_QUARTER_MS: Final = 900_000
_PRODUCT: Final = slice(-len(PRODUCT_COLUMNS), None)


def partner_by(table: ModeTable) -> PartnerOf:
    """By the routing table in force; whom goods of our own were bought from is shown nowhere."""

    def partner(product: Product, shop: str, mall: str, on: date) -> str | None:
        found = resolve_mode(product, shop=shop, mall=mall, on=on, table=table)
        return None if found.mode is InventoryMode.DIRECT_PURCHASE else found.partner

    return partner


class Stocks:
    """Asked once for each product between two days on which the routing table changes."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._known: dict[tuple[Any, ...], Stock] = {}
        self._stretches = _Stretches(counted.zone, counted.mode_changes)

    async def of(self, rows: Sequence[Any]) -> list[Stock]:
        """In the order of ``rows``, with what the malls' catalogues tell of the products.

        The day is the centre's at ``at_ms``.
        """
        if self._counted.mode_of is None:
            return [_NOTHING] * len(rows)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        stretches = self._stretches
        # By place: names take most of the time where rows are a million.
        keys = [(row[2], stretches[row[0] // _QUARTER_MS], row[_PRODUCT]) for row in rows]
        stocks = [self._known.get(key) for key in keys]
        unknown = {keys[place]: rows[place] for place, stock in enumerate(stocks) if stock is None}
        found = await _stocks_of(self._counted, list(unknown.values()))
        self._known.update(zip(unknown, found, strict=True))
        return [stock or self._known[key] for stock, key in zip(stocks, keys, strict=True)]


class _Stretches(dict[int, date | int]):
    """Of a quarter of an hour: those between two changes of modes have one number; without known changes, the day."""

    def __init__(self, zone: ZoneInfo, changes: tuple[date, ...] | None) -> None:
        super().__init__()
        self._zone = zone
        self._changes = changes

    def __missing__(self, quarter: int) -> date | int:
        day = _day(quarter * _QUARTER_MS, self._zone)
        found = self[quarter] = day if self._changes is None else bisect_right(self._changes, day)
        return found


async def _stocks_of(counted: Counted, rows: Sequence[Any]) -> list[Stock]:
    stocks = [_NOTHING] * len(rows)
    if counted.mode_of is None or not rows:
        return stocks
    # An inquiry often names no product; it has no mode then.
    named = [(place, row) for place, row in enumerate(rows) if row.product_code or row.seller_sku]
    products = [(row.shop_id, _product(row)) for _, row in named]
    async with counted.database.reading() as connection:
        known = await read_stock_facts(counted.database, connection, products)
    for (place, row), (_, product), facts in zip(named, products, known, strict=True):
        asked = (with_facts(product, catalogue_facts(facts)), row.shop, row.mall, _day(row.at_ms, counted.zone))
        partner = counted.partner_of(*asked) if counted.partner_of is not None else None
        stocks[place] = Stock(mode=counted.mode_of(*asked), partner=partner)
    return stocks


def _product(row: Any) -> Product:
    if row.product_name is None:
        return Product(name="", code=row.product_code)
    return product_of(row)


def _day(at: int, zone: ZoneInfo) -> date:
    return time_of(at).astimezone(zone).date()
