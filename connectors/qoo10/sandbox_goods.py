"""The goods of the emulated Qoo10: ItemsLookup over what the World's shop sells. One item per option.

Source: GetAllGoodsInfo, GetGoodsInventoryInfo (QAPI 1.0), GetItemDetailInfo (1.2); confidence: sure for the
list and the detail, likely for the inventory. How much stock there is, is invented.
"""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.qoo10.sandbox_forms import Failure, Params, wrong_argument
from connectors.qoo10.sandbox_render import is_reserved, item_no, option_extra
from hub.sandbox.facts import Item
from hub.sandbox.world import World

PAGE_ITEMS = 500
_STATUSES = ("S0", "S1", "S2", "S3", "S5", "S8")
_NO_SUCH_ITEM = "商品が見つかりません。"


def goods_methods(world: World, shop: str) -> dict[str, Callable[[Params], Any]]:
    """The methods by their names in small letters."""

    def goods() -> Sequence[Item]:
        return world.goods(shop)

    def found(fields: Params) -> Item:
        code, sku = fields.get("ItemCode", ""), fields.get("SellerCode", "")
        for item in goods():
            if code == item_no(item) or (not code and sku and sku == item.sku):
                return item
        raise Failure(-10001, _NO_SUCH_ITEM)

    def list_goods(fields: Params) -> dict[str, Any]:
        status, page = fields.get("ItemStatus", ""), fields.get("Page", "") or "1"
        if status not in _STATUSES or not page.isdecimal() or int(page) < 1:
            raise wrong_argument()
        rows = [
            {"ItemCode": item_no(item), "SellerCode": item.sku, "ItemStatus": status}
            for item in goods()
            if status_of(item) == status
        ]
        first = (int(page) - 1) * PAGE_ITEMS
        return {
            "TotalItems": len(rows),
            "TotalPages": -(-len(rows) // PAGE_ITEMS),
            "PresentPage": int(page),
            "Items": rows[first : first + PAGE_ITEMS],
        }

    def item_detail(fields: Params) -> list[dict[str, str]]:
        return [detail_row(found(fields))]

    def item_stock(fields: Params) -> list[dict[str, Any]] | None:
        item = found(fields)
        return [stock_row(item)] if item.option else None

    return {
        "itemslookup.getallgoodsinfo": list_goods,
        "itemslookup.getitemdetailinfo": item_detail,
        "itemslookup.getgoodsinventoryinfo": item_stock,
    }


def status_of(item: Item) -> str:
    """Every seventh item is no longer sold, every eleventh waits for its sale."""
    if item.number % 7 == 0:
        return "S3"
    return "S1" if item.number % 11 == 0 else "S2"


def stock_of(item: Item) -> int:
    return item.number * 7 % 40


def detail_row(item: Item) -> dict[str, str]:
    """Every value is text."""
    days = "5" if is_reserved(item) else "3"
    return {
        "ItemCode": item_no(item),
        "ItemStatus": status_of(item),
        "ItemTitle": item.name,
        "SellerCode": item.sku,
        "IndustrialCodeType": "",
        "IndustrialCode": "",
        "ItemPrice": str(item.price - option_extra(item)),
        "SettlePrice": str(item.price * 9 // 10),
        "ItemQty": str(stock_of(item)),
        "AvailableDateType": "1" if is_reserved(item) else "0",
        "AvailableDateValue": days,
        "ShippingNo": "0",
        "BrandNo": "",
        "ImageUrl": "",
        "ListedDate": "2026-01-05 10:00:00",
        "ChangedDate": "2026-10-05 10:00:00",
    }


def stock_row(item: Item) -> dict[str, Any]:
    name, _, value = item.option.partition(":")
    empty = {f"{part}{index}": "" for index in range(2, 6) for part in ("Name", "Value")}
    return {
        "Name1": name,
        "Value1": value,
        **empty,
        "Price": float(option_extra(item)),
        "Qty": str(stock_of(item)),
        "ItemTypeCode": item.option_sku,
    }
