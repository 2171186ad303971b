"""What happens to the items of the emulated Cafe24 before they arrive: prepared, held, planned, sent.

Source: Cafe24 Admin API, Orders, Orders items, Orders shipments, version 2026-03-01; confidence: sure for
fields and forms, guess for the table of states from which each step is possible.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectors.cafe24.sandbox_http import ApiError, Json, body_shop_no, one_request, required, shop_no_of
from connectors.cafe24.sandbox_items import Item, items_of
from connectors.cafe24.sandbox_orders import CARRIERS, item_code, order_id
from connectors.cafe24.sandbox_search import OrderSearch
from hub.sandbox.asgi import Request, Response
from hub.sandbox.facts import OrderFact
from hub.sandbox.world import World

_KST = timedelta(hours=9)
_BEFORE_DISPATCH = frozenset({"N10", "N20", "N21", "N22"})
_REPLACEMENT = "N01"
_FROM = {
    "prepareproduct": frozenset({"N10", "N20"}),
    "prepare": frozenset({"N10"}),
    "hold": frozenset({"N10", "N20", "N21"}),
    "unhold": frozenset({"N22"}),
}
_STANDS = {"prepare": frozenset({"N20", "N21"}), "hold": frozenset({"N22"})}
_TRACKING_LIMIT = 40


class Shipping:
    """The order, item and shipment endpoints that move items of one shop."""

    def __init__(self, world: World, search: OrderSearch) -> None:
        self._world = world
        self._search = search

    def process(self, request: Request, order_no: str) -> Response:
        """PUT /orders/{order_id}: prepare, hold and unhold."""
        wanted = one_request(request)
        required(wanted, "process_status", "order_item_code")
        word = str(wanted["process_status"])
        if word not in _FROM:
            raise ApiError(422, "Invalid value. (parameter.process_status)")
        order = self._search.one(order_no, body_shop_no(request))
        now = self._world.now()
        items = self._named(order, wanted["order_item_code"])
        codes = {item.code(now) for item in items}
        if codes <= _STANDS.get(word, frozenset()):
            raise ApiError(409, "The item is in this state already. (parameter.process_status)")
        if not codes <= _FROM[word]:
            raise _wrong_state(codes)
        for item in items:
            if word in ("hold", "unhold"):
                self._world.set_held(item.line, is_held=word == "hold")
            elif word == "prepare":
                self._world.prepare(item.line)
        shown = {"process_status": word, "order_item_code": wanted["order_item_code"], "purchase_confirmation": None}
        return Response(content={"order": {"shop_no": order.sub_shop, **shown, "collect_points": "F"}})

    def change_item(self, request: Request, order_no: str, code: str) -> Response:
        """PUT /orders/{order_id}/items/{order_item_code}: the day of shipping; several parcels are not emulated."""
        wanted = one_request(request)
        required(wanted, "shipping_expected_date")
        order = self._search.one(order_no, body_shop_no(request))
        (item,) = self._named(order, [code])
        try:
            day = date.fromisoformat(str(wanted["shipping_expected_date"])[:10])
        except ValueError as error:
            raise ApiError(422, "Invalid value. (parameter.shipping_expected_date)") from error
        status = item.code(self._world.now())
        if status not in _BEFORE_DISPATCH | {_REPLACEMENT}:
            raise _wrong_state({status})
        self._world.plan_shipping(item.line, datetime(day.year, day.month, day.day, tzinfo=UTC) - _KST)
        answer = {"shop_no": order.sub_shop, "order_id": order_no, "order_item_code": code}
        return Response(content={"item": answer | {"shipping_expected_date": day.isoformat()}})

    def ship(self, request: Request, order_no: str) -> Response:
        """POST /orders/{order_id}/shipments with status shipping; "standby" is not emulated."""
        wanted = one_request(request)
        required(wanted, "tracking_no", "shipping_company_code", "status")
        if len(str(wanted["tracking_no"])) > _TRACKING_LIMIT:
            raise ApiError(422, "Invalid value. (parameter.tracking_no)")
        if wanted["status"] != "shipping":
            raise ApiError(422, "Invalid value. (parameter.status)")
        order = self._search.one(order_no, body_shop_no(request))
        names = {code: name for name, code in CARRIERS.items()}
        carrier = names.get(str(wanted["shipping_company_code"]))
        if carrier is None:
            raise ApiError(422, "Invalid value. (parameter.shipping_company_code)")
        now = self._world.now()
        items = self._named(order, wanted.get("order_item_code")) or items_of(order, now)
        codes = {item.code(now) for item in items}
        if not codes <= _BEFORE_DISPATCH | {_REPLACEMENT}:
            raise _wrong_state(codes)
        for item in items:
            if item.replaces is not None:
                self._world.reship(item.line, item.replaces, str(wanted["tracking_no"]))
            else:
                self._world.dispatch(item.line, carrier, str(wanted["tracking_no"]))
        return Response(status=201, content={"shipments": [self._shipment(order, items, wanted)]})

    def shipments(self, request: Request, order_no: str) -> Response:
        """GET /orders/{order_id}/shipments."""
        order = self._search.one(order_no, shop_no_of(request))
        now = self._world.now()
        rows = [
            self._shipment(
                order,
                [item],
                {
                    "tracking_no": item.tracking_no(now),
                    "shipping_company_code": CARRIERS.get(item.line.carrier, item.line.carrier),
                    "status": "shipping" if item.delivered_at(now) is None else "shipped",
                },
            )
            for item in items_of(order, now)
            if item.shipped_at(now) is not None
        ]
        return Response(content={"shipments": rows})

    @staticmethod
    def _shipment(order: OrderFact, items: list[Item], told: Json) -> Json:
        return {
            "shop_no": order.sub_shop,
            "shipping_code": f"D-{order_id(order)}-00",
            "order_id": order_id(order),
            "tracking_no": told["tracking_no"],
            "shipping_company_code": told["shipping_company_code"],
            "status": told["status"],
            "order_item_code": [item_code(order, item) for item in items],
            "carrier_id": told.get("carrier_id"),
        }

    def _named(self, order: OrderFact, codes: Any) -> list[Item]:
        """The items of a list of codes. Raises: ApiError 422 for a code that the order does not have."""
        by_code = {item_code(order, item): item for item in items_of(order, self._world.now())}
        wanted = codes if isinstance(codes, list) else [] if codes is None else [codes]
        if not all(str(code) in by_code for code in wanted):
            raise ApiError(422, "The item does not exist. (parameter.order_item_code)")
        return [by_code[str(code)] for code in wanted]


def _wrong_state(codes: set[str]) -> ApiError:
    shown = ", ".join(sorted(codes))
    return ApiError(422, f"The item is in a state that does not allow it. (parameter.order_item_code) {shown}")
