"""One account under a clock of the test's own, with the platform in the same process."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.talktalk import MANIFEST
from connectors.talktalk.connector import TalktalkConnector
from connectors.talktalk.sandbox import TalktalkSandbox
from hub.core.contract import OpenKeys, Reading, ShopContext, Span
from hub.core.events import Delivery, Notice, keep_events
from hub.core.inbox import MemoryInbox
from hub.core.model import Inquiry, ShopRef
from hub.sandbox.kit import SandboxOptions
from hub.sandbox.world import ShopSpec, make_world
from tests.contract.street import Secrets

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
USER = "al-2eGuGr5WQOexample"


class Desk:
    """``answers`` are bodies or errors that the sending API gives, in order; without any the sandbox answers."""

    def __init__(self) -> None:
        self.now = NOON
        spec = ShopSpec(name="talk", mall="talktalk", share=1.0)
        self.world = make_world(seed=3, orders=120, days=20, now=lambda: self.now, shops=(spec,))
        self.mall = TalktalkSandbox(self.world, shop="talk", options=SandboxOptions())
        self.inbox = MemoryInbox()
        self.calls: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception] = []
        self.on_sleep: list[dict[str, Any]] = []
        self._inner = httpx.ASGITransport(self.mall.app)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        for _ in range(20):
            # A network takes its time: others come to their turn.
            await asyncio.sleep(0)
        if not self.answers:
            return await self._inner.handle_async_request(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        for event in self.on_sleep:
            await self.tell(event)
        self.on_sleep.clear()

    def open(self, **credentials: Any) -> TalktalkConnector:
        table = self.mall.shop_table("http://127.0.0.1:9")
        context = ShopContext(
            shop=ShopRef(name="talk", mall="talktalk"),
            base_url=table["base_url"],
            credentials=table["credentials"] | credentials,
            secrets=Secrets(),
            now=lambda: self.now,
            sleep=self.sleep,
            transport=httpx.MockTransport(self.handle),
            inbox=self.inbox,
        )
        connector = MANIFEST.open(context)
        assert isinstance(connector, TalktalkConnector)
        self.connector = connector
        return connector

    async def tell(self, event: Any, *, after: float = 0.0, **headers: str) -> Notice:
        """One delivery ``after`` seconds from now."""
        self.now += timedelta(seconds=after)
        body = event if isinstance(event, bytes) else msgspec.json.encode(event)
        delivery = Delivery(headers={"content-type": "application/json"} | headers, body=body, received_at=self.now)
        notice = self.connector.receive_events(delivery)
        await keep_events(self.inbox, notice, at=self.now)
        return notice

    async def tell_all(self) -> None:
        """Everything that the sandbox has to tell by now."""
        for delivery in self.mall.deliveries():
            await keep_events(self.inbox, self.connector.receive_events(delivery), at=delivery.received_at)

    async def readings(self, *, since: datetime | None = None, cursor: str | None = None) -> list[Reading]:
        span = Span(since=since or NOON - timedelta(days=90), until=self.now, is_full=since is None)
        pages = self.connector.read_inquiries(span, open_keys=OpenKeys(), cursor=cursor)
        return [reading async for page in pages for reading in page.readings]

    async def inquiries(self) -> list[Inquiry]:
        return [reading.record for reading in await self.readings() if isinstance(reading.record, Inquiry)]

    async def chat(self) -> Inquiry:
        """The newest inquiry of USER."""
        return (await self.inquiries())[-1]


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"event": "send", "user": USER, "textContent": {"text": text, "inputType": "typing"}, **more}


def echoed(text: str) -> dict[str, Any]:
    return {"event": "echo", "echoedEvent": "send", "user": USER, "partner": "wc8b1i", "textContent": {"text": text}}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    desk.open()
    yield desk
    await desk.connector.aclose()
