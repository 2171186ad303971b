"""A shop against a scripted mall: each address answers by a function; the clock moves only by sleeping."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from connectors.smartstore import MANIFEST
from connectors.smartstore.connector import SmartstoreConnector
from hub.core.contract import ShopContext
from hub.core.model import ShopRef

NOW = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
#: the sample secret of the mall's own documentation
SECRET = "$2a$10$abcdefghijklmnopqrstuv"
CREDENTIALS = {"client_id": "aaaabbbbcccc", "client_secret": "$2a$04$abcdefghijklmnopqrstuu", "type": "SELF"}

FEED = "/v1/pay-order/seller/product-orders/last-changed-statuses"
DETAIL = "/v1/pay-order/seller/product-orders/query"
INQUIRIES = "/v1/pay-user/inquiries"
QNAS = "/v1/contents/qnas"
TOKEN = "/v1/oauth2/token"


class Call(msgspec.Struct):
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: httpx.Headers

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Handler = Callable[[Call], httpx.Response]


class Secrets:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def get(self, name: str) -> str | None:
        return self.values.get(name)

    async def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def lock(self, name: str) -> asyncio.Lock:
        return self._lock


class Clock:
    def __init__(self) -> None:
        self.at = NOW
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class Mall:
    """Answers by path; ``calls`` keeps what came, token calls apart."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        self.token_calls: list[Call] = []
        self.handlers: dict[str, Handler] = {}
        self.tokens = 0
        self.token_life = 10799

    def on(self, path: str, handler: Handler) -> None:
        self.handlers[path] = handler

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/external")
        call = Call(request.method, path, dict(request.url.params), request.content, request.headers)
        if path == TOKEN:
            self.token_calls.append(call)
            if TOKEN in self.handlers:
                return self.handlers[TOKEN](call)
            self.tokens += 1
            token = {"access_token": f"token-{self.tokens}", "expires_in": self.token_life, "token_type": "Bearer"}
            return httpx.Response(200, json=token)
        self.calls.append(call)
        if path not in self.handlers:
            return httpx.Response(404, json={"code": "GW.NOT_FOUND", "message": "no such path"})
        return self.handlers[path](call)

    def called(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mall(clock: Clock) -> Mall:
    mall = Mall(clock)
    mall.on(FEED, lambda _: feed([]))
    mall.on(DETAIL, lambda call: details([detail(no) for no in call.json["productOrderIds"]]))
    mall.on(INQUIRIES, lambda _: inquiry_page([]))
    mall.on(QNAS, lambda _: qna_page([]))
    return mall


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


def open_shop(mall: Mall, secrets: Secrets, credentials: dict[str, Any] | None = None) -> SmartstoreConnector:
    context = ShopContext(
        shop=ShopRef(name="test-smartstore", mall="smartstore"),
        base_url="http://127.0.0.1:9/external",
        credentials=credentials or CREDENTIALS,
        secrets=secrets,
        now=mall.clock,
        sleep=mall.clock.sleep,
        transport=httpx.MockTransport(mall),
    )
    connector = MANIFEST.open(context)
    assert isinstance(connector, SmartstoreConnector)
    return connector


@pytest.fixture
async def shop(mall: Mall, secrets: Secrets):
    connector = open_shop(mall, secrets)
    yield connector
    await connector.aclose()


def kst(at: datetime) -> str:
    return (at + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+09:00"


def feed(ids: list[str], more: tuple[str, str] | None = None) -> httpx.Response:
    data: dict[str, Any] = {
        "count": len(ids),
        "lastChangeStatuses": [{"productOrderId": no, "lastChangedType": "PAYED"} for no in ids],
    }
    if more:
        data["more"] = {"moreFrom": more[0], "moreSequence": more[1]}
    return httpx.Response(200, json={"timestamp": kst(NOW), "traceId": "t", "data": data})


def detail(line_no: str, **product: Any) -> dict[str, Any]:
    return {
        "order": {
            "orderId": "O" + line_no,
            "orderDate": "2026-03-04T20:00:58.000+09:00",
            "paymentDate": "2026-03-04T20:01:10.000+09:00",
        },
        "productOrder": {
            "productOrderId": line_no,
            "productOrderStatus": "PAYED",
            "placeOrderStatus": "OK",
            "productName": "머그컵",
            "quantity": 1,
            "totalPaymentAmount": 12400,
            **product,
        },
    }


def details(records: list[Any]) -> httpx.Response:
    return httpx.Response(200, json={"timestamp": kst(NOW), "traceId": "t", "data": records})


def inquiry(number: int, **more: Any) -> dict[str, Any]:
    return {
        "inquiryNo": number,
        "title": "언제 오나요",
        "inquiryContent": "배송 문의",
        "inquiryRegistrationDateTime": "2026-03-05T08:00:00.000+09:00",
        "answered": False,
        "orderId": "2026030412340001",
        **more,
    }


def qna(number: int, **more: Any) -> dict[str, Any]:
    return {
        "questionId": number,
        "createDate": "2026-03-05T08:00:00.000+09:00",
        "question": "재입고?",
        "answered": False,
        "productId": 70000001,
        **more,
    }


def inquiry_page(rows: list[Any], *, last: bool = True, total: int | None = None) -> httpx.Response:
    return httpx.Response(
        200, json={"content": rows, "last": last, "number": 0, "totalElements": len(rows) if total is None else total}
    )


def qna_page(rows: list[Any], *, last: bool = True, total: int | None = None) -> httpx.Response:
    return httpx.Response(
        200, json={"contents": rows, "last": last, "page": 1, "totalElements": len(rows) if total is None else total}
    )


def refusal(status: int, code: str, message: str = "거부", **headers: str) -> httpx.Response:
    body = {"code": code, "message": message, "traceId": "trace-1"}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})
