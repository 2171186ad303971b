"""Suppliers and products of a Cafe24 mall: who owns the goods, and which product is whose.

Stock per option is left out: the mall tells it one option a call (``/variants/{code}/inventories``),
which would take hours for a catalogue of some size at two calls a second.
Source: Cafe24 Admin API, version 2026-03-01, Suppliers and Products; confidence: sure unless noted.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from connectors.cafe24.client import Cafe24Client, Rows
from connectors.cafe24.decoding import best_key, decode
from connectors.cafe24.values import code, text, whole
from connectors.cafe24.wire import ManagerWire, ProductWire, SupplierWire, product_decoder, supplier_decoder
from hub.core.catalogue import CataloguePage, CatalogueReading, StockItem, Supplier
from hub.core.errors import AccessError, MalformedResponseError
from hub.core.model import InventoryHint, Party
from hub.core.paging import decode_cursor, encode_cursor

LIMIT = 100
SUPPLIER_WALL = 8_000
PRODUCT_WALL = 5_000
SUPPLIER_SCOPE, PRODUCT_SCOPE = "mall.read_supply", "mall.read_product"
_ACTIVE = {"A": True, "P": False, "N": False}
_TRADING = frozenset({"C", "D"})
_PAYMENT = frozenset({"P", "D"})


class Place(Struct, frozen=True, kw_only=True):
    """Where a run stands. ``step`` counts the shop numbers, twice: for suppliers, then for products.

    ``since`` is set beyond the offsets that the list of products accepts: the last product number read.
    """

    step: int = 0
    offset: int = 0
    since: int | None = None


class Catalogue:
    def __init__(self, client: Cafe24Client, *, shop_nos: Sequence[int], codes: Counter[str]) -> None:
        self._client = client
        self._shop_nos = shop_nos
        self._codes = codes

    async def read(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        """All suppliers, then all products, each once although several shop numbers show them.

        Raises: AccessError naming the scope when it was not granted; MalformedResponseError when the
        list of products does not move on.
        """
        place = decode_cursor(cursor, Place) or Place()
        given: set[str] = set()
        shops = len(self._shop_nos)
        while place.step < 2 * shops:
            shop_no = self._shop_nos[place.step % shops]
            if place.step < shops:
                rows = await self._suppliers(shop_no, place)
                readings = [self._reading(row, "supplier_code", self._supplier) for row in rows.rows]
            else:
                rows = await self._products(shop_no, place)
                readings = [self._reading(row, "product_code", self._product) for row in rows.rows]
            place = self._after(place, rows)
            fresh = {reading.key: reading for reading in readings if reading.key not in given}
            given.update(fresh)
            progress = min(1.0, place.step / (2 * shops))
            yield CataloguePage(readings=tuple(fresh.values()), cursor=encode_cursor(place), progress=progress)

    async def _suppliers(self, shop_no: int, place: Place) -> Rows:
        return await self._page("suppliers", SUPPLIER_SCOPE, {"shop_no": shop_no, "offset": place.offset})

    async def _products(self, shop_no: int, place: Place) -> Rows:
        where = {"offset": place.offset} if place.since is None else {"since_product_no": place.since}
        return await self._page("products", PRODUCT_SCOPE, {"shop_no": shop_no, **where})

    async def _page(self, name: str, scope: str, params: dict[str, int]) -> Rows:
        try:
            return await self._client.listed(name, {**params, "limit": LIMIT})
        except AccessError as error:
            error.message = f"{error.message}; {name} need the scope {scope}"
            raise

    def _after(self, place: Place, rows: Rows) -> Place:
        """Where the next page is. Raises: MalformedResponseError when it would be the same one again."""
        is_supplier = place.step < len(self._shop_nos)
        wall = SUPPLIER_WALL if is_supplier else PRODUCT_WALL
        if not rows.rows or (len(rows.rows) < LIMIT and not rows.has_next):
            return Place(step=place.step + 1)
        if place.since is not None:
            last = max(map(_number, rows.rows), default=0)
            if last <= place.since:
                raise MalformedResponseError("the list of products does not move on", path="products.product_no")
            return replace(place, since=last)
        if place.offset + LIMIT <= wall:
            return replace(place, offset=place.offset + LIMIT)
        if is_supplier:
            raise MalformedResponseError("the mall has more suppliers than its list can show", path="suppliers")
        # From the beginning by number: the order of the pages so far is not documented.
        return Place(step=place.step, since=0)

    def _reading(
        self, row: bytes, name: str, map_row: Callable[[bytes], tuple[str, Supplier | StockItem]]
    ) -> CatalogueReading:
        """What one row became; a row that cannot be read is reported alone."""
        try:
            key, record = map_row(row)
        except MalformedResponseError as error:
            return CatalogueReading(key=best_key(row, name), error=str(error))
        return CatalogueReading(key=key, record=record)

    def _supplier(self, row: bytes) -> tuple[str, Supplier]:
        wire = decode(supplier_decoder, row)
        number = code(wire.supplier_code)
        if number is None:
            raise MalformedResponseError("a supplier without a code", path="supplier_code")
        hints = (
            *self._hint("supplier_trading", wire.trading_type, _TRADING),
            *self._hint("supplier_transaction", wire.payment_type, _PAYMENT),
        )
        status = code(wire.status)
        if status is not None and status not in _ACTIVE:
            self._codes[f"supplier.status:{status}"] += 1
        return f"supplier:{number}", Supplier(
            code=number,
            name=text(wire.supplier_name) or number,
            is_active=_ACTIVE.get(status or "A", True),
            hints=hints,
            contacts=_contacts(wire),
        )

    def _hint(self, name: str, value: str | float | None, known: frozenset[str]) -> tuple[InventoryHint, ...]:
        """The mall's own letter: ``supplier_trading`` C is sent by the supplier, D was bought by the seller."""
        letter = code(value)
        if letter is None:
            return ()
        if letter not in known:
            self._codes[f"{name}:{letter}"] += 1
        return (InventoryHint(name=name, value=letter),)

    def _product(self, row: bytes) -> tuple[str, StockItem]:
        wire = decode(product_decoder, row)
        number = code(wire.product_code)
        if number is None:
            raise MalformedResponseError("a product without a code", path="product_code")
        supplier = code(wire.supplier_code)
        return f"product:{number}", StockItem(
            product_code=number,
            name=text(wire.product_name) or "",
            seller_sku=code(wire.custom_product_code),
            supplier_code=supplier,
            hints=() if supplier is None else (InventoryHint(name="supplier", value=supplier),),
        )


def _contacts(wire: SupplierWire) -> tuple[Party, ...]:
    told = wire.manager_information if isinstance(wire.manager_information, list) else [wire.manager_information]
    people = (one for one in told if isinstance(one, ManagerWire))
    parties = (Party(name=text(one.name), phone=text(one.phone), email=text(one.email)) for one in people)
    return tuple(party for party in parties if party != Party())


def _number(row: bytes) -> int:
    """A row's product number; 0 when it has none that can be read (the row itself is reported)."""
    try:
        wire: ProductWire = decode(product_decoder, row)
        return whole(wire.product_no, path="product_no") or 0
    except MalformedResponseError:
        return 0
