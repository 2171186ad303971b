"""An emulated Cafe24 mall: one account with its shop numbers, over the World.

It answers what the Admin API answers and refuses what it refuses: tokens that rotate, a leaky bucket,
windows shorter than three months, walls of offset, two body forms. Not emulated and told so: some
filters of the order list, coupons, webhooks, the calls that act on several orders at once,
parcels of a part of an item.

Source: Cafe24 Admin API, version 2026-03-01; confidence: sure unless the part's own module says less.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from litestar.types import ASGIApp

from connectors.cafe24.sandbox_boards import Boards
from connectors.cafe24.sandbox_claims import KINDS, Claims
from connectors.cafe24.sandbox_comments import Comments
from connectors.cafe24.sandbox_http import (
    ApiError,
    Json,
    Limits,
    Tokens,
    many,
    page_of,
    shop_no_of,
    window_of,
)
from connectors.cafe24.sandbox_items import LETTERS, items_of
from connectors.cafe24.sandbox_notes import Notes
from connectors.cafe24.sandbox_oauth import OAuth
from connectors.cafe24.sandbox_orders import (
    claim_code,
    item_code,
    kst,
    money,
    order_id,
    render_buyer,
    render_item,
    render_order,
    render_receivers,
)
from connectors.cafe24.sandbox_requests import Requests
from connectors.cafe24.sandbox_search import OrderSearch, links
from connectors.cafe24.sandbox_shipping import Shipping
from connectors.cafe24.sandbox_supply import Supply
from connectors.cafe24.sandbox_truth import truth_of
from hub.core.model import ClaimState
from hub.sandbox.asgi import Request, Response, app_of
from hub.sandbox.facts import OrderFact
from hub.sandbox.kit import Row, SandboxMall, SandboxOptions, Truth
from hub.sandbox.world import World

_MALL_ID, _CLIENT_ID, _CLIENT_SECRET, _REFRESH_TOKEN = "hubmall", "sandbox-client", "sandbox-secret", "rT0.sandbox"
_WEBHOOK_KEY = "sandbox-webhook-key"
_ADMIN = "/api/v2/admin"
_EMBEDS = frozenset({"items", "receivers", "buyer", "return", "cancellation", "exchange"})
_EMBEDS_OF_ONE = _EMBEDS | {"benefits", "coupons", "refunds"}
_CLAIM = "cancellation|return|exchange"


def build(world: World, *, shop: str, options: SandboxOptions) -> "Cafe24Sandbox":
    """The emulated mall of one shop of the World."""
    return Cafe24Sandbox(world, shop=shop, options=options)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    scope: str
    handle: Callable[..., Response]


class Cafe24Sandbox(SandboxMall):
    """``tokens`` and ``limits`` may be looked at and bent by tests (expire a token, take a scope away)."""

    def __init__(self, world: World, *, shop: str, options: SandboxOptions) -> None:
        self.mall = "cafe24"
        self.shop = shop
        self.app: ASGIApp = app_of(self._answer)
        self.tokens = Tokens(
            now=world.now,
            mall_id=_MALL_ID,
            client_id=_CLIENT_ID,
            client_secret=_CLIENT_SECRET,
            refresh_token=_REFRESH_TOKEN,
        )
        self.oauth = OAuth(self.tokens)
        self.limits = Limits(options=options, clock=options.clock or (lambda: world.now().timestamp()))
        #: calls answered, by method and path
        self.calls: dict[str, int] = {}
        self._world = world
        self._rows = options.rows
        self._search = OrderSearch(world, shop)
        self._claims = Claims(world, self._search)
        self._requests = Requests(world, self._search)
        self._shipping = Shipping(world, self._search)
        self._notes = Notes(world, self._search, shop=shop, mall_id=_MALL_ID)
        self._boards = Boards(world, shop, mall_id=_MALL_ID, rows=options.rows)
        self._supply = Supply(world, shop, mall_id=_MALL_ID)
        self._routes = self._make_routes()

    def shop_table(self, base_url_root: str) -> Row:
        return {
            "name": self.shop,
            "mall": self.mall,
            "base_url": base_url_root.rstrip("/"),
            "credentials": {
                "mall_id": _MALL_ID,
                "client_id": _CLIENT_ID,
                "client_secret": _CLIENT_SECRET,
                "refresh_token": self.tokens.refresh_token,
                "webhook_key": _WEBHOOK_KEY,
                "shop_no": list(self._world.shops[self.shop].sub_shops),
            },
        }

    @property
    def comments(self) -> Comments:
        """The comments below posts: tests write some as the mall's own people do."""
        return self._boards.comments

    def truth(self) -> Truth:
        return truth_of(self._world, self.shop)

    # -- requests

    def _answer(self, request: Request) -> Response:
        signed_in = self.oauth.answer(request)
        if signed_in is not None:
            return signed_in
        refused = self.limits.admit()
        response = refused or self._routed(request)
        response.headers |= self.limits.headers()
        version = request.headers.get("x-cafe24-api-version")
        if version:
            response.headers["X-Cafe24-Api-Version"] = version
        return response

    def _routed(self, request: Request) -> Response:
        key = f"{request.method} {request.path}"
        self.calls[key] = self.calls.get(key, 0) + 1
        try:
            for route in self._routes:
                match = route.path.fullmatch(request.path)
                if match and route.method == request.method:
                    self.tokens.check(request, route.scope)
                    return route.handle(request, *match.groups())
        except ApiError as error:
            return error.response
        return ApiError(404, "No API found.").response

    def _make_routes(self) -> list[_Route]:
        orders, boards, claims, shipping = "order", "community", self._claims, self._shipping
        table: list[tuple[str, str, str, Callable[..., Response]]] = [
            ("GET", "/orders", orders, self._orders),
            ("GET", "/orders/count", orders, self._count),
            ("GET", r"/orders/([\d-]+)", orders, self._one_order),
            ("PUT", r"/orders/([\d-]+)", orders, shipping.process),
            ("PUT", r"/orders/([\d-]+)/items/([\d-]+)", orders, shipping.change_item),
            ("GET", r"/orders/([\d-]+)/shipments", orders, shipping.shipments),
            ("GET", r"/orders/([\d-]+)/(items|receivers|buyer)", orders, self._part_of_order),
            ("POST", r"/orders/([\d-]+)/shipments", orders, shipping.ship),
            ("GET", "/orders/memos", orders, self._notes.memos_of_many),
            ("GET", r"/orders/([\d-]+)/memos", orders, self._notes.memos),
            ("POST", r"/orders/([\d-]+)/memos", orders, self._notes.write_memo),
            ("GET", "/points", "mileage", self._notes.points),
            ("POST", "/points", "mileage", self._notes.give_points),
            ("POST", rf"/orders/([\d-]+)/({_CLAIM})", orders, claims.accept),
            ("PUT", rf"/orders/([\d-]+)/({_CLAIM})/([\w-]+)", orders, claims.move),
            ("PUT", r"/orders/([\d-]+)/exchangerequests", orders, claims.refuse_of_order),
            ("GET", rf"/({_CLAIM})/([\w-]+)", orders, self._claim),
            ("GET", "/refunds", orders, self._refunds),
            ("GET", r"/refunds/([\w-]+)", orders, self._one_refund),
            ("GET", "/shops", "store", self._supply.shops),
            ("GET", "/carriers", "shipping", self._supply.carriers),
            ("GET", "/suppliers", "supply", self._supply.suppliers),
            ("GET", r"/suppliers/(\w+)", "supply", self._supply.supplier),
            ("GET", "/products", "product", self._supply.products),
            ("GET", "/boards", boards, self._boards.boards),
            ("GET", r"/boards/(\d+)/articles", boards, self._boards.articles),
            ("POST", r"/boards/(\d+)/articles", boards, self._boards.post_articles),
            ("PUT", r"/boards/(\d+)/articles/(\d+)", boards, self._boards.change_article),
            ("GET", r"/boards/(\d+)/comments", boards, self._boards.comments.of_board),
            ("GET", r"/boards/(\d+)/articles/(\d+)/comments", boards, self._boards.comments.listed),
            ("POST", r"/boards/(\d+)/articles/(\d+)/comments", boards, self._boards.comments.post),
            ("GET", "/urgentinquiry", boards, self._boards.urgent),
            *((method, r"/urgentinquiry/(\d+)/reply", boards, self._boards.urgent_reply) for method in _REPLY_METHODS),
            *(("PUT", f"/{name}requests", orders, partial(claims.refuse, name=name)) for name in KINDS),
            *(("POST", f"/{name}requests", orders, partial(self._requests.file, name=name)) for name in KINDS),
        ]
        return [
            _Route(method, re.compile(_ADMIN + path), f"mall.{'read' if method == 'GET' else 'write'}_{area}", handle)
            for method, path, area, handle in table
        ]

    # -- orders

    def _orders(self, request: Request) -> Response:
        limit, offset = page_of(request, most=1000, deepest=15000)
        embed = _embed(request, _EMBEDS)
        found = self._search.find(request)
        now = self._world.now()
        rows = [render_order(order, now, embed=embed) for order in found[offset : offset + limit]]
        fields = frozenset(many(request, "fields"))
        if fields:
            rows = [{name: value for name, value in row.items() if name in fields | embed} for row in rows]
        is_last = offset + limit >= len(found)
        return Response(
            content={
                "orders": self._rows.spoil(rows, path=request.path),
                "links": links(request, limit=limit, offset=offset, is_last=is_last),
            }
        )

    def _count(self, request: Request) -> Response:
        return Response(content={"count": len(self._search.find(request))})

    def _one_order(self, request: Request, order_no: str) -> Response:
        embed = _embed(request, _EMBEDS_OF_ONE)
        order = self._search.one(order_no, shop_no_of(request))
        rendered = render_order(order, self._world.now(), embed=embed)
        if "refunds" in embed:
            rendered["refunds"] = list(self._refunds_of(order))
        return Response(content={"order": rendered | {name: [] for name in embed & {"benefits", "coupons"}}})

    def _part_of_order(self, request: Request, order_no: str, part: str) -> Response:
        order = self._search.one(order_no, shop_no_of(request))
        now = self._world.now()
        if part == "items":
            suppliers = set(many(request, "supplier_id"))
            rows = [render_item(order, item, now) for item in items_of(order, now)]
            return Response(
                content={"items": [row for row in rows if not suppliers or row["supplier_id"] in suppliers]}
            )
        return Response(content={part: render_buyer(order) if part == "buyer" else render_receivers(order)})

    # -- claims and refunds

    def _claim(self, request: Request, name: str, code: str) -> Response:
        return self._claims.read(name, code, shop_no_of(request))

    def _refunds(self, request: Request) -> Response:
        limit, offset = page_of(request, most=500, deepest=15000)
        window = window_of(request, months=12)
        if window is None:
            raise ApiError(422, "Required parameter is missing. (parameter.start_date)")
        start, end = kst(window[0]) or "", kst(window[1]) or ""
        date_type = request.query.get("date_type", "refund_date")
        if date_type not in ("refund_date", "accepted_refund_date"):
            raise ApiError(422, "Invalid value. (parameter.date_type)")
        order_ids, members = set(many(request, "order_id")), set(many(request, "member_id"))
        found = [
            refund
            for order in self._orders_of(request)
            if (not order_ids or order_id(order) in order_ids) and (not members or order.buyer.member_id in members)
            for refund in self._refunds_of(order)
            if start <= refund[date_type] <= end
        ]
        found.sort(key=lambda refund: str(refund[date_type]), reverse=True)
        return Response(content={"refunds": self._rows.spoil(found[offset : offset + limit], path=request.path)})

    def _one_refund(self, request: Request, code: str) -> Response:
        for order in self._orders_of(request):
            for refund in self._refunds_of(order):
                if refund["refund_code"] == code:
                    return Response(content={"refund": refund})
        raise ApiError(404, "The refund does not exist. (refund_code)")

    def _orders_of(self, request: Request) -> Iterator[OrderFact]:
        shop_no = shop_no_of(request)
        return (order for order in self._world.orders(self.shop) if order.sub_shop == shop_no)

    def _refunds_of(self, order: OrderFact) -> list[Json]:
        now = self._world.now()
        rows: list[Json] = []
        for item in items_of(order, now) if any(line.claims for line in order.lines) else ():
            for claim in item.claims:
                step = claim.step_at(now)
                if step and step.state is ClaimState.DONE and LETTERS[claim.kind] != "E":
                    row = {
                        "shop_no": order.sub_shop,
                        "order_id": order_id(order),
                        "refund_code": claim_code(claim, now),
                        "refund_date": kst(step.at),
                        "accepted_refund_date": kst(step.at),
                        "actual_refund_amount": money(item.line.item.price * claim.quantity),
                        "order_item_code": [item_code(order, item)],
                        "status": "T",
                    }
                    rows.append(row)
        return rows


_REPLY_METHODS = ("GET", "POST", "PUT")


def _embed(request: Request, known: frozenset[str]) -> frozenset[str]:
    embed = frozenset(many(request, "embed"))
    if not embed <= known:
        raise ApiError(422, "Invalid value. (parameter.embed)")
    return embed
