"""Shop numbers, carriers, suppliers and products of the emulated Cafe24.

Source: Cafe24 Admin API, Store, Shipping, Supply and Product, version 2026-03-01; confidence: sure,
except the form of track_shipment_url (guess).
"""

from connectors.cafe24.sandbox_http import ApiError, Json, many, page_of, shop_no_of
from connectors.cafe24.sandbox_orders import CARRIERS, money, product_code, product_no
from hub.core.model import InventoryMode
from hub.sandbox.asgi import Request, Response
from hub.sandbox.world import World

_TRACKING = "https://track.example.com/parcel?carrier={}&no="
_MANAGER = {"no": 1, "name": "담당자", "phone": "010-0000-0002", "email": "p@example.com", "use_sms": "F"}


class Supply:
    def __init__(self, world: World, shop: str, *, mall_id: str) -> None:
        self._world = world
        self._shop = shop
        self._mall_id = mall_id

    def shops(self, _request: Request) -> Response:
        rows = [
            {
                "shop_no": number,
                "default": "T" if number == 1 else "F",
                "shop_name": f"{self._mall_id} {number}",
                "language_code": "ko_KR",
                "currency_code": "KRW",
                "timezone": "Asia/Seoul",
                "active": "T",
            }
            for number in self._world.shops[self._shop].sub_shops
        ]
        return Response(content={"shops": rows})

    def carriers(self, request: Request) -> Response:
        limit, offset = page_of(request, most=100, deepest=8000)
        rows = [
            {
                "shop_no": shop_no_of(request),
                "carrier_id": number,
                "shipping_carrier_code": code,
                "shipping_carrier": name,
                "track_shipment_url": _TRACKING.format(code),
                "default_shipping_carrier": "T" if number == 1 else "F",
            }
            for number, (name, code) in enumerate(CARRIERS.items(), start=1)
        ]
        return Response(content={"carriers": rows[offset : offset + limit]})

    def suppliers(self, request: Request) -> Response:
        limit, offset = page_of(request, most=100, deepest=8000)
        return Response(content={"suppliers": list(self._suppliers(request).values())[offset : offset + limit]})

    def supplier(self, request: Request, code: str) -> Response:
        """GET /suppliers/{supplier_code}."""
        row = self._suppliers(request).get(code)
        if row is None:
            raise ApiError(404, "The supplier does not exist. (supplier_code)")
        return Response(content={"supplier": row})

    def _suppliers(self, request: Request) -> dict[str, Json]:
        return {
            goods.supplier_code: {
                "shop_no": shop_no_of(request),
                "supplier_code": goods.supplier_code,
                "supplier_name": goods.supplier_name,
                "status": "A",
                "use_supplier": "T",
                "trading_type": "D" if goods.mode is InventoryMode.DIRECT_PURCHASE else "C",
                "payment_type": "P",
                "commission": "10.00",
                "supplier_type": "BS",
                "phone": "02-000-0000",
                "manager_information": [_MANAGER],
                "updated_date": "2026-09-04T13:42:04+09:00",
            }
            for goods in self._world.goods(self._shop)
        }

    def products(self, request: Request) -> Response:
        """Newest first by offset, or by number from ``since_product_no`` on, which allows no offset beside it."""
        limit, offset = page_of(request, most=100, deepest=5000)
        since = request.query.get("since_product_no")
        if since is not None and ("offset" in request.query or not since.isdecimal()):
            raise ApiError(422, "Invalid value. (parameter.since_product_no)")
        wanted = set(many(request, "product_no"))
        rows = {
            product_no(goods): {
                "shop_no": shop_no_of(request),
                "product_no": product_no(goods),
                "product_code": product_code(goods),
                "custom_product_code": goods.sku,
                "product_name": goods.name,
                "price": money(goods.price),
                "supplier_code": goods.supplier_code,
                "display": "T",
                "selling": "T",
            }
            for goods in self._world.goods(self._shop)
        }
        numbers = sorted(number for number in rows if not wanted or str(number) in wanted)
        numbers = [number for number in numbers if number > int(since)] if since is not None else numbers[::-1]
        return Response(content={"products": [rows[number] for number in numbers[offset : offset + limit]]})
