"""A shop against a scripted mall: each call is answered by a function of the method and its form."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest

from connectors.qoo10 import MANIFEST
from connectors.qoo10.connector import Qoo10Connector
from hub.core.contract import ShopContext
from hub.core.model import ShopRef

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SELLER_KEY = {"seller_key": "S5bnEXAMPLE_g_2_AbCd"}
ISSUING = {"api_key": "api-key-of-test", "user_id": "demo_shop", "password": "pw-of-test"}


class Call(msgspec.Struct):
    method: str
    form: dict[str, str]
    headers: httpx.Headers
    url: str


class Lock:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *error: object) -> None: ...


class Secrets:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.values.get(name)

    async def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def lock(self, name: str) -> Lock:
        return Lock()


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def ok(rows: object = None, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"ResultObject": rows, "ResultCode": 0, "ResultMsg": "SUCCESS", **more})


def refused(code: object, message: str = "refused") -> httpx.Response:
    return httpx.Response(200, json={"ResultObject": None, "ResultCode": code, "ResultMsg": message})


Answering = Callable[[Call], httpx.Response]


class Mall:
    """``answer`` may be replaced by a test; every call is kept in ``calls``."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: Answering = lambda call: ok()
        self.clock = Clock()
        self.secrets = Secrets()

    def open(self, credentials: dict[str, object] | None = None) -> Qoo10Connector:
        connector = MANIFEST.open(
            ShopContext(
                shop=ShopRef(name="main-qoo10", mall="qoo10"),
                base_url="http://127.0.0.1:9103/GMKT.INC.Front.QAPIService/ebayjapan.qapi",
                credentials=credentials or SELLER_KEY,
                secrets=self.secrets,
                now=self.clock,
                sleep=self.clock.sleep,
                transport=httpx.MockTransport(self._handle),
            )
        )
        assert isinstance(connector, Qoo10Connector)
        return connector

    def _handle(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        call = Call(request.url.path.rpartition("/")[2], form, request.headers, str(request.url))
        self.calls.append(call)
        return self.answer(call)


@pytest.fixture
def mall() -> Mall:
    return Mall()


async def all_pages(pages):
    return [page async for page in pages]


async def all_readings(pages):
    return [reading async for page in pages for reading in page.readings]
