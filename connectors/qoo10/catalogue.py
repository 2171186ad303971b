"""The goods of one shop: codes and statuses of all, names and stock of as many as a run may ask for one by one.

The list tells codes only; a name, the stock and the option codes cost two calls per item. They are
wanted because agents ask for stock and orders carry option codes, and they are bounded because three
calls a second are the most: goods on sale come first. A shop with more of them than a run may ask for is asked
in turns, each day another part of it; what was told of the others stays, but for their stock.
Qoo10 has no suppliers and no flag of who owns the stock.

Source: ItemsLookup.GetAllGoodsInfo (1.0), GetItemDetailInfo (1.2): sure; GetGoodsInventoryInfo: likely.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from connectors.qoo10 import vocabulary as codes
from connectors.qoo10.client import Qoo10Client
from connectors.qoo10.wire import ItemRow, OptionRow, decode_item, decode_option, number, text, whole
from hub.core.catalogue import CataloguePage, CatalogueReading, StockItem
from hub.core.errors import MalformedResponseError, NotFoundAtMallError
from hub.core.model import InventoryHint
from hub.core.paging import decode_cursor, encode_cursor

#: items of which name and stock are asked in one run: a thousand calls, six minutes
MOST_DETAILS = 500
#: items in the part of one day, about: the parts are not quite alike, and none may be cut off at its end
_PART = MOST_DETAILS * 4 // 5
#: times that a list is read which holds fewer than it says
_READINGS = 3
#: items in one page of ours; the mall's own pages have 500
PAGE_ITEMS = 20
MALL_PAGE_ITEMS = 500
#: a mall that never says that it is at its end is not read for ever
MOST_PAGES = 2000


class Place(Struct, frozen=True, kw_only=True):
    """Where the reading stands: the status, and how many of its items are told already.

    ``turn`` of ``turns`` is the part of the goods that is asked for one by one; 0 turns: not known yet.
    """

    status: int = 0
    told: int = 0
    details_left: int = MOST_DETAILS
    turn: int = 0
    turns: int = 0


class Catalogue:
    def __init__(self, client: Qoo10Client, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    async def read(self, *, cursor: str | None) -> AsyncIterator[CataloguePage]:
        """One reading per item, or per option that has a code of the seller. Raises: MallError."""
        place = decode_cursor(cursor, Place) or Place()
        while place.status < len(codes.ITEM_STATUSES):
            # All of a status before any is asked for one by one: that takes minutes, and the pages would shift.
            listed = await self._listed(codes.ITEM_STATUSES[place.status])
            if not place.turns:
                turns = 1 if len(listed) <= MOST_DETAILS else -(-len(listed) // _PART)
                place = replace(place, turns=turns, turn=self._now().date().toordinal() % turns)
            beyond = replace(place, status=place.status + 1, told=0)
            while place.told < len(listed):
                rows = listed[place.told : place.told + PAGE_ITEMS]
                readings: list[CatalogueReading] = []
                details_left = place.details_left
                for raw in rows:
                    is_detailed = details_left > 0 and _turn_of(raw, place.turns) == place.turn
                    details_left -= is_detailed
                    readings += await self._item(raw, is_detailed=is_detailed)
                place = replace(place, told=place.told + len(rows), details_left=details_left)
                beyond = replace(beyond, details_left=place.details_left)
                rest = beyond if place.told >= len(listed) else place
                progress = (place.status + place.told / len(listed)) / len(codes.ITEM_STATUSES)
                yield CataloguePage(readings=tuple(readings), cursor=encode_cursor(rest), progress=min(1.0, progress))
            place = beyond

    async def _listed(self, status: str) -> list[bytes]:
        """Every item of one status once. An item that leaves a page moves one of the next page to where
        nobody looks: a list that is not as long as it says all the time is read again, and whatever was shown counts.
        """
        found: dict[str, bytes] = {}
        for _ in range(_READINGS):
            shown: dict[str, bytes] = {}
            totals: set[int] = set()
            for page in range(1, MOST_PAGES + 1):
                told = await self._client.items(status, page)
                shown |= {_code_in(raw): raw for raw in told.rows}
                totals |= set() if told.total_items is None else {told.total_items}
                if _is_last(len(told.rows), told.total_pages, page):
                    break
            found |= shown
            if len(totals) < 2 and len(shown) >= max(totals, default=0):
                break
        return list(found.values())

    async def _item(self, raw: bytes, *, is_detailed: bool) -> list[CatalogueReading]:
        """Whatever is wrong with one item stays with it; a call that fails for good ends the run."""
        try:
            row = decode_item(raw)
        except ValueError:
            return [CatalogueReading(key="", error="the row is no readable object of plain values")]
        code = number(row.item_code)
        if code is None:
            return [CatalogueReading(key="", error="ItemCode: missing")]
        if not is_detailed:
            return [CatalogueReading(key=code, record=stock_item(code, row), is_partial=True)]
        try:
            details = await self._client.item(code)
        except NotFoundAtMallError:
            # Taken off between the two calls: what the list told still holds.
            return [CatalogueReading(key=code, record=stock_item(code, row), is_partial=True)]
        try:
            options = await self._client.item_options(code)
        except NotFoundAtMallError:
            options = []
        try:
            detail = decode_item(details[0]) if details else ItemRow()
            return list(_readings(code, row, detail, [decode_option(option) for option in options]))
        except MalformedResponseError as error:
            return [CatalogueReading(key=code, error=f"{error.path}: {error.message}")]
        except ValueError:
            return [CatalogueReading(key=code, error="the details are no readable object of plain values")]


def _readings(code: str, row: ItemRow, detail: ItemRow, options: list[OptionRow]) -> Iterator[CatalogueReading]:
    """Options without a code cannot be told apart in orders: together they are the item, their stock summed."""
    whole_item = stock_item(code, row, detail)
    coded: dict[str, StockItem] = {}
    uncoded: list[int | None] = []
    for option in options:
        option_code, on_hand = text(option.item_type_code), _count(option.qty, "Qty")
        if option_code is None:
            uncoded.append(on_hand)
        else:
            coded[option_code] = replace(whole_item, option_code=option_code, on_hand=on_hand)
    if not coded or uncoded:
        if uncoded:
            known = [count for count in uncoded if count is not None]
            whole_item = replace(whole_item, on_hand=sum(known) if len(known) == len(uncoded) else None)
        yield CatalogueReading(key=code, record=whole_item)
    for option_code, item in coded.items():
        yield CatalogueReading(key=f"{code}:{option_code}", record=item)


def stock_item(code: str, row: ItemRow, detail: ItemRow | None = None) -> StockItem:
    """One item of the list, with its detail when it was asked for. Raises: MalformedResponseError naming the field."""
    told = detail or ItemRow()
    hints = (
        ("item_status", text(told.item_status) or text(row.item_status)),
        ("available_date_type", text(told.available_date_type)),
        ("available_date_value", text(told.available_date_value)),
    )
    return StockItem(
        product_code=code,
        name=text(told.item_title) or "",
        seller_sku=text(told.seller_code) or text(row.seller_code),
        on_hand=_count(told.item_qty, "ItemQty"),
        hints=tuple(InventoryHint(name=name, value=value) for name, value in hints if value is not None),
    )


def _count(value: object, field: str) -> int | None:
    """A count of pieces, ``None`` when the mall does not tell it."""
    written = text(value) if isinstance(value, str | int | float) else None
    if written is None:
        return None
    try:
        return whole(written.replace(",", ""))
    except (ValueError, OverflowError) as error:
        raise MalformedResponseError("not a whole number", path=field) from error


def _turn_of(raw: bytes, turns: int) -> int:
    """The turn on which an item is asked for: by its code, so that each has one, whatever comes and goes."""
    return crc32(_code_in(raw).encode()) % turns


def _is_last(rows: int, total_pages: int | None, page: int) -> bool:
    if rows == 0:
        return True
    return rows < MALL_PAGE_ITEMS if total_pages is None else page >= total_pages


def _code_in(raw: bytes) -> str:
    """What tells an item from others; a row without a readable code is only like itself."""
    try:
        code = number(decode_item(raw).item_code)
    except ValueError:
        code = None
    return code or raw.decode(errors="replace")
