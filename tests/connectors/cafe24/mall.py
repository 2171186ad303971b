"""A scripted Cafe24 for one test: answers by path, remembers what was asked."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from connectors.cafe24 import MANIFEST
from connectors.cafe24.connector import Cafe24Connector
from hub.core.contract import ShopContext
from hub.core.model import ShopRef

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
API = "/api/v2/admin/"


class Secrets:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str) -> str | None:
        return self.values.get(name)

    async def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())


class Clock:
    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


class Mall:
    """``routes`` maps "GET orders" to a function of the request; tokens are made here."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.routes: dict[str, Callable[[httpx.Request], httpx.Response]] = {}
        self.clock = Clock()
        self.secrets = Secrets()
        self.refresh_token = "seed"
        self.refreshes = 0
        self.access_token = ""
        self.scopes = ["mall.read_order", "mall.write_order", "mall.read_community", "mall.write_community"]

    def on(self, route: str, answer: Callable[[httpx.Request], httpx.Response] | object) -> None:
        if not callable(answer):
            body = answer
            answer = lambda _request: httpx.Response(200, json=body)  # noqa: E731
        self.routes[route] = answer

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        if path == "/api/v2/oauth/token":
            return self._token(request)
        if request.headers["Authorization"] != f"Bearer {self.access_token}":
            error = {"error": {"code": 401, "message": "access_token time expired. (invalid_token)"}}
            return httpx.Response(401, json=error)
        route = f"{request.method} {path.removeprefix(API)}"
        if route == "GET orders/count" and route not in self.routes and "GET orders" in self.routes:
            return self._count(request)
        if route not in self.routes:
            return httpx.Response(404, json={"error": {"code": 404, "message": f"No {route}"}})
        return self.routes[route](request)

    def _count(self, request: httpx.Request) -> httpx.Response:
        """Counts what the list of orders answers to the same filters on its first page."""
        params = request.url.params.merge({"offset": "0", "limit": "1000"})
        listed = self.routes["GET orders"](httpx.Request("GET", request.url.copy_with(params=params)))
        return httpx.Response(200, json={"count": len(listed.json()["orders"])})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        if form.get("refresh_token") != self.refresh_token:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "Invalid refresh_token"})
        self.refreshes += 1
        self.refresh_token = f"refresh-{self.refreshes}"
        self.access_token = f"access-{self.refreshes}"
        issued = self.clock.now + timedelta(hours=9)
        naive = {"tzinfo": None}
        answer = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "issued_at": issued.replace(**naive).isoformat(timespec="milliseconds"),
            "expires_at": (issued + timedelta(hours=2)).replace(**naive).isoformat(timespec="milliseconds"),
            "refresh_token_expires_at": (issued + timedelta(days=14)).replace(**naive).isoformat(),
            "scopes": self.scopes,
            "mall_id": "demomall",
            "token_type": "Bearer",
        }
        return httpx.Response(200, json=answer)

    def asked(self, route: str) -> list[httpx.Request]:
        """The requests of one route, the token's apart."""
        return [r for r in self.requests if f"{r.method} {r.url.path.removeprefix(API)}" == route]

    def sent(self, route: str) -> list[dict[str, object]]:
        return [json.loads(request.content) for request in self.asked(route)]

    def open(self, **credentials: object) -> Cafe24Connector:
        table = {
            "mall_id": "demomall",
            "client_id": "client",
            "client_secret": "secret-of-the-app",
            "refresh_token": "seed",
            **credentials,
        }
        context = ShopContext(
            shop=ShopRef(name="main-cafe24", mall="cafe24"),
            base_url="http://127.0.0.1:9101",
            credentials=table,
            secrets=self.secrets,
            now=self.clock,
            sleep=self.clock.sleep,
            transport=httpx.MockTransport(self.handle),
        )
        connector = MANIFEST.open(context)
        assert isinstance(connector, Cafe24Connector)
        return connector


def item(order_id: str = "20261118-0000021", number: int = 1, **fields: object) -> dict[str, object]:
    return {
        "item_no": 200 + number,
        "order_item_code": f"{order_id}-{number:02}",
        "variant_code": "P00000AA000A",
        "product_no": 10,
        "product_code": "P00000AA",
        "custom_product_code": "SKU-001",
        "option_value": "색상=블랙",
        "product_name": "린넨 셔츠",
        "product_price": "25800.00",
        "option_price": "0.00",
        "quantity": 1,
        "supplier_id": "S000000A",
        "supplier_transaction_type": "P",
        "order_status": "N20",
        "ordered_date": "2026-11-18T11:21:35+09:00",
        **fields,
    }


def order(order_id: str = "20261118-0000021", *, items: list[dict[str, object]] | None = None, **fields: object):
    return {
        "shop_no": 1,
        "currency": "KRW",
        "order_id": order_id,
        "market_id": "self",
        "market_order_no": None,
        "member_id": "minsu01",
        "paid": "T",
        "order_date": "2026-11-18T11:21:35+09:00",
        "payment_date": "2026-11-18T11:21:40+09:00",
        "payment_amount": "54600.00",
        "payment_method": ["card"],
        "order_place_id": "mobile",
        "buyer": {"name": "김민수", "cellphone": "010-0000-0001", "phone": "", "email": "m@example.com"},
        "receivers": [{"name": "김민수", "cellphone": "010-0000-0001", "zipcode": "04524", "address1": "서울"}],
        "items": items if items is not None else [item(order_id)],
        "cancellation": [],
        "return": [],
        "exchange": [],
        **fields,
    }
