"""Suppliers and stock as the malls' catalogues tell them: written once per change, looked up in bulk."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.catalogue import CatalogueReading, StockItem, Supplier
from hub.core.model import InventoryHint, Party, Product
from hub.store.box import Box
from hub.store.database import Database, among, to_ms
from hub.store.rows import NUL, Row, digest_of, without_nul
from hub.store.sealed import SUPPLIER_PLACE, pack
from hub.store.tables import stock_items, suppliers
from routing.facts import CatalogueFacts

R = TypeVar("R", Supplier, StockItem)
_to_json = msgspec.json.Encoder().encode
_hints = msgspec.json.Decoder(list[tuple[str, str]]).decode
_parties = msgspec.msgpack.Decoder(tuple[Party, ...]).decode

ItemKey = tuple[str, str]
"""Product code and option code; the option of a product without options is ``""``."""


class CatalogueCounts(Struct, kw_only=True):
    """``read`` = new + changed + unchanged + broken; ``removed`` are those that a whole reading no longer showed."""

    read: int = 0
    suppliers: int = 0
    items: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: int = 0
    removed: int = 0


class CatalogueWriter:
    """Writes the catalogue of one shop; keep one per reading. ``counts`` grow with each page.

    Rows are compared by digest first: what has not changed is not written.
    """

    def __init__(self, database: Database, *, shop_id: int) -> None:
        self._database = database
        self._shop_id = shop_id
        self._seen_suppliers: set[str] = set()
        self._seen_items: set[ItemKey] = set()
        self.counts = CatalogueCounts()

    async def write(self, connection: AsyncConnection, readings: Sequence[CatalogueReading], *, now: datetime) -> None:
        """Store one page. The same key twice in a page: the later reading holds."""
        at = to_ms(now)
        supplier_rows: dict[str, Row] = {}
        item_rows: dict[ItemKey, Row] = {}
        partial: dict[str, StockItem] = {}
        for reading in readings:
            record = reading.record
            if isinstance(record, Supplier):
                row = _supplier_row(_clean(record), self._database.box)
                supplier_rows[row["code"]] = row
            elif isinstance(record, StockItem):
                if reading.is_partial:
                    partial[record.product_code] = _clean(record)
                    continue
                row = _item_row(_clean(record))
                item_rows[row["product_code"], row["option_code"]] = row
            else:
                self.counts.broken += 1
        kept = await self._kept(connection, partial)
        item_rows |= kept
        # One that is known by its options is as many records as these.
        more = len(kept) - len(partial)
        self.counts.read += len(readings) + more
        known_suppliers = await self._digests(connection, _SUPPLIER_DIGESTS, list(supplier_rows))
        known_items = await self._digests(connection, _ITEM_DIGESTS, list({code for code, _ in item_rows}))
        self.counts.suppliers += len(supplier_rows)
        self.counts.items += len(item_rows)
        self._seen_suppliers.update(supplier_rows)
        self._seen_items.update(item_rows)
        is_record = sum(reading.record is not None for reading in readings) + more
        # What a page shows twice is one record.
        self.counts.unchanged += is_record - len(supplier_rows) - len(item_rows)
        common = {"shop_id": self._shop_id, "fetched_at": at}
        await self._database.upsert_rows(
            connection,
            suppliers,
            [common | row for key, row in supplier_rows.items() if self._is_news(known_suppliers.get((key,)), row)],
            key=[suppliers.c.shop_id, suppliers.c.code],
        )
        await self._database.upsert_rows(
            connection,
            stock_items,
            [common | row for key, row in item_rows.items() if self._is_news(known_items.get(key), row)],
            key=[stock_items.c.shop_id, stock_items.c.product_code, stock_items.c.option_code],
        )

    async def _kept(self, connection: AsyncConnection, partial: Mapping[str, StockItem]) -> dict[ItemKey, Row]:
        """What is stored of items that this reading told in part, with what it did tell; else that alone."""
        found: dict[str, list[StockItem]] = defaultdict(list)
        if partial:
            given = {"shop_id": self._shop_id, "keys": sorted(partial)}
            for code, option, name, supplier, hints in await self._database.fetch(connection, _ITEMS_KEPT, given):
                item = StockItem(
                    product_code=code,
                    option_code=option or None,
                    name=name,
                    seller_sku=partial[code].seller_sku,
                    supplier_code=supplier,
                    hints=_newer(_read_hints(hints), partial[code].hints),
                )
                found[code].append(item)
        items = [item for code, told in partial.items() for item in found.get(code, [told])]
        return {(item.product_code, item.option_code or ""): _item_row(item) for item in items}

    def _is_news(self, stored: bytes | None, row: Row) -> bool:
        if stored is None:
            self.counts.new += 1
        elif stored == row["content_hash"]:
            self.counts.unchanged += 1
            return False
        else:
            self.counts.changed += 1
        return True

    async def _digests(
        self, connection: AsyncConnection, query: Any, keys: Collection[str]
    ) -> dict[tuple[str, ...], bytes]:
        if not keys:
            return {}
        rows = await self._database.fetch(connection, query, {"shop_id": self._shop_id, "keys": keys})
        return {tuple(key): digest for *key, digest in rows}

    async def remove_unseen(self, connection: AsyncConnection) -> None:
        """Forget what this writer has not met. Only after an unbroken reading of the whole catalogue."""
        gone_suppliers = await self._unseen(connection, (suppliers.c.code,), {(key,) for key in self._seen_suppliers})
        gone_items = await self._unseen(
            connection, (stock_items.c.product_code, stock_items.c.option_code), self._seen_items
        )
        self.counts.removed += len(gone_suppliers) + len(gone_items)
        if gone_suppliers:
            statement = delete(suppliers).where(
                suppliers.c.shop_id == self._shop_id, suppliers.c.code == bindparam("gone_code")
            )
            await connection.execute(statement, [{"gone_code": code} for (code,) in gone_suppliers])
        if gone_items:
            statement = delete(stock_items).where(
                stock_items.c.shop_id == self._shop_id,
                stock_items.c.product_code == bindparam("gone_code"),
                stock_items.c.option_code == bindparam("gone_option"),
            )
            await connection.execute(
                statement, [{"gone_code": code, "gone_option": option} for code, option in gone_items]
            )

    async def _unseen(
        self, connection: AsyncConnection, columns: Sequence[Any], seen: Collection[tuple[str, ...]]
    ) -> list[tuple[str, ...]]:
        query = select(*columns).where(columns[0].table.c.shop_id == self._shop_id)
        return [key for row in await connection.execute(query) if (key := tuple(row)) not in seen]


class StockFacts(Struct, frozen=True, kw_only=True):
    """What the catalogue knows of one product: its stock, who supplies it, and hints for routing.

    ``item_hints`` and ``supplier_hints`` are the mall's facts about either. ``contacts`` are the
    partner's people (personal data). ``on_hand`` is ``None`` where the mall counts no stock.
    """

    on_hand: int | None = None
    item_hints: tuple[InventoryHint, ...] = ()
    supplier_code: str | None = None
    supplier_name: str | None = None
    is_supplier_active: bool = True
    supplier_hints: tuple[InventoryHint, ...] = ()
    contacts: tuple[Party, ...] = ()


async def read_stock_facts(
    database: Database, connection: AsyncConnection, products: Sequence[tuple[int, Product]], *, people: bool = False
) -> list[StockFacts | None]:
    """The facts of many products (``(shop_id, product)``), in their order: a few queries for each shop.

    A product is found by its code and option, else by its code, else by its seller SKU where only one
    item has it. ``people`` opens the suppliers' contacts as well.
    """
    found: list[StockFacts | None] = [None] * len(products)
    places: dict[int, list[int]] = defaultdict(list)
    for place, (shop_id, _) in enumerate(products):
        places[shop_id].append(place)
    for shop_id, own in places.items():
        look_up = _LookUp(database, connection, shop_id, people=people)
        facts = await look_up.facts([products[place][1] for place in own])
        for place, each in zip(own, facts, strict=True):
            found[place] = each
    return found


class _Item(Struct, frozen=True):
    """One row of the stock; ``hints`` as of the row."""

    product_code: str
    option_code: str
    seller_sku: str | None
    supplier_code: str | None
    on_hand: int | None
    hints: tuple[InventoryHint, ...]


class _LookUp:
    """Facts of products of one shop."""

    def __init__(self, database: Database, connection: AsyncConnection, shop_id: int, *, people: bool) -> None:
        self._database = database
        self._connection = connection
        self._shop_id = shop_id
        self._people = people

    async def facts(self, products: Sequence[Product]) -> list[StockFacts | None]:
        items = await self._items_of(products)
        codes = [
            _hint(product, "supplier") or (item.supplier_code if item else None)
            for product, item in zip(products, items, strict=True)
        ]
        known = await self._suppliers({code for code in codes if code})
        return [_facts(item, code, known.get(code or "")) for item, code in zip(items, codes, strict=True)]

    async def _items_of(self, products: Sequence[Product]) -> list[_Item | None]:
        by_code: dict[str, dict[str, _Item]] = defaultdict(dict)
        for item in await self._items(_ITEMS_BY_CODE, {product.code for product in products if product.code}):
            by_code[item.product_code][item.option_code] = item
        by_sku: dict[str, list[_Item]] = defaultdict(list)
        unmet = {product.seller_sku for product in products if product.seller_sku and product.code not in by_code}
        for item in await self._items(_ITEMS_BY_SKU, unmet):
            by_sku[item.seller_sku or ""].append(item)
        return [
            _item_of(product, by_code.get(product.code or ""), by_sku.get(product.seller_sku or ""))
            for product in products
        ]

    async def _items(self, query: Any, keys: Collection[str]) -> list[_Item]:
        return [
            _Item(code, option, sku, supplier, on_hand, _read_hints(hints))
            for code, option, sku, supplier, on_hand, hints in await self._rows(query, keys)
        ]

    async def _suppliers(self, codes: Collection[str]) -> dict[str, StockFacts]:
        return {
            code: StockFacts(
                supplier_code=code,
                supplier_name=name,
                is_supplier_active=bool(is_active),
                supplier_hints=_read_hints(hints),
                contacts=self._contacts(sealed),
            )
            for code, name, is_active, hints, sealed in await self._rows(_SUPPLIERS, codes)
        }

    def _contacts(self, sealed: bytes | None) -> tuple[Party, ...]:
        return _parties(self._database.box.open(sealed, SUPPLIER_PLACE)) if sealed and self._people else ()

    async def _rows(self, query: Any, keys: Collection[str]) -> Sequence[Any]:
        if not keys:
            return ()
        return await self._database.fetch(self._connection, query, {"shop_id": self._shop_id, "keys": sorted(keys)})


def catalogue_facts(stock: StockFacts | None) -> CatalogueFacts | None:
    """The same, as the rules of routing read it."""
    if stock is None:
        return None
    return CatalogueFacts(
        item=stock.item_hints,
        supplier_code=stock.supplier_code,
        supplier_name=stock.supplier_name,
        supplier=stock.supplier_hints,
    )


def _facts(item: _Item | None, supplier_code: str | None, supplier: StockFacts | None) -> StockFacts | None:
    if item is None:
        return supplier
    facts = supplier or StockFacts(supplier_code=supplier_code)
    return msgspec.structs.replace(facts, on_hand=item.on_hand, item_hints=item.hints)


def _item_of(product: Product, options: Mapping[str, _Item] | None, same_sku: Sequence[_Item] | None) -> _Item | None:
    if options:
        whole, option = options.get(""), options.get(product.option_code or "")
        if option is None and whole is None:
            return _shared(list(options.values()))
        if option is None or whole is None or option is whole:
            return option or whole
        # What the option does not tell, the product does.
        return msgspec.structs.replace(
            option, supplier_code=option.supplier_code or whole.supplier_code, hints=option.hints + whole.hints
        )
    return same_sku[0] if same_sku and len(same_sku) == 1 else None


def _shared(options: Sequence[_Item]) -> _Item | None:
    """Of a product known by its options only, and a line of none of them: what is true of all of them."""
    first = options[0]
    if any(each.supplier_code != first.supplier_code or each.hints != first.hints for each in options):
        return None
    return msgspec.structs.replace(first, on_hand=None)


def _hint(product: Product, name: str) -> str | None:
    return next((hint.value for hint in product.hints if hint.name == name and hint.value), None)


def _read_hints(stored: str | None) -> tuple[InventoryHint, ...]:
    return tuple(InventoryHint(name=name, value=value) for name, value in _hints(stored)) if stored else ()


def _newer(stored: tuple[InventoryHint, ...], told: tuple[InventoryHint, ...]) -> tuple[InventoryHint, ...]:
    """In their order, those that were told anew in the place of the old."""
    by_name = {hint.name: hint for hint in told}
    known = {hint.name for hint in stored}
    kept = (by_name.get(hint.name, hint) for hint in stored)
    return (*kept, *(hint for hint in told if hint.name not in known))


def _hint_text(hints: tuple[InventoryHint, ...]) -> str | None:
    return _to_json([(hint.name, hint.value) for hint in hints]).decode() if hints else None


def _clean(record: R) -> R:
    """Without U+0000, which PostgreSQL takes in no text."""
    return without_nul(record) if NUL in _to_json(record) else record


def _supplier_row(supplier: Supplier, box: Box) -> Row:
    contacts = supplier.contacts
    return {
        "code": supplier.code,
        "name": supplier.name,
        "is_active": supplier.is_active,
        "hints": _hint_text(supplier.hints),
        "contacts_sealed": box.seal(pack(contacts), SUPPLIER_PLACE) if contacts else None,
        "content_hash": digest_of(supplier),
    }


def _item_row(item: StockItem) -> Row:
    return {
        "product_code": item.product_code,
        "option_code": item.option_code or "",
        "name": item.name,
        "seller_sku": item.seller_sku,
        "supplier_code": item.supplier_code,
        "on_hand": item.on_hand,
        "hints": _hint_text(item.hints),
        "content_hash": digest_of(item),
    }


_SUPPLIER_DIGESTS = select(suppliers.c.code, suppliers.c.content_hash).where(
    suppliers.c.shop_id == bindparam("shop_id"), among(suppliers.c.code, "keys")
)
_ITEM_DIGESTS = select(stock_items.c.product_code, stock_items.c.option_code, stock_items.c.content_hash).where(
    stock_items.c.shop_id == bindparam("shop_id"), among(stock_items.c.product_code, "keys")
)
_ITEMS_KEPT = select(
    stock_items.c.product_code,
    stock_items.c.option_code,
    stock_items.c.name,
    stock_items.c.supplier_code,
    stock_items.c.hints,
).where(stock_items.c.shop_id == bindparam("shop_id"), among(stock_items.c.product_code, "keys"))
_ITEM_COLUMNS = tuple(stock_items.c[name] for name in _Item.__struct_fields__)
_ITEMS_BY_CODE = select(*_ITEM_COLUMNS).where(
    stock_items.c.shop_id == bindparam("shop_id"), among(stock_items.c.product_code, "keys")
)
_ITEMS_BY_SKU = select(*_ITEM_COLUMNS).where(
    stock_items.c.shop_id == bindparam("shop_id"), among(stock_items.c.seller_sku, "keys")
)
_SUPPLIERS = select(
    suppliers.c.code,
    suppliers.c.name,
    suppliers.c.is_active,
    suppliers.c.hints,
    suppliers.c.contacts_sealed,
).where(suppliers.c.shop_id == bindparam("shop_id"), among(suppliers.c.code, "keys"))
