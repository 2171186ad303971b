"""Inventory mode and partner of what was sold, asked for many rows at once."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from msgspec import Struct

from hub.core.model import InventoryMode, Product
from hub.stats.facts import Counted, PartnerOf
from hub.store.catalogue import StockFacts, read_stock_facts
from hub.store.one import product_of
from hub.store.tables import lines
from routing.facts import CatalogueFacts, with_facts
from routing.modes import ModeTable, resolve_mode

#: the columns of a line that :func:`stocks_of` wants of a row, beside ``at_ms``, ``shop_id``, ``shop`` and ``mall``
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

    async def of(self, rows: Sequence[Any]) -> list[Stock]:
        """As :func:`stocks_of`."""
        if self._counted.mode_of is None:
            return [_NOTHING] * len(rows)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        keys = [self._key(row) for row in rows]
        unknown = {key: row for key, row in zip(keys, rows, strict=True) if key not in self._known}
        found = await stocks_of(self._counted, list(unknown.values()))
        self._known.update(zip(unknown, found, strict=True))
        return [self._known[key] for key in keys]

    def _key(self, row: Any) -> tuple[Any, ...]:
        day, changes = _day(row.at_ms), self._counted.mode_changes
        since = day if changes is None else bisect_right(changes, day)
        return (row.shop_id, *(getattr(row, column.name) for column in PRODUCT_COLUMNS), since)


async def stocks_of(counted: Counted, rows: Sequence[Any]) -> list[Stock]:
    """In the order of ``rows``, with what the malls' catalogues tell of the products, on the day of ``at_ms``."""
    stocks = [_NOTHING] * len(rows)
    if counted.mode_of is None or not rows:
        return stocks
    # An inquiry often names no product; it has no mode then.
    named = [(place, row) for place, row in enumerate(rows) if row.product_code or row.seller_sku]
    products = [(row.shop_id, _product(row)) for _, row in named]
    async with counted.database.reading() as connection:
        known = await read_stock_facts(counted.database, connection, products)
    for (place, row), (_, product), facts in zip(named, products, known, strict=True):
        asked = (with_facts(product, _catalogue(facts)), row.shop, row.mall, _day(row.at_ms))
        partner = counted.partner_of(*asked) if counted.partner_of is not None else None
        stocks[place] = Stock(mode=counted.mode_of(*asked), partner=partner)
    return stocks


def _product(row: Any) -> Product:
    if row.product_name is None:
        return Product(name="", code=row.product_code)
    return product_of(row)


def _catalogue(stock: StockFacts | None) -> CatalogueFacts | None:
    if stock is None:
        return None
    return CatalogueFacts(
        item=stock.item_hints,
        supplier_code=stock.supplier_code,
        supplier_name=stock.supplier_name,
        supplier=stock.supplier_hints,
    )


def _day(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()
