"""Memos of orders and points of members of the emulated Cafe24. Neither call is idempotent.

Source: Cafe24 Admin API, Orders memos, Points, version 2026-03-01; confidence: sure.
"""

from decimal import Decimal, InvalidOperation

from connectors.cafe24.sandbox_http import (
    ApiError,
    Json,
    body_shop_no,
    many,
    one_request,
    page_of,
    required,
    shop_no_of,
    window_of,
)
from connectors.cafe24.sandbox_orders import kst, money, order_id
from connectors.cafe24.sandbox_search import OrderSearch
from hub.sandbox.asgi import Request, Response
from hub.sandbox.facts import MemoFact, OrderFact
from hub.sandbox.world import World

_MEMO_LIMIT = 1000
_MOST_POINTS = 1_000_000


class Notes:
    """The memo and points endpoints of one shop."""

    def __init__(self, world: World, search: OrderSearch, *, shop: str, mall_id: str) -> None:
        self._world = world
        self._search = search
        self._shop = shop
        self._mall_id = mall_id

    def memos(self, request: Request, order_no: str) -> Response:
        """GET /orders/{order_id}/memos."""
        order = self._search.one(order_no, shop_no_of(request))
        return Response(content={"memos": [self._memo(order, memo) for memo in order.memos]})

    def memos_of_many(self, request: Request) -> Response:
        """GET /orders/memos?order_id=a,b."""
        limit, offset = page_of(request, most=500, deepest=8000)
        shop_no = shop_no_of(request)
        numbers = many(request, "order_id")
        if not numbers:
            raise ApiError(422, "Required parameter is missing. (parameter.order_id)")
        orders = [self._search.one(number, shop_no) for number in numbers]
        rows = [
            self._memo(order, memo) | {"order_id": order_id(order), "created_date": kst(memo.at)}
            for order in orders
            for memo in order.memos
        ]
        return Response(content={"memos": rows[offset : offset + limit]})

    def write_memo(self, request: Request, order_no: str) -> Response:
        """POST /orders/{order_id}/memos."""
        wanted = one_request(request)
        required(wanted, "content")
        if len(str(wanted["content"])) > _MEMO_LIMIT:
            raise ApiError(422, "Invalid value. (parameter.content)")
        if str(wanted.get("attach_type", "O")) not in "OP":
            raise ApiError(422, "Invalid value. (parameter.attach_type)")
        order = self._search.one(order_no, body_shop_no(request))
        memo = self._world.write_memo(order, str(wanted["content"]))
        return Response(status=201, content={"memo": self._memo(order, memo)})

    def _memo(self, order: OrderFact, memo: MemoFact) -> Json:
        return {
            "shop_no": order.sub_shop,
            "memo_no": memo.number,
            "author_id": self._mall_id,
            "content": memo.text,
            "attach_type": "O",
            "starred_memo": "F",
            "fixed": "F",
            "product_list": None,
        }

    def points(self, request: Request) -> Response:
        """GET /points: what was given by the API (case AM), newest first."""
        limit, offset = page_of(request, most=100, deepest=8000)
        window = window_of(request, months=12)
        if window is None:
            raise ApiError(422, "Required parameter is missing. (parameter.start_date)")
        shop_no, member, number = shop_no_of(request), request.query.get("member_id"), request.query.get("order_id")
        found = [
            (given.at, order, given)
            for order in self._world.orders(self._shop)
            if order.points and order.sub_shop == shop_no
            if member in (None, order.buyer.member_id) and number in (None, order_id(order))
            for given in order.points
            if window[0] <= given.at <= window[1]
        ]
        found.sort(key=lambda entry: entry[0], reverse=True)
        rows = [
            {
                "shop_no": shop_no,
                "case": "AM",
                "member_id": order.buyer.member_id,
                "email": order.buyer.email,
                "available_points_increase": money(given.amount),
                "available_points_decrease": None,
                "issue_date": kst(at),
                "order_id": order_id(order),
                "reason": given.reason,
            }
            for at, order, given in found[offset : offset + limit]
        ]
        return Response(content={"points": rows})

    def give_points(self, request: Request) -> Response:
        """POST /points."""
        wanted = one_request(request)
        required(wanted, "member_id", "amount", "type")
        if wanted["type"] != "increase":
            raise ApiError(422, "Invalid value. (parameter.type)")
        amount = _amount(wanted["amount"])
        shop_no = body_shop_no(request)
        # Only points for an order are emulated: the World gives none without one.
        required(wanted, "order_id")
        order = self._search.one(str(wanted["order_id"]), shop_no)
        if order.buyer.member_id is None or wanted["member_id"] != order.buyer.member_id:
            raise ApiError(422, "The member does not exist. (parameter.member_id)")
        given = self._world.give_points(order, amount, str(wanted.get("reason") or ""))
        answer = {"shop_no": shop_no, "member_id": wanted["member_id"], "order_id": wanted["order_id"]}
        return Response(
            status=201,
            content={"points": answer | {"amount": money(amount), "type": "increase", "reason": given.reason}},
        )


def _amount(value: object) -> int:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ApiError(422, "Invalid value. (parameter.amount)") from error
    if not 0 < amount <= _MOST_POINTS or amount != int(amount):
        raise ApiError(422, "Invalid value. (parameter.amount)")
    return int(amount)
