"""Requests that are filed for a customer at the emulated Cafe24: cancel, return, exchange.

Source: Cafe24 Admin API, Cancellation-, Return- and Exchangerequests, version 2026-03-01; confidence: sure
for fields and forms, guess for the table of states from which a request is possible.
"""

from connectors.cafe24.sandbox_claims import KINDS, OPEN_TO, REASONS, answer_of_many
from connectors.cafe24.sandbox_http import ApiError, Json, body_shop_no, many_requests, required
from connectors.cafe24.sandbox_items import Item, items_of
from connectors.cafe24.sandbox_orders import item_code, order_id
from connectors.cafe24.sandbox_search import OrderSearch
from hub.core.model import ClaimReason
from hub.sandbox.asgi import Request, Response
from hub.sandbox.facts import OrderFact
from hub.sandbox.world import World

_REASON_CODES = {
    "cancellation": frozenset("ABGI"),
    "return": frozenset("AEKJI"),
    "exchange": frozenset("AEKJI"),
}
_MOST = 100
_REASON_LIMIT = 2000


class Requests:
    """POST /cancellationrequests|returnrequests|exchangerequests of one shop."""

    def __init__(self, world: World, search: OrderSearch) -> None:
        self._world = world
        self._search = search

    def file(self, request: Request, name: str) -> Response:
        wanted = many_requests(request, most=_MOST)
        shop_no = body_shop_no(request)
        return answer_of_many(f"{name}requests", wanted, lambda one: self._file_one(one, name, shop_no), success=201)

    def _file_one(self, wanted: Json, name: str, shop_no: int) -> Json:
        required(wanted, "order_id", "reason_type", "reason", *(("request_pickup",) if name == "return" else ()))
        if wanted["reason_type"] not in _REASON_CODES[name]:
            raise ApiError(422, "Invalid value. (parameter.reason_type)")
        if len(str(wanted["reason"])) > _REASON_LIMIT:
            raise ApiError(422, "Invalid value. (parameter.reason)")
        _check_pickup(wanted)
        order = self._search.one(str(wanted["order_id"]), shop_no)
        chosen = self._chosen(order, wanted, name)
        for item, quantity in chosen:
            self._world.request_claim(
                item.line,
                KINDS[name],
                REASONS.get(str(wanted["reason_type"]), ClaimReason.OTHER),
                str(wanted["reason"]),
                quantity,
            )
        rows = [{"order_item_code": item_code(order, item), "quantity": quantity} for item, quantity in chosen]
        return {"shop_no": shop_no, "order_id": order_id(order), "items": rows}

    def _chosen(self, order: OrderFact, wanted: Json, name: str) -> list[tuple[Item, int]]:
        now = self._world.now()
        by_code = {item_code(order, item): item for item in items_of(order, now)}
        chosen: list[tuple[Item, int]] = []
        for row in wanted.get("items") or [{"order_item_code": code} for code in by_code]:
            item = by_code.get(str(row.get("order_item_code")))
            if item is None:
                raise ApiError(422, "The item does not exist. (parameter.order_item_code)")
            quantity = int(row.get("quantity", item.quantity))
            if not 1 <= quantity <= item.quantity:
                raise ApiError(422, "Invalid value. (parameter.quantity)")
            status = item.code(now)
            if status not in OPEN_TO[name] or self._world.open_claim(item.line) is not None:
                raise ApiError(422, f"The item is in a state that does not allow it. {status}")
            chosen.append((item, quantity))
        return chosen


def _check_pickup(wanted: Json) -> None:
    if wanted.get("request_pickup") not in (None, "T", "F"):
        raise ApiError(422, "Invalid value. (parameter.request_pickup)")
    pickup = wanted.get("pickup")
    if wanted.get("request_pickup") == "T":
        if not isinstance(pickup, dict):
            raise ApiError(422, "Required parameter is missing. (parameter.pickup)")
        required(pickup, "name", "cellphone", "address1", "address2")
