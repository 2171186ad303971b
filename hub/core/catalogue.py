"""Products, suppliers and stock, as far as they tell who owns and holds the goods."""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hub.core.model import InventoryHint, Party


class Supplier(Struct, frozen=True, kw_only=True):
    """A supplier as the mall keeps it. ``hints`` for routing rules, e.g. ``supplier_trading`` = ``C``.

    ``contacts`` are the partner's people (personal data).
    """

    code: str
    name: str
    is_active: bool = True
    hints: tuple[InventoryHint, ...] = ()
    contacts: tuple[Party, ...] = ()


class StockItem(Struct, frozen=True, kw_only=True):
    """One sellable thing: a product, or one option of it. ``on_hand`` is ``None`` where the mall counts no stock."""

    product_code: str
    name: str
    option_code: str | None = None
    seller_sku: str | None = None
    supplier_code: str | None = None
    on_hand: int | None = None
    hints: tuple[InventoryHint, ...] = ()


class CatalogueReading(Struct, frozen=True, kw_only=True):
    """One record or the reason why it cannot be read.

    ``is_partial``: an item of which this reading asked no details. What is known of its name and options stays,
    how many there are is not known any more.
    """

    key: str
    record: Supplier | StockItem | None = None
    error: str | None = None
    is_partial: bool = False


class CataloguePage(Struct, frozen=True, kw_only=True):
    """``cursor`` continues right after this page, also in another process."""

    readings: tuple[CatalogueReading, ...]
    cursor: str
    progress: float = 0.0


@runtime_checkable
class ReadsCatalogue(Protocol):
    def read_catalogue(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        """Page through all suppliers, then all products. Raises MallError when a call fails for good."""
        ...
