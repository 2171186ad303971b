"""Order search of the emulated Cafe24: date types, filters and pages, quick for a hundred thousand orders."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from datetime import datetime

from connectors.cafe24.sandbox_http import ApiError, Json, many, shop_no_of, window_of
from connectors.cafe24.sandbox_items import dated_events, items_of
from connectors.cafe24.sandbox_orders import (
    market_order_no,
    number_of,
    order_id,
    order_place,
    product_code,
    product_no,
)
from hub.sandbox.asgi import Request
from hub.sandbox.facts import OrderFact
from hub.sandbox.world import World

DATE_TYPES = frozenset(
    {
        "order_date", "pay_date", "shipbegin_date", "shipend_date", "cancel_date", "place_date",
        "cancel_request_date", "cancel_accept_date", "cancel_complete_date",
        "exchange_request_date", "exchange_accept_date", "exchange_complete_date",
        "return_request_date", "return_accept_date", "return_complete_date", "purchaseconfirmation_date",
    }
)  # fmt: skip
_NOT_EMULATED = (
    "receiver_address", "carrier_id", "labels", "inflow_path", "refund_status", "market_seller_id",
)  # fmt: skip
_FILTERS: dict[str, Callable[[OrderFact], Iterable[str | None]]] = {
    "member_id": lambda order: (order.buyer.member_id,),
    "member_type": lambda order: ("3" if order.buyer.member_id is None else "2",),
    "member_email": lambda order: (order.buyer.email,),
    "receiver_name": lambda order: (order.receiver.name,),
    "buyer_phone": lambda _order: (),  # nobody here has a second number
    "market_cancel_request": lambda _order: ("F",),
    "buyer_name": lambda order: (order.buyer.name,),
    "buyer_cellphone": lambda order: (order.buyer.phone, order.buyer.phone.replace("-", "")),
    "buyer_email": lambda order: (order.buyer.email,),
    "product_no": lambda order: (str(product_no(line.item)) for line in order.lines),
    "product_code": lambda order: (product_code(line.item) for line in order.lines),
    "supplier_id": lambda order: (line.item.supplier_code for line in order.lines),
    "order_place_id": lambda order: (order_place(order),),
    "market_order_no": lambda order: (market_order_no(order),),
}
_MONTHS = 3


class OrderSearch:
    """Finds orders of one shop by what GET /orders can be asked."""

    def __init__(self, world: World, shop: str) -> None:
        self._world = world
        self._shop = shop
        self._dates: dict[str, list[tuple[datetime, int]]] = {name: [] for name in DATE_TYPES}
        self._indexed = 0
        self._changes_read = 0

    def find(self, request: Request) -> list[OrderFact]:
        """All matching orders, newest first. Raises: ApiError for parameters that the mall refuses."""
        for name in _NOT_EMULATED:
            if name in request.query:
                raise ApiError(422, f"Not emulated. (parameter.{name})")
        shop_no = shop_no_of(request)
        statuses, paid = set(many(request, "order_status")), set(many(request, "payment_status"))
        wanted = {name: set(many(request, name)) for name in _FILTERS if name in request.query}
        now = self._world.now()
        found = [
            order
            for order in self._candidates(request, now)
            if order.sub_shop == shop_no
            and all(not values.isdisjoint(_FILTERS[name](order)) for name, values in wanted.items())
            and (not statuses or any(item.code(now) in statuses for item in items_of(order, now)))
            and (not paid or ("T" if order.paid_at is not None and order.paid_at <= now else "F") in paid)
        ]
        found.sort(key=lambda order: order.number, reverse=True)
        return found

    def one(self, text: str, shop_no: int) -> OrderFact:
        """Raises: ApiError 404 for an id that this shop number does not have."""
        order = self._by_id(text)
        if order is None or order.sub_shop != shop_no:
            raise ApiError(404, "The order does not exist. (order_id)")
        return order

    def owns(self, order: OrderFact, shop_no: int) -> bool:
        return order.shop == self._shop and order.sub_shop == shop_no

    def _by_id(self, text: str) -> OrderFact | None:
        number = number_of(text)
        if number is None:
            return None
        try:
            order = self._world.order(number)
        except KeyError:
            return None
        return order if order.shop == self._shop and order_id(order) == text else None

    def _candidates(self, request: Request, now: datetime) -> list[OrderFact]:
        window = window_of(request, months=_MONTHS)
        if "order_id" in request.query:
            orders = [self._by_id(text) for text in dict.fromkeys(many(request, "order_id"))]
            return [order for order in orders if order is not None]
        if window is None:
            raise ApiError(422, "Required parameter is missing. (parameter.start_date)")
        date_type = request.query.get("date_type", "order_date")
        if date_type not in DATE_TYPES:
            raise ApiError(422, "Invalid value. (parameter.date_type)")
        return self._dated(date_type, window[0], min(window[1], now))

    def _dated(self, date_type: str, start: datetime, end: datetime) -> list[OrderFact]:
        self._catch_up()
        entries = self._dates[date_type]
        first = bisect_left(entries, start, key=lambda entry: entry[0])
        last = bisect_right(entries, end, key=lambda entry: entry[0])
        orders = [self._world.order(number) for number in {number for _, number in entries[first:last]}]
        if date_type == "order_date":
            return orders
        # A write may have cut off what the index still holds.
        return [
            order
            for order in orders
            if any(kind == date_type and start <= at <= end for kind, at in dated_events(order))
        ]

    def _catch_up(self) -> None:
        """Index orders that have appeared and events that writes have added."""
        orders = self._world.orders(self._shop)
        new = orders[self._indexed :]
        self._indexed = len(orders)
        many_new = len(new) > 500
        for order in new:
            self._index(order, sort=not many_new)
        if many_new:
            for entries in self._dates.values():
                entries.sort()
        changed = self._world.changed_orders
        for number in dict.fromkeys(changed[self._changes_read :]):
            order = self._world.order(number)
            if order.shop == self._shop:
                self._index(order, sort=True)
        self._changes_read = len(changed)

    def _index(self, order: OrderFact, *, sort: bool) -> None:
        for name, at in dated_events(order):
            if sort:
                insort(self._dates[name], (at, order.number))
            else:
                self._dates[name].append((at, order.number))


def links(request: Request, *, limit: int, offset: int, is_last: bool) -> list[Json]:
    """The ``links`` of a list: the next page while there is one."""
    if is_last:
        return []
    kept = "&".join(
        part for part in request.query_string.split("&") if part and part.partition("=")[0] not in ("limit", "offset")
    )
    query = f"{kept}&" if kept else ""
    return [{"rel": "next", "href": f"{request.path}?{query}limit={limit}&offset={offset + limit}"}]
